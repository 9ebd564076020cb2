"""Joins results with the sizes that somebody else has published for such images. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bareboat.result.values import Result


def join_published(results: Iterable[Result], sizes: Mapping[str, int]) -> tuple[Result, ...]:
    """The results, each with the published size of its cell; `sizes` has them in bytes by the cell's id."""
    return tuple(replace(result, published_bytes=sizes.get(result.cell)) for result in results)
