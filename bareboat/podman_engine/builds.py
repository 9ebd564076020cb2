"""What goes into a `podman build`: its options, and a context where no secret is left beside the user's files."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.inputs.crate_files import NOT_SOURCE
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bareboat.engine.images import Build

# Podman hands the host's proxy variables on, and with them a password, to what has no network and may keep it.
OFFLINE = ("--network=none", "--http-proxy=false")

# Bareboat may be killed outright: the kernel interrupts this shell then, which ends the client and removes the folder.
_GUARD = """exec 3<&0
trap 'kill "$client" 2>/dev/null' INT TERM
folder=$1; shift
"$@" <&3 3<&- & client=$!
wait "$client"; code=$?
wait "$client" 2>/dev/null
rm -rf -- "$folder"
exit "$code"
"""


def guarded(folder: Path) -> tuple[str, ...]:
    """The words that, put before a command, remove a folder when the command has ended or Bareboat has."""
    return "/bin/sh", "-c", _GUARD, "sh", str(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a build copies from."""

    folder: Path
    ignored: Path  # the file that names what of it is not copied


def build_arguments(build: Build) -> list[str]:
    """The words of `podman build` but for its context."""
    options = ["--timestamp=0", "--pull=never", "--file=-", f"--tag={build.tag}"]
    options += [f"--label={name}={value}" for name, value in sorted(build.labels.items())]
    options += [f"--target={build.target}"] if build.target else []
    options += [] if build.network else OFFLINE
    options += [f"--secret=id={name},src={path}" for name, path in sorted(build.secrets.items())]
    return ["build", *options]


@contextlib.contextmanager
def prepared(build: Build, folder: Path, *, remote: bool) -> Iterator[Context]:
    """The build's context, for as long as the block runs; `folder` takes what is made for it.

    A remote client sends secrets along with the context, by way of files in it that it leaves when it is killed:
    https://github.com/containers/podman/issues/29687. So it gets a copy where there are any.
    """
    ignored, copy = folder / f"ignore-{secrets.token_hex(8)}", folder / f"context-{secrets.token_hex(8)}"
    write_whole(ignored, "".join(f"{name}\n" for name in sorted(NOT_SOURCE)).encode())
    try:
        if remote and build.secrets:
            _copy(build.context, copy)
            yield Context(folder=copy, ignored=ignored)
        else:
            yield Context(folder=build.context, ignored=ignored)
    finally:
        ignored.unlink(missing_ok=True)
        shutil.rmtree(copy, ignore_errors=True)


def _copy(context: Path, to: Path) -> None:
    to.mkdir(mode=0o700)
    omitted, top = shutil.ignore_patterns(*NOT_SOURCE), str(context)
    shutil.copytree(
        context,
        to,
        symlinks=True,
        dirs_exist_ok=True,
        ignore=lambda folder, names: omitted(folder, names) if folder == top else set(),
    )
