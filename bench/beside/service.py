"""The works on the webserver, whose compile takes a minute: its crates are fetched before, and once for all."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError
from bareboat.system.folders import find_folders
from beside.crates import webserver
from beside.recipes import CRATES_IMAGE, MARK, SEVEN, TOOLCHAIN, plain_cells
from beside.ways import FLOOR, RUN_TOO, BuildKit, Cargo
from beside.workplace import CHECKOUT
from beside.works import Change, change_line, new_text

if TYPE_CHECKING:
    from pathlib import Path

    from beside.figures import Figures
    from beside.works import Bench, Work

WEBSERVER = webserver(CHECKOUT / "rust-samples" / "webserver", f"{MARK}-webserver")
EIGHT = plain_cells((*SEVEN, "scratch-glibc-dynamic"))
_PREPARED = "webserver-crates"


def prepare_webserver(bench: Bench) -> None:
    """Have Bareboat fetch the crates and compile the harbor, and give the crates to all others as an image."""
    place = bench.place
    if (place.root / "projects" / _PREPARED).exists():
        return
    bench.tell("webserver: fetching its crates, by a first build that is not timed")
    project = place.project(_PREPARED, WEBSERVER, plain_cells(("scratch-musl",)))
    project.say(new_text())
    bench.bareboat.build(project)
    fetched = find_crates(find_folders().crates, project.sources / "Cargo.lock")
    recipe = place.root / "tmp" / "crates.containerfile"
    recipe.write_text(f"FROM {TOOLCHAIN}\nCOPY . /crates\n", encoding="utf-8")
    place.ask_podman("build", "--quiet", f"--tag={CRATES_IMAGE}", f"--file={recipe}", str(fetched))
    for way in bench.ways:
        if isinstance(way, Cargo):
            way.bring_crates(fetched)
    if docker := next((way.docker for way in bench.ways if isinstance(way, BuildKit)), None):
        docker.bring((CRATES_IMAGE,))


def find_crates(folder: Path, lock: Path) -> Path:
    """Of the sets of crates that Bareboat fetched, the harbor's among them, the one that has all that a lock names."""
    named = {one["name"] for one in tomllib.loads(lock.read_text(encoding="utf-8"))["package"] if "source" in one}
    for fetched in sorted(folder.iterdir()):
        if all((fetched / "vendor" / name).is_dir() for name in named):
            return fetched
    raise BareboatError(f"Bareboat fetched no crates of {lock}")


def measure_line(bench: Bench, work: Work) -> Figures:
    """One line on one base: the rest is cargo's, and the probes'."""
    one = plain_cells(("scratch-musl",))
    change = Change(
        crate=WEBSERVER,
        cells=one,
        change=change_line,
        prepare=prepare_webserver,
        fits=lambda way: "at once" not in way.title and way.title != RUN_TOO,
    )
    figures = change(bench, work)
    unit, floor = figures.unit, next((row for row in figures.rows if row.way == FLOOR and row.taken), None)
    if unit is None or floor is None:
        return figures
    probes = sorted(one.seconds - one.probe_seconds for one in unit.taken)[len(unit.taken) // 2]
    return replace(
        figures,
        remarks=(f"Bareboat without its probes takes {probes / floor.median:.2f} of cargo alone: {probes:.2f} s",),
    )
