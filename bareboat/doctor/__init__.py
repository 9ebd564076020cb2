"""Finds out by trying what this machine lacks for rootless builds, and which command mends each lack.

Others use `examine`, which returns `Check`s, `table` and `can_build` on them, and `ask_registries`, with
`registry.registry_of` for the host that a reference names.
"""

from bareboat.doctor.check import Check, can_build, table
from bareboat.doctor.examine import examine
from bareboat.doctor.registry import ask_registries

__all__ = ["Check", "ask_registries", "can_build", "examine", "table"]
