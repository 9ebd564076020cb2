"""What a page is made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bareboat.result.values import Result


class Point(Protocol):
    """What one cell came to in one commit."""

    @property
    def date(self) -> str:
        """As ISO 8601 writes it."""

    @property
    def commit(self) -> str:
        """All its digits."""

    @property
    def figures(self) -> Mapping[str, float]:
        """By the column's name, in its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one service bore, of one kind of load."""

    series: str  # the kind of load
    cell: str
    libc: str
    tls: str
    allocator: str
    rate: float  # requests a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How one allocator does with more and more threads."""

    pattern: str  # of allocations
    figure: str  # with its unit
    allocator: str  # with its libc
    values: tuple[tuple[int, float, float, float], ...]  # threads; the median of the rounds, the least and the most


@dataclass(frozen=True, slots=True, kw_only=True)
class PageInput:
    """All that is shown."""

    title: str
    hosts: Mapping[str, tuple[Result, ...]]
    summaries: Mapping[str, str]  # of recipes, by name
    containerfiles: Mapping[str, str] = field(default_factory=dict)  # by cell
    # By host and cell, the oldest first.
    history: Mapping[str, Mapping[str, tuple[Point, ...]]] = field(default_factory=dict)
    loads: tuple[Load, ...] = ()
    curves: tuple[Curve, ...] = ()
