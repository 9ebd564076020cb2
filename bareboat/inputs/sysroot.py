"""Reads a C library of the user's own: a folder with its start files and its libc.a, which programs are linked with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bareboat.errors import RecipeError
from bareboat.system.files import read_file

_NEEDED = ("crti.o", "crtn.o", "libc.a")
# One of these begins a program: one that has its place, and one that the kernel loads anywhere.
_FIXED, _MOVABLE = "crt1.o", "rcrt1.o"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sysroot:
    """A C library of the user's own."""

    path: str  # as recipes have it
    folder: Path  # where that is
    digest: str  # of every file in it
    movable: bool  # whether it has the start file of programs that the kernel loads anywhere


def find_sysroot(path: str, recipes: Path) -> Path:
    """The folder that a recipe in the folder `recipes` calls so. Raises RecipeError where `~` means nothing."""
    try:
        return (recipes / Path(path).expanduser()).resolve()
    except RuntimeError as error:
        raise RecipeError(f"{path}: {error}") from error


def read_sysroot(path: str, recipes: Path) -> Sysroot:
    """The C library in the folder that a recipe calls so. Raises RecipeError where there is none, or not all of one."""
    folder = find_sysroot(path, recipes)
    if not folder.is_dir():
        raise RecipeError(f"there is no folder {folder}")
    try:
        digests = {file.name: _digest(file, folder) for file in sorted(folder.iterdir()) if file.is_file()}
    except OSError as error:
        raise RecipeError(f"{error.filename} cannot be read: {error.strerror}") from error
    lacks = [name for name in _NEEDED if name not in digests]
    if not {_FIXED, _MOVABLE} & set(digests):
        lacks.append(f"{_FIXED} or {_MOVABLE}")
    if lacks:
        raise RecipeError(f"{folder} lacks {', '.join(lacks)}")
    digest = hashlib.sha256("".join(f"{name} {one}\n" for name, one in digests.items()).encode()).hexdigest()
    return Sysroot(path=path, folder=folder, digest=digest, movable=_MOVABLE in digests)


def _digest(file: Path, folder: Path) -> str:
    # A compile has this folder alone, where a link that leads out of it leads nowhere.
    if not file.resolve().is_relative_to(folder):
        raise RecipeError(f"{file} is a link that leads out of its folder: put the file itself there")
    return hashlib.sha256(read_file(file)).hexdigest()
