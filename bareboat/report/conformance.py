"""Makes the tables of the conformance page: how every service answered every probe, with its libc, TLS and DNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.report.figures import value_text
from bareboat.report.origin import mark_origins
from bareboat.report.render import NOTHING, markdown_origins, markdown_table
from bareboat.report.table import Alignment, Table, measurement_of
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bareboat.result.values import Probe, Result

# The columns that tell the services apart: heading and measurement.
_COLUMNS = (("libc", "libc"), ("CRT", "crt"), ("TLS", "tls"), ("DNS", "dns"))


def conformance_tables(hosts: Mapping[str, tuple[Result, ...]]) -> str:
    """For each host, a table of services by probe with `yes` or `no`, then a table of what each probe observed."""
    sections = [f"## {printable(name)}\n\n{_tables(results)}" for name, results in sorted(hosts.items())]
    return "\n".join(section for section in sections if section) or NOTHING


def _tables(results: tuple[Result, ...]) -> str:
    services = [result for result in results if result.probes]
    names = tuple(dict.fromkeys(probe.name for result in services for probe in result.probes))
    if not services:
        return "No service was measured here.\n"
    headings = ("Cell", *(heading for heading, _ in _COLUMNS), *names)
    answers = [{probe.name: probe for probe in result.probes} for result in services]
    rows = tuple(
        (
            printable(result.cell),
            *(_column(result, column) for _, column in _COLUMNS),
            *(_answer(probes.get(name)) for name in names),
        )
        for result, probes in zip(services, answers, strict=True)
    )
    left: tuple[Alignment, ...] = ("left",)
    table = mark_origins(Table(headings=headings, rows=rows, alignment=left * len(headings)), services)
    return f"{markdown_table(table)}{markdown_origins(services)}\n### What was observed\n\n{_observed(services, names)}"


def _observed(services: list[Result], names: tuple[str, ...]) -> str:
    """A table with a row for each probe and each different answer to it, and the cells that gave the answer."""
    rows: list[tuple[str, ...]] = []
    for name in names:
        answers: dict[str, list[str]] = {}
        for result in services:
            for probe in result.probes:
                if probe.name == name:
                    answers.setdefault(probe.observed, []).append(result.cell)
        rows += [
            (name, printable(observed), "all" if len(cells) == len(services) else ", ".join(cells))
            for observed, cells in answers.items()
        ]
    return markdown_table(Table(headings=("Probe", "Observed", "By"), rows=tuple(rows), alignment=("left",) * 3))


def _answer(probe: Probe | None) -> str:
    if probe is None:
        return "not asked"
    return "yes" if probe.passed else "no, as known" if probe.excused else "no"


def _column(result: Result, name: str) -> str:
    taken = measurement_of(result, name)
    return value_text(taken) if taken else ""
