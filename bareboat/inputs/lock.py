"""The lock, recipes/recipes.lock: the digest of each registry image and each package that bases were made from.

Both differ from one architecture to another, so each has a lock of its own in the file.

A distribution's archive drops a package when a newer version comes, so another version than the lock's is reported, and
is an error only if the run is `--locked`. The same version with another checksum is always an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import tomli_w
from pydantic import ConfigDict, Field, TypeAdapter

from bareboat.errors import BareboatError, RecipeError
from bareboat.inputs.tomlfile import read_toml, validate
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_HEADING = "# What `invoke lock` resolved the recipes' bases and toolchains to. Written by Bareboat.\n"
_Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
_Pin = Annotated[str, Field(pattern=r"^[^ ]+ sha256:[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One package that a root filesystem was made from."""

    name: str
    version: str
    # The SHA-256, in 64 hex digits, of the .deb file, or of the wheel that an apk package was taken out of.
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What the lock pins for one architecture."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    # The digest of each registry image, by its reference.
    registry: dict[str, _Digest] = field(default_factory=dict)
    # By id of the root job, the packages that it was made from: each name, and its `VERSION sha256:DIGITS`.
    bootstrap: dict[str, dict[str, _Pin]] = field(default_factory=dict)

    def with_digest(self, reference: str, digest: str) -> Lock:
        """A copy of the lock that also pins this image."""
        return Lock(registry={**self.registry, reference: digest}, bootstrap=self.bootstrap)

    def with_packages(self, job: str, packages: Sequence[Pinned]) -> Lock:
        """A copy of the lock that also pins the packages of this root job."""
        return Lock(registry=self.registry, bootstrap={**self.bootstrap, job: pins_of(packages)})


def pins_of(packages: Sequence[Pinned]) -> dict[str, str]:
    """The packages as the lock has them: `VERSION sha256:DIGITS` by name."""
    return {package.name: f"{package.version} sha256:{package.sha256}" for package in packages}


_LOCKS = TypeAdapter(dict[Annotated[str, Field(pattern=r"^[a-z0-9]+$")], Lock])


def read_lock(path: Path, architecture: str = "amd64") -> Lock:
    """Read the lock of an architecture; where the file has none, nothing is pinned. Raises RecipeError."""
    return _read_locks(path).get(architecture, Lock())


def _read_locks(path: Path) -> dict[str, Lock]:
    if not path.exists():
        return {}
    parsed = read_toml(path, path.name)
    loaded = validate(parsed.value, _LOCKS, path.name) if parsed.value is not None else None
    if loaded is None or loaded.value is None:
        problems = parsed.problems if loaded is None else loaded.problems
        lines = [str(problem) for problem in problems]
        raise RecipeError("\n".join([*lines, f"  `invoke lock` writes {path.name} anew"]))
    return loaded.value


def write_lock(lock: Lock, path: Path, architecture: str = "amd64") -> None:
    """Write the lock of an architecture beside those of others, whole or not at all.

    It is sorted, so that a changed pin changes one line. A file that cannot be read is written anew.
    """
    try:
        locks = _read_locks(path)
    except RecipeError:
        locks = {}
    tables = {name: _tables(each) for name, each in sorted({**locks, architecture: lock}.items())}
    write_whole(path, f"{_HEADING}\n{tomli_w.dumps(tables)}".encode())


def _tables(lock: Lock) -> dict[str, object]:
    bootstrap = {job: dict(sorted(packages.items())) for job, packages in sorted(lock.bootstrap.items())}
    return {"registry": dict(sorted(lock.registry.items())), "bootstrap": bootstrap}


def pinned_reference(reference: str, digest: str | None) -> str:
    """`repository@sha256:...` for a locked image; Podman refuses a reference with both tag and digest."""
    if not digest or "@" in reference:
        return reference
    head, _, tail = reference.rpartition("/")
    return f"{head}/{tail.partition(':')[0]}@{digest}"


def moved(lock: Lock, job: str, packages: Sequence[Pinned]) -> tuple[str, ...]:
    """How a root job's packages differ from the lock, a line for each: `libc6 2.41-12 -> 2.41-13`.

    Empty if the lock has none of the job. Raises BareboatError when a package of the same version has another checksum:
    no archive changes a published package.
    """
    pinned = lock.bootstrap.get(job)
    if pinned is None:
        return ()
    found = {package.name: (package.version, f"sha256:{package.sha256}") for package in packages}
    lines = [f"{name} is new" for name in sorted(found.keys() - pinned.keys())]
    lines += [f"{name} is gone" for name in sorted(pinned.keys() - found.keys())]
    for name in sorted(found.keys() & pinned.keys()):
        version, _, digest = pinned[name].partition(" ")
        if version != found[name][0]:
            lines.append(f"{name} {version} -> {found[name][0]}")
        elif digest != found[name][1]:
            raise BareboatError(f"{job}: {name} {version} has {found[name][1]}, yet the lock pins {digest}")
    return tuple(lines)
