"""The compiler flags that a crate's own .cargo/config.toml sets, and which of them cargo takes for a target.

Cargo takes those of one level only: of RUSTFLAGS, else of every `target` table that matches, joined, else of `build`
(https://doc.rust-lang.org/cargo/reference/config.html#buildrustflags). Whoever adds a flag at one level takes away all
that a crate says at the levels below.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.inputs.tomlfile import Parsed, read_toml, subtable

if TYPE_CHECKING:
    from pathlib import Path

_TOKEN = re.compile(r'"[^"]*"|\w+|[(),=]')
_EVERY_TARGET = frozenset(
    {
        *(("unix", ""), ("target_os", "linux"), ("target_family", "unix"), ("target_vendor", "unknown")),
        *(("target_endian", "little"), ("target_pointer_width", "64"), ("panic", "unwind"), ("debug_assertions", "")),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RustFlags:
    """What a crate's configuration says of flags."""

    # Those for whatever is compiled, where no flags for the target are set.
    build: tuple[str, ...] = ()
    # The targets that have flags of their own: triples, and conditions `cfg(...)`.
    targets: tuple[str, ...] = ()

    def beside(self, target: str) -> tuple[str, ...]:
        """The flags that cargo would no longer take for that target if one more were set for it."""
        return () if any(matches(condition, target) for condition in self.targets) else self.build


def read_rustflags(folder: Path, name: str) -> Parsed[RustFlags]:
    """The flags in the configuration of the crate in `folder`, which problems call `name`."""
    # Where there are both, cargo reads the one without the ending.
    file = next((file for file in ("config", "config.toml") if (folder / ".cargo" / file).is_file()), None)
    if file is None:
        return Parsed(value=RustFlags(), problems=())
    read = read_toml(folder / ".cargo" / file, f"{name}/.cargo/{file}")
    if read.value is None:
        return Parsed(value=None, problems=read.problems)
    build, targets = subtable(read.value, "build"), subtable(read.value, "target")
    flagged = tuple(sorted(key for key in targets if "rustflags" in subtable(targets, key)))
    return Parsed(value=RustFlags(build=_words(build.get("rustflags")), targets=flagged), problems=())


def matches(condition: str, target: str) -> bool:
    """Whether a table of that name, a triple or `cfg(...)`, is for the target; what cargo would refuse is for none."""
    if not condition.startswith("cfg("):
        return condition == target
    architecture, *_, environment = target.split("-")
    facts = _EVERY_TARGET | {("target_arch", architecture), ("target_env", environment)}
    try:
        return _holds(_TOKEN.findall(condition.removeprefix("cfg(").removesuffix(")")), facts)
    except IndexError:
        return False


def _holds(tokens: list[str], facts: frozenset[tuple[str, str]]) -> bool:
    """Whether the condition that the tokens begin with holds; takes it from them."""
    name = tokens.pop(0)
    if tokens and tokens[0] == "=":
        _, value = tokens.pop(0), tokens.pop(0)
        return (name, value.strip('"')) in facts
    if not tokens or tokens[0] != "(":
        return name == "true" or (name, "") in facts
    tokens.pop(0)
    inner = []
    while tokens[0] != ")":
        if tokens[0] == ",":
            tokens.pop(0)
        else:
            inner.append(_holds(tokens, facts))
    tokens.pop(0)
    return {"all": all(inner), "any": any(inner), "not": not any(inner)}.get(name, False)


def _words(flags: object) -> tuple[str, ...]:
    if isinstance(flags, str):
        return tuple(flags.split())
    return tuple(str(flag) for flag in flags) if isinstance(flags, list) else ()
