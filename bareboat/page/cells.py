"""All that is known of a cell, host by host, for the panel that opens on it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.page.lines import spark
from bareboat.page.parts import parts_text
from bareboat.page.shown import Shown, show
from bareboat.report.figures import seconds_text, size_text
from bareboat.report.table import column_name, columns, measurement_of, outcome_text
from bareboat.result.values import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from markupsafe import Markup

    from bareboat.page.values import PageInput, Point
    from bareboat.result.values import ManifestRow, Probe, Provenance, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of a panel: what it is about, and what each host says of it."""

    name: str
    said: tuple[Shown, ...]

    @property
    def lacks(self) -> str:
        """Why no host has a figure; "" where one has, or where they differ in that."""
        whys = {"" if shown.text else shown.why for shown in self.said}
        return whys.pop() if len(whys) == 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One cell."""

    cell: str
    number: int  # by which its elements are named
    summary: str  # what is aboard
    hosts: tuple[str, ...]
    outcomes: tuple[tuple[str, str], ...]  # of each host: the outcome's kind, and the outcome in a line
    details: tuple[str, ...]  # what else is known of failures, each once
    measured: tuple[Told, ...]
    lacking: tuple[tuple[str, str], ...]  # why there is no figure, and of which columns, where no host has one
    parts: str
    manifest: tuple[ManifestRow, ...]
    unobserved: str
    probes: tuple[tuple[str, tuple[Probe | None, ...]], ...]  # by name, what each host observed
    predictions: tuple[str, ...]  # of each host
    provenance: tuple[tuple[str, tuple[str, ...]], ...]
    containerfile: str
    sparks: tuple[tuple[str, Markup], ...]  # a heading and an SVG


def make_panels(page: PageInput) -> tuple[Panel, ...]:
    """A panel for each cell of any host, in the order of their names."""
    found: dict[str, list[tuple[str, Result]]] = {}
    for host, results in page.hosts.items():
        for result in results:
            found.setdefault(result.cell, []).append((host, result))
    return tuple(_panel(number, found[cell], page) for number, cell in enumerate(sorted(found)))


def _panel(number: int, pairs: Sequence[tuple[str, Result]], page: PageInput) -> Panel:
    results = [result for _, result in pairs]
    first = next((one for one in results if one.manifest), results[0])
    told = _measured(results)
    details = (one.outcome.detail for one in results if isinstance(one.outcome, Failed))
    return Panel(
        cell=first.cell,
        number=number,
        summary=page.summaries.get(first.recipe, ""),
        hosts=tuple(host for host, _ in pairs),
        outcomes=tuple((_kind(one), outcome_text(one)) for one in results),
        details=tuple(dict.fromkeys(detail for detail in details if detail.strip())),
        measured=tuple(line for line in told if not line.lacks),
        lacking=_lacking(told),
        parts=parts_text(first),
        manifest=first.manifest,
        unobserved=first.unobserved,
        probes=_probes(results),
        predictions=_predictions(results),
        provenance=_provenance(results),
        containerfile=page.containerfiles.get(first.cell, ""),
        sparks=tuple(
            line for host, one in pairs for line in _sparks(host, page.history.get(host, {}).get(one.cell, ()))
        ),
    )


def _kind(result: Result) -> str:
    return "expected" if result.fails_as_expected else result.outcome.kind


def _measured(results: Sequence[Result]) -> tuple[Told, ...]:
    size = next((taken.column for one in results if (taken := measurement_of(one, "size"))), None)
    named = [*([size] if size else []), *columns(results)]
    return tuple(
        Told(
            name=column.heading,
            said=tuple(show(measurement_of(one, column_name(column))) for one in results),
        )
        for column in named
    )


def _lacking(told: Sequence[Told]) -> tuple[tuple[str, str], ...]:
    whys = dict.fromkeys(line.lacks for line in told if line.lacks)
    return tuple((why, ", ".join(line.name for line in told if line.lacks == why)) for why in whys)


def _probes(results: Sequence[Result]) -> tuple[tuple[str, tuple[Probe | None, ...]], ...]:
    names = dict.fromkeys(probe.name for one in results for probe in one.probes)
    by_host = [{probe.name: probe for probe in one.probes} for one in results]
    return tuple((name, tuple(probes.get(name) for probes in by_host)) for name in names)


def _predictions(results: Iterable[Result]) -> tuple[str, ...]:
    return tuple(_prediction(one) for one in results)


def _prediction(result: Result) -> str:
    flight = result.preflight
    if flight is None:
        return "not predicted"
    why = f", for {flight.why}" if flight.why else ""
    observed = {None: "was not run", True: "started", False: "did not start"}[flight.observed]
    said = f": {flight.said}" if flight.said else ""
    return f"predicted to {'start' if flight.predicted else 'fail'}{why}; {observed}{said}"


_ORIGINS: tuple[tuple[str, Callable[[Provenance], str]], ...] = (
    ("System", lambda one: f"{one.host.system}, {one.host.architecture}, kernel {one.host.kernel}"),
    ("Engine", lambda one: f"Podman {one.host.podman}, Buildah {one.host.buildah}, {one.host.runtime}"),
    ("Store", lambda one: f"{one.host.storage_driver}, {'rootless' if one.host.rootless else 'rootful'}"),
    ("Base", lambda one: " ".join(filter(None, (one.base.kind, one.base.reference, one.base.digest)))),
    ("Packages", lambda one: ", ".join(one.base.packages)),
    ("Toolchain", lambda one: f"{one.toolchain.reference} {one.toolchain.digest}"),
    ("Compiler", lambda one: one.compiler),
    ("Program", lambda one: f"sha256:{one.made.program_sha256}" if one.made else ""),
    ("Image", lambda one: one.image_id),
    ("Commit", lambda one: one.commit),
    ("Measured at", lambda one: one.measured_at),
)


def _provenance(results: Sequence[Result]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What each host says; where all say the same, once."""
    rows = []
    for heading, say in _ORIGINS:
        texts = tuple(say(one.provenance) if one.provenance else "" for one in results)
        if any(texts):
            rows.append((heading, texts[:1] if len(set(texts)) == 1 else texts))
    return tuple(rows)


def _sparks(host: str, points: Sequence[Point]) -> tuple[tuple[str, Markup], ...]:
    """A line for each figure that was measured at two commits or more."""
    found = []
    for heading, name, say in (("Size", "size", size_text), ("Start-up", "start_up", seconds_text)):
        figures = [(point, value) for point in points if (value := _figure(point, name)) is not None]
        if len(figures) > 1:
            ends = (figures[0], figures[-1])
            said = " to ".join(f"{say(value)} at {point.commit[:12]} ({point.date[:10]})" for point, value in ends)
            drawn = spark([value for _, value in figures], f"{heading} on {host}: {said}")
            found.append((f"{heading} on {host}: {said}", drawn))
    return tuple(found)


def _figure(point: Point, name: str) -> float | None:
    """A column's figure, whether its name has its unit or not."""
    return next((point.figures[key] for key in (name, f"{name}_seconds") if key in point.figures), None)
