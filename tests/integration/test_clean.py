"""`invoke clean` in a store and cache of its own: Bareboat's things go, the user's stay."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.engine.images import KEY_LABEL, KIND_LABEL
from tests.integration.harbour import ROOT, Project, podman

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.podman

LABELS = {KIND_LABEL: "base", KEY_LABEL: "0"}


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    storage = tmp_path / "storage.conf"
    storage.write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{tmp_path / "store"}"\nrunroot = "{tmp_path / "run"}"\n'
        f'rootless_storage_path = "{tmp_path / "store"}"\n',
        encoding="utf-8",
    )
    (tmp_path / "xdg").mkdir(mode=0o700)
    return {
        "CONTAINERS_STORAGE_CONF": str(storage),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_RUNTIME_DIR": str(tmp_path / "xdg"),
    }


def test_only_what_is_bareboats_goes(place: dict[str, str], tmp_path: Path) -> None:
    for number, name in enumerate(("localhost/bareboat/base/x:bootstrap", "localhost/mine:1")):
        archive = tmp_path / f"{number}.tar"
        # The user's image was built upon one of ours, so it inherits our labels.
        config = ImageConfig(labels=LABELS, entrypoint=(f"/{number}",))
        write_image([Entry(path="x", content=b"x")], config, reference=name, to=archive)
        podman("load", f"--input={archive}", env=place)
    try:
        answer = Project(root=ROOT).invoke("clean", env=place)
        assert answer.returncode == 0, answer.stderr
        assert "localhost/bareboat/base/x:bootstrap" in answer.stdout
        left = podman("images", "--format={{.Repository}}:{{.Tag}}", env=place).splitlines()
        assert left == ["localhost/mine:1"]
        assert not (tmp_path / "cache" / "bareboat").exists()
    finally:
        if os.geteuid():
            # This store's own pause process would outlive the test, and holds the store mounted.
            os.kill(int(next(tmp_path.rglob("pause.pid")).read_text(encoding="ascii")), signal.SIGKILL)
            words = ("unshare", "--user", "--map-root-user", "--map-auto", "rm", "-rf", str(tmp_path / "store"))
            subprocess.run(words, check=True)
