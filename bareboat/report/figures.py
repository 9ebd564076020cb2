"""Formats figures for people: three significant digits, powers of ten, a unit beside each."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from bareboat.system.printable import printable

if TYPE_CHECKING:
    from bareboat.result.measurement import Measurement

_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_MILLI = 1e-3
_TENTH = 0.1
_ROLLS_OVER = 999.5


def size_text(size_bytes: float | None) -> str:
    """A size as `podman images` prints it, 10^6 bytes to the MB: `1.29 MB`, `416 kB`, `124 MB`; "" for None."""
    if size_bytes is None:
        return ""
    amount, unit = float(size_bytes), 0
    while amount >= _ROLLS_OVER and unit < len(_SIZE_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.3g} {_SIZE_UNITS[unit]}"


def seconds_text(seconds: float | None) -> str:
    """A time: `340 µs`, `3.1 ms`, `1.25 s`, `72.2 s`, `18 min 5 s`; "" for None."""
    if seconds is None:
        return ""
    if seconds >= _ROLLS_OVER:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s"
    if seconds >= _ROLLS_OVER * _MILLI or seconds == 0:
        return f"{seconds:.3g} s"
    if seconds >= _ROLLS_OVER * _MILLI**2:
        return f"{seconds / _MILLI:.3g} ms"
    return f"{seconds / _MILLI**2:.3g} µs"


def ratio_text(ratio: float | None) -> str:
    """A ratio with two decimals, `0.98`, or below a tenth with three significant digits, `0.00417`; "" for None."""
    if ratio is None:
        return ""
    return f"{ratio:.3g}" if 0 < ratio < _TENTH else f"{ratio:.2f}"


def value_text(measurement: Measurement) -> str:
    """A measurement's value, formatted by its unit; "" for None."""
    value, unit = measurement.value, measurement.column.unit
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return printable(value)
    match unit:
        case "bytes":
            return size_text(value)
        case "seconds":
            return seconds_text(value)
        case "count" | "text" | "flag":
            return str(value)
        case _:
            assert_never(unit)
