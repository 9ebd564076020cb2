"""The rules of a dynamic loader, as far as the walk needs them: where it looks for a library, and which it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.closure.files import Candidate, LoadedObject

WORKING_FOLDER = "/"  # where a container starts unless its image says otherwise


class Loader(Protocol):
    """The rules of one C library's loader."""

    # Whether the search goes on after a file for another machine, rather than failing there.
    passes_over_other_machines: bool
    # Whether a loaded library is found again by its soname too, rather than only by the name it was loaded by.
    knows_sonames: bool
    # Whether a missing symbol version keeps the program from starting.
    checks_versions: bool

    def is_itself(self, name: str) -> bool:
        """Whether the loader answers to this name without looking for a file."""
        ...

    def candidates(self, name: str, requester: LoadedObject) -> Iterator[Candidate]:
        """The places where the loader looks for a name, in order; it takes the first that has a library."""
        ...

    def advise(self, name: str) -> str:
        """How a library that was not found could be made to be found, "" where nothing is known."""
        ...


def join(folder: str, name: str) -> str:
    """The absolute path of a name in a folder; a relative path starts at the working folder."""
    path = f"{folder.rstrip('/')}/{name}" if folder else name
    return path if path.startswith("/") else f"{WORKING_FOLDER}{path}"


def origin(loaded: LoadedObject) -> str:
    """The folder that $ORIGIN stands for. Links to the program are followed: the loader reads /proc/self/exe."""
    path = loaded.real_path if loaded.requester is None else loaded.path
    return path.rpartition("/")[0] or "/"
