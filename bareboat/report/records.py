"""Writes results for other programs as CSV and JSON: unrounded figures, the unit in each key's name."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from bareboat.report.ran import RAN_KEYS, ran_values
from bareboat.report.table import column_name, columns, group_by_sample, measurement_of, ratio_of, size_of
from bareboat.result.values import Failed, Skipped
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bareboat.report.figures import Figure
    from bareboat.result.measurement import Column
    from bareboat.result.values import Provenance, Result

_FIXED = (
    *("sample", "base", "platform", "outcome", "stage", "reason", "expected"),
    *("size_bytes", "cheat_sheet_bytes", "ratio"),
)
_LAST = (
    *("base_source", "toolchain_digest", "compiler"),
    *("host", "machine", "kernel", "podman", "runtime", "storage_driver", "commit", "measured_at"),
)


def csv_text(results: Iterable[Result]) -> str:
    """A row of keys, then a row for each result; an unknown value is empty, a flag is `true` or `false`."""
    flat = _flat(results)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(_keys(flat))
    writer.writerows([_csv_value(value) for value in record.values()] for record in _records(flat))
    return lines.getvalue()


def json_text(results: Iterable[Result]) -> str:
    """A list with an object for each result, all with the same keys; an unknown value is null."""
    return json.dumps(_records(_flat(results)), indent=2) + "\n"


def _flat(results: Iterable[Result]) -> tuple[Result, ...]:
    return tuple(result for _, group in group_by_sample(results) for result in group)


def _keys(results: tuple[Result, ...]) -> tuple[str, ...]:
    return (*_FIXED, *_ran_keys(results), *(_key(column) for column in columns(results)), *_LAST)


def _ran_keys(results: tuple[Result, ...]) -> tuple[str, ...]:
    """What programs did by themselves is told where one was left to."""
    return RAN_KEYS if any(result.ran for result in results) else ()


def _key(column: Column) -> str:
    name = column_name(column)
    return f"{name}_{column.unit}" if column.unit in {"bytes", "seconds"} else name


def _records(results: tuple[Result, ...]) -> list[dict[str, Figure]]:
    keys, measured, shown = _keys(results), columns(results), bool(_ran_keys(results))
    return [dict(zip(keys, _values(result, measured, shown=shown), strict=True)) for result in results]


def _values(result: Result, measured: tuple[Column, ...], *, shown: bool) -> tuple[Figure, ...]:
    outcome, ratio = result.outcome, ratio_of(result)
    taken = (measurement_of(result, column_name(column)) for column in measured)
    values: tuple[Figure, ...] = (
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
        *(ran_values(result) if shown else ()),
        *(measurement.value if measurement else None for measurement in taken),
        *_origin(result.provenance),
    )
    return tuple(printable(value) if isinstance(value, str) else value for value in values)


def _origin(provenance: Provenance | None) -> tuple[Figure, ...]:
    if provenance is None:
        return (None,) * len(_LAST)
    host = provenance.host
    return (
        *(provenance.base.kind, provenance.toolchain.digest, provenance.compiler or None),
        *(host.name, host.machine or None, host.kernel, host.podman, host.runtime, host.storage_driver),
        *(provenance.commit or None, provenance.measured_at),
    )


def _csv_value(value: Figure) -> Figure:
    return str(value).lower() if isinstance(value, bool) else value
