"""Runs an image as its sample expects, and says what differed."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bareboat.check.limits import limit_hit
from bareboat.result.values import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.engine.containers import Containers, RunReport
    from bareboat.inputs.limits import Limits
    from bareboat.inputs.sample import Expectation

_DETAIL_CHARACTERS = 4000
_NOT_STARTED = frozenset({1, 126, 127, 255})
# What the loaders of glibc (elf/dl-load.c, dl-version.c) and musl (ldso/dynlink.c) say when they give up.
_LOADER = re.compile(
    r"error while loading shared libraries: |: version `[^']+' not found \(required by "
    r"|^Error loading shared library |^Error relocating .*: symbol not found"
    # runc's own process, when the kernel will not have the program or its interpreter; crun refuses the start.
    r"|^exec /[^:]*: (no such file or directory|exec format error|permission denied)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the runs of an image showed."""

    failure: Failed | None  # the first run that was not as expected
    started: bool
    said: str  # what loader or runtime said where the program did not start; "" where it did


def verify(engine: Containers, image_id: str, expectations: Sequence[Expectation], limits: Limits) -> Verdict:
    """Run the image once for each expectation, confined; the first that is not met ends it."""
    for expectation in expectations:
        arguments, seconds = expectation.arguments, expectation.timeout_seconds
        report = engine.run(image_id, arguments, seconds, limits=limits, writable=expectation.writable)
        failure = judge_run(report, expectation, limits)
        said = "" if failure and limit_hit(report, limits) else not_started(report)
        if failure is not None:
            return Verdict(failure=failure, started=not said, said=said)
    return Verdict(failure=None, started=True, said="")


def not_started(report: RunReport) -> str:
    """What runtime or loader said when the program never came to its own first instruction; "" where it did."""
    if report.refused:
        return report.refused
    lines = report.stderr.decode(errors="replace").splitlines()
    return (
        next((line.strip() for line in lines if _LOADER.search(line)), "") if report.exit_code in _NOT_STARTED else ""
    )


def judge_run(report: RunReport, expectation: Expectation, limits: Limits) -> Failed | None:
    """Compare a run with what was expected of it; a limit that it came to is the reason for whatever differs. Pure."""
    failure = _compare(report, expectation)
    hit = limit_hit(report, limits) if failure else ""
    if not hit:
        return failure
    words = report.refused or report.stderr.decode(errors="replace")
    return _failed(expectation, hit, words[-_DETAIL_CHARACTERS:])


def _compare(report: RunReport, expectation: Expectation) -> Failed | None:
    said = report.stderr.decode(errors="replace")[-_DETAIL_CHARACTERS:]
    failed = partial(_failed, expectation)
    if words := not_started(report):
        return failed("it did not start", words)
    if report.exit_code is None:
        return failed(f"did not end within {expectation.timeout_seconds:g} s", said)
    if report.exit_code != expectation.exit_code:
        return failed(f"exit code {report.exit_code}, not {expectation.exit_code}", said)
    if expectation.stdout is not None and report.stdout != expectation.stdout.encode():
        return failed("its output differs", _difference(expectation.stdout, report.stdout))
    return None


def _failed(expectation: Expectation, reason: str, detail: str) -> Failed:
    run = f"run '{expectation.name}': " if expectation.name else ""
    return Failed(stage="run", reason=f"{run}{reason}", detail=detail)


def _difference(expected: str, actual: bytes) -> str:
    # Line ends are shown by repr, since a missing last newline is the commonest difference of all.
    before = [repr(line) for line in expected.splitlines(keepends=True)]
    after = [repr(line) for line in actual.decode(errors="backslashreplace").splitlines(keepends=True)]
    lines = difflib.unified_diff(before, after, "expected", "actual", lineterm="")
    return "\n".join(lines)[:_DETAIL_CHARACTERS]
