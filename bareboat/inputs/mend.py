"""A provision that a program of the user's own turned out to want."""

from __future__ import annotations

from dataclasses import dataclass

from bareboat.inputs.base import STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """One provision on one recipe."""

    __pydantic_config__ = STRICT

    recipe: str
    provision: str
    why: str
    """What its run came to without it."""
