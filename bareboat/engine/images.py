"""What Bareboat needs of an engine's image store: a Protocol and the values that cross it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

# The labels of every image that Bareboat makes: what it is (base, program, ...), and the key of the job that made it.
KIND_LABEL = "io.bareboat.kind"
KEY_LABEL = "io.bareboat.key"
# What the name of every image that Bareboat makes begins with.
OWN_NAMES = "localhost/bareboat/"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image in the store."""

    # The digest of the image's configuration, `sha256:...`.
    id: str
    # The digest that its registry knows it by, `sha256:...`; "" for an image that came from no registry.
    digest: str
    # Every name of the image, `repository:tag`.
    names: tuple[str, ...]
    # The labels in the image's configuration.
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build of a Containerfile."""

    # The Containerfile's text.
    containerfile: str
    # The folder of this machine that COPY instructions copy from.
    context: Path
    # What to call the image, `repository:tag`.
    tag: str
    # The labels to give to the image.
    labels: Mapping[str, str]
    # The stage to end with; "" for the last one.
    target: str = ""
    # Whether RUN instructions have a network: a stage that fetches crates needs it, every other goes without.
    network: bool = False
    # What RUN instructions may mount as a secret: its id, and the file of this machine that is behind it.
    secrets: Mapping[str, Path] = field(default_factory=dict)


class Images(Protocol):
    """The images of an engine; safe to use from many threads."""

    def find(self, reference: str) -> str | None:
        """The id, `sha256:...`, of the image of that whole name; None when the store has none.

        Quick, and asked of many images: of an image's name and digest, not of its id.
        """

    def image(self, reference: str) -> StoredImage | None:
        """The image of that name or id; None when the store has none."""

    def build(self, build: Build, log: Path) -> str:
        """Build, tag and label an image; returns its id. Raises EngineError with the log's last lines."""

    def load(self, archive: Path) -> None:
        """Load an OCI or docker archive under the name that it carries.

        An OCI archive need not hold the layers of images that the store has: their digests are enough.
        """

    def pull(self, reference: str) -> StoredImage:
        """Fetch an image from its registry; raises EngineError saying what the registry answered."""

    def save(self, image_id: str, to: Path) -> None:
        """Write an image as a docker archive, layers uncompressed."""

    def export(self, name: str, to: Path) -> None:
        """Write the image of that name as an OCI archive that has the name in it, and all of its layers."""

    def copy_out(self, image_id: str, path: str) -> bytes:
        """One file or folder of an image as an uncompressed tar whose first member it is; links to it are followed.

        Raises AbsentError where the engine finds nothing there, and another BareboatError where it cannot tell.
        """

    def tag(self, image_id: str, name: str) -> None:
        """Give an image one more name, `repository:tag`."""

    def remove_nameless(self, ids: Collection[str]) -> None:
        """Remove those images that have lost their last name; one that has a name, or that a container uses, stays."""

    def remove(self, reference: str) -> None:
        """Remove one image and the layers that only it has; nothing happens when there is none."""
