"""Writes results for other programs as CSV and JSON: unrounded figures, the unit in each key's name.

A figure that is a median, such as `x_seconds`, has beside it `x_seconds_runs`, how many runs it was taken from,
`x_seconds_p10` and `x_seconds_p90`, below which a tenth and nine tenths of them were, and `x_seconds_low` and
`x_seconds_high`, the median's 95 % bootstrap interval. `not_taken` says by key why a figure is unknown, if not because
it does not apply: an object in JSON, and in CSV `key: why; key: why`.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeAlias

from bareboat.report.ran import RAN_KEYS, ran_values
from bareboat.report.table import column_name, columns, group_by_sample, measurement_of, ratio_of, size_of
from bareboat.result.measurement import Spread
from bareboat.result.values import Failed, Skipped
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bareboat.result.measurement import Column, Figure, Measurement
    from bareboat.result.values import Provenance, Result

_FIXED = (
    *("sample", "base", "platform", "outcome", "stage", "reason", "expected"),
    *("size_bytes", "cheat_sheet_bytes", "ratio"),
)
_LAST = (
    *("base_source", "toolchain_digest", "compiler"),
    *("host", "machine", "kernel", "podman", "runtime", "storage_driver", "commit", "measured_at"),
)
_SPREAD = tuple(field.name for field in fields(Spread))
_Value: TypeAlias = "Figure | dict[str, str]"


def csv_text(results: Iterable[Result]) -> str:
    """A row of keys, then a row for each result; an unknown value is empty, a flag is `true` or `false`."""
    flat = _flat(results)
    form = _Form.of(flat)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(form.keys)
    writer.writerows([_csv_value(value) for value in form.values(result)] for result in flat)
    return lines.getvalue()


def json_text(results: Iterable[Result]) -> str:
    """A list with an object for each result, all with the same keys; an unknown value is null."""
    flat = _flat(results)
    form = _Form.of(flat)
    return json.dumps([dict(zip(form.keys, form.values(result), strict=True)) for result in flat], indent=2) + "\n"


def _flat(results: Iterable[Result]) -> tuple[Result, ...]:
    return tuple(result for _, group in group_by_sample(results) for result in group)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """Which keys the records of some results have."""

    columns: tuple[Column, ...]
    medians: frozenset[str]  # the names of those that a result has a spread of
    ran: bool  # whether it is told what a program did by itself

    @classmethod
    def of(cls, results: tuple[Result, ...]) -> _Form:
        taken = [measurement for result in results for measurement in result.measurements]
        return cls(
            columns=columns(results),
            medians=frozenset(column_name(each.column) for each in taken if each.spread),
            ran=any(result.ran for result in results),
        )

    @property
    def keys(self) -> tuple[str, ...]:
        measured = [key for column in self.columns for key in self._keys(column)]
        return (*_FIXED, *(RAN_KEYS if self.ran else ()), *measured, "not_taken", *_LAST)

    def values(self, result: Result) -> tuple[_Value, ...]:
        """The values of a result, in the order of the keys."""
        taken = [(column, measurement_of(result, column_name(column))) for column in self.columns]
        values: tuple[_Value, ...] = (
            *_outcome(result),
            *(ran_values(result) if self.ran else ()),
            *(value for column, measurement in taken for value in self._values(column, measurement)),
            {_key(column): printable(each.why) for column, each in taken if each and each.why},
            *_origin(result.provenance),
        )
        return tuple(printable(value) if isinstance(value, str) else value for value in values)

    def _keys(self, column: Column) -> tuple[str, ...]:
        key = _key(column)
        spread = _SPREAD if column_name(column) in self.medians else ()
        return (key, *(f"{key}_{name}" for name in spread))

    def _values(self, column: Column, measurement: Measurement | None) -> tuple[Figure, ...]:
        value, spread = (measurement.value, measurement.spread) if measurement else (None, None)
        names = _SPREAD if column_name(column) in self.medians else ()
        return (value, *(getattr(spread, name, None) for name in names))


def _key(column: Column) -> str:
    name = column_name(column)
    return f"{name}_{column.unit}" if column.unit in {"bytes", "seconds"} else name


def _outcome(result: Result) -> tuple[Figure, ...]:
    outcome, ratio = result.outcome, ratio_of(result)
    return (
        result.sample,
        result.recipe,
        result.platform,
        outcome.kind,
        outcome.stage if isinstance(outcome, Failed) else None,
        outcome.reason if isinstance(outcome, Failed | Skipped) else None,
        outcome.expected or None if isinstance(outcome, Failed) else None,
        size_of(result),
        result.published_bytes,
        None if ratio is None else round(ratio, 4),
    )


def _origin(provenance: Provenance | None) -> tuple[Figure, ...]:
    if provenance is None:
        return (None,) * len(_LAST)
    host = provenance.host
    return (
        *(provenance.base.kind, provenance.toolchain.digest, provenance.compiler or None),
        *(host.name, host.machine or None, host.kernel, host.podman, host.runtime, host.storage_driver),
        *(provenance.commit or None, provenance.measured_at),
    )


def _csv_value(value: _Value) -> Figure:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {why}" for key, why in value.items())
    return str(value).lower() if isinstance(value, bool) else value
