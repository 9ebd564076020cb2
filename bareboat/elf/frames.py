"""Reads which part of the section .eh_frame is of which function: the tables by which a stack is unwound.

Source: https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/ehframechpt.html.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG = 0xFFFFFFFF  # instead of a length: it follows in 64 bits, which nobody writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """An entry that tells of one function."""

    # Where it begins in the section, and how long it is, in bytes.
    offset: int
    size_bytes: int
    # The virtual address of the function's first instruction.
    function: int


def read_frames(content: bytes, address: int, order: Literal["<", ">"] = "<") -> Iterator[Frame]:
    """The entries of the section, given its content and its virtual address, as far as it is sound.

    Functions are taken to be given relative to the entry, in 32 bits (DW_EH_PE_pcrel | DW_EH_PE_sdata4), as compilers
    for Linux write them; of another encoding come addresses at which no function is.
    """
    word, signed = struct.Struct(f"{order}I"), struct.Struct(f"{order}i")
    offset = 0
    while offset + 12 <= len(content):
        (length,) = word.unpack_from(content, offset)
        end = offset + 4 + length
        if length in {0, _LONG} or end > len(content):
            return
        # 0 marks what several entries have in common.
        if word.unpack_from(content, offset + 4)[0]:
            function = address + offset + 8 + signed.unpack_from(content, offset + 8)[0]
            yield Frame(offset=offset, size_bytes=end - offset, function=function)
        offset = end
