"""Runs an image again, with less memory or on a lesser processor, and tells whether it does as it did before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bareboat.check.as_it_stands import Nowhere, run_as_it_stands
from bareboat.check.runs import judge_run
from bareboat.engine.containers import NETWORKS, Start
from bareboat.errors import AbsentError
from bareboat.inputs.expectation import Served
from bareboat.result.values import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bareboat.check.as_it_stands import Inside
    from bareboat.check.sockets import Sockets
    from bareboat.engine import Engine
    from bareboat.inputs.expectation import Expectation
    from bareboat.inputs.limits import Limits
    from bareboat.result.values import Ran

_TMP = "/tmp"  # noqa: S108 (a place in an image)
_DETAIL_CHARACTERS = 4000


def look_away(process: int) -> None:
    """Does not look at a running process."""
    del process


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """An image, and what its runs showed that were as they should be."""

    engine: Engine
    image_id: str
    expectations: Sequence[Expectation]
    # What the program did of which nothing is expected; None where something is.
    before: Ran | None
    inside: Inside
    # What runs the program in place of the image's entrypoint, and what of this machine that needs; as in `Start`.
    entrypoint: tuple[str, ...] = ()
    mounts: Mapping[str, Path] = field(default_factory=dict)
    # Looks at the first process of a container every few hundredths of a second; what it raises ends the run.
    look: Callable[[int], None] = look_away
    # How many times as long as before a run may take.
    slower: float = 1.0

    def fault(self, limits: Limits) -> Failed | None:
        """The first run that is not as before; None where all are. Raises BareboatError, and what `look` raises."""
        faults = (self._fault(expectation, limits) for expectation in self.expectations)
        return next((fault for fault in faults if fault), None)

    def _fault(self, expectation: Expectation, limits: Limits) -> Failed | None:
        start = Start(
            image=self.image_id,
            command=expectation.arguments,
            entrypoint=self.entrypoint,
            environment=expectation.environment,
            mounts=self.mounts,
            tmp=expectation.is_open and self._has_tmp(),
            read_only=not expectation.writable,
            network=NETWORKS[expectation.network],
            limits=limits,
        )
        seconds = expectation.timeout_seconds * self.slower
        # What must end is waited for, wherever it may listen meanwhile.
        inside = _Looking(inside=self.inside if expectation.is_open else Nowhere(), look=self.look)
        serving = expectation.serving if isinstance(expectation, Served) else None
        report, ran = run_as_it_stands(self.engine, start, seconds, inside, serving)
        if not expectation.is_open:
            return judge_run(report, expectation, limits)
        if self.before is None or _shown(ran) == _shown(self.before):
            return None
        words = report.refused or report.stderr.decode(errors="replace")
        return Failed(stage="run", reason=f"it {_told(ran)}", detail=words[-_DETAIL_CHARACTERS:])

    def _has_tmp(self) -> bool:
        try:
            self.engine.copy_out(self.image_id, _TMP)
        except AbsentError:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looking:
    """Looks at a process whenever its sockets are read."""

    inside: Inside
    look: Callable[[int], None]

    def sockets(self, process: int) -> Sockets:
        self.look(process)
        return self.inside.sockets(process)

    def ask(self, process: int, port: int, path: str = "/") -> str:
        return self.inside.ask(process, port, path)

    def peak_bytes(self, process: int) -> int | None:
        return self.inside.peak_bytes(process)


def _shown(ran: Ran) -> tuple[object, ...]:
    """What is the same of two runs that do the same; a program may be given another port each time."""
    return (ran.running, None if ran.running else ran.exit_code, len(ran.all_ports), sorted(ran.answers))


def _told(ran: Ran) -> str:
    if not ran.running:
        return f"ended with exit code {ran.exit_code}" if ran.exit_code is not None else "did not start"
    pairs = zip(ran.ports, ran.answers, strict=True)
    answers = [f"{port} answers {answer or 'nothing'}" for port, answer in pairs]
    return f"ran on, and {' and '.join(answers) or 'answered on no port'}"
