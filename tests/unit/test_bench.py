"""What the load benchmark takes for a fault, and the body that it holds answers against."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def wrk(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    yield importlib.import_module("wrk")
    sys.modules.pop("wrk", None)


def borne(wrk, **changes):
    counted = {"requests": 6000, "seconds": 60.0, "p50_ms": 1.0, "p99_ms": 2.0, "wrong": 0, "first": ""}
    errors = {"connect": 0, "read": 0, "write": 0, "timeout": 0}
    taken = {"early_bytes": 1000, "end_bytes": 1099, "processor_seconds": 1.0}
    return wrk.Borne(**{**counted, **errors, **taken, **changes})


def test_what_is_borne_well_has_no_fault(wrk):
    well = borne(wrk)
    assert well.faults == ()
    assert well.rate == 100.0
    assert well.drift == pytest.approx(0.099)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"wrong": 2, "first": "502, 40 bytes"}, "2 wrong answers, the first 502, 40 bytes"),
        ({"connect": 1}, "1 connect errors"),
        ({"read": 3}, "3 read errors"),
        ({"write": 1}, "1 write errors"),
        ({"timeout": 1}, "1 timeout errors"),
        ({"requests": 0}, "no request was answered"),
        ({"end_bytes": 1101}, "memory went from 1000 to 1101 bytes"),
        ({"end_bytes": 899}, "memory went from 1000 to 899 bytes"),
    ],
)
def test_each_thing_that_must_not_be_is_a_fault(wrk, changes, fault):
    assert borne(wrk, **changes).faults == (fault,)


def test_the_body_is_the_harbors_own(wrk):
    # The first words of SplitMix64 from seed 0, as its authors' program prints them.
    words = (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F)
    assert wrk.pattern(24) == b"".join(word.to_bytes(8, "little") for word in words)
    assert wrk.pattern(11) == wrk.pattern(24)[:11]
