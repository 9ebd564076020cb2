"""Makes a table of text of results: which columns it has, in which order its rows stand, what each field says."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal, assert_never

from bareboat.report.figures import ratio_text, size_text, value_text
from bareboat.report.origin import mark_origins
from bareboat.report.ran import ran_text
from bareboat.result.values import Failed, Passed, Skipped
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bareboat.result.measurement import Column, Measurement
    from bareboat.result.values import Result

Alignment = Literal["left", "right"]
SIZE = "size"
AS_EXPECTED = "fails as expected"
MAIN = frozenset({"files", "libc", "crt", "linkage", "build"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of text; headings, each row and the alignment have the same length."""

    headings: tuple[str, ...]
    # Formatted text without control characters.
    rows: tuple[tuple[str, ...], ...]
    # Of each column.
    alignment: tuple[Alignment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a table of results."""

    heading: str
    # Gives the column's text for a result.
    text: Callable[[Result], str]
    alignment: Alignment = "left"


def results_table(results: Iterable[Result], *, wide: bool = True, reasons: bool = True) -> Table:
    """A table with a row for each result, the largest image first, failed and skipped cells last.

    `wide=False` keeps the main measurements only; `reasons=False` says only that a cell failed, not where and why.
    """
    ordered = sort_results(results)
    outcome = outcome_text if reasons else _outcome_word
    measured = [_measured(column) for column in columns(ordered) if wide or column_name(column) in MAIN]
    return make_table(
        (
            Field(heading="Base", text=lambda result: printable(result.recipe)),
            Field(heading="Outcome", text=outcome),
            *([RAN_FIELD] if any(result.ran for result in ordered) else []),
            SIZE_FIELD,
            *PUBLISHED_FIELDS,
            *measured,
            SOURCE_FIELD,
        ),
        ordered,
    )


def make_table(fields: Sequence[Field], results: Iterable[Result]) -> Table:
    """A table with a column for each of `fields` and a row for each of `results`, in the order given.

    Further columns tell of each row what of its origin is not the same for all.
    """
    ordered = tuple(results)
    table = Table(
        headings=tuple(field.heading for field in fields),
        rows=tuple(tuple(field.text(result) for field in fields) for result in ordered),
        alignment=tuple(field.alignment for field in fields),
    )
    return mark_origins(table, ordered)


def sort_results(results: Iterable[Result]) -> tuple[Result, ...]:
    """The results in this order: passed, failed, failed as expected, skipped; of each, the largest image first."""
    return tuple(sorted(results, key=_place))


def group_by_sample(results: Iterable[Result]) -> tuple[tuple[str, tuple[Result, ...]], ...]:
    """Pairs of a sample's name and its sorted results; of several platforms, a pair for each, with its name too."""
    ordered = sorted(results, key=_group)
    many = len({result.platform for result in ordered}) > 1
    return tuple(
        (printable(f"{sample} on {platform}" if many else sample), sort_results(group))
        for (sample, platform), group in groupby(ordered, key=_group)
    )


def columns(results: Iterable[Result]) -> tuple[Column, ...]:
    """Every measured column but the size, the leftmost first."""
    found: dict[str, Column] = {}
    for result in results:
        for measurement in result.measurements:
            found.setdefault(column_name(measurement.column), measurement.column)
    found.pop(SIZE, None)
    return tuple(sorted(found.values(), key=lambda column: (column.order, column.name)))


def column_name(column: Column) -> str:
    """The column's name without its unit: `build` for `build` and for `build_seconds`."""
    return column.name.removesuffix(f"_{column.unit}")


def measurement_of(result: Result, name: str) -> Measurement | None:
    """The measurement of that name, or None where the result has none."""
    return next((taken for taken in result.measurements if column_name(taken.column) == name), None)


def size_of(result: Result) -> float | None:
    """The image's size in bytes, or None where it was not measured."""
    taken = measurement_of(result, SIZE)
    return taken.value if taken and isinstance(taken.value, int | float) else None


def ratio_of(result: Result) -> float | None:
    """The image's size divided by the published one; None where either is unknown."""
    size = size_of(result)
    return size / result.published_bytes if size is not None and result.published_bytes else None


def outcome_text(result: Result) -> str:
    """The outcome in a line: `passed`, `failed at run: why`, `fails as expected: why`, `skipped: why`."""
    match result.outcome:
        case Passed():
            return "passed"
        case Failed(expected=expected) if expected:
            return f"{AS_EXPECTED}: {printable(expected)}"
        case Failed(stage=stage, reason=reason):
            return f"failed at {stage}: {printable(reason)}"
        case Skipped(reason=reason):
            return f"skipped: {printable(reason)}"
        case _:
            assert_never(result.outcome)


def measured_field(heading: str, name: str, *, alignment: Alignment = "left") -> Field:
    """A column of the measurement `name`; empty where a result has none."""
    return Field(heading=printable(heading), text=lambda result: _value(result, name), alignment=alignment)


def _measured(column: Column) -> Field:
    alignment: Alignment = "right" if column.unit in {"bytes", "seconds", "count"} else "left"
    return measured_field(column.heading, column_name(column), alignment=alignment)


def _value(result: Result, name: str) -> str:
    taken = measurement_of(result, name)
    return value_text(taken) if taken else ""


def _outcome_word(result: Result) -> str:
    return AS_EXPECTED if result.fails_as_expected else result.outcome.kind


def _source(result: Result) -> str:
    return result.provenance.base.kind if result.provenance else ""


def _group(result: Result) -> tuple[str, str]:
    return result.sample, result.platform


def _place(result: Result) -> tuple[int, float, str, str]:
    rank = {"passed": 0, "failed": 1, "skipped": 3}[result.outcome.kind]
    return rank + result.fails_as_expected, -(size_of(result) or 0), result.recipe, result.cell


RAN_FIELD = Field(heading="Run", text=lambda result: printable(ran_text(result)))
SIZE_FIELD = Field(heading="Size", text=lambda result: size_text(size_of(result)), alignment="right")
PUBLISHED_FIELDS = (
    Field(heading="Cheat sheet", text=lambda result: size_text(result.published_bytes), alignment="right"),
    Field(heading="Ratio", text=lambda result: ratio_text(ratio_of(result)), alignment="right"),
)
SOURCE_FIELD = Field(heading="Base from", text=_source)
