"""A program's closure as one value: the files it needs, which of them are missing, and whether it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# By what a file of a closure comes to be loaded or opened: it is the program itself; its interpreter; a library that
# an object needs (DT_NEEDED), is known to load, or says in a note that it may load; an NSS or gconv module or libgcc,
# which glibc loads; a file or module of OpenSSL's; a well-known path, such as /etc/hosts.
LoadWay = Literal[
    "program", "interpreter", "needed", "dlopen", "dlopen-note", "nss", "gconv", "libgcc", "openssl", "path"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """One file or folder of a closure."""

    # What the program, library or loader asks for: a library's name, or a path.
    name: str
    # Where the loader opens it; absolute.
    path: str
    # The same file's path after following links; absolute.
    real_path: str
    # The path of the program or library that asks for it, "" for the program itself.
    needed_by: str
    way: LoadWay
    # Of the content; 0 for a folder.
    size_bytes: int
    # Whether the program does not start without it.
    required: bool
    # Why it is here, if it is not required.
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One file, folder or symbol version that is asked for and is not in the root filesystem."""

    # What the program, library or loader asks for: a library's name, or a path.
    name: str
    # The path of the program or library that asks for it.
    needed_by: str
    way: LoadWay
    # The folders that the loader would search, in order.
    searched: tuple[str, ...]
    # The symbol versions that the file `found` lacks; empty where a whole file is missing.
    versions: tuple[str, ...]
    # The path of the file without those versions, or of a file that cannot be loaded; "" where there is none.
    found: str
    # Whether the program does not start without it.
    required: bool
    # Why it is asked for, or how the loader might be made to find it.
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """All that a program needs at run time."""

    # The program's absolute path.
    program: str
    # The program first, then what it needs, then what that needs, and so on.
    files: tuple[Needed, ...]
    missing: tuple[Missing, ...]

    @property
    def starts(self) -> bool:
        """Whether nothing that is required is missing."""
        return not any(missing.required for missing in self.missing)

    @property
    def reason(self) -> str:
        """Why the program does not start, in one line without control characters; "" where it starts."""
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
