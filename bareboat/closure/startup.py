"""How far the start of an image's program would come, as one value, and each thing that would keep it from starting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bareboat.closure.program_file import User
    from bareboat.elf import ElfFacts

# What keeps a program from starting: the image names none; its user has no entry; there is no such file, in PATH or at
# a path; a link leads nowhere; it is a folder; it may not be executed; it is nothing that a kernel starts; it is for
# another machine; it is damaged; a script's lines end as on Windows, or its interpreter is absent; the loader that a
# program names is absent; a library is, or is nothing that it can load; it lacks symbol versions, or symbols.
FaultKind = Literal[
    "nothing",
    "user",
    "absent",
    "PATH",
    "link",
    "folder",
    "permission",
    "format",
    "machine",
    "damaged",
    "carriage return",
    "interpreter",
    "loader",
    "library",
    "unloadable",
    "version",
    "symbols",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that keeps a program from starting."""

    kind: FaultKind
    # What is asked for: a program's path or word, a library, a loader, a user.
    name: str
    # The path of the script, program or library that asks for it; "" for the image itself.
    needed_by: str = ""
    # What is there and will not do, or lies where nobody looks; "" where there is nothing.
    found: str = ""
    # What is lacked of `found`: symbol versions, or symbols.
    lacks: tuple[str, ...] = ()
    # What is there instead: a mode, a machine, the newest version of a library, what a file is.
    instead: str = ""
    # The folders that were searched.
    searched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What an image says of itself in /etc/os-release."""

    # `debian`, `alpine`; "" where it does not say.
    id: str = ""
    # `Debian GNU/Linux 13 (trixie)`.
    name: str = ""
    # Whether it has the loader of one C library or the other.
    libcs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Startup:
    """How far a start would come."""

    # Entrypoint and command, as the image has them.
    command: tuple[str, ...]
    # Numbers.
    user: User
    # What would be started, one after the other: a script, its interpreter, the program that it hands on to.
    way: tuple[str, ...]
    # Why it would not start, the first first.
    faults: tuple[Fault, ...]
    # Of the last program of the way, where it is one that could be read.
    program: ElfFacts | None
    # The script or command that may start what was not looked into; "" where there is none.
    open_end: str
    system: System
    # Whether the image has certificates of authorities where the program looks for them; None where it names no place.
    certificates: bool | None = None

    @property
    def starts(self) -> bool:
        """Whether nothing keeps it from starting."""
        return not self.faults
