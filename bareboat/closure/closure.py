"""A program's closure as one value: the files it needs, what of them is missing, and whether it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Way = Literal["program", "interpreter", "needed", "dlopen-note", "nss", "gconv", "libgcc", "openssl", "path"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """One file or folder of a closure.

    `name` is what was asked for, `path` where the loader opens it, `real_path` where it is when links are followed,
    both absolute; `needed_by` is the path of the one that asks, "" for the program. `size_bytes` is the content's, 0
    for a folder. Without what is `required` the program does not start; `note` says why the rest is here.
    """

    name: str
    path: str
    real_path: str
    needed_by: str
    way: Way
    size_bytes: int
    required: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One thing that is asked for and not there.

    `searched` are the folders that were looked in, in order. `versions` are the symbol versions that the file `found`
    lacks; without versions, `found` is a file of that name that cannot be loaded, "" where there is none at all. `note`
    says why it is asked for, or how it might be found.
    """

    name: str
    needed_by: str
    way: Way
    searched: tuple[str, ...]
    versions: tuple[str, ...]
    found: str
    required: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """A program's absolute path, its files breadth first from the program on, and what is missing."""

    program: str
    files: tuple[Needed, ...]
    missing: tuple[Missing, ...]

    @property
    def starts(self) -> bool:
        """Whether nothing is missing that the loader insists on."""
        return not any(missing.required for missing in self.missing)

    @property
    def reason(self) -> str:
        """Why the program does not start, in one line that is safe to print; "" where it starts."""
        reasons = (_explain(missing) for missing in self.missing if missing.required)
        line = next(reasons, "")
        return "".join(character if character.isprintable() else "?" for character in line)


def _explain(missing: Missing) -> str:
    if missing.versions:
        return f"{missing.found} has no {', '.join(missing.versions)}; {missing.needed_by} needs it"
    what = f"the interpreter {missing.name}" if missing.way == "interpreter" else missing.name
    by = "" if missing.way == "interpreter" else f"; {missing.needed_by} needs it"
    if missing.found:
        return f"{missing.found} is nothing that this program can load{by}"
    return f"{what} is not in the image{by}"
