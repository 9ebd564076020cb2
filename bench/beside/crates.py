"""The crates that are compiled: what their files hold, and how a change of one line is made in them."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LOCK = '# @generated\nversion = 4\n\n[[package]]\nname = "{}"\nversion = "0.1.0"\n'
_MANIFEST = """\
[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
publish = false
{dependencies}
[profile.release]
strip = true

[package.metadata.bareboat.expect]
stdout = "{text}\\n"
"""
_GREETING_MANIFEST = """\
[package]
name = "greeting"
version = "0.1.{number}"
edition = "2024"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """A kind of crate: how it is written under a name, with a text that its program prints."""

    write: Callable[[Path, str, str], None]  # folder, name, text; written again, it is the same with another text
    name: str = ""  # one for all projects, where a manifest must stay as it is; else each has its own
    arguments: tuple[str, ...] = ()
    needs_crates: bool = False


def _write_hello(folder: Path, name: str, text: str) -> None:
    manifest = _MANIFEST.format(name=name, text=text, dependencies="")
    put(folder / "Cargo.toml", manifest)
    put(folder / "Cargo.lock", _LOCK.format(name))
    put(folder / "src" / "main.rs", f'fn main() {{\n    println!("{text}");\n}}\n')


def _write_dependent(folder: Path, name: str, text: str) -> None:
    """The text is the dependency's, whose version goes up each time that it is written."""
    version = folder / "greeting" / "Cargo.toml"
    last = re.search(r"0\.1\.(\d+)", version.read_text(encoding="utf-8")) if version.exists() else None
    number = int(last[1]) + 1 if last else 0
    dependencies = '\n[dependencies]\ngreeting = { path = "greeting" }\n'
    put(folder / "Cargo.toml", _MANIFEST.format(name=name, text=text, dependencies=dependencies))
    locked = _LOCK.format(name) + 'dependencies = [\n "greeting",\n]\n'
    put(folder / "Cargo.lock", f'{locked}\n[[package]]\nname = "greeting"\nversion = "0.1.{number}"\n')
    put(folder / "src" / "main.rs", 'fn main() {\n    println!("{}", greeting::text());\n}\n')
    put(version, _GREETING_MANIFEST.format(number=number))
    put(folder / "greeting" / "src" / "lib.rs", f'pub fn text() -> &\'static str {{\n    "{text}"\n}}\n')


HELLO = Crate(write=_write_hello)
DEPENDENT = Crate(write=_write_dependent)


def webserver(sources: Path, name: str) -> Crate:
    """The project's webserver under another name, without its variants; its first word is the text."""

    def write(folder: Path, name: str, text: str) -> None:
        if not folder.exists():
            shutil.copytree(sources, folder, ignore=shutil.ignore_patterns("target"))
        for file in ("Cargo.toml", "Cargo.lock"):
            content = (sources / file).read_text(encoding="utf-8").replace('name = "webserver"', f'name = "{name}"')
            content = content.partition("[[package.metadata.bareboat.variants]]")[0]
            # Bareboat fetches crates for a manifest, and does so again for another: it may not hold the text.
            put(folder / file, re.sub(r'^stdout = "webserver .*\n', "", content, flags=re.MULTILINE))
        features = (sources / "src" / "features.rs").read_text(encoding="utf-8")
        put(folder / "src" / "features.rs", features.replace('"webserver {}', f'"{text} {{}}'))

    return Crate(write=write, name=name, arguments=("--check",), needs_crates=True)


def put(path: Path, text: str) -> None:
    """Write a file unless it is so already: cargo judges by time."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
