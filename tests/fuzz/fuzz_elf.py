"""Fuzzes the reader of ELF files, guided by coverage: `python tests/fuzz/fuzz_elf.py -atheris_runs=10000 [corpus]`.

atheris comes with the extra `fuzz`: `pip install -e '.[fuzz]'`.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import atheris

    with atheris.instrument_imports(include=["bareboat"]):
        import bareboat.elf  # noqa: F401

from bareboat.elf import ElfFacts, read_elf, read_frames, read_regions, read_symbols
from bareboat.errors import BareboatError
from tests.fuzz.harness import bounded, fuzz
from tests.unit.elf_builder import ET_EXEC, GNU, MUSL, MUSL_LOADER, build_elf

DLOPENS = b'[{"soname": ["libz.so.1", "libz.so"], "feature": "z", "priority": "suggested"}]'
SEEDS = (
    build_elf(needed=("libc.so.6",), runpath="/x", versions=(("libc.so.6", ("A", "B")),), symbol_table=True),
    build_elf(contents=((".text", bytes(64)), (".eh_frame", bytes(32)), (".debug_info", bytes(9))), symbols=("f", "g")),
    build_elf(needed=("a", "c"), rpath="/y:/z", versions=(("a", ("1",)), ("c", ("2", "3"))), flags_1=1),
    build_elf(needed=("c",), versions=(("c", ("1", "2")),), weak=("2",), imports=("f", "g"), exports=("h",)),
    build_elf(interpreter=None, soname="d", defined=("d", "D_1"), imports=("f",), hash_table="sysv", dlopens=DLOPENS),
    build_elf(interpreter=None, flags_1=0x08000001, signs=GNU),
    build_elf(kind=ET_EXEC, interpreter=None, has_dynamic=False, signs=MUSL),
    build_elf(needed=("libc.so",), interpreter=MUSL_LOADER, is_64bit=False, machine=3),
    build_elf(needed=("libc.so.6",), soname="x", interpreter=None, order=">", machine=22, bind_now=True),
)


def check(data: bytes) -> ElfFacts | BareboatError:
    """What reading comes to: facts, or one BareboatError. Anything else, or more work than is due, is a fault."""
    with bounded(len(data)):
        try:
            facts = read_elf(data)
            regions, symbols = read_regions(data), read_symbols(data)
        except BareboatError as error:
            return error
        frames = list(read_frames(data, 0))
    assert isinstance(facts, ElfFacts)
    # Whatever a file says of itself, each of its bytes is in one region.
    assert [region.offset for region in regions[1:]] == [one.offset + one.size_bytes for one in regions[:-1]]
    assert sum(region.size_bytes for region in regions) == len(data)
    assert all(symbol.name.isascii() or symbol.name.encode() for symbol in symbols)
    assert sum(frame.size_bytes for frame in frames) <= len(data)
    return facts


if __name__ == "__main__":
    fuzz(check, SEEDS)
