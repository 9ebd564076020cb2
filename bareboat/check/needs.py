"""Judges what a program's user needs of an image by what is aboard: the files of provisions, a shell, look-ups. Pure.

What is aboard an image from scratch its manifest says; of another the files of its base are asked.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.closure.program_file import has_user
from bareboat.errors import SelectionError
from bareboat.inputs.tomlfile import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bareboat.archive import Image
    from bareboat.inputs.recipe import Copy, Provision, RecipeBook
    from bareboat.plan.jobs import Cell
    from bareboat.result.values import Result

SHELL = "shell"
_SHELL_PATH = "/bin/sh"
# Needs by another name: who speaks TLS to others needs certificates, who looks names up needs the order of look-ups.
_MEANS = {"tls": "certs", "dns": "nss"}
# Engines mount their own over what an image has there.
_ENGINES = frozenset({"/etc/hosts", "/etc/resolv.conf", "/etc/hostname"})
_ANYBODY_WRITES, _ANYBODY_EXECUTES = 0o002, 0o001


@dataclass(frozen=True, slots=True, kw_only=True)
class Aboard:
    """What is known of a cell's image."""

    result: Result
    cell: Cell  # as it is planned today
    base: Image | None  # None of one from scratch, and where the base is not at hand

    @property
    def is_known(self) -> bool:
        """Whether the base can be asked, where there is one."""
        return self.cell.base is None or self.base is not None

    def has_copied(self, path: str) -> bool:
        """Whether something at a path came aboard beside the program: measured from scratch, else as planned."""
        if self.cell.base is None:
            places = [row.path for row in self.result.manifest]
        else:
            places = [planned.copy.to for planned in self.cell.copies]
        places += [one.to for one in self.result.completed]
        wanted = path.rstrip("/")
        return any(wanted == place.rstrip("/") or (place.endswith("/") and path.startswith(place)) for place in places)


def known_needs(book: RecipeBook) -> tuple[str, ...]:
    """The needs that have a name; a path is one, too."""
    return (*sorted({SHELL, *_MEANS, *(provision.name for provision in book.provisions)}), "/A/PATH")


def check_needs(needs: Iterable[str], book: RecipeBook) -> None:
    """Raise SelectionError for what nobody can judge."""
    known = known_needs(book)
    for need in needs:
        if not need.startswith("/") and need not in known:
            raise SelectionError(f"--need {need}: no such need{did_you_mean(need, known)}")


def provision_of(need: str, book: RecipeBook) -> Provision | None:
    """The provision that brings what is needed; None where none does."""
    name = _MEANS.get(need, need)
    return next((provision for provision in book.provisions if provision.name == name), None)


def find_lacks(needs: Sequence[str], aboard: Aboard, book: RecipeBook) -> dict[str, str]:
    """Of the needs those that an image does not meet, and what it has not: `no shell (/bin/sh)`."""
    found = {need: _lack(need, aboard, book) for need in needs}
    return {need: lack for need, lack in found.items() if lack}


def _lack(need: str, aboard: Aboard, book: RecipeBook) -> str:
    if need == "dns" and _looks_up_itself(aboard.result):
        return ""
    provision = provision_of(need, book)
    if provision and all(_is_there(copy, aboard) for copy in provision.copies):
        return ""
    if not aboard.is_known:
        return f"a base that is not at hand to be looked into for {need}"
    if provision:
        return _lack_of_files(provision, aboard)
    path = _SHELL_PATH if need == SHELL else need
    there = aboard.base.find(path) if aboard.base else None
    if aboard.has_copied(path) or (there and (need != SHELL or there.mode & _ANYBODY_EXECUTES)):
        return ""
    return f"no shell ({path})" if need == SHELL else f"no {path}"


def _is_there(copy: Copy, aboard: Aboard) -> bool:
    return copy.to in _ENGINES or aboard.has_copied(copy.to)


def _lack_of_files(provision: Provision, aboard: Aboard) -> str:
    """The first of a provision's files that the base has not; what is of the user is judged by its number."""
    lacking = [copy for copy in provision.copies if not _is_there(copy, aboard)]
    user = aboard.cell.recipe.runtime.user.partition(":")[0]
    for copy in lacking:
        if copy.to == "/etc/passwd":
            return "" if aboard.base and has_user(aboard.base, user) else f"no user {user} in /etc/passwd"
        if not _base_has(copy, aboard.base):
            return f"no {copy.to.rstrip('/')}"
    return ""


def _base_has(copy: Copy, base: Image | None) -> bool:
    file = base.find(copy.to) if base else None
    if base is None or file is None:
        return False
    if copy.source == "new":
        return file.kind == "directory" and bool(file.mode & _ANYBODY_WRITES)
    return not copy.is_folder or any(posixpath.dirname(path) == file.path for path in base.files())


def _looks_up_itself(result: Result) -> bool:
    """Whether a program needs no file to look names up: musl has the order inside, and hickory is a resolver itself."""
    measured = {one.column.name: str(one.value) for one in result.measurements}
    return measured.get("libc") in {"musl", "other (musl)"} or measured.get("dns", "").startswith("hickory")
