"""Inputs become a plan: cells, the jobs that make them, their Containerfiles and keys. Pure: no file, no Podman."""
