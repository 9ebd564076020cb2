"""Tells from a program's own words what its image or its run lacks, and what brings it. Pure.

The words are those of Rust's std, of the crates that look for such things, and of the C libraries below them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a program gave up, as far as its words tell."""

    pattern: str  # of the words, whatever their case
    lacks: str  # in one line, after "it lacks"
    path: str = ""  # where an image has it; "" where it is no image's
    provision: str = ""  # the one that brings it aboard; "" where none does
    library: str = ""  # the file's name of the one that it is; "" where it is none
    cure: str = ""  # what else mends it, in a few words

    def __str__(self) -> str:
        """What it lacks and what mends that, in one line."""
        cure = f"provision '{self.provision}' brings it aboard" if self.provision else self.cure
        return f"it lacks {self.lacks}" + (f"; {cure}" if cure else "")

    def explains(self, said: str) -> bool:
        """Whether this is what a program that wrote this lacks."""
        return re.search(self.pattern, said, re.IGNORECASE) is not None


_ABSENT = r"(?:os error 2\b|code: 2\b|No such file|NotFound)"
_NO_NETWORK = "a network: runs have none but loopback"
_GIVE_NETWORK = "--network gives it one, and so does `network = true` in [package.metadata.bareboat]"
NETWORK = Cause(
    pattern=r"failed to lookup address information|Temporary failure in name resolution|dns error"
    r"|Name or service not known|Could not resolve host|no record found|Network is unreachable|os error 101\b"
    r"|NetworkUnreachable",
    lacks=_NO_NETWORK,
    cure=_GIVE_NETWORK,
)
WAITS = f"it waits for {_NO_NETWORK}; {_GIVE_NETWORK}"
NOT_REACHED = "its run had a network, and it did not reach there what it asked for"
_CAUSES = (
    Cause(
        pattern=r"UnknownIssuer|unable to get local issuer certificate|certificate verify failed|no trust anchors"
        r"|no (?:valid |native |root )*CA certificates? (?:were )?(?:found|loaded)"
        r"|(?:could not|failed to) load (?:platform|native|system)[a-z ]* cert",
        lacks="the certificates of authorities",
        path="/etc/ssl/certs/ca-certificates.crt",
        provision="certs",
    ),
    Cause(
        pattern=r"/usr/share/zoneinfo|TzdbError"
        r"|(?:failed to find|unknown|could not (?:find|determine)|unable to find)[^\n]{0,40}time ?zone"
        r"|time ?zone\b[^\n]{0,80}(?:not found|no such file|could not|unable to|failed)",
        lacks="the time zones' data",
        path="/usr/share/zoneinfo",
        provision="tz",
    ),
    Cause(
        pattern=rf"(?m:^|[\s\"'`(=])/tmp\b[^\n]{{0,200}}{_ABSENT}|{_ABSENT}[^\n]{{0,200}}[\s\"'`(=]/tmp\b",
        lacks="a folder for temporary files",
        path="/tmp",  # noqa: S108 (a place in an image)
        provision="tmp",
    ),
    Cause(
        pattern=r"Read-only file system|ReadOnlyFilesystem|os error 30\b",
        lacks="a place to write to: but for /tmp, its root file system is read-only",
    ),
    Cause(
        pattern=r"(?:getpw|passwd)[^\n]{0,80}(?:fail|no such|not found)|cannot find name for user ID"
        r"|user[^\n]{0,40} not found in passwd|no user exists for uid|no entry found for user",
        lacks="an entry of its user in /etc/passwd",
        path="/etc/passwd",
        provision="user",
    ),
    NETWORK,
)
# What dlopen(3) says: of glibc, of musl.
_LIBRARY = re.compile(
    r"\b(lib[\w.+-]+\.so(?:\.\d+)*): cannot open shared object file"
    r"|Error loading shared library (lib[\w.+-]+\.so(?:\.\d+)*): No such file"
)
# What a program says that was called with too few arguments, which may name all of the above.
_USAGE = re.compile(r"^\s*usage:", re.IGNORECASE | re.MULTILINE)
# Before 1.73 the message stands in the same line, and a note follows.
_PANIC = re.compile(r"^thread '[^\n]*panicked (at [^\n]*(?:\n(?!note: )[^\n]*)?)", re.MULTILINE)

_SOURCE = re.compile(r"([^\s'\"(]+\.rs):\d+")
# Where a compile has the crates: in a folder of vendored ones, or as cargo itself keeps them.
_CRATE = re.compile(r"/(?:crates/vendor|registry/src/[^/]+)/([A-Za-z][\w-]*?)(?:-\d[\w.+-]*)?/")


def find_cause(said: str, has: Callable[[str], bool]) -> Cause | None:
    """What a program lacks that ended by itself and not well, by what it wrote to its standard error.

    `has` tells whether its image has something at a path: what is there is not what it lacks.
    """
    if _USAGE.search(said):
        return None
    if found := _LIBRARY.search(said):
        library = found[1] or found[2]
        lacks = f"library {library}, which it loads while it runs"
        return Cause(pattern=re.escape(library), lacks=lacks, library=library)
    return next((one for one in _CAUSES if one.explains(said) and not (one.path and has(one.path))), None)


def find_panic(said: str) -> str:
    """Where and why a Rust program panicked, in one line that begins with "at"; "" for one that did not."""
    found = _PANIC.search(said)
    return " ".join(found.group(1).split()) if found else ""


def find_asker(said: str) -> str:
    """The crate whose code panicked, by the message or the backtrace's first frame that names one; "" for none."""
    for place in _SOURCE.findall(said):
        if found := _CRATE.search(place):
            return found[1]
        if not place.startswith(("/rustc/", "library/", "/usr/", "/build/")):
            return ""  # the program's own
    return ""
