"""How long the image's bytes are on their way at 100 Mbit/s."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.measurements import transfer_size
from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="pull_seconds",
    heading="Pull at 100 Mbit/s",
    unit="seconds",
    order=22,
    better="less",
    meaning="computed, not timed: eight bits for each byte of *Transfer, gzip -6*, by 10^8 bits a second, without "
    "latency and without unpacking",
)
_BITS_A_SECOND = 10**8


def measure(subject: Subject) -> float:
    """Seconds. Raises BareboatError for a damaged layer."""
    return transfer_size.measure(subject) * 8 / _BITS_A_SECOND
