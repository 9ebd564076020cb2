"""What the walk asks of a dynamic loader: where it looks for a library, and what it takes for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.closure.files import Candidate, Loaded

WORKING_FOLDER = "/"  # where a container starts unless its image says otherwise


class Loader(Protocol):
    """One C library's rules.

    `passes_over_other_machines`: a file for another machine is no end of the search. `knows_sonames`: a library that is
    in memory answers to the name it has of itself too. `checks_versions`: a symbol version that a library lacks ends
    the start.
    """

    passes_over_other_machines: bool
    knows_sonames: bool
    checks_versions: bool

    def is_itself(self, name: str) -> bool:
        """Whether the loader answers to this name without looking for a file."""
        ...

    def candidates(self, name: str, requester: Loaded) -> Iterator[Candidate]:
        """The places where a name is looked for, in order; the first that holds a library is taken."""
        ...

    def advise(self, name: str) -> str:
        """How a library that was not found might be, "" where nothing is known."""
        ...


def join(folder: str, name: str) -> str:
    """The path of a name in a folder, absolute: what is relative starts at the working folder."""
    path = f"{folder.rstrip('/')}/{name}" if folder else name
    return path if path.startswith("/") else f"{WORKING_FOLDER}{path}"


def origin(loaded: Loaded) -> str:
    """The folder that $ORIGIN stands for: of the program, the real one, for /proc/self/exe tells it."""
    path = loaded.real_path if loaded.requester is None else loaded.path
    return path.rpartition("/")[0] or "/"
