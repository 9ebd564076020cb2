"""An engine in a folder: what the Engine Protocol promises, with no Podman on the machine.

A build runs nothing: its image holds `program` alone, and a run shows what `report` says.
"""

from __future__ import annotations

import io
import posixpath
import shlex
import shutil
import tarfile
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bareboat.archive import Entry, ImageConfig, open_image, write_image
from bareboat.engine.containers import RunReport
from bareboat.engine.images import StoredImage
from bareboat.errors import BareboatError, EngineError
from bareboat.result.values import Host

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.engine.containers import Start
    from bareboat.engine.images import Build
    from bareboat.engine.tracer import Tracer

HOST = Host(
    name="fake",
    system="none",
    kernel="none",
    architecture="amd64",
    podman="0",
    buildah="0",
    runtime="none",
    storage_driver="folder",
    rootless=True,
    bareboat="0",
)


@dataclass(kw_only=True)
class FakeEngine:
    """Images lie in `folder` as OCI archives; a build whose Containerfile holds `broken` fails.

    `built` and `ran` are what was asked for: the builds, and the ids of the images that were run.
    """

    folder: Path
    program: bytes = b""
    program_path: str = "program"
    report: RunReport = field(default_factory=lambda: RunReport(exit_code=0, stdout=b"", stderr=b""))
    broken: str = ""
    built: list[Build] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def image(self, reference: str) -> StoredImage | None:
        """The image of that name or id."""
        # Of an image from elsewhere, `repository@digest` is a name too; its id serves as its digest.
        image_id = self._names.get(reference, reference.rpartition("@")[2])
        archive = self._archive(image_id)
        if not archive.is_file():
            return None
        names = tuple(name for name, named in self._names.items() if named == image_id)
        digest = image_id if any(not name.startswith("localhost/") for name in names) else ""
        return StoredImage(id=image_id, digest=digest, names=names, labels=open_image(archive).config.labels)

    def build(self, build: Build, log: Path) -> str:
        """An image that holds the program."""
        with self._lock:
            self.built.append(build)
        broken = bool(self.broken) and self.broken in build.containerfile
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("error: broken\n" if broken else "", encoding="utf-8")
        if broken:
            raise EngineError(shlex.join(["build", build.tag]), 1, ["error: broken"], log)
        entry = Entry(path=self.program_path, mode=0o755, content=self.program)
        made = self.folder / f"made-{threading.get_ident()}"
        written = write_image([entry], ImageConfig(labels=build.labels), reference=build.tag, to=made)
        self._keep(made, written.image_id, build.tag)
        made.unlink()
        return written.image_id

    def load(self, archive: Path) -> None:
        """Keep the archive's image under the name that it carries."""
        image = open_image(archive)
        self._keep(archive, image.id, *image.references)

    def pull(self, reference: str) -> StoredImage:
        """No registry answers here, so only what is kept comes."""
        image = self.image(reference)
        if image is None:
            raise EngineError(f"pull {reference}", 125, ["manifest unknown"])
        return image

    def save(self, image_id: str, to: Path) -> None:
        """A copy of what is kept."""
        shutil.copy(self._archive(self._names.get(image_id, image_id)), to)

    def copy_out(self, image_id: str, path: str) -> bytes:
        """The program of a built image, wherever its Containerfile put it; of another, what is at that path."""
        image = open_image(self._archive(self._names.get(image_id, image_id)))
        found = image.find(path)
        built = found is None and bool(self.program) and image.find(self.program_path) is not None
        if found is None and not built:
            raise BareboatError(f"there is no {path} in {image_id}")
        if found is None or found.kind != "directory":
            return _tar([(posixpath.basename(path.rstrip("/")), self.program if found is None else image.read(path))])
        top = posixpath.basename(found.path)
        below = [one for one in image.files().values() if one.path.startswith(f"{found.path}/") and one.kind == "file"]
        files = [(f"{top}{one.path.removeprefix(found.path)}", image.read(one.path)) for one in below]
        return _tar([(f"{top}/", b""), *files])

    def run(
        self, image_id: str, arguments: tuple[str, ...], timeout_seconds: float, *, writable: bool = False
    ) -> RunReport:
        """What every run shows."""
        del arguments, timeout_seconds, writable
        with self._lock:
            self.ran.append(image_id)
        return self.report

    def start(self, start: Start) -> str:
        """A container that has ended at once."""
        with self._lock:
            self.ran.append(start.image)
        return start.image

    def process_of(self, container: str) -> int | None:
        """None: nothing runs here."""
        del container
        return None

    def signal(self, container: str, name: str) -> None:
        """Nothing runs that could be told."""

    def output_of(self, container: str) -> bytes:
        """What every run shows."""
        del container
        return self.report.stdout

    def finish(self, container: str, timeout_seconds: float) -> RunReport:
        """What every run shows."""
        del container, timeout_seconds
        return self.report

    def discard(self, container: str) -> None:
        """Nothing is kept of it."""

    def trace(
        self, image_id: str, command: tuple[str, ...], timeout_seconds: float, tracer: Tracer, logs: Path
    ) -> RunReport:
        """What every run shows; nothing is opened."""
        del image_id, command, timeout_seconds, tracer, logs
        return self.report

    def tag(self, image_id: str, name: str) -> None:
        """One more name for what is kept."""
        with self._lock:
            self._names[name] = image_id

    def remove(self, reference: str) -> None:
        """Forget the image and its names."""
        image_id = self._names.get(reference, reference)
        self._archive(image_id).unlink(missing_ok=True)
        self._names = {name: named for name, named in self._names.items() if named != image_id}

    def _archive(self, image_id: str) -> Path:
        return self.folder / image_id.replace("/", "_")

    def _keep(self, archive: Path, image_id: str, *names: str) -> None:
        shutil.copy(archive, self._archive(image_id))
        with self._lock:
            self._names |= dict.fromkeys(names, image_id)


def _tar(files: list[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files:
            info = tarfile.TarInfo(name.rstrip("/"))
            info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            info.mode, info.size = 0o755, len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()
