"""What of an engine goes through Podman's API, by podman-py: all but builds, and commands run for what they leave.

The engine imports this when the API is first needed, which is often while a compile is under way already.
"""

from __future__ import annotations

import contextlib
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import requests
from podman import PodmanClient
from podman.errors import APIError, ImageNotFound, NotFound, PodmanError

from bareboat.engine.images import StoredImage
from bareboat.errors import BareboatError, EngineError, StoppedError
from bareboat.podman_engine import containers
from bareboat.podman_engine.own_images import find_own_images

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from bareboat.engine.containers import RunReport, Start
    from bareboat.engine.tracer import Tracer
    from bareboat.podman_engine.own_images import OwnImages

_IDS_A_REQUEST = 100
_PIECE_BYTES = 2**20


@contextlib.contextmanager
def connect(url: str, run: str, stopped: Callable[[], bool]) -> Iterator[Api]:
    """A connection for the block, of the run of these digits.

    What goes wrong is a BareboatError, or StoppedError where the run was stopped.
    """
    try:
        with PodmanClient(base_url=url, timeout=None) as client:
            yield Api(client, run)
    except (PodmanError, APIError, requests.RequestException) as error:
        if stopped():
            raise StoppedError("stopped") from error
        raise BareboatError(f"Podman: {error}") from error


def answers(url: str) -> bool:
    """Whether a service answers there."""
    with (
        contextlib.suppress(PodmanError, requests.RequestException),
        PodmanClient(base_url=url, timeout=None) as client,
    ):
        return bool(client.ping())
    return False


class Api:
    """One connection; methods of the names of `Images` and `Containers` keep their promises."""

    def __init__(self, client: PodmanClient, run: str) -> None:
        self._client = client
        self._run = run

    def info(self) -> dict[str, Any]:
        """What Podman says of itself and of its host."""
        return dict(self._client.info())  # type: ignore[no-untyped-call]

    def image(self, reference: str) -> StoredImage | None:
        try:
            attributes = self._client.images.get(reference).attrs
        except (NotFound, ImageNotFound):
            return None
        except APIError:
            # Of an image that was written half Podman 5 says what is missing and Podman 4 that it crashed; both say
            # that it does not exist, and both can remove it.
            # podman-py's `exists` takes any fault of Podman's for a no.
            answer = self._client.api.get(f"/images/{quote_plus(reference)}/exists")
            if answer.status_code != HTTPStatus.NOT_FOUND:
                raise
            self._client.images.remove(reference, force=True)
            return None
        return StoredImage(
            id=f"sha256:{_bare(attributes['Id'])}",
            # A pulled image is known by the digest that its registry gave it, not by that of our copy's manifest.
            digest=next((name.partition("@")[2] for name in attributes.get("RepoDigests") or ()), ""),
            names=tuple(attributes.get("RepoTags") or ()),
            labels=attributes.get("Labels") or {},
        )

    def load(self, archive: Path) -> None:
        with archive.open("rb") as file:
            # images.load would read the whole file into memory; a toolchain has a gigabyte.
            answer = self._client.api.post("/images/load", data=file, headers={"Content-type": "application/x-tar"})
            answer.raise_for_status()

    def pull(self, reference: str) -> StoredImage:
        answer = self._client.api.post("/images/pull", params={"reference": reference})
        # Podman 4.3 answers 200 and tells of the failure in the body; Podman 5 answers with an error status.
        words = [json.loads(line) for line in answer.text.splitlines() if line.startswith("{")]
        faults = [str(word.get("error") or word.get("message") or "") for word in words]
        fault = next((fault for fault in faults if fault), "" if answer.ok else answer.text)
        pulled = None if fault else self.image(reference)
        if pulled is None:
            raise EngineError(f"podman pull {reference}", 125, [fault or "no error was said, and no image came"])
        return pulled

    def save(self, image_id: str) -> Iterator[bytes]:
        """An image as a docker archive, piece by piece."""
        yield from self._client.images.get(image_id).save()

    def export(self, name: str) -> Iterator[bytes]:
        """An image as an OCI archive, piece by piece; podman-py knows docker archives alone."""
        form = {"format": ["oci-archive"]}
        answer = self._client.api.get(f"/images/{quote_plus(name)}/get", params=form, stream=True)
        answer.raise_for_status()
        yield from answer.iter_content(_PIECE_BYTES)

    def copy_out(self, image_id: str, path: str) -> bytes:
        return containers.copy_out(self._client, self._run, image_id, path)

    def run(self, start: Start, timeout_seconds: float, *, writable: bool) -> RunReport:
        return containers.run(self._client, self._run, start, timeout_seconds, writable=writable)

    def trace(self, start: Start, timeout_seconds: float, tracer: Tracer, logs: Path) -> RunReport:
        return containers.trace(self._client, self._run, start, timeout_seconds, tracer=tracer, logs=logs)

    def start(self, start: Start) -> str:
        return containers.start(self._client, self._run, start)

    def process_of(self, container: str) -> int | None:
        state = self._client.containers.get(container).attrs["State"]
        return int(state["Pid"]) if state["Running"] else None

    def signal(self, container: str, name: str) -> None:
        with contextlib.suppress(APIError):
            self._client.containers.get(container).kill(name)

    def output_of(self, container: str) -> bytes:
        return containers.output(self._client.containers.get(container))

    def finish(self, container: str, timeout_seconds: float) -> RunReport:
        return containers.watch(self._client.containers.get(container), timeout_seconds)

    def discard(self, container: str) -> None:
        with contextlib.suppress(NotFound):
            containers.discard(self._client.containers.get(container))

    def tag(self, image_id: str, name: str) -> None:
        repository, _, tag = name.rpartition(":")
        self._client.images.get(image_id).tag(repository, tag)

    def nameless(self, ids: Collection[str]) -> set[str]:
        """Those of these images that there are and that have no name."""
        return {image_id for image_id in ids if (image := self.image(image_id)) and not image.names}

    def remove_images(self, ids: Collection[str]) -> None:
        """Remove images by their ids, and nothing that they were made from: nameless ones may be the user's."""
        gone = sorted(ids)
        for number in range(0, len(gone), _IDS_A_REQUEST):
            # What a container uses stays, for this is not by force; the answer says so, and nothing is amiss.
            some = gone[number : number + _IDS_A_REQUEST]
            self._client.api.delete("/images/remove", params={"images": some, "noprune": "true"})

    def untag(self, name: str) -> None:
        """Take a name, `repository:tag`, from its image."""
        repository, _, tag = name.rpartition(":")
        answer = self._client.api.post(f"/images/{name}/untag", params={"repo": repository, "tag": tag})
        answer.raise_for_status()

    def remove_unused(self, image_id: str) -> None:
        """Remove an image, whatever its names, unless a container uses it."""
        image = self.image(image_id)
        # Podman removes no image by its id that has several names, unless by force, which takes containers, too.
        for name in image.names[1:] if image else ():
            self.untag(name)
        self._client.api.delete(f"/images/{_bare(image_id)}")

    def remove(self, reference: str) -> None:
        with contextlib.suppress(NotFound, ImageNotFound):
            self._client.images.remove(reference, force=True)

    def own_images(self) -> OwnImages:
        """What of the store is Bareboat's, and what of that is in use."""
        return find_own_images(self._client)


def _bare(digest: str) -> str:
    return digest.removeprefix("sha256:")
