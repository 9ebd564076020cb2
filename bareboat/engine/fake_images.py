"""An image store in a folder: what the Images Protocol promises, with no Podman on the machine.

What is loaded is kept as it is. A build runs nothing: its image holds `program` alone.
"""

from __future__ import annotations

import contextlib
import io
import json
import posixpath
import shlex
import shutil
import tarfile
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bareboat.archive import Entry, ImageConfig, open_image, write_image
from bareboat.engine.images import StoredImage
from bareboat.errors import AbsentError, BareboatError, EngineError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from bareboat.archive import Image
    from bareboat.engine.images import Build


@dataclass(kw_only=True)
class FakeImages:
    """Every image is real to the caller, who can look up afterwards what was asked for."""

    # Where images lie, as OCI archives.
    folder: Path
    # What a build makes: this content, at this path in the image, whatever the Containerfile says.
    program: bytes = b""
    program_path: str = "program"
    # A build fails whose Containerfile holds this text; "" fails none.
    broken: str = ""
    # What was asked for: the builds, and the paths to be copied out.
    built: list[Build] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, reference: str) -> str | None:
        """The id of the image of that name."""
        image = self.image(reference)
        return image.id if image else None

    def image(self, reference: str) -> StoredImage | None:
        """The image of that name or id."""
        image_id = self._id(reference)
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
        """Keep the archive's image under the name that it carries; its lower layers may be those of another image."""
        base = self._base_of(archive)
        image = open_image(archive, base=base)
        if base:
            whole = archive.with_name(f"{archive.name}.whole")
            _write_whole(image, whole)
            self._keep(whole, image.id, *image.references)
            whole.unlink()
        else:
            self._keep(archive, image.id, *image.references)

    def pull(self, reference: str) -> StoredImage:
        """No registry answers here, so only what is kept comes."""
        image = self.image(reference)
        if image is None:
            raise EngineError(f"pull {reference}", 125, ["manifest unknown"])
        return image

    def save(self, image_id: str, to: Path) -> None:
        """A copy of what is kept."""
        shutil.copy(self._find(image_id), to)

    def export(self, name: str, to: Path) -> None:
        """A copy of what is kept, under the name that it was kept by first."""
        shutil.copy(self._find(name), to)

    def copy_out(self, image_id: str, path: str) -> bytes:
        """The program of a built image, wherever its Containerfile put it; of another, what is at that path."""
        with self._lock:
            self.copied.append(path)
        image = self.opened(image_id)
        found = image.find(path)
        built = found is None and bool(self.program) and image.find(self.program_path) is not None
        if found is None and not built:
            raise AbsentError(f"there is no {path} in {image_id}")
        if found is None or found.kind != "directory":
            return _tar([(posixpath.basename(path.rstrip("/")), self.program if found is None else image.read(path))])
        top = posixpath.basename(found.path)
        inside = [file.path for file in image.files().values() if file.kind == "file"]
        below = [name for name in inside if name.startswith(f"{found.path}/")]
        files = [(f"{top}{name.removeprefix(found.path)}", image.read(name)) for name in below]
        return _tar([(f"{top}/", b""), *files])

    def tag(self, image_id: str, name: str) -> None:
        """One more name for what is kept."""
        kept = self.opened(image_id).id
        with self._lock:
            self._names[name] = kept

    def remove_nameless(self, ids: Collection[str]) -> None:
        """Forget those images that have no name."""
        for image_id in set(ids) - set(self._names.values()):
            self.remove(image_id)

    def remove(self, reference: str) -> None:
        """Forget the image and its names."""
        with self._lock:
            image_id = self._names.get(reference, reference)
            self._archive(image_id).unlink(missing_ok=True)
            self._names = {name: named for name, named in self._names.items() if named != image_id}

    def _base_of(self, archive: Path) -> Image | None:
        """The image that has the layers which the archive names and does not hold; None where it holds all."""
        with contextlib.suppress(BareboatError):
            open_image(archive)
            return None
        for kept in sorted(path for path in self.folder.iterdir() if path.name.startswith("sha256:")):
            base = open_image(kept)
            with contextlib.suppress(BareboatError):
                open_image(archive, base=base)
                return base
        return None

    def opened(self, reference: str) -> Image:
        """The image of that name or id; raises BareboatError when there is none."""
        return open_image(self._find(reference))

    def _find(self, reference: str) -> Path:
        archive = self._archive(self._id(reference))
        if not archive.is_file():
            raise BareboatError(f"there is no image {reference}")
        return archive

    def _id(self, reference: str) -> str:
        # Of an image from elsewhere, `repository@digest` is a name too; its id serves as its digest.
        return self._names.get(reference, reference.rpartition("@")[2])

    def _archive(self, image_id: str) -> Path:
        return self.folder / image_id.replace("/", "_")

    def _keep(self, archive: Path, image_id: str, *names: str) -> None:
        shutil.copy(archive, self._archive(image_id))
        with self._lock:
            self._names |= dict.fromkeys(names, image_id)


def _write_whole(image: Image, to: Path) -> None:
    """Write an image as a docker archive that holds all its layers."""
    config, layers = "config.json", [f"{number}.tar" for number, _ in enumerate(image.layers)]
    manifest = json.dumps([{"Config": config, "RepoTags": list(image.references), "Layers": layers}]).encode()
    contents = [manifest, image.config_bytes, *(b"".join(layer.chunks()) for layer in image.layers)]
    with tarfile.open(to, mode="w") as tar:
        for name, content in zip(["manifest.json", config, *layers], contents, strict=True):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def _tar(files: list[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files:
            info = tarfile.TarInfo(name.rstrip("/"))
            info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            info.mode, info.size = 0o755, len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()
