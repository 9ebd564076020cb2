"""The regular files of an image, as the columns that count some of them look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.archive import File, Image

EXECUTE_BITS = 0o111
# A hard link is another name of a regular file.
REGULAR = frozenset({"file", "hardlink"})


def regular_files(image: Image) -> Iterator[File]:
    """Each name of a regular file in the merged root filesystem. Raises BareboatError for a damaged layer."""
    return (file for file in image.files().values() if file.kind in REGULAR)
