"""Results on disk: one JSON file a cell in `results/<host>/`, written whole or not at all, every fault named."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bareboat.errors import BareboatError, ResultError
from bareboat.inputs.tomlfile import spelt
from bareboat.result.values import SCHEMA, Result
from bareboat.system.files import read_file, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

MEASURE_AGAIN = "invoke build-matrix --force"
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._+:,=~-]*")
_WORDS = {"missing": "is missing", "unexpected_keyword_argument": "is no key of a result"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """The one key that every schema has."""

    __pydantic_config__ = ConfigDict(extra="ignore", strict=True)

    schema_version: int


_RESULT = TypeAdapter(Result)
_VERSION = TypeAdapter(_Version)


def save(result: Result, folder: Path) -> Path:
    """Writes `<folder>/<cell>.json` and returns its path; `folder` is one host's, `results/<host>`, made if absent.

    The file is replaced whole: after a crash or a full disk the old result stands. BareboatError names the file and why
    it could not be written.
    """
    path = folder / _file_name(result.cell)
    try:
        content = _to_json(result)
    except ValueError as error:
        raise BareboatError(f"{result.cell}: a figure is no number that can be saved: {error}") from error
    try:
        write_whole(path, content)
    except BareboatError as error:
        raise BareboatError(
            f"{error}; the old result, if there was one, is untouched\n"
            f"  make room or permission there and run again; the room that is left: df -h {folder}"
        ) from error
    return path


def load(path: Path) -> Result:
    """The result in `path`; ResultError names the file, each fault with its key, and the command that mends it."""
    try:
        content = read_file(path)
    except OSError as error:
        raise ResultError(f"{path}: cannot be read: {error.strerror}\n  measure again: {MEASURE_AGAIN}") from error
    return parse(content, str(path))


def parse(content: bytes, name: str) -> Result:
    """The result that a file `name` has; ResultError as of `load`."""
    _refuse_newer(name, content)
    try:
        return _RESULT.validate_json(content, strict=True)
    except ValidationError as error:
        problems = [f"{name}: {spelt(_problem(detail))}" for detail in error.errors(include_url=False)]
        raise ResultError("\n".join([*problems, f"  measure again: {MEASURE_AGAIN}"])) from error


def load_all(folder: Path) -> tuple[Result, ...]:
    """One host's results, sorted by cell; empty where there are none. ResultError tells the faults of every file."""
    results, faults = [], []
    for path in _result_files(folder):
        try:
            results.append(load(path))
        except ResultError as error:
            faults.append(str(error))
    if faults:
        raise ResultError("\n".join(faults))
    return tuple(sorted(results, key=lambda result: result.cell))


def hosts(folder: Path) -> tuple[str, ...]:
    """The names of the hosts that have a result under `folder` (the `results/` folder), sorted."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(child.name for child in folder.iterdir() if child.is_dir() and _result_files(child)))


def _file_name(cell: str) -> str:
    if not _SAFE_NAME.fullmatch(cell):
        raise BareboatError(
            f"{cell!r} cannot name a result file: letters, digits and @._+:,=~- only, a letter or digit first\n"
            "  rename the sample or the recipe"
        )
    return f"{cell}.json"


def _result_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))


def _to_json(result: Result) -> bytes:
    values = _RESULT.dump_python(result, mode="json")
    text = json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    # A program's raw output can hold unpaired surrogates, which UTF-8 cannot: a `?` beats a lost result.
    return f"{text}\n".encode("utf-8", errors="replace")


def _refuse_newer(name: str, content: bytes) -> None:
    with suppress(ValidationError):  # not even that key: the whole schema tells what is wrong
        version = _VERSION.validate_json(content, strict=True).schema_version
        if version > SCHEMA:
            raise ResultError(
                f"{name}: schema_version: {version} is newer than {SCHEMA}, the newest this Bareboat reads\n"
                f"  upgrade Bareboat, or measure again with this one: {MEASURE_AGAIN}"
            )


def _problem(detail: ErrorDetails) -> str:
    if detail["type"] == "json_invalid":
        reason = detail["msg"].removeprefix("Invalid JSON: ")
        cut = "is cut short" if reason.startswith("EOF") else "is not JSON"
        return f"{cut}: {reason}"
    key = ".".join(str(part) for part in detail["loc"]) or "the whole file"
    return f"{key}: {_WORDS.get(detail['type'], detail['msg'])}"
