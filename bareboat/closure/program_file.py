"""Looks up an image's programs as a container's runtime does: by path or in PATH, and whether its user may start them.

Source: execve(2); runc's libcontainer/user; Podman 5.4, which sets PATH where the image does not.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.archive import File, Image

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ANYBODY = 0o111
_USERS, _GROUPS = "/etc/passwd", "/etc/group"
_NUMBER_FIELD = 2
_NUMBER = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whom a container runs as."""

    # As numbers; None where the image has no such name.
    uid: int | None
    gid: int | None
    # The name that is not in /etc/passwd or /etc/group; "" where all is known.
    unknown: str = ""


def find_user(image: Image) -> User:
    """The user and group of an image's configuration, which is root where it names nobody."""
    name, _, group = image.config.user.partition(":")
    uid, own = _number(image, _USERS, name or "0"), _group_of(image, name)
    gid = _number(image, _GROUPS, group) if group else own
    return User(uid=uid, gid=gid, unknown=name if uid is None else group if gid is None else "")


def has_user(image: Image, number: str) -> bool:
    """Whether a line of an image's /etc/passwd is of the user of that number."""
    return any(row[_NUMBER_FIELD] == number for row in _rows(image, _USERS))


def environment_of(image: Image) -> dict[str, str]:
    """The environment that an image sets, with the PATH that a container has."""
    return {"PATH": DEFAULT_PATH, **dict(line.partition("=")[::2] for line in image.config.env)}


def absolute(image: Image, word: str) -> str:
    """The path that a word with a slash means where an image's programs start."""
    return posixpath.normpath(posixpath.join("/", image.config.working_dir or "/", word))


def search_path(image: Image, word: str) -> str:
    """Where the folders of PATH have a program that anybody may start; "" where none has."""
    for folder in environment_of(image)["PATH"].split(":"):
        path = absolute(image, f"{folder or '.'}/{word}")
        file = image.find(path)
        if file and file.kind in {"file", "hardlink"} and file.mode & _ANYBODY:
            return path
    return ""


def find_elsewhere(image: Image, name: str) -> str:
    """The first path of an image whose last part is that name, of a file or link; "" where there is none."""
    base = posixpath.basename(name)
    places = (file for path, file in image.files().items() if posixpath.basename(path) == base)
    return next((f"/{file.path}" for file in places if file.kind != "directory"), "")


def find_forbidden(image: Image, file: File, user: User) -> File | None:
    """What keeps a user from executing a file: a folder on the way to it, or the file itself; None for nothing."""
    way = [file, *filter(None, (image.find(path) for path in _parents(file.path)))]
    return next((one for one in reversed(way) if not _may_execute(one, user)), None)


def _may_execute(file: File, user: User) -> bool:
    if user.uid == 0:
        return bool(file.mode & _ANYBODY)
    shift = 6 if file.uid == user.uid else 3 if file.gid == user.gid else 0
    return bool(file.mode >> shift & 1)


def _parents(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield f"/{path}"


def _number(image: Image, table: str, name: str) -> int | None:
    if _NUMBER.fullmatch(name):
        return int(name)
    return next((int(row[_NUMBER_FIELD]) for row in _rows(image, table) if row[0] == name), None)


def _group_of(image: Image, name: str) -> int:
    """The group of a user's own; root's where /etc/passwd does not say."""
    rows = (row for row in _rows(image, _USERS) if name in {row[0], row[_NUMBER_FIELD]})
    return next((int(row[_NUMBER_FIELD + 1]) for row in rows if _NUMBER.fullmatch(row[_NUMBER_FIELD + 1])), 0)


def _rows(image: Image, table: str) -> Iterator[list[str]]:
    file = image.find(table)
    if file is None or file.kind not in {"file", "hardlink"}:
        return
    for line in image.read(table).decode(errors="replace").splitlines():
        row = line.split(":")
        if len(row) > _NUMBER_FIELD and _NUMBER.fullmatch(row[_NUMBER_FIELD]):
            yield [*row, ""]
