"""Compiles: what cargo's log tells, and what goes into the container that compiles."""

from __future__ import annotations

import pytest

from bareboat.make.program import read_seconds

FINISHED = "    Finished `release` profile [optimized] target(s) in"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (f"   Compiling a v0.1.0 (/src)\n{FINISHED} 0.28s\n", 0.28),
        (f"{FINISHED} 2m 05s\n", 125.0),
        (f"{FINISHED} 1.00s\n{FINISHED} 2.00s\n", 2.0),
        ("STEP 4/5: RUN cargo build\n--> Using cache 0123\n", None),
    ],
)
def test_cargo_says_how_long_it_took(text, seconds):
    assert read_seconds(text) == seconds
