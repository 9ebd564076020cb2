"""What allocators' figures come to: medians, ratios, sentences, verdicts, the tables, the chart and the page."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bareboat.engine.containers import RunReport
from bareboat.errors import BareboatError

DOC = Path(__file__).parents[3] / "docs" / "allocators.md"
SVG = "{http://www.w3.org/2000/svg}"


def reading(curves, load="churn", threads=8, operations=1000, **more):
    counts = {"voluntary_switches": 3, "involuntary_switches": 4, "minor_faults": 5, "warm_operations": 0}
    sizes = {"before_bytes": 10, "peak_bytes": 3_000_000, "resting_bytes": 2_000_000}
    taken = {"allocator": "system", "seconds": 0.5, **counts, **sizes, **more}
    return curves("figures").Reading(load=load, threads=threads, operations=operations, **taken)


def cell(curves, allocator, recipe, operations, *, starts=(), **more):
    """A cell whose small churn by 8 threads did so many operations in each round."""
    rounds = tuple((reading(curves, operations=count, allocator=allocator, **more),) for count in operations)
    return curves("figures").CellFigures(
        cell=f"allocator+{allocator}@{recipe}",
        recipe=recipe,
        libc="musl" if "musl" in recipe or recipe == "alpine" else "glibc",
        crt="static",
        allocator=allocator,
        rounds=rounds,
        start_milliseconds=starts,
    )


def book(curves, *cells):
    return curves("figures").Book(rounds=3, seconds=0.25, facts="- cores: 2", cells=cells)


@pytest.fixture
def whole(curves):
    """Three cells from scratch, and the two that the claim of leaving Alpine is about."""
    return book(
        curves,
        cell(curves, "system", "scratch-musl", (100, 110, 90), starts=(1.0, 1.0, 1.0)),
        cell(curves, "mimalloc", "scratch-musl", (1000, 1100, 900), peak_bytes=12_000_000),
        cell(curves, "system", "scratch-glibc", (400, 440, 360), starts=(1.0, 1.2, 0.8)),
        cell(curves, "system", "alpine", (100, 100, 100)),
        cell(curves, "system", "debian-slim", (300, 500, 600), starts=(4.5, 5.0, 5.5)),
    )


def test_a_median_has_an_interval_that_holds_it_and_is_the_same_twice(curves):
    median_of = curves("figures").median_of
    one = median_of((5.0, 1.0, 3.0, 2.0, 4.0))
    assert one == median_of((5.0, 1.0, 3.0, 2.0, 4.0))
    assert one.value == 3.0
    assert 1.0 <= one.low < 3.0 < one.high <= 5.0


def test_the_interval_of_one_value_is_that_value(curves):
    assert curves("figures").median_of((7.0,)) == (7.0, 7.0, 7.0)


def test_more_rounds_make_the_interval_no_wider(curves):
    median_of = curves("figures").median_of
    few, many = median_of((1.0, 2.0, 3.0)), median_of((1.0, 2.0, 3.0) * 20)
    assert many.high - many.low < few.high - few.low


def test_a_ratio_is_of_each_round_so_that_what_both_share_is_no_spread(curves):
    assert curves("figures").ratio_of((100.0, 50.0, 200.0), (50.0, 25.0, 100.0)) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize(("above", "below"), [((), ()), ((1.0,), (0.0,)), ((1.0,), ())])
def test_without_figures_there_is_no_ratio(curves, above, below):
    assert curves("figures").ratio_of(above, below) is None


def test_sentences_are_computed_and_say_which_way(curves, whole):
    assert curves("tables").write_sentences(whole) == (
        "Small churn, 8 threads: musl's own allocator is 4.00 [4.00, 4.00] times slower than glibc's.",
        "Small churn, 8 threads: musl's own allocator is 10.00 [10.00, 10.00] times slower than mimalloc with musl.",
        (
            "At rest after small churn of 8 threads, a program with mimalloc keeps 1.00 [1.00, 1.00] times the memory "
            "that it keeps with musl's own allocator."
        ),
    )


def test_what_is_faster_and_what_is_not_told_apart_are_said_so(curves):
    faster = book(
        curves,
        cell(curves, "system", "scratch-musl", (200, 200)),
        cell(curves, "system", "scratch-glibc", (100, 100)),
        cell(curves, "mimalloc", "scratch-glibc", (90, 110)),
    )
    first, second, *_ = curves("tables").write_sentences(faster)
    assert first.endswith("musl's own allocator is 2.00 [2.00, 2.00] times faster than glibc's.")
    assert "glibc's own allocator is not told apart (1.00 [0.90, 1.10]) from mimalloc" in second


def test_nothing_is_said_of_what_was_not_measured(curves):
    assert curves("tables").write_sentences(book(curves)) == ()


def test_futex_calls_are_told_for_a_million_operations(curves):
    figures = curves("figures")
    counted = figures.Futexes(load="churn", threads=8, calls=50, operations=1000)
    plain = cell(curves, "system", "scratch-musl", (100,))
    taken = book(curves, figures.CellFigures(**{**fields(plain), "futexes": (counted,)}))
    (sentence,) = curves("tables").write_sentences(taken)
    assert "makes 50000 futex calls for a million operations" in sentence
    assert "| 50000 |" in curves("tables").write_table(taken)
    assert taken.cells[0].values("churn", 8, "futexes") == (50_000.0,)
    assert "50,000" not in curves("chart").draw_chart(taken)  # the scale has powers of ten alone


def fields(one):
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def judged(curves, whole, title):
    claims = curves("claims")
    claim = next(one for one in claims.CLAIMS if one.title.startswith(title))
    return claims.judge(claim, list(claim.compare(whole)))


def test_a_claim_is_reproduced_only_by_a_whole_interval(curves, whole):
    assert judged(curves, whole, "Five times").startswith("**Within reach** in 1 of 1 comparisons")
    assert judged(curves, whole, "33 ms").startswith("**Reproduced** in 1 of 1 comparisons, which surely come to 4.1")
    assert judged(curves, whole, "137 MB").startswith("**Reproduced** in 1 of 1 comparisons")


def test_a_claim_that_no_interval_reaches_is_not_reproduced(curves):
    slow = book(curves, cell(curves, "system", "alpine", (100, 100)), cell(curves, "system", "debian-slim", (200, 210)))
    verdict = judged(curves, slow, "Five times")
    assert verdict.startswith("**Not reproduced** in any of 1 comparisons: no interval reaches 5.0.")
    assert "Ours go from 2.05 [2.00, 2.10] (small churn, 8 threads) to 2.05" in verdict


def test_a_claim_whose_cells_are_not_there_is_not_judged(curves):
    assert judged(curves, book(curves), "137 MB").startswith("Not judged")


def test_a_row_has_median_and_interval_and_what_the_kernel_counted(curves, whole):
    table = curves("tables").write_table(whole)
    row = next(line for line in table.splitlines() if line.startswith("| allocator+mimalloc@scratch-musl | 8 |"))
    assert row == (
        "| allocator+mimalloc@scratch-musl | 8 | 2.00 [1.80, 2.20] | 12.00 [12.00, 12.00] | 2.00 [2.00, 2.00] "
        "| 3000 | 4000 | 5000 |  |"
    )


def test_the_chart_is_xml_with_a_curve_for_each_static_program(curves, whole):
    drawn = ET.fromstring(curves("chart").draw_chart(whole))
    texts = [one.text for one in drawn.iter(f"{SVG}text")]
    assert [text for text in texts if text in {"musl's own", "mimalloc, musl", "glibc's own"}] == [
        "glibc's own",
        "musl's own",
        "mimalloc, musl",
    ]
    curves_drawn = [
        one for one in drawn.iter(f"{SVG}path") if one.get("d").startswith("M") and " h24" not in one.get("d")
    ]
    assert len(curves_drawn) == 3 * 3  # three programs, three quantities of the one load that was measured
    assert texts.count("not measured") == 3 * 4 + 1  # the other loads, and the futex calls of this one


def test_a_higher_figure_is_drawn_higher(curves, whole):
    chart = curves("chart")
    (slow, _, _) = chart.curves_of(whole.cells[:3], "churn", "rate", 1.0)
    assert (slow.allocator, slow.libc) == ("system", "musl")
    assert slow.points[0][1].value == 200.0
    assert chart.ticks_between(3.0, 250.0) == (1.0, 10.0, 100.0, 1000.0)
    assert chart.ticks_between(10.0, 10.0) == (10.0, 100.0)


def test_a_run_is_kept_and_every_block_of_the_page_is_written(curves, whole, tmp_path):
    page = curves("page")
    for folder in ("bench", "docs"):
        (tmp_path / folder).mkdir()
    shutil.copy(DOC, tmp_path / "docs")
    page.write_page(whole, tmp_path)
    assert page.read_book(tmp_path) == whole
    text = (tmp_path / "docs" / "allocators.md").read_text()
    assert "musl's own allocator is 4.00 [4.00, 4.00] times slower than glibc's." in text
    assert all(claim.thread in text for claim in curves("claims").CLAIMS)
    assert (tmp_path / "bench" / "allocators.svg").read_text().startswith("<svg")
    page.write_page(whole, tmp_path)
    assert (tmp_path / "docs" / "allocators.md").read_text() == text


def test_the_committed_page_is_what_the_committed_figures_come_to(curves):
    page = curves("page")
    if not (page.ROOT / "bench" / "allocators.json").exists():
        pytest.skip("no run was kept yet")
    text = DOC.read_text()
    assert all(block.strip() in text for block in page.blocks(page.read_book()).values())


LOG = """\
7 execve("/allocator", ["/allocator", "--series", "0.1"], 0x7ffd /* 1 var */) = 0
8 execve("/allocator", ["/allocator", "--bench"...], 0x7ffd /* 1 var */) = 0
9 futex(0x7f, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>
8 futex(0x7f, FUTEX_WAKE_PRIVATE, 1) = 1
9 <... futex resumed>) = 0
10 execve("/allocator", ["/allocator", "--bench"...], 0x7ffd /* 1 var */) = 0
10 futex(0x7f, FUTEX_WAKE_PRIVATE, 1) = 0
"""


def test_futex_calls_are_counted_by_process_and_one_that_waits_once(curves):
    readings = [reading(curves, threads=1, operations=7, warm_operations=3), reading(curves, threads=2, operations=20)]
    counted = curves("taking").count_futexes(LOG, readings)
    assert [(one.threads, one.calls, one.operations) for one in counted] == [(1, 2, 10), (2, 1, 20)]


def test_a_trace_that_misses_a_start_counts_nothing(curves):
    with pytest.raises(BareboatError, match="strace saw 3 starts, where there were 2"):
        curves("taking").count_futexes(LOG, [reading(curves)])


def test_the_tracer_sees_futex_calls_alone(curves):
    tracer = curves("taking").FutexTracer(tools=Path("/tools"), loader="ld-linux-x86-64.so.2")
    words = tracer.entrypoint()
    assert words[-1] == "--"
    assert words[words.index("-e") :][:4] == ("-e", "signal=none", "-e", "trace=execve,futex")
    assert not any("%file" in word for word in words)


def test_a_program_that_ends_badly_is_told_with_its_words(curves):
    failed = RunReport(exit_code=1, stdout=b"", stderr=b"allocator: large by 8 ended with signal: 9\n")
    with pytest.raises(BareboatError, match="ended with 1 and said: allocator: large by 8"):
        curves("taking").read_series(failed)


def test_what_is_no_reading_is_told(curves):
    with pytest.raises(BareboatError, match="what is no reading"):
        curves("taking").read_series(RunReport(exit_code=0, stdout=b'{"load":"churn"}\n', stderr=b""))


@pytest.fixture
def parse(curves):
    curves("figures")
    return importlib.import_module("allocators").parse


def test_figures_of_a_quick_run_are_not_kept(parse, capsys):
    with pytest.raises(SystemExit):
        parse(["--quick", "--write"])
    assert "figures of a quick run" in capsys.readouterr().err
    assert parse(["--write"]).write
