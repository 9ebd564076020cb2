"""How many files of an image give who runs them another user's or group's rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.measurements._files import regular_files
from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="set_id_files",
    heading="Set-id files",
    unit="count",
    order=31,
    better="less",
    meaning="regular files with the set-user-id or the set-group-id bit (modes 4000 and 2000), by which a program runs "
    "with its owner's rights; hard links count, folders do not, nor do files with capabilities",
)
_SET_ID_BITS = 0o6000


def measure(subject: Subject) -> int:
    """The number of names of such files. Raises BareboatError for a damaged layer."""
    return sum(bool(file.mode & _SET_ID_BITS) for file in regular_files(subject.image))
