"""Medians, ratios, lines, and the tables and the chart that are made of them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest


@pytest.fixture
def figures(beside):
    return beside("figures")


def row(figures, way, *seconds, **more):
    return figures.Row(way=way, taken=tuple(figures.Taken(seconds=one) for one in seconds), **more)


def cold(figures):
    rows = (
        row(figures, "Bareboat", 2.0, 4.0, 3.0),
        row(figures, "`podman build` in a row", 6.0, 9.0, 7.5),
        figures.Row(way="BuildKit", absent="not installed here: `apt-get install docker.io`"),
    )
    return figures.Figures(name="cold", title="Cold & new", note="Seven.", rows=rows, facts="- cores: 2")


def test_the_ratio_is_of_medians_to_the_first_row_of_bareboat(figures):
    taken = cold(figures)
    assert [figures.ratio_to(one, taken.unit) for one in taken.rows] == [1.0, 2.5, None]


def test_a_way_that_was_asked_for_several_sizes_has_no_ratio(figures):
    assert figures.ratio_to(row(figures, "Bareboat", 2.0, size=10), row(figures, "Bareboat", 1.0)) is None


def test_a_straight_line_is_found(figures):
    line = figures.fit_line([(10, 1.3), (100, 4.0), (1000, 31.0)])
    assert line.slope == pytest.approx(0.03)
    assert line.intercept == pytest.approx(1.0)
    assert line.r_squared == pytest.approx(1.0)


def test_what_is_no_line_is_told_by_r_squared(figures):
    assert figures.fit_line([(0, 0), (1, 1), (2, 0)]).r_squared == pytest.approx(0.0)


def test_the_line_is_told_in_words(figures):
    rows = [row(figures, f"{size}", 1 + size * 0.03, size=size) for size in (10, 100, 1000)]
    assert figures.fit_text(rows, "plan") == (
        "plan: 30.00 ms for each cell and 1.00 s beside them, R² = 1.0000 over 3 sizes"
    )
    assert figures.fit_text(rows[:1], "plan") == "plan: too few sizes for a line"


def test_a_table_has_median_interval_and_ratio_and_says_what_is_absent(beside, figures):
    assert beside("tables").write_table(cold(figures)).splitlines() == [
        "| Way | Median, s | Least, s | Most, s | To Bareboat |",
        "|---|---:|---:|---:|---:|",
        "| Bareboat | 3.00 | 2.00 | 4.00 | 1.00 |",
        "| `podman build` in a row | 7.50 | 6.00 | 9.00 | 2.50 |",
        "| BuildKit | not installed here: `apt-get install docker.io` | | | |",
    ]


def test_a_column_stands_only_where_something_was_measured(beside, figures):
    taken = figures.Taken(seconds=12.5, processor_seconds=1.25, probe_seconds=2.5)
    one = figures.Figures(name="x", title="X", note="", rows=(figures.Row(way="Bareboat", taken=(taken,)),))
    assert beside("tables").write_table(one).splitlines() == [
        "| Way | Median, s | Least, s | Most, s | To Bareboat | CPU, s | Probes, s | Without probes, s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        "| Bareboat | 12.5 | 12.5 | 12.5 | 1.00 | 1.25 | 2.50 | 10.00 |",
    ]


def test_the_summary_has_a_row_a_work_and_a_column_a_peer(beside, figures):
    assert beside("tables").write_summary((cold(figures),)).splitlines() == [
        "| Work | Bareboat, s | `podman build` in a row | BuildKit |",
        "|---|---:|---:|---:|",
        "| Cold & new | 3.00 | 2.50 |  |",
    ]


def test_the_chart_is_xml_with_a_bar_for_each_way_that_was_measured(beside, figures):
    drawn = ET.fromstring(beside("chart").draw_chart((cold(figures),)))
    bars = [one for one in drawn.iter("{http://www.w3.org/2000/svg}rect") if one.get("class") in {"own", "peer"}]
    assert [float(one.get("width")) for one in bars] == pytest.approx([440 * 3 / 9, 440 * 7.5 / 9], abs=0.1)
    texts = [one.text for one in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "Cold & new" in texts
    assert "7.50 s (2.50)" in texts


def test_new_figures_take_the_place_of_older_ones_and_leave_others(beside, figures, tmp_path):
    write_page = beside("page").write_page
    (tmp_path / "README.md").write_text("head\n<!-- bareboat:bench -->\n<!-- /bareboat:bench -->\ntail\n")
    old = cold(figures)
    write_page([old], ["scale", "cold"], tmp_path)
    new = figures.Figures(name="scale", title="Scale", note="", rows=(row(figures, "Bareboat", 1.0, size=10),))
    write_page([new], ["scale", "cold"], tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("head\n")
    assert text.endswith("tail\n")
    assert text.index("### Scale") < text.index("### Cold & new")
    assert (tmp_path / "chart.svg").exists()
