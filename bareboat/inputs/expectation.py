"""What a run of a program is expected to show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from pydantic import ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

_STRICT = ConfigDict(extra="forbid", strict=True)
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Value = Annotated[str, Field(pattern=r"^[^\n\r\x00]*$")]  # a step of a Containerfile is one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What a service of the user's own must do: run on and listen, be ready, and end when it is told to."""

    __pydantic_config__ = _STRICT

    # Where it must listen; without it, any TCP port will do.
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    # What it must answer to `GET` with a status below 400; "" for what speaks no HTTP.
    ready: Annotated[str, Field(pattern=r"^(/[!-~]*)?$")] = "/"
    # Environment variables of its run here, which its image has not.
    environment: dict[Variable, Value] = field(default_factory=dict, hash=False)
    # The arguments that it is given.
    arguments: tuple[str, ...] = ()
    # The time within which it must end when it was sent SIGTERM.
    stop_seconds: Annotated[float, Field(gt=0, le=600)] = 3.0
    # Whether its run has a network.
    network: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One run of a program, and what it must show."""

    __pydantic_config__ = _STRICT

    # "" for the plain run.
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]*$")] = ""
    # The arguments that the program is given.
    arguments: tuple[str, ...] = ()
    # Its whole standard output, byte for byte; without it, any will do.
    stdout: str | None = None
    # What its standard error must have in it, such as the message of a panic; without it, any will do.
    stderr_has: str | None = None
    # The exit code with which it must end. None, which no file can say, is any of its own, or that it need not end.
    exit_code: Annotated[int, Field(ge=0, le=255)] | None = 0
    # The time within which it must end.
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    # Whether the run may write to the image's own root filesystem.
    writable: bool = False
    # Whether the run has a network; without one it has loopback alone.
    network: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the program may end as it will, or run on as a service does."""
        return self.exit_code is None

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that the run has and the image has not."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Served(Expectation):
    """The plain run of a service, and what that must do."""

    # Nothing is expected of what it writes, and it is no fault with which code it ends.
    exit_code: None = None
    # What is expected of it.
    serving: Serving

    @property
    def environment(self) -> Mapping[str, str]:
        """As the service says."""
        return self.serving.environment


# Of a crate that says nothing of its program.
AS_IT_STANDS = Expectation(exit_code=None)
