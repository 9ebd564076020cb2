"""What this machine lacks for rootless builds, found by trying, and the command that mends each lack."""

from bareboat.doctor.check import Check, can_build, table
from bareboat.doctor.examine import examine
from bareboat.doctor.registry import unreachable

__all__ = ["Check", "can_build", "examine", "table", "unreachable"]
