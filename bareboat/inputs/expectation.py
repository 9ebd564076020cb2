"""What a run of a program is expected to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One run of a program, and what it must show."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    # "" for the plain run.
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = ""
    # The arguments that the program is given.
    arguments: tuple[str, ...] = ()
    # Its whole standard output, byte for byte; without it, any will do.
    stdout: str | None = None
    # The exit code with which it must end. None, which no file can say, is any of its own, or that it need not end.
    exit_code: Annotated[int, Field(ge=0, le=255)] | None = 0
    # The time within which it must end.
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    # Whether the run may write to the image's own root filesystem.
    writable: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the program may end as it will, or run on as a service does."""
        return self.exit_code is None


# Of a crate that says nothing of its program.
AS_IT_STANDS = Expectation(exit_code=None)
