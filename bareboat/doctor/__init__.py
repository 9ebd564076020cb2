"""What this machine lacks for rootless builds, found by trying, and the command that mends each lack."""

from bareboat.doctor.check import Check, can_build, table
from bareboat.doctor.examine import examine
from bareboat.doctor.registry import ask_registries

__all__ = ["Check", "ask_registries", "can_build", "examine", "table"]
