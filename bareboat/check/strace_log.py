"""Which files a program opens while it runs in its image: strace, mounted from outside, and its logs read.

strace is the parent of the program under the same user, so it needs no capability. What it cannot see: the ELF
interpreter, which the kernel itself reads at execve; what is read through mmap, beyond its open; files inherited open;
and whatever the program would open on another way through its code. Calls that make, rename or alter files are left
out, since images run read-only. Traced, a program is not process 1 any more: a signal may end it that did not before,
and processes that it leaves behind keep the run going until its time is over.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bareboat.engine.tracer import LOGS_TARGET, TOOLS_TARGET
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Access = Literal["open", "exec", "stat"]

_LEFT_OUT = (TOOLS_TARGET, LOGS_TARGET, "/proc", "/sys", "/dev")
_LOG_LIMIT_BYTES = 64 * 1024 * 1024
_LINE_LIMIT_BYTES = 64 * 1024

_FORKS = frozenset({"clone", "clone3", "fork", "vfork"})
_ACCESSES: dict[str, Access] = {
    **dict.fromkeys(("open", "openat", "openat2"), "open"),
    **dict.fromkeys(("execve", "execveat"), "exec"),
    **dict.fromkeys(("stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx"), "stat"),
    **dict.fromkeys(("access", "faccessat", "faccessat2", "readlink", "readlinkat", "chdir"), "stat"),
    **dict.fromkeys(("statfs", "statfs64", "getxattr", "lgetxattr", "listxattr", "llistxattr"), "stat"),
}
_ABSENT = frozenset({"ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"})
# These say nothing of the file: the call was interrupted, could not be made, or had no room.
_UNKNOWN = re.compile(r"ERESTART\w*|EINTR|ENOSYS|EMFILE|ENFILE|ENOMEM|EFAULT|EBADF|EAGAIN")

_STRING = r'"((?:[^"\\]|\\.)*)"(\.\.\.)?'
_PLACE = r"(AT_FDCWD|-?\d+)(?:<([^>]*)>)?(\(deleted\))?"
_NAME = re.compile(r"(\w+)\(")
_PATH_ARGUMENT = re.compile(rf"(?:{_PLACE}, )?{_STRING}")
_FOLDER_ARGUMENT = re.compile(_PLACE)
# An error's text is in the language of its container, so only its name is read.
_RESULT = re.compile(r"\) += (-?[0-9]{1,10})(?:<([^>]*)>)?(?:\(deleted\))?(?: (E[A-Z0-9_]+))?")
_ESCAPE = re.compile(r"\\([0-7]{1,3}|.)", re.DOTALL)
_NAMED_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "f": "\f"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One file or folder that the program asked for, and how."""

    path: str  # what it asked for, absolute and without `..`
    real_path: str  # where the kernel found what it opened; `path` where the kernel did not say
    # Whether it was there in the container, where Podman adds files such as /etc/hosts and the program may make some.
    # An `exec` is not found, either, where the file is there and its interpreter is not.
    found: bool
    access: Access


def read_traces(logs: Path, *, working_dir: str = "/") -> tuple[Opened, ...]:
    """What strace's logs of one run tell, sorted, each once; `working_dir` is where the program started.

    The program itself may write there: whatever is no log of strace's is passed over, and no link is followed. A thread
    or child starts in its parent's folder of that moment; a later chdir of another thread is known only by strace's
    own notes. Raises BareboatError for a folder that cannot be read.
    """
    try:
        names = {entry.name for entry in logs.iterdir()}
    except OSError as error:
        raise BareboatError(f"{logs}: cannot be read: {error.strerror}") from error
    numbers = [int(name[4:]) for name in names if re.fullmatch(r"log\.[1-9][0-9]{0,9}", name)]
    starts: dict[int, str] = {}
    opened: set[Opened] = set()
    # A child's number is above its parent's, until the numbers are used up and begin anew.
    for number in sorted(numbers):
        reader = _Reader(starts.get(number, working_dir), starts)
        for line in _read_lines(logs / f"log.{number}"):
            opened.update(reader.read(line))
    return tuple(sorted(opened, key=lambda access: (access.path, access.access, access.found, access.real_path)))


class _Reader:
    """Reads one thread's log; `starts` takes the folder in which each of its children begins."""

    def __init__(self, folder: str, starts: dict[int, str]) -> None:
        self._folder = folder
        self._starts = starts

    def read(self, line: str) -> Iterator[Opened]:
        name, result = _NAME.match(line), _last(_RESULT, line)
        if name is None or result is None:
            return
        call, error = name[1], result[3] or ""
        if call in _FORKS and int(result[1]) > 0:
            self._starts[int(result[1])] = self._folder
        elif call == "fchdir" and not error:
            folder = _FOLDER_ARGUMENT.match(line, name.end())
            self._folder = _absolute(folder[2]) or self._folder if folder else self._folder
        elif call == "getcwd" and not error:
            said = _PATH_ARGUMENT.match(line, name.end())
            self._folder = _absolute(said[4]) or self._folder if said else self._folder
        elif call in _ACCESSES and not _UNKNOWN.fullmatch(error):
            yield from self._read_access(line, name, result)

    def _read_access(self, line: str, name: re.Match[str], result: re.Match[str]) -> Iterator[Opened]:
        call, error = name[1], result[3] or ""
        argument = _PATH_ARGUMENT.match(line, name.end())
        path = self._resolve(argument, call) if argument else None
        if path is None:
            return
        if call == "chdir" and not error:
            self._folder = path
        if _is_left_out(path):
            return
        # Of a file that it would have made, a read-only image does not say whether it was there.
        absent = error in _ABSENT or (error == "EROFS" and "O_CREAT" in line)
        access = _ACCESSES[call]
        real = _absolute(result[2]) if access == "open" else None
        yield Opened(
            path=path, real_path=path if real is None or _is_left_out(real) else real, found=not absent, access=access
        )

    def _resolve(self, argument: re.Match[str], call: str) -> str | None:
        number, noted, deleted, text, cut = argument.groups()
        path = _unescape(text)
        folder: str | None = self._folder
        if number == "AT_FDCWD":
            folder = self._folder = _absolute(noted) or self._folder
        elif number is not None:
            folder = None if deleted else _absolute(noted)
        if cut or "\0" in path or (not path and call != "execveat"):
            return None
        if path.startswith("/"):
            return _normalise(path)
        return None if folder is None else _normalise(posixpath.join(folder, path))


def _absolute(text: str | None) -> str | None:
    path = _unescape(text or "")
    return _normalise(path) if path.startswith("/") and not path.endswith(" (deleted)") else None


def _normalise(path: str) -> str:
    # POSIX lets two leading slashes mean something of their own; Linux does not.
    return posixpath.normpath("/" + path.lstrip("/"))


def _is_left_out(path: str) -> bool:
    return any(path == root or path.startswith(f"{root}/") for root in _LEFT_OUT)


def _unescape(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        word = match[1]
        return chr(int(word, 8) & 0xFF) if word[0] in "01234567" else _NAMED_ESCAPES.get(word, word)

    # strace escapes every byte that is not ASCII, so each character is one byte here.
    return _ESCAPE.sub(plain, text).encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    start = text.rfind(") ")
    while start >= 0:
        match = pattern.match(text, start)
        if match:
            return match
        start = text.rfind(") ", 0, start)
    return None


def _read_lines(path: Path) -> Iterator[str]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return
    with os.fdopen(descriptor, "rb") as file:
        left = _LOG_LIMIT_BYTES
        while left > 0 and (line := file.readline(_LINE_LIMIT_BYTES)):
            left -= len(line)
            yield line.decode("latin-1")
