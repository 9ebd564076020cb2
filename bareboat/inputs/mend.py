"""What a program of the user's own turned out to want."""

from __future__ import annotations

from dataclasses import dataclass

from bareboat.inputs.base import STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """One provision, or one library, on one recipe."""

    __pydantic_config__ = STRICT

    recipe: str
    provision: str = ""
    """The name of the provision; "" of a library."""
    library: str = ""
    """The name of the file of a library that the program loads while it runs; "" of a provision."""
    why: str
    """What its run came to without it."""

    @property
    def name(self) -> str:
        """What the one of them is called."""
        return self.provision or self.library
