"""What the harbor prints of what it was asked to do, read with every fault named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bareboat.errors import BareboatError
from bareboat.inputs.tomlfile import spelt

if TYPE_CHECKING:
    from bareboat.engine.containers import RunReport

_ANSWER = ConfigDict(extra="ignore", strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProbeAnswer:
    """What the harbor says of one probe."""

    __pydantic_config__ = _ANSWER

    name: str
    passed: bool
    observed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _CheckAnswer:
    """What `harbor check` prints."""

    __pydantic_config__ = _ANSWER

    probes: tuple[_ProbeAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _InflightAnswer:
    """The last line of `harbor inflight`."""

    __pydantic_config__ = _ANSWER

    completed: bool


_Answer = TypeVar("_Answer")
CHECKED = TypeAdapter(_CheckAnswer)
_INFLIGHT = TypeAdapter(_InflightAnswer)
ENVIRONMENT: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])


def read_answer(report: RunReport, answer: TypeAdapter[_Answer]) -> _Answer:
    """What the harbor printed; raises BareboatError, with its words, where that is no such answer."""
    try:
        return answer.validate_json(report.stdout, strict=True)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        fault = spelt(": ".join([*(str(part) for part in detail["loc"]), detail["msg"]]))
        words = report.refused or report.stderr.decode(errors="replace").strip()
        raise BareboatError(f"the harbor gave no answer (exit code {report.exit_code}): {words or fault}") from error


def is_completed(line: str) -> bool:
    """Whether a last line of `harbor inflight` says that it was answered whole."""
    try:
        return _INFLIGHT.validate_json(line, strict=True).completed
    except ValidationError:
        return False
