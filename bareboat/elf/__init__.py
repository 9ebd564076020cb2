"""Facts of one ELF file, read from its bytes: what it needs, how it is linked and hardened, and which libc is in it."""

from bareboat.elf.dlopen import Dlopen
from bareboat.elf.facts import Crt, ElfFacts, Linkage, Relro, read_elf
from bareboat.elf.libc import Libc

__all__ = ["Crt", "Dlopen", "ElfFacts", "Libc", "Linkage", "Relro", "read_elf"]
