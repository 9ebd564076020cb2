"""What a program of the user's own turned out to want."""

from __future__ import annotations

from dataclasses import dataclass

from bareboat.inputs.base import STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """One provision, or one library, on one recipe."""

    __pydantic_config__ = STRICT

    recipe: str
    provision: str
    """Its name; of a library that the toolchain has, its file's."""
    why: str
    """What its run came to without it."""

    @property
    def is_library(self) -> bool:
        """Whether it is a library that the program loads while it runs."""
        return is_library(self.provision)


def is_library(name: str) -> bool:
    """Whether that is the name of a library's file; no provision is called like one."""
    return ".so" in name
