"""What Podman's 404 means, and its other faults: whether nothing is there, or only that it cannot be told."""

from __future__ import annotations

import pytest
from podman.errors import APIError, NotFound

from bareboat.errors import AbsentError
from bareboat.podman_engine.api import Api
from bareboat.podman_engine.containers import copy_out


class Container:
    id = "c"

    def __init__(self):
        self.removed = 0

    def get_archive(self, path):
        raise NotFound(f"{path}: no such file or directory")

    def remove(self, *, force):
        assert force
        self.removed += 1


class Client:
    """Stands in for podman-py's client, of whose containers there is one, or it is gone when it is looked for."""

    def __init__(self, *, gone):
        self.container, self.gone = Container(), gone
        self.containers = self

    def create(self, *_words, **_options):
        return self.container

    def exists(self, name):
        assert name == "c"
        return not self.gone


def test_what_the_container_does_not_have_is_absent():
    client = Client(gone=False)
    with pytest.raises(AbsentError, match="there is no /x in image"):
        copy_out(client, "0a1b2c3d", "image", "/x")
    assert client.container.removed == 1


def test_where_the_container_is_gone_nothing_is_said_of_the_path():
    with pytest.raises(NotFound):
        copy_out(Client(gone=True), "0a1b2c3d", "image", "/x")


class Images:
    """Stands in for podman-py's client, whose images Podman cannot inspect; asked whether one exists, it answers."""

    def __init__(self, status_code):
        self.images = self.api = self
        self.status_code, self.removed = status_code, []

    def get(self, name):
        if name.startswith("/images/"):
            assert name == "/images/localhost%2Fx%3A1/exists"
            return self
        raise APIError("500 Server Error")

    def remove(self, name, *, force):
        assert force
        self.removed.append(name)


@pytest.mark.parametrize("status_code", [204, 500])
def test_an_image_that_a_fault_hides_is_not_removed(status_code):
    client = Images(status_code)
    with pytest.raises(APIError):
        Api(client, "0a1b2c3d").image("localhost/x:1")
    assert client.removed == []


def test_an_image_that_was_written_half_is_removed():
    client = Images(404)
    assert Api(client, "0a1b2c3d").image("localhost/x:1") is None
    assert client.removed == ["localhost/x:1"]
