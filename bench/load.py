"""What a service bears, by libc, TLS library and allocator: requests a second, latency, processor time and memory.

Each image of the webserver runs in a harbor, as `build-matrix` runs it, and wrk asks it for one page over and over, on
a loopback that nobody else is on. wrk holds every answer's status and body against what they must be.
Run it from the project's root, on a quiet machine, as root or not: `python bench/load.py [--write]`.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from machine import busy_share, describe, tell
from wrk import BODY_BYTES, CONNECTIONS, DRIFT_LIMIT, EARLY_SECONDS, Borne, bear, load_wrk

from bareboat.check.harbor import open_harbor
from bareboat.commands.open_run import Order, WorkOptions, carry_out
from bareboat.commands.project import find_project
from bareboat.console import run
from bareboat.errors import BareboatError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.load_samples import load_samples
from bareboat.plan.jobs import Selection
from bareboat.plan.planner import make_plan
from bareboat.report.figures import value_text
from bareboat.system.files import write_whole
from bareboat.system.folders import find_folders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.commands.open_run import Carried
    from bareboat.make.context import Program
    from bareboat.plan.jobs import Cell
    from bareboat.result.values import Result
    from bareboat.system.process import Processes

SECONDS = 60
SAMPLES = ["webserver", "webserver+small", "webserver+aws-lc", "webserver+openssl*", "webserver+mimalloc"]
RESULT = Path(__file__).with_suffix(".md")
HEAD = """\
# A service under load

The webserver, a proxy from HTTP to HTTPS, asked by wrk for a page of 1 KB over {connections} connections. Written by
`python bench/load.py --write`. Proxy, upstream and wrk share the cores, so the rates are ratios of one run. *CPU* is
the proxy's own processor time for a request; *Early* and *End* are its resident memory {early} s after the start and
just before the end.
"""


class Series(NamedTuple):
    """One kind of load: its heading, the page that is asked for, and for what share of the seconds."""

    title: str
    page: str
    share: float


# A kept connection shows the bulk of TLS and of copying; a new one for each request its handshake, and the resolver.
SERIES = (
    Series("Kept connections to the upstream", f"/good/bytes/{BODY_BYTES}", 1.0),
    Series("A new connection to the upstream for each request", f"/good/bytes/{BODY_BYTES}?close", 1 / 4),
)


def words_of(cell: Cell, result: Result) -> tuple[str, ...]:
    """The cell and what its program is made of, as measured; its allocator as the program says it when it is run."""
    taken = {one.column.name: value_text(one) for one in result.measurements}
    allocator = (cell.sample.expectations[0].stdout or "").partition("alloc=")[2].strip()
    if allocator == "system":
        allocator = {"gnu": "glibc"}.get(taken["libc"], taken["libc"])
    return (cell.id, *(taken[name] for name in ("libc", "crt", "tls", "dns")), allocator)


def tabulate_series(rows: Sequence[tuple[tuple[str, ...], Borne]]) -> str:
    """A row a cell, with its ratio to the first; what must not be stands below."""
    headings = ("Cell", "libc", "CRT", "TLS", "DNS", "Allocator")
    figures = ("Requests/s", "To the first", "p50, ms", "p99, ms", "CPU, µs", "Early, MB", "End, MB", "Change")
    lines = [f"| {' | '.join((*headings, *figures))} |", f"|{'---|' * len(headings)}{'---:|' * len(figures)}"]
    first = rows[0][1].rate
    for words, borne in rows:
        figures = (
            *(f"{borne.rate:.0f}", f"{borne.rate / first:.2f}", f"{borne.p50_ms:.2f}", f"{borne.p99_ms:.2f}"),
            f"{1e6 * borne.processor_seconds / max(1, borne.requests):.0f}",
            *(f"{borne.early_bytes / 1e6:.2f}", f"{borne.end_bytes / 1e6:.2f}", f"{borne.drift:+.1%}"),
        )
        lines.append(f"| {' | '.join((*words, *figures))} |")
    requests = sum(borne.requests for _, borne in rows)
    faults = [f"- {words[0]}: {fault}" for words, borne in rows for fault in borne.faults]
    limit = f"{100 * DRIFT_LIMIT:.0f} %"
    verdict = faults or [f"{requests} requests, none dropped, none answered wrongly; no memory moved by over {limit}."]
    return "\n".join([*lines, "", *verdict])


def find_passed(carried: Carried) -> tuple[list[tuple[Cell, Result]], Program]:
    """The cells that passed, and the harbor that holds them."""
    run, cells = carried.run, carried.plan.cells
    results = {result.cell: result for result in run.results}
    passed = [(cell, results[cell.id]) for cell in cells if results[cell.id].outcome.kind == "passed"]
    harbor = next((cell.harbor for cell, _ in passed if cell.harbor), None)
    if harbor is None:
        raise BareboatError(f"no service passed of {', '.join(cell.id for cell in cells)}")
    return passed, run.outputs.program(harbor)


def measure(carried: Carried, whole_seconds: int) -> tuple[str, bool]:
    """The tables, and whether nothing was found that must not be."""
    (cells, harbor_program), context = find_passed(carried), carried.context
    wrk = load_wrk(context)
    busy = busy_share()
    sections, sound = [], True
    for series in SERIES:
        rows, seconds = [], max(2, round(whole_seconds * series.share))
        # The first once more at the end: by how much it differs, the machine itself does.
        for cell, result in (*cells, cells[0]):
            tell(f"{series.title}: {cell.id}, {seconds} s")
            image = result.provenance.image_id if result.provenance else ""
            with open_harbor(context, harbor_program) as harbor:
                borne = bear(harbor, image, wrk, series.page, seconds)
            rows.append((words_of(cell, result), borne))
            sound = sound and not borne.faults
        sections.append(f"## {series.title}, {seconds} s\n\n{tabulate_series(rows)}\n")
    facts = describe(context.host, busy)
    return "\n".join([*sections, "## The machine\n", f"{facts}\n"]), sound


def run_bench(options: argparse.Namespace, processes: Processes) -> tuple[str, int]:
    """The whole of it; the project's own results are left alone."""
    project = find_project(Path(__file__).parents[1])
    samples = load_samples(project.samples)
    selection = Selection(samples=tuple(options.sample), recipes=(options.recipe,))
    planned = partial(make_plan, samples=samples, selection=selection)
    order = Order(book=load_recipes(project.recipes), samples=samples, bases="auto", plan=planned)
    work = WorkOptions(results=find_folders().cache / "results", needs_engine=True)
    with carry_out(project, order, processes, sys.stderr, work) as carried:
        text, sound = measure(carried, options.seconds)
    head = HEAD.format(connections=CONNECTIONS, early=EARLY_SECONDS)
    if options.write:
        write_whole(RESULT, f"{head}\n{text}".encode())
    return text, 0 if sound else 1


def main() -> int:
    """The command line; the exit code, 1 when a request was dropped or answered wrongly, or memory went away."""
    parser = argparse.ArgumentParser(description="Puts a load on services, and measures what they bear.")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/load.md, too")
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"of the first load; default {SECONDS}")
    parser.add_argument("--sample", nargs="+", default=SAMPLES, help=f"shell patterns; default {' '.join(SAMPLES)}")
    parser.add_argument("--recipe", default="scratch-*", help="a shell pattern; default scratch-*")
    return run(partial(run_bench, parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
