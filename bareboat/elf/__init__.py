"""Reads the facts of one ELF file from its bytes: what it needs, how it is linked and hardened, which libc is in it.

Others use `read_elf`, which returns `ElfFacts`, and the types of its fields; `read_section` for the bytes of one
section, and `read_symbol_names` for the names of a symbol table; `read_linking` for what dynamic symbols ask for;
`read_regions` for a file as `Region`s that leave out no byte, `read_symbols` for each `Symbol` of a file that is not
stripped, and `read_frames` for the functions in .eh_frame.
"""

from bareboat.elf.dlopen import Dlopen
from bareboat.elf.facts import Crt, ElfFacts, Linkage, Relro, read_elf
from bareboat.elf.frames import read_frames
from bareboat.elf.libc import Libc
from bareboat.elf.regions import Region, read_regions
from bareboat.elf.sections import read_section, read_symbol_names
from bareboat.elf.symbol_table import Symbol, read_symbols
from bareboat.elf.symbols import read_linking

__all__ = [
    "Crt",
    "Dlopen",
    "ElfFacts",
    "Libc",
    "Linkage",
    "Region",
    "Relro",
    "Symbol",
    "read_elf",
    "read_frames",
    "read_linking",
    "read_regions",
    "read_section",
    "read_symbol_names",
    "read_symbols",
]
