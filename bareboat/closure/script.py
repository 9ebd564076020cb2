"""Reads what a script or a shell's command line starts, as far as its first words tell. Pure."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = frozenset({"sh", "bash", "ash", "dash", "ksh", "zsh"})
STARTERS = frozenset({"env", "tini", "tini-static", "dumb-init", "catatonit", "init"})
_PLAIN = re.compile(r"[\w./+-]+")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
HANDS_ON = re.compile(rb'^\s*exec\s+"\$@"', re.MULTILINE)
# What a shell does itself.
_OWN = re.compile(
    r"\.|:|case|cd|command|echo|eval|exit|export|false|for|if|printf|read|set|sleep|source|test|trap|true|ulimit|umask"
    r"|unset|until|wait|while"
)
FIRST_LINE_BYTES = 256  # BINPRM_BUF_SIZE of include/uapi/linux/binfmts.h
_FORMATS = (
    (b"MZ", "a program for Windows"),
    (b"\xcf\xfa\xed\xfe", "a program for macOS"),
    (b"\xca\xfe\xba\xbe", "a program for macOS or Java"),
    (b"\0asm", "WebAssembly"),
    (b"\xef\xbb\xbf#!", "a script with a byte order mark before its #!"),
    (b"\x1f\x8b", "a file in gzip"),
    (b"PK", "a ZIP archive"),
)


def place_of_script(command: Sequence[str]) -> int:
    """The number of the word of a shell's command line that is its script, after `-c`; 0 where there is none."""
    for number, word in enumerate(command[1:], start=1):
        if not word.startswith("-"):
            return 0
        if "c" in word and not word.startswith("--"):
            return number + 1 if number + 1 < len(command) else 0
    return 0


def first_words(text: str) -> list[str]:
    """The first command of a shell's script, where it is a plain one that starts a program."""
    try:
        words = shlex.split(re.split(r"[;&|\n<>]", text)[0], comments=True)
    except ValueError:
        return []
    while words and (words[0] == "exec" or ASSIGNMENT.match(words[0])):
        words.pop(0)
    return words if words and _PLAIN.fullmatch(words[0]) and not _OWN.fullmatch(words[0]) else []


def describe(content: bytes) -> str:
    """What a file is that is neither a program nor a script."""
    if not content:
        return "empty"
    known = next((said for magic, said in _FORMATS if content.startswith(magic)), "")
    text = b"\0" not in content[:FIRST_LINE_BYTES]
    return known or ("a text without #! in its first line" if text else "no program that Linux knows")
