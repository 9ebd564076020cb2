"""Finds out by trying what this machine lacks for rootless builds, and which command mends each lack.

For others to use:

- `examine.py`: `examine`
- `check.py`: `Check`, of which `examine` returns several; `table` and `can_build` on them
- `script.py`: `cure_script` of them
- `registry.py`: `ask_registries`, and `registry_of` for the host that a reference names
"""
