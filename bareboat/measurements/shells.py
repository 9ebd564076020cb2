"""Which shells an image has, in which whoever gets in feels at home."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bareboat.errors import BareboatError
from bareboat.measurements._files import EXECUTE_BITS, REGULAR
from bareboat.result.measurement import Column, Reading

if TYPE_CHECKING:
    from bareboat.archive import Image
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="shells",
    heading="Shells",
    unit="text",
    order=33,
    meaning="the shells aboard, by the names of their files: what is executable and has a shell's name in `/bin`, "
    "`/sbin`, `/usr/bin`, `/usr/sbin`, `/usr/local/bin` or a folder of the image's PATH, links followed; *none* "
    "without any",
)
NONE = "none"
_FOLDERS = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin")
# What other names are links to, or copies of, stands before these.
_NAMES = (
    *("busybox", "toybox", "bash", "dash", "zsh", "fish", "mksh", "ksh93", "ksh", "yash", "tcsh", "csh", "nu", "pwsh"),
    *("ash", "hush", "rbash", "sh"),
)


def measure(subject: Subject) -> Reading:
    """`bash, dash`, `busybox`, `none`; why it cannot be told for links that no system follows."""
    try:
        found = _find_shells(subject.image)
    except BareboatError as error:
        return Reading(value=None, why=error.summary)
    return Reading(value=", ".join(sorted(found)) or NONE)


def _find_shells(image: Image) -> set[str]:
    """The names of the files of shells, one for all files of the same content."""
    path = next((line.removeprefix("PATH=") for line in image.config.env if line.startswith("PATH=")), "")
    folders = dict.fromkeys([*_FOLDERS, *(folder for folder in path.split(":") if folder.startswith("/"))])
    by_content: dict[str, str] = {}
    for name in _NAMES:
        for folder in folders:
            file = image.find(posixpath.join(folder, name))
            if file is not None and file.kind in REGULAR and file.mode & EXECUTE_BITS:
                by_content.setdefault(file.sha256, posixpath.basename(file.path))
    return set(by_content.values())
