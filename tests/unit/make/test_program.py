"""What a compile's log tells: cargo's own seconds, and whether it started from nothing."""

from __future__ import annotations

import pytest

from bareboat.make.program import read_compile_log

FINISHED = "    Finished `release` profile [optimized] target(s) in"


@pytest.mark.parametrize(
    ("text", "seconds", "warm"),
    [
        (
            f"STEP 4/5: RUN cargo build\n   Compiling a v0.1.0 (/src)\n{FINISHED} 0.28s\nSTEP 5/5: LABEL a=b\n",
            0.28,
            False,
        ),
        (f"STEP 4/5: RUN cargo build\nbareboat-warm-target\n{FINISHED} 39.02s\n", 39.02, True),
        (f"{FINISHED} 2m 05s\n", 125.0, False),
        (f"{FINISHED} 1.00s\n{FINISHED} 2.00s\n", 2.0, False),
        ("STEP 4/5: RUN cargo build\n--> Using cache 0123\n", None, None),
        # The command that would say it is echoed, too.
        (f"STEP 4/5: RUN if x; then echo bareboat-warm-target; fi\n{FINISHED} 1.00s\n", 1.0, False),
    ],
)
def test_cargo_says_how_long_it_took(text, seconds, warm):
    assert read_compile_log(text) == (seconds, warm)
