"""What both fuzzers share: bounded work counted in steps, changes to a sound file, and the loop of atheris."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import importlib
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

STEPS_AT_LEAST = 50_000
STEPS_PER_BYTE = 16
MEMORY = Path("/dev/shm")
LIES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 2**31, 2**32 - 1, 2**63, 2**64 - 1)


class TooMuchWorkError(AssertionError):
    """The reader took more steps than a file of this size is worth."""


@contextlib.contextmanager
def bounded(size_bytes: int) -> Iterator[list[int]]:
    """Count Bareboat's steps (lines and turns of loops) in the block, and end it when they are out of proportion.

    A loop without end is thus a failure and not a hang, on a fast machine and on a slow one alike.
    """
    taken, limit = [0], STEPS_AT_LEAST + STEPS_PER_BYTE * size_bytes

    def step(_frame: FrameType, event: str, _value: Any) -> Any:
        if event == "line":
            taken[0] += 1
            if taken[0] > limit:
                raise TooMuchWorkError(f"more than {limit} steps for {size_bytes} bytes")
        return step

    def enter(frame: FrameType, _event: str, _value: Any) -> Any:
        return step if str(frame.f_globals.get("__name__")).startswith("bareboat.") else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield taken
    finally:
        sys.settrace(before)


def mutate(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds with up to six changes: numbers that lie, bytes moved, copied or flipped, an end cut off."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 6)):
        _change(chance, data)
    return bytes(data)


def _change(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data) or 1)
    match chance.randrange(8):
        case 0:
            del data[at:]
        case 1:
            data[at : at + 1] = bytes([chance.randrange(256)])
        case 2:
            source = chance.randrange(len(data) or 1)
            piece = data[source : source + chance.choice((8, 16, 24, 56, 64, 512))]
            data[at : at + len(piece)] = piece
        case 3:
            data[at:at] = chance.randbytes(chance.choice((1, 4, 16)))
        case _:
            form = chance.choice("BHIQ")
            size = struct.calcsize(form)
            at -= at % size
            number = chance.choice((*LIES, chance.randrange(2048))) & (256**size - 1)
            data[at : at + size] = struct.pack(f"<{form}", number)


def fuzz(check: Callable[[bytes], object], seeds: Sequence[bytes]) -> None:
    """Run atheris over `check`: the command line is libFuzzer's, and the seeds are the corpus where it names none."""
    # Not everybody who runs the tests has it: the extra `fuzz` of pyproject.toml.
    atheris = importlib.import_module("atheris")
    arguments = list(sys.argv)
    if all(argument.startswith("-") for argument in arguments[1:]):
        arguments.append(str(_write_corpus(seeds)))

    def run(data: bytes) -> None:
        check(data)  # libFuzzer takes no answer

    atheris.Setup(arguments, run)
    atheris.Fuzz()


def make_folder() -> Path:
    """A folder that goes when the process does; in memory where it can be, since a disk is most of the time spent."""
    folder = Path(tempfile.mkdtemp(prefix="bareboat-fuzz-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _write_corpus(seeds: Sequence[bytes]) -> Path:
    folder = make_folder()
    for seed in seeds:
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    return folder
