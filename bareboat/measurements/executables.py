"""How many files of an image can be started, the program among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bareboat.measurements._files import EXECUTE_BITS, regular_files
from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="executables",
    heading="Executables",
    unit="count",
    order=32,
    better="less",
    meaning="regular files that anybody may execute, the program among them: with an execute bit of owner, group or "
    "others, and no shared library by name (`*.so`, `*.so.*`); hard links count, symbolic links do not, so that the "
    "one file of busybox is one",
)
_LIBRARY = re.compile(r"\.so(?:\.[^/]*)?$")


def measure(subject: Subject) -> int:
    """The number of names of such files. Raises BareboatError for a damaged layer."""
    executable = (file.path for file in regular_files(subject.image) if file.mode & EXECUTE_BITS)
    return sum(not _LIBRARY.search(path) for path in executable)
