"""What a run of an image may take at most: by the cores of its host, or as its recipe says.

Programs start a thread for each core that they see, those on tokio and on rayon among them. Two cores have 64 processes
and threads, and 512 MB; each further core adds 16, and 16 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ConfigDict

if TYPE_CHECKING:
    from bareboat.inputs.recipe import Runtime

_CORES = 2
_MORE_PROCESSES, _MORE_MB = 16, 16
MB = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What all that runs in one container may take; the defaults are those of a host with two cores."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    # Memory, a MB being 10^6 bytes.
    memory_mb: int = 512
    # Processes and threads together.
    processes: int = 64

    @property
    def memory_bytes(self) -> int:
        """The memory, in bytes."""
        return self.memory_mb * MB


LIMITS = Limits()


def limits_of(runtime: Runtime, cores: int) -> Limits:
    """The limits on a host of so many cores; what the recipe's runtime says goes before."""
    more = max(cores - _CORES, 0)
    return Limits(
        memory_mb=runtime.memory_mb or LIMITS.memory_mb + more * _MORE_MB,
        processes=runtime.processes or LIMITS.processes + more * _MORE_PROCESSES,
    )
