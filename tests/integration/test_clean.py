"""A store and cache of their own: by `invoke clean` and by the sweep Bareboat's things go, and the user's stay."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.engine.images import KEY_LABEL, KIND_LABEL
from bareboat.podman_engine.session import session
from bareboat.system.folders import find_folders
from bareboat.system.process import Processes
from tests.integration.harbour import ROOT, Project, podman

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.podman

LABELS = {KIND_LABEL: "base", KEY_LABEL: "0"}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[dict[str, str]]:
    storage = tmp_path / "storage.conf"
    storage.write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{tmp_path / "store"}"\nrunroot = "{tmp_path / "run"}"\n'
        f'rootless_storage_path = "{tmp_path / "store"}"\n',
        encoding="utf-8",
    )
    (tmp_path / "xdg").mkdir(mode=0o700)
    yield {
        "CONTAINERS_STORAGE_CONF": str(storage),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_RUNTIME_DIR": str(tmp_path / "xdg"),
    }
    if os.geteuid():
        # This store's own pause process would outlive the test, and holds the store mounted.
        os.kill(int(next(tmp_path.rglob("pause.pid")).read_text(encoding="ascii")), signal.SIGKILL)
        words = ("unshare", "--user", "--map-root-user", "--map-auto", "rm", "-rf", str(tmp_path / "store"))
        subprocess.run(words, check=True)
    else:
        # A service that was ended has mounted the store upon itself.
        subprocess.run(["umount", tmp_path / "store" / "overlay"], check=False, capture_output=True)


def test_only_what_is_bareboats_goes(place: dict[str, str], tmp_path: Path) -> None:
    for number, name in enumerate(("localhost/bareboat/base/x:bootstrap", "localhost/mine:1")):
        archive = tmp_path / f"{number}.tar"
        # The user's image was built upon one of ours, so it inherits our labels.
        config = ImageConfig(labels=LABELS, entrypoint=(f"/{number}",))
        write_image([Entry(path="x", content=b"x")], config, reference=name, to=archive)
        podman("load", f"--input={archive}", env=place)
    answer = Project(root=ROOT).invoke("clean", env=place)
    assert answer.returncode == 0, answer.stderr
    assert "localhost/bareboat/base/x:bootstrap" in answer.stdout
    left = podman("images", "--format={{.Repository}}:{{.Tag}}", env=place).splitlines()
    assert left == ["localhost/mine:1"]
    assert not (tmp_path / "cache" / "bareboat").exists()


def test_what_cannot_be_read_goes_where_it_is_ours_and_is_told_of_where_it_is_not(
    place: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CONTAINERS_CONF", raising=False)
    names = ("localhost/bareboat/x:1", "localhost/bareboat/nameless:1", "localhost/asked-for:1", "localhost/mine:1")
    ids = {}
    for name in names:
        archive = tmp_path / "image.tar"
        config = ImageConfig(labels=LABELS, entrypoint=(f"/{name}",))
        ids[name] = write_image([Entry(path="x")], config, reference=name, to=archive).image_id.removeprefix("sha256:")
        podman("load", f"--input={archive}")
    podman("untag", "localhost/bareboat/nameless:1")
    images = tmp_path / "store" / "overlay-images"
    for image_id in ids.values():
        (images / image_id / "manifest").unlink()
    folders = find_folders()
    folders.cache.mkdir(parents=True, exist_ok=True)
    (folders.cache / "unfinished").write_text("localhost/asked-for:1", encoding="utf-8")
    said: list[str] = []
    with session(Processes(), folders, said.append):
        assert {record["id"] for record in json.loads((images / "images.json").read_bytes())} == {ids[names[3]]}
    assert [line for line in said if "cannot be read" in line] == [
        f"image {ids[names[3]]} cannot be read, and is not Bareboat's to remove: it stays"
    ]
