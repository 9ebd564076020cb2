"""Which compiler a crate asks for in its rust-toolchain file, and whether a given one is it.

Rustup reads that file, and nobody else: https://rust-lang.github.io/rustup/overrides.html#the-toolchain-file
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import tomli

from bareboat.inputs.tomlfile import subtable
from bareboat.system.files import read_file

if TYPE_CHECKING:
    from pathlib import Path

# Where there are both, rustup reads the one without the ending.
FILES = ("rust-toolchain", "rust-toolchain.toml")
_LIMIT_BYTES = 2**16
_VERSION = re.compile(r"\brustc (?P<version>\d+\.\d+\.\d+)(?:-(?P<channel>beta|nightly))?")
# What may follow a channel: the day of a beta or nightly one, and the machine that it runs on.
_CHANNEL = re.compile(r"(?P<name>stable|beta|nightly|\d+\.\d+(?:\.\d+)?)(?P<day>-\d{4}-\d\d-\d\d)?(?:-[a-z].*)?")


def read_channel(folder: Path) -> str | None:
    """The channel that the file in a crate's folder asks for, "" where it names none; None where there is no file."""
    file = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if file is None:
        return None
    try:
        text = read_file(file, limit_bytes=_LIMIT_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        return ""  # read_sources has told of one that cannot be read
    try:
        toolchain = subtable(tomli.loads(text), "toolchain")
    except (ValueError, RecursionError):
        words = text.split()  # the older form is the channel alone
        return words[0] if len(words) == 1 else ""
    asked = toolchain.get("channel", toolchain.get("path", ""))
    return asked if isinstance(asked, str) else ""


def is_asked_for(channel: str, compiler: str) -> bool:
    """Whether a compiler is of the channel; `compiler` is what `rustc --version` says."""
    asked, found = _CHANNEL.fullmatch(channel), _VERSION.search(compiler)
    if not channel:
        return True
    if asked is None or found is None or asked["day"]:
        return False
    if asked["name"][0].isdigit():
        return not found["channel"] and f"{found['version']}.".startswith(f"{asked['name']}.")
    return asked["name"] == (found["channel"] or "stable")
