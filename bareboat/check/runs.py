"""Runs an image as its sample expects, and says what differed; of which nothing is expected shows what it does."""

from __future__ import annotations

import difflib
import re
import signal
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bareboat.check.as_it_stands import Nowhere, run_as_it_stands
from bareboat.check.causes import NETWORK, NOT_REACHED, WAITS, find_cause, find_panic
from bareboat.check.limits import limit_hit
from bareboat.check.serving import find_fault
from bareboat.engine.containers import NETWORKS, Start
from bareboat.inputs.expectation import Served
from bareboat.result.values import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bareboat.check.as_it_stands import Inside
    from bareboat.check.causes import Cause
    from bareboat.engine.containers import Containers, RunReport
    from bareboat.inputs.expectation import Expectation
    from bareboat.inputs.limits import Limits
    from bareboat.result.values import Ran

_DETAIL_CHARACTERS = 4000
_TMP = "/tmp"  # noqa: S108 (a place in an image)
_NOT_STARTED = frozenset({1, 126, 127, 255})
# What the loaders of glibc (elf/dl-load.c, dl-version.c) and musl (ldso/dynlink.c) say when they give up.
_LOADER = re.compile(
    r"error while loading shared libraries: |: version `[^']+' not found \(required by "
    r"|^Error loading shared library |^Error relocating .*: symbol not found"
    # runc's own process, when the kernel will not have the program or its interpreter; crun refuses the start.
    r"|^exec /[^:]*: (no such file or directory|exec format error|permission denied)"
)

# The exit codes of a program that the kernel ended for its own fault: 128 and the signal's number (signal(7)).
_SIGNALS = {
    128 + number: number.name
    for number in (
        signal.SIGILL,
        signal.SIGTRAP,
        signal.SIGABRT,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGKILL,
        signal.SIGSEGV,
        signal.SIGSYS,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the runs of an image showed."""

    failure: Failed | None  # the first run that was not as expected
    started: bool
    said: str  # what loader or runtime said where the program did not start; "" where it did
    ran: Ran | None = None  # what the program did by itself, where nothing was expected of it
    cause: Cause | None = None  # what it says that it lacks

    @property
    def lacks(self) -> str:
        """The provision that brings what it lacks; "" where none does."""
        return self.cause.provision if self.cause else ""

    @property
    def lacks_library(self) -> str:
        """The file's name of the library that it lacks; "" where it is none."""
        return self.cause.library if self.cause else ""


def verify(
    engine: Containers,
    image_id: str,
    expectations: Sequence[Expectation],
    limits: Limits,
    inside: Inside,
    *,
    has: Callable[[str], bool] = lambda _: False,
) -> Verdict:
    """Run the image once for each expectation, confined; the first that is not met ends it.

    `has` tells whether the image has something at a path. A program of which nothing is expected may write to its /tmp,
    which is in memory.
    """
    shown: Ran | None = None
    for expectation in expectations:
        report, ran = _run(engine, image_id, expectation, inside, limits=limits, tmp=has(_TMP))
        shown = ran or shown
        # Of what is on another machine nothing is seen, and so nothing is held against it.
        failure = judge_run(report, expectation, limits, has, None if isinstance(inside, Nowhere) else ran)
        said = "" if failure and limit_hit(report, limits) else not_started(report)
        if failure is not None:
            cause = _cause(report, has) if expectation.is_open and not said else None
            return Verdict(failure=failure, started=not said, said=said, ran=None if said else shown, cause=cause)
    return Verdict(failure=None, started=True, said="", ran=shown)


def _run(
    engine: Containers, image_id: str, expectation: Expectation, inside: Inside, *, limits: Limits, tmp: bool
) -> tuple[RunReport, Ran | None]:
    """A run, and what the program did where it could do as it wanted to."""
    arguments, seconds, network = expectation.arguments, expectation.timeout_seconds, NETWORKS[expectation.network]
    if not expectation.is_open:
        writable = expectation.writable
        return engine.run(image_id, arguments, seconds, limits=limits, writable=writable, network=network), None
    start = Start(
        image=image_id,
        command=arguments,
        environment=expectation.environment,
        tmp=tmp,
        network=network,
        limits=limits,
    )
    serving = expectation.serving if isinstance(expectation, Served) else None
    return run_as_it_stands(engine, start, seconds, inside, serving)


def not_started(report: RunReport) -> str:
    """What runtime or loader said when the program never came to its own first instruction; "" where it did."""
    if report.refused:
        return report.refused
    lines = report.stderr.decode(errors="replace").splitlines()
    return (
        next((line.strip() for line in lines if _LOADER.search(line)), "") if report.exit_code in _NOT_STARTED else ""
    )


def judge_run(
    report: RunReport,
    expectation: Expectation,
    limits: Limits,
    has: Callable[[str], bool] = lambda _: False,
    ran: Ran | None = None,
) -> Failed | None:
    """Compare a run with what was expected of it; a limit that it came to is the reason for whatever differs. Pure.

    `has` tells whether the image has something at a path, `ran` what an open run did; None where that was not seen.
    """
    failure = _compare(report, expectation, has, ran)
    hit = limit_hit(report, limits) if failure else ""
    if not hit:
        return failure
    words = report.refused or report.stderr.decode(errors="replace")
    return _failed(expectation, hit, words[-_DETAIL_CHARACTERS:])


def _compare(report: RunReport, expectation: Expectation, has: Callable[[str], bool], ran: Ran | None) -> Failed | None:
    said = report.stderr.decode(errors="replace")[-_DETAIL_CHARACTERS:]
    failed = partial(_failed, expectation)
    if words := not_started(report):
        return failed("it did not start", words)
    if expectation.is_open:
        reason = _own_fault(report, expectation, has) or _shown_fault(report, expectation, ran)
        return failed(reason, said) if reason else None
    if report.exit_code is None:
        return failed(f"did not end within {expectation.timeout_seconds:g} s", said)
    if report.exit_code != expectation.exit_code:
        return failed(f"exit code {report.exit_code}, not {expectation.exit_code}", said)
    if expectation.stdout is not None and report.stdout != expectation.stdout.encode():
        return failed("its output differs", _difference(expectation.stdout, report.stdout))
    lacks = (expectation.stderr_has or "").encode() not in report.stderr
    return failed(f"its standard error does not have {expectation.stderr_has!r}", said) if lacks else None


def _cause(report: RunReport, has: Callable[[str], bool]) -> Cause | None:
    words = report.stderr.decode(errors="replace")
    # A panic may end with an abort, which is SIGSEGV with musl as a container's first process; a crash tells nothing.
    told = _SIGNALS.get(report.exit_code or 0) in {None, "SIGABRT"} or bool(find_panic(words))
    return find_cause(words, has) if told else None


def _shown_fault(report: RunReport, expectation: Expectation, ran: Ran | None) -> str:
    """Why what a program was seen to do is not well, or not what its crate says; "" where it is."""
    if ran is None:
        return ""
    alone = ran.running and not ran.all_ports and not expectation.network
    if alone and (ran.waits or NETWORK.explains(report.stderr.decode(errors="replace"))):
        return WAITS
    return find_fault(expectation.serving, ran, expectation.timeout_seconds) if isinstance(expectation, Served) else ""


def _own_fault(report: RunReport, expectation: Expectation, has: Callable[[str], bool]) -> str:
    """Why a program of which nothing is expected did not do well; "" for one that runs on, or ended as it wanted to."""
    if not report.exit_code:
        return ""
    if cause := _cause(report, has):
        return NOT_REACHED if cause is NETWORK and expectation.network else str(cause)
    if panic := find_panic(report.stderr.decode(errors="replace")):
        return f"it panicked {panic}"
    return f"{_SIGNALS[report.exit_code]} ended it" if report.exit_code in _SIGNALS else ""


def _failed(expectation: Expectation, reason: str, detail: str) -> Failed:
    run = f"run '{expectation.name}': " if expectation.name else ""
    return Failed(stage="run", reason=f"{run}{reason}", detail=detail)


def _difference(expected: str, actual: bytes) -> str:
    # Line ends are shown by repr, since a missing last newline is the commonest difference of all.
    before = [repr(line) for line in expected.splitlines(keepends=True)]
    after = [repr(line) for line in actual.decode(errors="backslashreplace").splitlines(keepends=True)]
    lines = difflib.unified_diff(before, after, "expected", "actual", lineterm="")
    return "\n".join(lines)[:_DETAIL_CHARACTERS]
