"""The page of results: what it says of what was measured, that hostile text is text, that nothing leaves it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bareboat.commands.html_page import make_html
from bareboat.commands.pages import load_results
from bareboat.commands.project import Project
from bareboat.page import PageInput, choice_chart, front_chart, lead_of, make_page, read_allocators, read_loads
from bareboat.page.labels import place_labels
from bareboat.page.parts import parts_of
from bareboat.page.scatter import find_front
from bareboat.page.shown import show
from bareboat.result.measurement import Column, Measurement, Spread
from bareboat.result.values import Failed, ManifestRow, Preflight, Probe
from tests.unit.report.example_results import ALL, SCRATCH, SLIM, result

ROOT = Path(__file__).parents[3]
START = Column(name="start_up_seconds", heading="Start-up", unit="seconds", order=12)
HOSTILE = '<script>alert(1)</script>"><img src=http://evil.example/x onerror=alert(1)> \u202egpj.exe \x1b[31m'


def started(cell, seconds, **spread):
    taken = Measurement(column=START, value=seconds, spread=Spread(**spread) if spread else None)
    return replace(cell, measurements=(*cell.measurements, taken))


STARTED = (
    started(SCRATCH, 0.001, runs=30, p10=0.0009, p90=0.0012, low=0.00095, high=0.00105),
    started(SLIM, 0.002),
    started(result("alpine", size=9_000_000, libc="musl", crt="static"), 0.0008),
)


def page_of(*results, **more):
    return make_page(PageInput(title="t", hosts={"here": results}, summaries={"scratch-musl": "nothing"}, **more))


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def elements(text):
    parser = Elements()
    parser.feed(text)
    return parser.found


@pytest.fixture(scope="module")
def committed():
    project = Project(root=ROOT)
    hosts = load_results(project).hosts
    return make_html(project, hosts), hosts


def test_the_committed_results_make_a_page_below_a_megabyte(committed):
    text, hosts = committed
    assert 100_000 < len(text.encode()) < 1_000_000
    cells = {one.cell for results in hosts.values() for one in results}
    assert {attributes["id"] for tag, attributes in elements(text) if tag == "dialog"} == cells
    assert text.count("<h3>Containerfile</h3>") == len(cells)


def test_equal_results_give_equal_bytes(committed):
    text, hosts = committed
    assert make_html(Project(root=ROOT), hosts) == text


def test_nothing_is_asked_of_anybody(committed):
    text, _ = committed
    for tag, attributes in elements(text):
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "use", "image"}
        assert attributes.get("href", "#").startswith("#")
        assert not {"src", "srcset", "action", "style", "xlink:href"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
    style, script = (re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1] for tag in ("style", "script"))
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search("fetch|XMLHttp|import|http", script)


def test_the_policy_lets_run_what_is_ours_alone(committed):
    text, _ = committed
    (policy,) = [one["content"] for tag, one in elements(text) if tag == "meta" and "http-equiv" in one]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_identities_are_each_given_once(committed):
    text, _ = committed
    given = [attributes["id"] for _, attributes in elements(text) if "id" in attributes]
    assert len(given) == len(set(given))


def hostile():
    row = ManifestRow(
        path=f"/{HOSTILE}",
        kind="file",
        size_bytes=1,
        mode="0644",
        source=HOSTILE,
        package=HOSTILE,
        version="",
        why=HOSTILE,
    )
    return replace(
        started(SCRATCH, 0.003),
        recipe=HOSTILE,
        cell=HOSTILE,
        sample=HOSTILE,
        outcome=Failed(stage="run", reason=HOSTILE, detail=HOSTILE),
        manifest=(row,),
        probes=(Probe(name=HOSTILE, passed=False, observed=HOSTILE, excused=HOSTILE),),
        preflight=Preflight(predicted=False, why=HOSTILE, observed=False, said=HOSTILE),
        unobserved=HOSTILE,
    )


def test_what_programs_print_is_text_and_turns_no_letters():
    plain = elements(page_of(*STARTED, SCRATCH))
    failed = hostile()
    passed = replace(started(SLIM, 0.004), sample=HOSTILE, recipe=HOSTILE, cell=f"{HOSTILE}2")
    text = page_of(*STARTED, failed, passed, containerfiles={HOSTILE: HOSTILE})
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert r"\u202egpj.exe" in text
    found = elements(text)
    assert sum(tag == "script" for tag, _ in found) == sum(tag == "script" for tag, _ in plain) == 1
    assert not [tag for tag, attributes in found if tag == "img" or "onerror" in attributes]


def test_hostile_text_in_charts_is_text():
    points = [replace(one, recipe=f"{HOSTILE}{number}") for number, one in enumerate(STARTED)]
    for text in (front_chart(points), page_of(*points)):
        assert "<img" not in text
        assert "\u202e" not in text
        assert "<script>alert" not in text


def test_a_figure_says_its_unit_its_spread_and_why_there_is_none():
    shown = show(STARTED[0].measurements[-1])
    assert (shown.text, shown.interval) == ("1 ms", "950 µs to 1.05 ms")
    assert shown.spread == "95 % interval 950 µs to 1.05 ms; p10 900 µs, p90 1.2 ms; 30 runs"
    assert show(Measurement(column=START, value=None, why="a busy machine")).why == "a busy machine"
    text = page_of(
        *STARTED, replace(SLIM, cell="none", measurements=(Measurement(column=START, value=None, why="no <x>"),))
    )
    assert shown.spread in text
    assert "no &lt;x&gt;" in text


def test_the_front_is_what_nothing_beats():
    front = find_front([*STARTED, started(result("worse", size=10_000_000), 0.01), *ALL])
    assert front.heading == "Start-up"
    assert front.best == ("scratch-musl", "alpine")
    assert find_front(STARTED[:2]) is None


def test_without_start_up_another_figure_is_drawn_and_said():
    cells = [result(name, size=size, transfer=size // 2) for name, size in (("a", 10**6), ("b", 10**7), ("c", 10**8))]
    assert find_front(cells) is None or find_front(cells).heading != "Start-up"
    assert "Size against" not in page_of(result("a", size=1))
    assert "No start-up was measured here" not in page_of(*STARTED)


def test_parts_add_up_to_the_image():
    def row(path, size, source="toolchain"):
        return ManifestRow(
            path=path, kind="file", size_bytes=size, mode="0644", source=source, package="", version="", why=""
        )

    rows = (
        row("/lib64/ld-linux-x86-64.so.2", 10),
        row("/usr/lib/libc.so.6", 20),
        row("/usr/lib/libssl.so.3", 30),
        row("/etc/ssl/certs/ca-certificates.crt", 40),
        row("/app", 50, "compile"),
        row("/etc/passwd", 5),
    )
    found = parts_of(replace(result("scratch-glibc", size=200), manifest=rows))
    assert found == {"libc & loader": 30, "libraries": 30, "certificates & zone data": 40, "program": 50, "other": 50}


@dataclass(frozen=True)
class Seen:
    date: str
    commit: str
    figures: dict[str, float]


def test_history_is_a_line_where_there_are_two_points():
    points = tuple(Seen(f"2026-0{month}-01", "a" * 40, {"size": 1e6 * month}) for month in (1, 2))
    text = page_of(*STARTED, history={"here": {SCRATCH.cell: points, SLIM.cell: points[:1]}})
    assert text.count('class="spark"') == 1
    assert "Size on here: 1 MB at aaaaaaaaaaaa (2026-01-01) to 2 MB" in text


def test_labels_lie_on_nothing():
    spots = [(f"name{number}", 100.0 + number, 100.0) for number in range(40)]
    placed = place_labels([*spots, ("apart", 300.0, 30.0)], 500, 300)
    assert "apart" in {label.name for label in placed}
    assert 0 < len(placed) < 40
    boxes = [(label.left, label.middle) for label in placed]
    assert all(abs(a - c) > 20 or abs(b - d) >= 13 for a, b in boxes for c, d in boxes if (a, b) != (c, d))


def test_loads_are_read_without_the_second_try_of_the_first():
    loads = read_loads((ROOT / "bench" / "load.md").read_text(encoding="utf-8"))
    assert len({load.series for load in loads}) == 2
    assert len(loads) == len({(load.series, load.cell) for load in loads}) >= 20
    assert all(load.rate > 100 for load in loads)


def test_allocators_are_read_as_medians_of_their_rounds():
    reading = '{"load": "churn", "threads": 2, "seconds": 2, "operations": %d, "peak_bytes": 3000000, "more": 1}'
    rounds = ", ".join(f"[{reading % count}]" for count in (20, 40, 90))
    cell = f'{{"recipe": "scratch-musl", "allocator": "system", "rounds": [{rounds}]}}'
    curves = read_allocators(f'{{"cells": [{cell}]}}'.encode())
    assert [curve.values for curve in curves] == [((2, 20.0, 10.0, 45.0),), ((2, 3.0, 3.0, 3.0),)]
    assert "Allocators: operations a second" in page_of(*STARTED, curves=curves)


def test_the_chart_that_stands_alone_has_both_schemes_and_is_small(committed):
    _, hosts = committed
    chart = front_chart(hosts[lead_of(hosts)])
    assert "prefers-color-scheme:dark" in chart
    assert "<title" in chart
    assert "href" not in chart
    assert len(chart.encode()) < 200_000


def test_the_choice_is_the_smallest_that_passed(committed):
    _, hosts = committed
    chart = choice_chart(hosts[lead_of(hosts)])
    assert chart.startswith("```mermaid\nflowchart LR\n")
    assert "scratch-musl, 438 kB" in chart
    assert len(re.findall(r"\|yes\|", chart)) == len(re.findall(r"\|no\|", chart)) >= 2
