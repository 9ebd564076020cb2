"""All that the benchmark times, in the order of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beside.crates import DEPENDENT
from beside.many import MIXED, measure_all_recipes, measure_scale, measure_two
from beside.service import EIGHT, WEBSERVER, measure_line, prepare_webserver
from beside.ways import FLOOR, RUN_TOO
from beside.works import Change, Work, change_line, change_recipe

if TYPE_CHECKING:
    from beside.ways import Way

_RUN = "Bareboat also runs and measures what it made; the others only build, unless a row says more."


def _is_peer(way: Way) -> bool:
    return way.title not in {FLOOR, RUN_TOO}


WORKS = (
    Work(
        name="cold",
        title="A crate never seen, seven images",
        note=f"A new crate in every round and for every way; bases and compiler are there. {_RUN}",
        measure=Change(anew=True, fits=lambda _: True),
    ),
    Work(
        name="nothing-changed",
        title="Nothing changed, seven images",
        note="The same command once more. The processor's time is that of the whole tree of processes, daemons too.",
        measure=Change(processor=True),
        rounds=10,
    ),
    Work(
        name="one-line",
        title="One line changed, seven images",
        note=f"The line that the program prints. {_RUN}",
        measure=Change(change=change_line, fits=lambda _: True),
    ),
    Work(
        name="dependency",
        title="A dependency bumped, seven images",
        note=f"A crate in a folder below: its version and its only function. {_RUN}",
        measure=Change(crate=DEPENDENT, change=change_line),
    ),
    Work(
        name="one-recipe",
        title="One recipe changed, seven images",
        note=f"A variable of the environment on debian-slim; all seven are asked for. {_RUN}",
        measure=Change(change=change_recipe),
    ),
    Work(
        name="nothing-changed-all",
        title="Nothing changed, every recipe",
        note="Bareboat on all that hello-world can be put on, beside BuildKit's seven.",
        measure=measure_all_recipes,
        rounds=10,
    ),
    Work(
        name="hundred",
        title="A hundred images on mixed bases, changed and run",
        note="One program changed; a hundred recipes that differ in base and environment. All ways run each image.",
        measure=Change(cells=MIXED, few=7, change=change_line, run=True, fits=_is_peer),
        rounds=3,
    ),
    Work(
        name="two-crates",
        title="Two crates by two commands",
        note="One line changed in each. The processor's time is the whole machine's while the command ran.",
        measure=measure_two,
    ),
    Work(
        name="scale",
        title="10, 100 and 1,000 cells",
        note="Small samples on from-scratch recipes that differ in their environment; nothing is changed.",
        measure=measure_scale,
    ),
    Work(
        name="one-line-webserver",
        title="One line of the webserver changed, one image",
        note=f"On scratch-musl. Bareboat's probes are told apart. {_RUN}",
        measure=measure_line,
        rounds=3,
        on_request=True,
    ),
    Work(
        name="cold-webserver",
        title="The webserver never seen, eight images",
        note=f"Its crates are fetched already, for every way. {_RUN}",
        measure=Change(crate=WEBSERVER, cells=EIGHT, anew=True, prepare=prepare_webserver),
        rounds=1,
        on_request=True,
    ),
)
