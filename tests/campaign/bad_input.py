"""Tries thousands of wrong inputs: `python tests/campaign/bad_input.py --cases 10000`.

Each gives a result or one of Bareboat's errors, in bounded time and memory. Anything else is a failure: another
exception, a hang, too much memory, the death of the process. A failing case is kept as a file, which `--repeat FILE`
tries again. The exit code is 1 when a case failed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import shutil
import sys
import time
import traceback
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from bareboat.errors import BareboatError
from tests.campaign.kinds import kinds
from tests.fuzz.harness import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STARTING_SECONDS = 60.0
TOLD_EVERY_SECONDS = 5.0
MOST_LINES, LONGEST_LINE = 1000, 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input to try."""

    kind: str
    data: bytes
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a case may take."""

    seconds: float
    memory_bytes: int  # of address space, that of Python and of Bareboat itself included


@dataclass(slots=True)
class Tally:
    """What came of the cases so far."""

    sound: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    failed: list[tuple[Case, str]] = field(default_factory=list)
    memory_bytes: int = 0  # the most that a worker had in memory

    def count(self, case: Case, answer: tuple[str, str, float, int]) -> None:
        """Take in one case's answer: what came of it, its words, its seconds, and the worker's memory."""
        what, words, seconds, memory_bytes = answer
        self.slowest[case.kind] = max(self.slowest[case.kind], seconds)
        self.memory_bytes = max(self.memory_bytes, memory_bytes)
        match what:
            case "sound":
                self.sound[case.kind] += 1
            case "refused":
                self.refused[case.kind] += 1
            case _:
                self.failed.append((case, words))

    @property
    def tried(self) -> int:
        """How many cases have an answer."""
        return self.sound.total() + self.refused.total() + len(self.failed)


def make_cases(seed: int, count: int, names: Sequence[str]) -> Iterator[Case]:
    """The cases of a seed, the kinds in turn; each depends on the seed, its kind and its number alone."""
    for number in range(count):
        kind = names[number % len(names)]
        data = kinds()[kind].make(random.Random(f"{seed} {kind} {number}"))
        yield Case(kind=kind, data=data, name=f"{kind}-{seed}-{number}")


def try_case(case: Case, folder: Path) -> tuple[str, str]:
    """What comes of a case: sound, refused or failed, and in which words."""
    try:
        return "sound", str(kinds()[case.kind].check(case.data, folder))
    except BareboatError as error:
        return judge_words(str(error))
    except BaseException:  # noqa: BLE001 -- whatever it is, it is a failure of this case alone
        return "failed", traceback.format_exc()


def judge_words(words: str) -> tuple[str, str]:
    """What an error is worth: one without words helps nobody, nor does one that fills the screen or clears it."""
    lines = words.splitlines()
    if not words.strip():
        return "failed", "an error without words"
    if len(lines) > MOST_LINES or max(map(len, lines)) > LONGEST_LINE or not all(map(str.isprintable, lines)):
        return "failed", f"an error of {len(lines)} lines and {len(words)} characters: {words[:300]!r}"
    return "refused", words


def work(pipe: Connection, bounds: Bounds) -> None:
    """Try what comes through the pipe, until it is closed."""
    resource.setrlimit(resource.RLIMIT_AS, (bounds.memory_bytes, bounds.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    parent = make_folder()
    kinds()
    pipe.send("ready")
    while True:
        try:
            case = pipe.recv()
        except EOFError:
            return
        folder = parent / "case"
        folder.mkdir()
        began = time.monotonic()
        what, words = try_case(case, folder)
        seconds = time.monotonic() - began
        shutil.rmtree(folder)
        pipe.send((what, words, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


class Worker:
    """A process that tries one case after the other; one that hangs or dies is replaced."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._start()

    def _start(self) -> None:
        # Not by fork: a worker's memory is to be its own.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, self._bounds), daemon=True)
        self._process.start()
        theirs.close()
        self.case: Case | None = None
        self.deadline = time.monotonic() + STARTING_SECONDS
        if not self.pipe.poll(STARTING_SECONDS) or self.pipe.recv() != "ready":
            raise SystemExit("a worker does not start")

    def give(self, case: Case) -> None:
        """Have it try a case."""
        self.case, self.deadline = case, time.monotonic() + self._bounds.seconds
        self.pipe.send(case)

    def take(self) -> tuple[str, str, float, int]:
        """The answer that has come, or what became of the process in place of one."""
        try:
            return self.pipe.recv()
        except (EOFError, ConnectionError):
            self.end()
            return self._replace(f"the process died with exit code {self._process.exitcode}")

    def time_out(self) -> tuple[str, str, float, int]:
        """End a process whose time is over."""
        self.end()
        return self._replace(f"no answer within {self._bounds.seconds:g} s")

    def _replace(self, words: str) -> tuple[str, str, float, int]:
        self._start()
        return "failed", words, self._bounds.seconds, 0

    def end(self) -> None:
        """End the process."""
        self.pipe.close()
        self._process.kill()
        self._process.join()


def try_all(cases: Iterator[Case], count: int, workers: int, bounds: Bounds) -> Tally:
    """Try the cases in worker processes, and say how far it has got."""
    tally, told = Tally(), time.monotonic()
    crew = [Worker(bounds) for _ in range(workers)]
    busy = [worker for worker in crew if _feed(worker, cases)]
    while busy:
        wait([worker.pipe for worker in busy], timeout=0.2)
        now = time.monotonic()
        for worker in list(busy):
            case = worker.case
            if worker.pipe.poll():
                answer = worker.take()
            elif now > worker.deadline:
                answer = worker.time_out()
            else:
                continue
            tally.count(case, answer)
            if not _feed(worker, cases):
                busy.remove(worker)
        if now - told > TOLD_EVERY_SECONDS:
            told = now
            print(f"{tally.tried} of {count} tried, {len(tally.failed)} failed", file=sys.stderr, flush=True)
    for worker in crew:
        worker.end()
    return tally


def _feed(worker: Worker, cases: Iterator[Case]) -> bool:
    case = next(cases, None)
    if case is not None:
        worker.give(case)
    return case is not None


def print_table(tally: Tally, seed: int, seconds: float) -> None:
    """The figures of each kind, and of all."""
    failed = Counter(case.kind for case, _ in tally.failed)
    print(f"| {'kind':10} | {'tried':>6} | {'sound':>6} | {'refused':>7} | {'failed':>6} | {'slowest':>8} |")
    print(f"|:{'-' * 11}|{'-' * 7}:|{'-' * 7}:|{'-' * 8}:|{'-' * 7}:|{'-' * 9}:|")
    for kind in sorted(tally.slowest):
        sound, refused, wrong = tally.sound[kind], tally.refused[kind], failed[kind]
        figures = f"{sound + refused + wrong:6} | {sound:6} | {refused:7} | {wrong:6}"
        print(f"| {kind:10} | {figures} | {tally.slowest[kind]:6.2f} s |")
    memory = f"{tally.memory_bytes / 10**6:.0f} MB of memory at most"
    totals = f"{tally.sound.total()} sound, {tally.refused.total()} refused, {len(tally.failed)} failed"
    print(f"\nseed {seed}: {tally.tried} cases: {totals}; {memory}; {seconds:.0f} s")


def keep_failures(tally: Tally, folder: Path) -> None:
    """Write each failing case's bytes, and say what became of it."""
    for case, words in tally.failed:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{case.name}.case"
        path.write_bytes(case.data)
        print(f"\n{path}: {words.strip()}")


def read_case(path: Path) -> Case:
    """A case that was kept; its kind is what its name begins with."""
    kind = path.name.partition("-")[0]
    if kind not in kinds():
        raise SystemExit(f"{path}: its name does not begin with a kind: {', '.join(kinds())}")
    return Case(kind=kind, data=path.read_bytes(), name=path.stem)


def main() -> int:
    """Read the command line, try the cases, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=500, help="how many (default: 500)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of an earlier run")
    parser.add_argument("--kind", action="append", choices=list(kinds()), help="only this kind; repeatable")
    parser.add_argument(
        "--repeat", action="append", type=Path, metavar="FILE", help="try a kept case again; repeatable"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes side by side (default: 2)")
    parser.add_argument("--seconds", type=float, default=20.0, help="that a case may take (default: 20)")
    parser.add_argument("--memory", type=int, default=1024, help="megabytes of address space (default: 1024)")
    parser.add_argument("--keep", type=Path, default=Path("bad-input"), help="folder for failing cases")
    options = parser.parse_args()
    bounds = Bounds(seconds=options.seconds, memory_bytes=options.memory * 2**20)
    if options.repeat:
        cases, count = iter([read_case(path) for path in options.repeat]), len(options.repeat)
    else:
        cases, count = make_cases(options.seed, options.cases, options.kind or list(kinds())), options.cases
    began = time.monotonic()
    tally = try_all(cases, count, min(options.workers, count) or 1, bounds)
    print_table(tally, options.seed, time.monotonic() - began)
    keep_failures(tally, options.keep)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
