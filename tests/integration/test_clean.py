"""A store and cache of their own: by `invoke clean` and by the sweep Bareboat's things go, and the user's stay."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.engine.containers import RUN_LABEL
from bareboat.engine.images import KEY_LABEL, KIND_LABEL
from bareboat.podman_engine.session import session
from bareboat.podman_engine.settings import podman_environment
from bareboat.system.folders import find_folders
from bareboat.system.process import Processes
from tests.integration.harbour import ROOT, Project, descendants, podman
from tests.programs import FOREVER, program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bareboat.system.folders import Folders

pytestmark = pytest.mark.podman

DEAD = "0a1b2c3d"
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


def put(name: str, env: dict[str, str], tmp_path: Path, code: bytes = b"") -> str:
    """Have an image of Bareboat's making in the store; its id."""
    archive = tmp_path / "image.tar"
    entries = [Entry(path="program", mode=0o755, content=code or name.encode())]
    config = ImageConfig(labels=LABELS, entrypoint=("/program",))
    written = write_image(entries, config, reference=name, to=archive)
    podman("load", f"--input={archive}", env=env)
    return written.image_id


def images(env: dict[str, str]) -> set[str]:
    """The store's images by name, those without one by id."""
    listed = json.loads(podman("images", "--all", "--format=json", env=env) or "[]")
    return {name for image in listed for name in image.get("Names") or [f"sha256:{image['Id']}"]}


def leave_dead_run(folders: Folders) -> None:
    (folders.runs / DEAD).mkdir(parents=True)
    (folders.runs / f"{DEAD}.lock").touch()


def test_only_what_is_bareboats_goes(place: dict[str, str], tmp_path: Path) -> None:
    put("localhost/bareboat/base/x:bootstrap", place, tmp_path)
    put("localhost/bareboat/replaced:1", place, tmp_path)
    podman("untag", "localhost/bareboat/replaced:1", env=place)
    # A build upon one of ours inherits our labels, and is the user's, with a name and without one.
    built = []
    for number, options in enumerate((["--tag=localhost/mine:1"], [])):
        text = f"FROM localhost/bareboat/base/x:bootstrap\nLABEL mine={number}\n"
        built.append(podman("build", "--quiet", *options, "--file=-", str(tmp_path / "xdg"), stdin=text, env=place))
    both = put("localhost/bareboat/named-twice:1", place, tmp_path)
    podman("tag", both, "localhost/mine-too:1", env=place)
    dry = Project(root=ROOT).invoke("clean", "--dry-run", env=place)
    assert "localhost/bareboat/base/x:bootstrap" in images(place)
    answer = Project(root=ROOT).invoke("clean", env=place)
    assert (dry.returncode, answer.returncode) == (0, 0), answer.stderr
    assert images(place) == {"localhost/mine:1", "localhost/mine-too:1", f"sha256:{built[1].removeprefix('sha256:')}"}
    assert not (tmp_path / "cache" / "bareboat").exists()
    lines = answer.stdout.splitlines()
    assert [re.sub(r"\(\S+ \S+\)", "(size)", line) for line in lines] == [
        "removed: 2 images (size)",
        "removed: 1 names of images that you have named, too: localhost/bareboat/named-twice:1",
        f"removed: {tmp_path}/cache/bareboat (size)",
    ]
    assert dry.stdout.replace("would be removed", "removed").splitlines()[:2] == lines[:2]


def test_a_container_that_the_user_runs_stays_with_its_image(place: dict[str, str], tmp_path: Path) -> None:
    put("localhost/bareboat/served:1", place, tmp_path, program(FOREVER))
    podman("run", "--detach", "--name=mine", "--network=none", "localhost/bareboat/served:1", env=place)
    try:
        answer = Project(root=ROOT).invoke("clean", env=place)
        assert podman("ps", "--format={{.Names}}", env=place) == "mine"
        assert images(place) == {"localhost/bareboat/served:1"}
        assert "left: localhost/bareboat/served:1 is used by mine: `podman rm --force mine`" in answer.stdout
    finally:
        podman("rm", "--force", "--time=0", "mine", env=place)
    assert Project(root=ROOT).invoke("clean", env=place).returncode == 0
    assert images(place) == set()


def test_nothing_is_swept_but_what_the_dead_run_made(
    place: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    base = "localhost/bareboat/base/x:bootstrap"
    put(base, place, tmp_path, program(FOREVER))
    for name, run in ((f"bareboat-{DEAD}-1", DEAD), ("bareboat-ffffffff-1", "ffffffff"), ("mine", "mine")):
        podman("create", f"--name={name}", f"--label={RUN_LABEL}={run}", "--network=none", base)
    environment = {**os.environ, **podman_environment(find_folders().engine)}
    # Somebody's build on one of our bases, under way: its container is known to the store alone.
    words = ("podman", "build", "--network=none", "--file=-", str(tmp_path / "xdg"))
    with subprocess.Popen(words, stdin=subprocess.PIPE, env=environment, start_new_session=True) as build:
        try:
            build.stdin.write(f'FROM {base}\nRUN ["/program"]\n'.encode())
            build.stdin.close()
            while "Storage" not in podman("ps", "--all", "--external"):
                assert build.poll() is None
                time.sleep(0.2)
            before = podman("ps", "--all", "--external", "--format={{.Names}}").split()
            leave_dead_run(find_folders())
            with session(Processes(), find_folders(), print):
                pass
            left = podman("ps", "--all", "--external", "--format={{.Names}}").split()
            assert sorted(left) == sorted(name for name in before if name != f"bareboat-{DEAD}-1")
            assert build.poll() is None
        finally:
            for process in (*descendants(build.pid), build.pid):
                os.kill(process, signal.SIGKILL)
            build.wait()
            for name in podman("ps", "--all", "--external", "--format={{.Names}}").split():
                podman("rm", "--force", "--time=0", name)


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
    leave_dead_run(folders)
    (folders.runs / DEAD / "claim").write_text("localhost/asked-for:1", encoding="utf-8")
    said: list[str] = []
    with session(Processes(), folders, said.append):
        assert {record["id"] for record in json.loads((images / "images.json").read_bytes())} == {ids[names[3]]}
    assert [line for line in said if "cannot be read" in line] == [
        f"image {ids[names[3]]} cannot be read, and is not Bareboat's to remove: it stays"
    ]
