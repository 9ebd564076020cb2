"""Tells whose code a symbol is, by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Those of std itself, of which no program's Cargo.lock says anything.
STD = frozenset(
    {
        *("std", "core", "alloc", "proc_macro", "test", "std_detect", "panic_unwind", "panic_abort", "unwind"),
        *("compiler_builtins", "hashbrown", "addr2line", "gimli", "object", "miniz_oxide", "rustc_demangle", "memchr"),
        *("adler", "adler2", "cfg_if", "libc", "rustc_std_workspace_core", "rustc_std_workspace_alloc"),
    }
)
# What the compiler itself makes of a program beside its crates: the panic and allocation functions that std asks for.
_COMPILERS = frozenset({"__rustc", "__rust_alloc", "__rust_dealloc", "__rust_realloc", "__rust_alloc_zeroed"})
_PATH = re.compile(r"(?<![\w:>}])([A-Za-z_]\w*)(?=::|\[[0-9a-f]+\]::)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crates:
    """The crates that a program may have code of."""

    # By name as Rust spells it, with underscores.
    names: frozenset[str]

    def of(self, readable: str) -> str:
        """Whose a symbol is: the first path in its readable name that begins with a crate's name.

        So an implementation `<T as Trait>::f` is that of T's crate, and what `core` makes of a type of another crate,
        such as its drop glue, is core's. A name whose paths begin with no known crate is its first path's; "" for one
        without a path, which is no name of Rust's.
        """
        paths = _PATH.findall(readable)
        if not paths:
            return ""
        return next((path for path in paths if path in self.names), self._unknown(paths[0]))

    def _unknown(self, path: str) -> str:
        return "std" if path in _COMPILERS else path


def crates_of(named: Iterable[str]) -> Crates:
    """The crates of a program that has code of those named, as Cargo.toml spells them, beside std's own."""
    return Crates(names=STD | {name.replace("-", "_") for name in named})
