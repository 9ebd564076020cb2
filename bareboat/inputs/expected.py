"""What a recipe or a sample says of a failure that is to come: why, and how it is told from every other failure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bareboat.inputs.base import STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFailure:
    """Why something is known not to work, and what it says then."""

    __pydantic_config__ = STRICT

    why: Annotated[str, Field(min_length=1)]
    """Why it is known not to work."""
    says: str
    """A regular expression that must be found in what fails: in the compile's log, or in what the run came to and what
    loader, runtime or program said. What fails without saying it is a failure like any other."""

    def __post_init__(self) -> None:
        try:
            tells_nothing = re.search(self.says, "") is not None
        except re.error as error:
            raise ValueError(f"`says` is no regular expression: {error}") from error
        if tells_nothing:
            raise ValueError(f"`says` is found in every text: {self.says!r}")

    def explains(self, said: str) -> bool:
        """Whether this is what failed, by all that was said."""
        return re.search(self.says, said, re.MULTILINE) is not None
