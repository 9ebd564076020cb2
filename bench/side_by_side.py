"""Bareboat side by side with what one runs in its place: `podman build`, BuildKit, and cargo alone as the floor.

Run it from the project's root, on a quiet machine, as root for all ways: `invoke bench [--work PATTERN] [--write]`.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from dataclasses import replace

from beside.catalogue import WORKS
from beside.commands import Command
from beside.crates import HELLO
from beside.docker import Docker, Tools, open_docker
from beside.page import write_page, write_report
from beside.recipes import CRATES_IMAGE, ROOTS, TOOLCHAIN
from beside.tables import write_section
from beside.ways import find_ways, invoke
from beside.workplace import CHECKOUT, Workplace, open_workplace
from beside.works import Bench, Work
from machine import busy_share, describe, tell

from bareboat.errors import BareboatError, SelectionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from beside.figures import Figures


def choose_works(patterns: Sequence[str]) -> list[Work]:
    """The works that the patterns name; without any, all that are not done on request only."""
    for pattern in patterns:
        if not any(fnmatchcase(work.name, pattern) for work in WORKS):
            raise SelectionError(f"no work matches {pattern!r}; there are: {', '.join(work.name for work in WORKS)}")
    if not patterns:
        return [work for work in WORKS if not work.on_request]
    return [work for work in WORKS if any(fnmatchcase(work.name, pattern) for pattern in patterns)]


def run_works(place: Workplace, options: argparse.Namespace, stack: contextlib.ExitStack) -> tuple[list[Figures], bool]:
    """Every work that was asked for, each with the facts of the machine; and whether every one was done."""
    works = choose_works(options.work)
    tools = Tools(docker=options.docker, dockerd=options.dockerd)
    docker = prepare(place, tools, stack)
    ways = find_ways(place, docker, tools.lack)
    versions = tell_versions(place, docker)
    found = []
    for work in works:
        place.clear_images(keep=CRATES_IMAGE)
        rounds = options.rounds or (1 if options.quick else work.rounds)
        busy = busy_share()
        bench = Bench(place=place, ways=ways, rounds=rounds, tell=tell, quick=options.quick)
        try:
            figures = work.measure(bench, work)
        except BareboatError as error:
            tell(f"{work.name}: {error}")
            continue
        found.append(replace(figures, facts=describe(place.host, busy, f"rounds: {rounds}", *versions)))
        tell(f"\n{write_section(found[-1])}")
    return found, len(found) == len(works)


def prepare(place: Workplace, tools: Tools, stack: contextlib.ExitStack) -> Docker | None:
    """Have every base and the compiler in the stores of all; a daemon only where there can be one."""
    bring_roots(place)
    if tools.lack:
        tell(f"BuildKit: {tools.lack}")
        return None
    docker = stack.enter_context(open_docker(place, tools))
    docker.bring(ROOTS)
    return docker


def bring_roots(place: Workplace) -> None:
    """Make what is not made yet; a user's own run would."""
    project = place.project("roots", HELLO, ())
    command = Command(
        argv=(*invoke(), "bases", "--source=bootstrap"), environment={"PYTHONPATH": str(CHECKOUT)}, folder=project.root
    )
    place.commands.run(command)


def tell_versions(place: Workplace, docker: Docker | None) -> list[str]:
    """The tools' own words."""
    cargo = place.ask_podman("run", "--rm", "--network=none", TOOLCHAIN, "cargo", "--version").strip()
    server = docker.ask("version", "--format={{.Server.Version}}").strip() if docker else "none"
    return [f"cargo: {cargo.removeprefix('cargo ')}", f"dockerd: {server}"]


def run_bench(options: argparse.Namespace) -> tuple[str, int]:
    """The whole of it: the report and the exit code. Only with --write is anything left."""
    choose_works(options.work)  # so that a wrong name is told before anything is prepared
    with open_workplace(tell) as place, contextlib.ExitStack() as stack:
        found, whole = run_works(place, options, stack)
    if options.write:
        write_page(found, [work.name for work in WORKS])
    return write_report(found), 0 if whole else 1


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    names = "; ".join(f"{work.name} ({work.rounds})" for work in WORKS)
    parser = argparse.ArgumentParser(description="Times Bareboat and its peers side by side.", epilog=f"works: {names}")
    parser.add_argument("--work", action="append", default=[], help="only works that match this pattern; repeatable")
    parser.add_argument("--rounds", type=int, default=0, help="in place of each work's own number of rounds")
    parser.add_argument("--quick", action="store_true", help="one round, and smaller sizes: to see that all works")
    parser.add_argument(
        "--write", action="store_true", help="keep the figures: bench/README.md, results.json, chart.svg"
    )
    parser.add_argument("--docker", default=Tools().docker, help=f"Docker's client (default: {Tools().docker})")
    parser.add_argument("--dockerd", default=Tools().dockerd, help="Docker's daemon (default: the first in PATH)")
    return parser.parse_args(words)


def interrupt_once(_number: int, _frame: FrameType | None) -> None:
    """Stop; and let nothing stop the tidying up that follows."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Print the report; the exit code."""
    options = parse()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt_once)
    try:
        text, code = run_bench(options)
    except BareboatError as error:
        tell(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        tell("stopped; nothing of the benchmark is left")
        return 130
    print(text, end="")
    return code


if __name__ == "__main__":
    sys.exit(main())
