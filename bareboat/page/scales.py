"""Axes in units that people read: where their ticks stand, and what is written at them. Pure."""

from __future__ import annotations

import math
from typing import Any

_STEPS = (1, 3)
_MANY = 7
BYTES = (
    "datum.value >= 1e9 ? format(datum.value / 1e9, '~g') + ' GB' : datum.value >= 1e6 ? "
    "format(datum.value / 1e6, '~g') + ' MB' : datum.value > 0 ? format(datum.value / 1e3, '~g') + ' kB' : '0'"
)
SECONDS = (
    "datum.value >= 1 ? format(datum.value, '~g') + ' s' : datum.value >= 1e-3 ? "
    "format(datum.value * 1e3, '~g') + ' ms' : datum.value > 0 ? format(datum.value * 1e6, '~g') + ' µs' : '0'"
)
COUNT = "format(datum.value, ',')"
LABELS = {"bytes": BYTES, "seconds": SECONDS}


def axis_of(unit: str, ticks: tuple[float, ...] | None = None) -> dict[str, Any]:
    """What an axis of that unit is made of; without `ticks` a few are chosen."""
    where: dict[str, Any] = {"values": list(ticks)} if ticks else {"tickCount": 5}
    return {"labelExpr": LABELS.get(unit, COUNT), "labelOverlap": True, **where}


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Every 1 and 3 of a power of ten between two figures; the 1s alone where that were many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [float(f"{step}e{power}") for power in powers for step in _STEPS if low <= float(f"{step}e{power}") <= high]
    ones = [float(f"1e{power}") for power in powers if low <= float(f"1e{power}") <= high]
    return tuple(ones if len(found) > _MANY else found)
