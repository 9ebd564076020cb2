"""Runs an image as its sample expects, and says what differed."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from bareboat.result import Failed

if TYPE_CHECKING:
    from bareboat.engine import Engine, RunReport
    from bareboat.sample import Expectation

_DETAIL_CHARACTERS = 4000


def verify(engine: Engine, image_id: str, expectation: Expectation) -> Failed | None:
    """Run the image once, confined; None when exit code and standard output are as expected."""
    report = engine.run(image_id, expectation.arguments, expectation.timeout_seconds)
    return judge(report, expectation)


def judge(report: RunReport, expectation: Expectation) -> Failed | None:
    """Compare a run with what was expected of it. Pure."""
    said = report.stderr.decode(errors="replace")[-_DETAIL_CHARACTERS:]
    if report.exit_code is None:
        return Failed(stage="run", reason=f"did not end within {expectation.timeout_seconds:g} s", detail=said)
    if report.exit_code != expectation.exit_code:
        reason = f"exit code {report.exit_code}, not {expectation.exit_code}"
        return Failed(stage="run", reason=reason, detail=said)
    if expectation.stdout is not None and report.stdout != expectation.stdout.encode():
        return Failed(stage="run", reason="its output differs", detail=_difference(expectation.stdout, report.stdout))
    return None


def _difference(expected: str, actual: bytes) -> str:
    # Line ends are shown by repr, since a missing last newline is the commonest difference of all.
    before = [repr(line) for line in expected.splitlines(keepends=True)]
    after = [repr(line) for line in actual.decode(errors="backslashreplace").splitlines(keepends=True)]
    lines = difflib.unified_diff(before, after, "expected", "actual", lineterm="")
    return "\n".join(lines)[:_DETAIL_CHARACTERS]
