"""How long it takes from a compiled program to a from-scratch image in the store: Bareboat, and what else one runs.

Every way gets the same new program in every round, so that no cache answers, and all ways take turns within one run.
Run it from the project's root, on a quiet machine, as root or not: `python bench/assembly.py [--write]`.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import random
import shutil
import signal
import statistics
import sys
import tarfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from machine import busy_share, describe, tell

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.errors import BareboatError
from bareboat.podman_engine.session import Session, session
from bareboat.system.files import write_whole
from bareboat.system.folders import find_folders
from bareboat.system.process import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PROGRAM_BYTES, BUNDLE_BYTES = 1_200_000, 220_000
ROUNDS, WARM_UPS = 20, 3
LABEL = "io.bareboat.bench"
NAMES = "localhost/bareboat-bench"
USER, PROGRAM, BUNDLE = "65532:65532", "/program", "/etc/ssl/certs/ca-certificates.crt"
CONTAINERFILE = f"""\
FROM scratch
LABEL {LABEL}="yes"
COPY --chmod=0755 program {PROGRAM}
COPY --chmod=0644 bundle {BUNDLE}
USER {USER}
ENTRYPOINT ["{PROGRAM}"]
"""
BUILDAH_SCRIPT = f"""
container=$(buildah from scratch)
buildah copy --quiet --chmod 0755 "$container" program {PROGRAM}
buildah copy --quiet --chmod 0644 "$container" bundle {BUNDLE}
buildah config --label {LABEL}=yes --user {USER} --entrypoint '["{PROGRAM}"]' "$container"
buildah commit --quiet --rm --timestamp 0 "$container" "$1"
"""
RESULT = Path(__file__).with_suffix(".md")
HEAD = """\
# From a compiled program to an image in the store

A from-scratch image of a program of 1.2 MB and a bundle of 220 KB. Written by `python bench/assembly.py --write`.
"""


# Of a layer that it has already, Podman unpacks nothing; a new one it unpacks in a process of its own.
SERIES = (
    ("New bytes in every round: the layer is unpacked", False),
    ("The same bytes in every round: the layer is in the store", True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to the image: what it is called, what makes the image of that name, and what it needs beforehand."""

    title: str
    name: str
    make: Callable[[str], object]
    prepare: Callable[[str], object] = lambda _: None


class Interrupts:
    """Ctrl-C and SIGTERM wait until what runs has ended, so that none leaves a container half made."""

    def __init__(self) -> None:
        self._came = False

    def __enter__(self) -> Self:
        """Begin to hold them back."""
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        """Let them through again."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def heed(self) -> None:
        """Raise KeyboardInterrupt when one came."""
        if self._came:
            raise KeyboardInterrupt

    def _note(self, *_: object) -> None:
        self._came = True


def find_ways(running: Session, processes: Processes, folder: Path) -> tuple[list[Way], list[str]]:
    """The ways that this machine has, Bareboat's first, and the titles of those that it lacks."""
    run = partial(processes.run, env=running.environment, cwd=folder)

    def build(tool: str, *options: str) -> Callable[[str], object]:
        return lambda name: run([tool, "build", "--quiet", *options, "--tag", name, "."])

    ways = [
        Way(title="Bareboat", name="bareboat", make=partial(assemble, running, folder)),
        Way(
            title="`podman build --layers=false --timestamp 0`",
            name="podman-plain",
            make=build("podman", "--layers=false", "--timestamp=0"),
        ),
        Way(title="`podman build`", name="podman", make=build("podman")),
        Way(title="`buildah build --timestamp 0`", name="buildah", make=build("buildah", "--timestamp=0")),
        Way(
            title="`buildah from`, `copy`, `config`, `commit`",
            name="buildah-steps",
            make=lambda name: run(["sh", "-ec", BUILDAH_SCRIPT, "buildah", name]),
        ),
        Way(
            title="`podman load` alone, of a docker archive made before",
            name="podman-load",
            make=lambda _: run(["podman", "load", "--quiet", "--input", "docker.tar"]),
            prepare=partial(write_docker_archive, folder),
        ),
    ]
    has_buildah = shutil.which("buildah") is not None
    there = [way for way in ways if has_buildah or not way.name.startswith("buildah")]
    return there, [way.title for way in ways if way not in there]


def assemble(running: Session, folder: Path, name: str) -> None:
    """What Bareboat does for a cell on scratch."""
    archive = folder / "bareboat.tar"
    config = ImageConfig(user=USER, entrypoint=(PROGRAM,), labels={LABEL: "yes"})
    write_image(read_entries(folder), config, reference=name, to=archive)
    running.engine.load(archive)
    archive.unlink()


def read_entries(folder: Path) -> list[Entry]:
    """The image's two files."""
    return [
        Entry(path=PROGRAM.lstrip("/"), mode=0o755, content=(folder / "program").read_bytes()),
        Entry(path=BUNDLE.lstrip("/"), content=(folder / "bundle").read_bytes()),
    ]


def write_docker_archive(folder: Path, name: str) -> None:
    """The same image as `podman save` would write it."""
    layer = pack({entry.path: (entry.content, entry.mode) for entry in read_entries(folder)})
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"User": USER, "Entrypoint": [PROGRAM], "Labels": {LABEL: "yes"}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    members = {
        "layer.tar": layer,
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    (folder / "docker.tar").write_bytes(pack({path: (content, 0o644) for path, content in members.items()}))


def pack(files: dict[str, tuple[bytes, int]]) -> bytes:
    """A tar of files, each with its mode."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, (content, mode) in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def measure(
    running: Session, ways: Sequence[Way], folder: Path, rounds: int, interrupts: Interrupts, *, same: bool
) -> dict[str, list[float]]:
    """The seconds of each round by title; the warm-ups are left out, and another way begins in each round.

    With the `same` bytes in every round the image stays in the store; else both are new.
    """
    seconds: dict[str, list[float]] = {way.title: [] for way in ways}
    for number in range(WARM_UPS + rounds):
        if number == 0 or not same:
            (folder / "program").write_bytes(random.randbytes(PROGRAM_BYTES))
            (folder / "bundle").write_bytes(random.randbytes(BUNDLE_BYTES))
        first = number % len(ways)
        for way in (*ways[first:], *ways[:first]):
            interrupts.heed()
            name = f"{NAMES}/{way.name}:{os.getpid()}"
            way.prepare(name)
            start = time.perf_counter()
            way.make(name)
            taken = time.perf_counter() - start
            if running.engine.image(name) is None:
                raise BareboatError(f"{way.title} made no image {name}")
            if not same:
                running.engine.remove(name)
            if number >= WARM_UPS:
                seconds[way.title].append(taken)
    return seconds


def remove_all(running: Session, processes: Processes) -> None:
    """Remove every image that a run of this file made, earlier ones that were killed included."""
    run = partial(processes.run, env=running.environment)
    listed = run(["podman", "images", "--all", "--quiet", "--no-trunc", f"--filter=label={LABEL}"])
    if ids := sorted(set(listed.split())):
        run(["podman", "rmi", "--force", *ids])


def tabulate_ways(seconds: dict[str, list[float]], missing: Sequence[str]) -> str:
    """A row a way, with its ratio to the first."""
    lines = ["| Way | Median, ms | 10th | 90th | Median to Bareboat's |", "|---|---:|---:|---:|---:|"]
    unit = statistics.median(next(iter(seconds.values())))
    for title, taken in seconds.items():
        tenths = statistics.quantiles(taken, n=10, method="inclusive")
        middle = statistics.median(taken)
        figures = " | ".join(f"{1000 * value:.0f}" for value in (middle, tenths[0], tenths[-1]))
        lines.append(f"| {title} | {figures} | {middle / unit:.1f} |")
    lines += [f"| {title} | not installed here | | | |" for title in missing]
    return "\n".join(lines)


@contextlib.contextmanager
def work_folder(running: Session) -> Iterator[Path]:
    """The build context, below the session's own scratch folder."""
    folder = running.folders.scratch / "bench"
    folder.mkdir(exist_ok=True)
    (folder / "Containerfile").write_text(CONTAINERFILE, encoding="utf-8")
    yield folder
    shutil.rmtree(folder)


def run_bench(rounds: int, processes: Processes) -> str:
    """The whole of it; no image is left, however it ends."""
    busy = busy_share()
    with session(processes, find_folders(), tell) as running, Interrupts() as interrupts:
        with work_folder(running) as folder:
            ways, missing = find_ways(running, processes, folder)
            tables = []
            for title, same in SERIES:
                try:
                    seconds = measure(running, ways, folder, rounds, interrupts, same=same)
                finally:
                    remove_all(running, processes)
                tables.append(f"## {title}\n\n{tabulate_ways(seconds, missing)}\n")
        facts = describe(running.engine.host(), busy, f"rounds: {rounds}, after {WARM_UPS} more")
        return "\n".join([*tables, "## The machine\n", f"{facts}\n"])


def main() -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(description="Times the assembly of a from-scratch image.")
    parser.add_argument("--write", action="store_true", help="put the table into bench/assembly.md, too")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"at least 2; default {ROUNDS}")
    options = parser.parse_args()
    try:
        text = run_bench(max(2, options.rounds), Processes())
        if options.write:
            write_whole(RESULT, f"{HEAD}\n{text}".encode())
    except BareboatError as error:
        tell(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        tell("stopped; every image of the run is removed")
        return 130
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
