"""Reads back what `report --format json` and `build-matrix --format json` wrote, as far as that tells of results."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, TypeAlias

from pydantic import TypeAdapter, ValidationError

from bareboat.errors import ResultError
from bareboat.report.table import column_name
from bareboat.result.measurement import Column, Figure, Measurement, Spread
from bareboat.result.values import Host, Outcome, Provenance, Result, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

_Record: TypeAlias = dict[str, Figure | dict[str, str]]
_RECORDS: TypeAdapter[list[_Record]] = TypeAdapter(list[_Record])
# Values of theirs are read from JSON alone: of Python's own they take no dictionary.
_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_SPREAD = TypeAdapter(Spread)
_NAMES = ("sample", "base", "platform", "outcome")


def read_records(content: bytes, name: str, columns: Iterable[Column]) -> dict[str, tuple[Result, ...]]:
    """The results that a file `name` tells of, by host, with the figures of those `columns` that it has.

    What records do not carry (keys, manifests, digests) is empty in them. Raises ResultError for anything else.
    """
    known = tuple(columns)
    try:
        records = _RECORDS.validate_json(content)
        results = [_result(record, known) for record in records]
    except (ValidationError, KeyError) as error:
        kind = "lacks " + str(error) if isinstance(error, KeyError) else error.errors(include_url=False)[0]["msg"]
        raise ResultError(f"{name}: is not what `invoke report --format json` writes: {kind}") from error
    found: dict[str, dict[str, Result]] = {}
    hosts = {str(record["host"]) for record in records if record.get("host")}
    for record, result in zip(records, results, strict=True):
        # A cell that came to nothing tells no host: it is of the one that the others are of.
        host = str(record.get("host") or (next(iter(hosts)) if len(hosts) == 1 else ""))
        found.setdefault(host, {})[result.cell] = result
    return {host: tuple(cells.values()) for host, cells in found.items()}


def _result(record: _Record, columns: Iterable[Column]) -> Result:
    sample, recipe, platform, kind = (str(record[name]) for name in _NAMES)
    said = {"failed": ("stage", "reason", "expected"), "skipped": ("reason",)}.get(kind, ())
    outcome = {"kind": kind} | {name: record.get(name) or "" for name in said}
    return Result(
        cell=f"{sample}@{recipe}",
        sample=sample,
        recipe=recipe,
        platform=platform,
        key="",
        outcome=_OUTCOME.validate_json(json.dumps(outcome)),
        measurements=tuple(_taken(record, key, column) for column in columns if (key := _key(record, column))),
        provenance=_provenance(record) if record.get("host") else None,
    )


def _key(record: _Record, column: Column) -> str:
    """The key that a record has a column's figure by; "" where it has none."""
    name = column_name(column)
    return next((key for key in (f"{name}_{column.unit}", name) if key in record), "")


def _taken(record: _Record, key: str, column: Column) -> Measurement:
    spread = {field.name: record.get(f"{key}_{field.name}") for field in fields(Spread)}
    value, why = record[key], record.get("not_taken")
    return Measurement(
        column=column,
        value=None if isinstance(value, dict) else value,
        spread=None if None in spread.values() else _SPREAD.validate_json(json.dumps(spread)),
        why=why.get(key, "") if isinstance(why, dict) else "",
    )


def _provenance(record: _Record) -> Provenance:
    def text(name: str) -> str:
        return str(record.get(name) or "")

    unknown = Source(kind="scratch", reference="", digest="")
    host = Host(
        name=text("host"),
        system="",
        kernel=text("kernel"),
        architecture="",
        podman=text("podman"),
        buildah="",
        runtime=text("runtime"),
        storage_driver=text("storage_driver"),
        rootless=False,
        bareboat="",
        machine=text("machine"),
    )
    return Provenance(
        host=host,
        base=unknown,
        toolchain=unknown,
        image_id="",
        commit=text("commit"),
        measured_at=text("measured_at"),
    )
