"""An image is saved whole or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from bareboat.errors import BareboatError
from bareboat.podman_engine import api
from bareboat.podman_engine.engine import PodmanEngine
from bareboat.system.folders import Folders
from bareboat.system.process import Processes


def chunks_until_the_disk_is_full():
    yield b"half"
    with Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")


def chunks_until_the_service_ends():
    yield b"half"
    raise requests.ConnectionError("the service has ended")


def save(monkeypatch, to, chunks):
    @contextmanager
    def client(**_):
        yield SimpleNamespace(images=SimpleNamespace(get=lambda _: SimpleNamespace(save=lambda: chunks)))

    monkeypatch.setattr(api, "PodmanClient", client)
    # No service is started where the user names one.
    monkeypatch.setenv("CONTAINER_HOST", "unix:///nowhere")
    PodmanEngine(Processes(), {}, Folders(cache=to.parent, passage=to.parent)).save("sha256:0", to)


def test_an_image_is_saved(monkeypatch, tmp_path):
    save(monkeypatch, tmp_path / "image.tar", iter([b"one", b"two"]))
    assert (tmp_path / "image.tar").read_bytes() == b"onetwo"


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        (chunks_until_the_disk_is_full, "{to}: cannot be written: No space left on device"),
        # What requests raises is an OSError, too, yet none of this machine's disk.
        (chunks_until_the_service_ends, "Podman: the service has ended"),
    ],
)
def test_where_it_cannot_be_the_cause_is_told_and_nothing_is_left(monkeypatch, tmp_path, chunks, said):
    to = tmp_path / "image.tar"
    with pytest.raises(BareboatError) as caught:
        save(monkeypatch, to, chunks())
    assert str(caught.value) == said.format(to=to)
    assert list(tmp_path.iterdir()) == []
