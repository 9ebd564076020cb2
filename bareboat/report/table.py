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
SIZE, START_UP = "size", "start_up"
# In place of names of columns it stands for every one.
ALL = "all"
AS_EXPECTED = "fails as expected"
# What decides between bases; and with that, what a table has that is not to be wide.
DECISIVE = frozenset({START_UP, "time_to_serve", "peak", "libc", "crt"})
MAIN = DECISIVE | {"files", "linkage", "build"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of text; headings, each row and the alignment have the same length."""

    headings: tuple[str, ...]
    # Formatted text without control characters.
    rows: tuple[tuple[str, ...], ...]
    # Of each column.
    alignment: tuple[Alignment, ...]


# What a reader looks for first stands in a narrow table, too; of the same rank that which stands further left.
FIRST, FIGURE, BAR, SECOND, THIRD, OTHER, SELDOM = range(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a table of results."""

    heading: str
    # Gives the column's text for a result.
    text: Callable[[Result], str]
    alignment: Alignment = "left"
    name: str = ""  # by which a user chooses it
    rank: int = OTHER  # the lower the rank, the narrower the table that still has it


def results_table(
    results: Iterable[Result], *, wide: bool = True, reasons: bool = True, chosen: Sequence[str] = ()
) -> Table:
    """A table with a row for each result, the largest image first, failed and skipped cells last.

    `wide=False` keeps the main measurements only; `reasons=False` says only that a cell failed, not where and why;
    `chosen` names the columns that there are to be beside the base.
    """
    ordered = sort_results(results)
    fields = result_fields(ordered, wide=wide, reasons=reasons)
    if chosen:
        return _table(choose_fields(fields, chosen), ordered)
    return make_table(fields, ordered)


def result_fields(results: Iterable[Result], *, wide: bool = True, reasons: bool = True) -> tuple[Field, ...]:
    """The columns that a table of these results may have; the first says what a row is of."""
    given = tuple(results)
    measured = [_measured(column) for column in columns(given) if wide or column_name(column) in MAIN]
    return (
        Field(heading="Base", text=lambda result: printable(result.recipe), name="base", rank=FIRST),
        Field(heading="Outcome", text=outcome_text if reasons else _outcome_word, name="outcome", rank=FIGURE),
        *([RAN_FIELD] if any(result.ran for result in given) else []),
        SIZE_FIELD,
        *PUBLISHED_FIELDS,
        *measured,
        SOURCE_FIELD,
    )


def choose_fields(fields: Sequence[Field], chosen: Sequence[str]) -> tuple[Field, ...]:
    """The first of `fields`, then those of the names `chosen` in that order, or every one for `all`.

    What no result has is an empty column.
    """
    if ALL in chosen:
        return tuple(fields)
    known = {field.name: field for field in fields}
    names = [name for name in dict.fromkeys(chosen) if name != fields[0].name]
    return (fields[0], *(known.get(name) or measured_field(name, name) for name in names))


def field_names(columns: Iterable[Column]) -> tuple[str, ...]:
    """The names of all columns that a table may have which has these measurements."""
    fixed = (RAN_FIELD, SIZE_FIELD, *PUBLISHED_FIELDS, SOURCE_FIELD)
    names = ("base", "outcome", *(field.name for field in fixed), *map(column_name, columns))
    return tuple(dict.fromkeys(names))


def make_table(fields: Sequence[Field], results: Iterable[Result]) -> Table:
    """A table with a column for each of `fields` and a row for each of `results`, in the order given.

    Further columns tell of each row what of its origin is not the same for all.
    """
    ordered = tuple(results)
    return mark_origins(_table(fields, ordered), ordered)


def _table(fields: Sequence[Field], results: Sequence[Result]) -> Table:
    return Table(
        headings=tuple(field.heading for field in fields),
        rows=tuple(tuple(field.text(result) for field in fields) for result in results),
        alignment=tuple(field.alignment for field in fields),
    )


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


def measured_field(heading: str, name: str, *, alignment: Alignment = "left", rank: int = OTHER) -> Field:
    """A column of the measurement `name`; empty where a result has none."""
    return Field(
        heading=printable(heading),
        text=lambda result: _value(result, name),
        alignment=alignment,
        name=name,
        rank=rank,
    )


def _measured(column: Column) -> Field:
    alignment: Alignment = "right" if column.unit in {"bytes", "seconds", "count"} else "left"
    return measured_field(column.heading, column_name(column), alignment=alignment, rank=_rank(column))


def _rank(column: Column) -> int:
    if column.thorough:
        return SELDOM
    name = column_name(column)
    ranks = ((FIGURE, {START_UP, "time_to_serve"}), (SECOND, DECISIVE), (THIRD, MAIN))
    return next((rank for rank, names in ranks if name in names), OTHER)


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


RAN_FIELD = Field(heading="Run", text=lambda result: printable(ran_text(result)), name="run", rank=FIGURE)
SIZE_FIELD = Field(
    heading="Size", text=lambda result: size_text(size_of(result)), alignment="right", name=SIZE, rank=FIRST
)
PUBLISHED_FIELDS = (
    Field(
        heading="Cheat sheet",
        text=lambda result: size_text(result.published_bytes),
        alignment="right",
        name="cheat_sheet",
    ),
    Field(heading="Ratio", text=lambda result: ratio_text(ratio_of(result)), alignment="right", name="ratio"),
)
SOURCE_FIELD = Field(heading="Base from", text=_source, name="base_from")
