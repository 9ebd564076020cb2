from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.report.figures import ratio_text, seconds_text, size_text, value_text
from bareboat.result.measurement import Column, Measurement

SCALE = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15}


@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (416_000, "416 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (1_290_000, "1.29 MB"),
        (7_470_000, "7.47 MB"),
        (23_000_000, "23 MB"),
        (80_800_000, "80.8 MB"),
        (124_000_000, "124 MB"),
        (1_234_567_890, "1.23 GB"),
    ],
)
def test_sizes_read_as_podman_prints_them(size_bytes: int | None, said: str) -> None:
    assert size_text(size_bytes) == said


@settings(deadline=None)
@given(st.integers(0, 10**17))
def test_a_size_is_never_off_by_more_than_its_third_digit(size_bytes: int) -> None:
    amount, unit = size_text(size_bytes).split()
    assert "e" not in amount
    assert float(amount) * SCALE[unit] == pytest.approx(size_bytes, rel=0.00501)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0, "0 s"),
        (0.000_34, "340 µs"),
        (0.0031, "3.1 ms"),
        (0.999_6, "1 s"),
        (1.254, "1.25 s"),
        (72.21, "72.2 s"),
        (999.4, "999 s"),
        (1085.2, "18 min 5 s"),
    ],
)
def test_seconds(seconds: float | None, said: str) -> None:
    assert seconds_text(seconds) == said


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(None, ""), (0.0, "0.00"), (0.004_17, "0.00417"), (0.938, "0.94"), (1.0, "1.00"), (12.345, "12.35")],
)
def test_ratios(ratio: float | None, said: str) -> None:
    assert ratio_text(ratio) == said


@pytest.mark.parametrize(
    ("unit", "value", "said"),
    [
        ("bytes", 416_000, "416 kB"),
        ("seconds", 2, "2 s"),
        ("count", 3456, "3456"),
        ("flag", True, "yes"),
        ("flag", False, "no"),
        ("count", True, "yes"),
        ("text", "musl\x1b[31m", r"musl\x1b[31m"),
        ("bytes", "unknown", "unknown"),
        ("bytes", None, ""),
    ],
)
def test_a_value_is_said_by_its_unit(unit: str, value: object, said: str) -> None:
    column = Column(name="x", heading="X", unit=unit, order=1)
    assert value_text(Measurement(column=column, value=value)) == said
