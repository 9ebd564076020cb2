from __future__ import annotations

from dataclasses import replace

from bareboat.report import results_table
from bareboat.report.table import columns, group_by_sample, ratio_of, sort_results
from bareboat.result.measurement import Measurement
from tests.unit.report.example_results import ALL, BROKEN, COLUMNS, DEBIAN, SCRATCH, SKIPPED, SLIM, result


def test_the_largest_stands_first_and_what_did_not_pass_last() -> None:
    assert sort_results(ALL) == (DEBIAN, SLIM, SCRATCH, BROKEN, SKIPPED)


def test_equal_sizes_stand_by_name_and_no_size_last() -> None:
    unmeasured, second, first = result("aaa"), result("b", size=5), result("a", size=5)
    assert sort_results((unmeasured, second, first)) == (first, second, unmeasured)


def test_columns_stand_by_their_order_and_the_base_s_source_last() -> None:
    assert results_table(ALL).headings == (
        *("Base", "Outcome", "Size", "Cheat sheet", "Ratio"),
        *("Transfer", "Files", "libc", "CRT", "Linkage", "PIE", "Build"),
        "Base from",
    )
    assert results_table(ALL, wide=False).headings == (
        *("Base", "Outcome", "Size", "Cheat sheet", "Ratio"),
        *("Files", "libc", "CRT", "Linkage", "Build"),
        "Base from",
    )


def test_a_measurement_nobody_knew_of_is_a_column_where_its_order_says() -> None:
    invented = replace(COLUMNS["tls"], name="depth", heading="Depth", order=17)
    deep = replace(DEBIAN, measurements=(*DEBIAN.measurements, Measurement(column=invented, value="3 m")))
    table = results_table((deep, SCRATCH))
    assert table.headings[5:8] == ("Transfer", "Depth", "Files")
    assert [row[6] for row in table.rows] == ["3 m", ""]


def test_a_row_says_what_was_measured() -> None:
    table = results_table(ALL)
    assert table.rows[0] == (
        *("debian", "passed", "124 MB", "124 MB", "1.00"),
        *("45 MB", "3456", "glibc", "dynamic", "dynamic-pie", "yes", "3.21 s"),
        "bootstrap",
    )
    assert table.rows[2][:5] == ("scratch-musl", "passed", "402 kB", "416 kB", "0.97")
    assert dict(zip(table.headings, table.alignment, strict=True))["Size"] == "right"
    assert dict(zip(table.headings, table.alignment, strict=True))["libc"] == "left"


def test_a_failed_row_says_where_and_why_and_a_skipped_one_why() -> None:
    failed, skipped = results_table(ALL).rows[-2:]
    assert failed[1] == r"failed at run: exit 127 | it said \x1b[31mred\x1b[0m and <b>more</b>"
    assert skipped[1] == "skipped: Alpine has no glibc"
    assert skipped[2:] == ("",) * (len(skipped) - 2)
    assert [row[1] for row in results_table(ALL, reasons=False).rows[-2:]] == ["failed", "skipped"]


def test_a_ratio_needs_both_sizes() -> None:
    assert ratio_of(DEBIAN) == 124_400_000 / 124_000_000
    assert ratio_of(SLIM) is None
    assert ratio_of(SKIPPED) is None


def test_a_unit_in_a_column_s_name_makes_no_second_column() -> None:
    named = replace(COLUMNS["build"], name="build_seconds")
    other = replace(DEBIAN, recipe="other", measurements=(Measurement(column=named, value=1.5),))
    assert len([column for column in columns((DEBIAN, other)) if column.heading == "Build"]) == 1


def test_groups_are_samples_and_name_the_platform_where_there_is_more_than_one() -> None:
    web = result("debian", sample="webserver")
    assert group_by_sample((web, DEBIAN, SCRATCH)) == (("hello-world", (DEBIAN, SCRATCH)), ("webserver", (web,)))
    arm = replace(DEBIAN, platform="linux/arm64")
    assert [name for name, _ in group_by_sample((arm, DEBIAN))] == [
        "hello-world on linux/amd64",
        "hello-world on linux/arm64",
    ]


def test_no_results_are_no_rows() -> None:
    assert results_table(()).rows == ()
    assert group_by_sample(()) == ()
