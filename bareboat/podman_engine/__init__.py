"""Podman: the real engine, and the only user of podman-py."""

from bareboat.podman_engine.engine import PodmanEngine

__all__ = ["PodmanEngine"]
