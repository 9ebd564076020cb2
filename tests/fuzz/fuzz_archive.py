"""Fuzzes the reader of image archives, guided by coverage: `python tests/fuzz/fuzz_archive.py -atheris_runs=10000`.

Checksums and digests would refuse nearly every changed input at once. So an input that begins with `A` is an archive
whose tar headers get right checksums again, one with `L` a layer that gets them and an archive around it besides, and
any other is read as it is. atheris comes with the extra `fuzz`.
"""

from __future__ import annotations

import contextlib
import sys
import tarfile
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import atheris

    with atheris.instrument_imports(include=["bareboat"]):
        import bareboat.archive  # noqa: F401

from bareboat.archive import File, open_image
from bareboat.errors import BareboatError
from tests.fuzz.harness import bounded, fuzz, make_folder
from tests.unit.image_builder import (
    entry,
    folder,
    hard_link,
    make_layer,
    symlink,
    write_docker_archive,
    write_oci_archive,
)

BELOW = make_layer(folder("etc"), entry("etc/a", b"below"))
LAYERS = (
    make_layer(folder("etc"), entry("etc/a", b"aa", mode=0o4755), hard_link("b", "etc/a"), symlink("c", "/etc")),
    make_layer(entry("etc/.wh.a"), entry("x" * 120, b"x"), symlink("y" * 130, "z" * 130), form=tarfile.GNU_FORMAT),
    make_layer(entry("etc/.wh..wh..opq"), entry("\xe4" * 80, b"1" * 600, uid=2**31), entry("d", kind=tarfile.FIFOTYPE)),
)


def check(data: bytes) -> dict[str, File] | BareboatError:
    """What reading comes to: every file, or one BareboatError. Anything else, or work beyond bounds, is a fault."""
    path = _place() / "image.tar"
    match data[:1]:
        case b"L":
            write_docker_archive(path, BELOW, _seal(data[1:]))
        case b"A":
            path.write_bytes(_seal(data[1:]))
        case _:
            path.write_bytes(data)
    with bounded(path.stat().st_size):
        try:
            image = open_image(path)
            files = dict(image.files())
            for name in files:
                _look(partial(image.find, name))
                _look(partial(image.read, name))
        except BareboatError as error:
            return error
    assert all(name == file.path and not name.startswith("/") for name, file in files.items())
    assert sum(len(b"".join(layer.chunks())) for layer in image.layers) == sum(one.size_bytes for one in image.layers)
    return files


def make_seeds() -> tuple[bytes, ...]:
    """Archives of both kinds, as they are and behind an `A`, and bare layers behind an `L`."""
    path = _place() / "seed.tar"
    whole = [write(path, *LAYERS).read_bytes() for write in (write_docker_archive, write_oci_archive)]
    return (*whole, *(b"A" + archive for archive in whole), *(b"L" + layer for layer in LAYERS))


def _seal(tar: bytes) -> bytes:
    """The tar with the right checksum in every block that looks like a header."""
    sealed = bytearray(tar)
    for start in range(0, len(sealed) - 511, 512):
        if sealed[start + 257 : start + 262] == b"ustar":
            sealed[start + 148 : start + 156] = b" " * 8
            sealed[start + 148 : start + 156] = b"%06o\0 " % sum(sealed[start : start + 512])
    return bytes(sealed)


def _look(action: Callable[[], object]) -> None:
    # A file that cannot be found or read is an answer; the archive's other files are still asked for.
    with contextlib.suppress(BareboatError):
        action()


@cache
def _place() -> Path:
    return make_folder()


if __name__ == "__main__":
    fuzz(check, make_seeds())
