"""What the engine knows before it asks Podman."""

from __future__ import annotations

import pytest

from bareboat.podman_engine.engine import PodmanEngine
from bareboat.system.process import Processes


@pytest.mark.parametrize(("service", "remote"), [("", False), ("ssh://user@example.com/run/podman.sock", True)])
def test_an_engine_is_remote_where_the_user_names_its_service(monkeypatch, tmp_path, service, remote):
    monkeypatch.setenv("CONTAINER_HOST", service)
    assert PodmanEngine(Processes(), {}, tmp_path).remote is remote
