"""What may lie in a crate's folder, by accident or by malice: it is a source, or one clear problem; nothing hangs."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bareboat.errors import SampleError
from bareboat.inputs.crate_files import source_digest, source_files
from bareboat.inputs.load_samples import load_crate, load_samples
from bareboat.make.sources import sync_sources

SAMPLES = Path(__file__).parents[3] / "rust-samples"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def crate(tmp_path):
    return Path(shutil.copytree(SAMPLES / "hello-world", tmp_path / "samples" / "hello-world"))


def problems(crate):
    with pytest.raises(SampleError) as caught:
        load_samples(crate.parent)
    return str(caught.value).splitlines()


def make_pipe(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(path.parent)
        listener.bind(path.name)


@pytest.mark.parametrize(("make", "kind"), [(make_pipe, "a named pipe"), (make_socket, "a socket")])
@pytest.mark.starts_processes("a socket is bound to a name, to which nobody connects")
def test_what_is_no_file_is_named_and_not_waited_for(crate, monkeypatch, make, kind):
    monkeypatch.chdir(crate)
    make(crate / "src" / "odd")
    assert problems(crate) == [
        f"samples/hello-world/src/odd: is {kind}, and no file; move it out of the crate's folder"
    ]


@pytest.mark.parametrize("file", ["Cargo.toml", "Cargo.lock"])
def test_a_manifest_that_is_a_named_pipe_is_not_waited_for(crate, file):
    (crate / file).unlink()
    os.mkfifo(crate / file)
    assert f"samples/hello-world/{file}: cannot be read: is a named pipe, and no file" in problems(crate)


@pytest.mark.skipif(not os.access("/dev/zero", os.R_OK), reason="there is no such device here")
def test_a_link_to_a_device_is_a_link_as_a_source_and_no_manifest(crate):
    (crate / "zero").symlink_to("/dev/zero")
    assert load_crate(crate)[0].digest
    (crate / "Cargo.lock").unlink()
    (crate / "Cargo.lock").symlink_to("/dev/zero")
    assert problems(crate) == ["samples/hello-world/Cargo.lock: cannot be read: is a device, and no file"]


def refuse_to_open(monkeypatch, refused):
    really = os.open

    def open_(path, *arguments, **words):
        if os.fspath(path) == os.fspath(refused):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return really(path, *arguments, **words)

    monkeypatch.setattr(os, "open", open_)


def test_a_file_that_may_not_be_read_is_named_with_the_cure(crate, monkeypatch):
    # Root reads everything, so the system is played; the real one is asked by the test below.
    refuse_to_open(monkeypatch, crate / "src" / "main.rs")
    cure = "make it readable, or move it out of the crate's folder"
    assert problems(crate) == [f"samples/hello-world/src/main.rs: cannot be read: Permission denied; {cure}"]


AS_NOBODY = """
import sys
from pathlib import Path
from bareboat.errors import SampleError
from bareboat.inputs.load_samples import load_crate
try:
    load_crate(Path(sys.argv[1]))
except SampleError as error:
    sys.stdout.write(str(error))
"""


@pytest.mark.starts_processes("only another process can be an ordinary user where the tests run as root")
def test_an_ordinary_user_is_told_of_each_file_and_folder_that_may_not_be_read(crate):
    for path in (crate, *crate.parents):
        if path == Path("/tmp") or path.stat().st_uid != os.geteuid():
            break
        path.chmod(path.stat().st_mode | 0o711)
    (crate / "secret").write_text("x", encoding="utf-8")
    (crate / "secret").chmod(0)
    (crate / "closed").mkdir()
    (crate / "closed").chmod(0)
    ordinary = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--") if os.geteuid() == 0 else ()
    code = [sys.executable, "-c", AS_NOBODY, str(crate)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    try:
        done = subprocess.run(
            [*ordinary, *code], cwd="/", env=environment, capture_output=True, text=True, check=False, timeout=60
        )
    finally:
        (crate / "closed").chmod(0o755)
    if done.returncode and "Permission denied" in done.stderr:
        pytest.skip("an ordinary user may not reach this checkout or its Python")
    said = "cannot be read: Permission denied; make it readable, or move it out of the crate's folder"
    assert (done.stdout.splitlines(), done.stderr) == ([f"{crate}/secret: {said}", f"{crate}/closed: {said}"], "")


def test_a_file_may_be_called_by_bytes_that_are_no_utf_8(crate, tmp_path):
    odd = os.fsencode(crate) + b"/caf\xe9\n.txt"
    Path(os.fsdecode(odd)).write_bytes(b"x")
    sample = load_crate(crate)[0]
    copy = tmp_path / "copy"
    sync_sources(sample, copy)
    assert b"caf\xe9\n.txt" in {os.fsencode(path.name) for path in copy.iterdir()}
    Path(os.fsdecode(odd)).unlink()
    os.mkfifo(odd)
    (line,) = problems(crate)
    assert line.startswith("samples/hello-world/caf\\udce9\\n.txt: is a named pipe")


@pytest.mark.parametrize(
    "target", ["loop", "/etc/hostname", "..", "../../../..", "/bin/sh", "no\nwhere", "./src//main.rs"]
)
def test_a_link_stays_a_link_wherever_it_points(crate, tmp_path, target):
    (crate / "loop").symlink_to(target)
    sample, copy = load_crate(crate)[0], tmp_path / "elsewhere" / "copy"
    sync_sources(sample, copy)
    assert os.readlink(copy / "loop") == target  # noqa: PTH115 (a Path would spell it otherwise)
    assert source_digest(copy) == sample.digest
    sync_sources(sample, copy)


@pytest.mark.parametrize("file", ["Cargo.toml", "Cargo.lock"])
def test_a_manifest_that_lies_elsewhere_is_told_of(crate, tmp_path, file):
    (crate / file).rename(tmp_path / file)
    (crate / file).symlink_to(tmp_path / file)
    (line,) = problems(crate)
    assert line.startswith(f"samples/hello-world/{file}: is a link out of the crate's folder")


@pytest.mark.parametrize("file", ["Cargo.toml", "Cargo.lock"])
def test_a_manifest_that_is_a_loop_of_links_is_one_problem(crate, file):
    (crate / file).unlink()
    (crate / file).symlink_to(file)
    assert problems(crate)[0].startswith(f"samples/hello-world/{file}: ")


def test_a_crate_that_is_a_loop_of_links_is_one_problem(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SampleError, match="/loop"):
        load_crate(tmp_path / "loop")


def test_a_crate_that_is_no_folder_is_one_problem(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SampleError, match=r"pipe/Cargo\.toml: cannot be read: Not a directory"):
        load_crate(tmp_path / "pipe")


def test_many_problems_are_counted(crate):
    for number in range(15):
        os.mkfifo(crate / f"pipe-{number:02}")
    said = problems(crate)
    assert len(said) == 11
    assert said[-1] == "samples/hello-world: 5 more of its files are like these"


def test_folders_as_deep_as_the_kernel_allows_are_a_problem(crate):
    deep = crate
    for _ in range(300):
        deep /= "d"
    deep.mkdir(parents=True)
    (line,) = problems(crate)
    assert line.endswith("lies more than 200 folders deep; move it out of the crate's folder")


def test_a_manifest_of_many_megabytes_is_not_read(crate):
    with (crate / "Cargo.lock").open("wb") as file:
        file.truncate(2**40)
    assert problems(crate) == ["samples/hello-world/Cargo.lock: cannot be read: has more than 16777216 bytes"]


def test_sources_come_in_order_of_folder_and_name(tmp_path):
    for place in ("b", "a/z", "a/b/c", "a-b", "target/object", ".git/x", "src/target/x"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    (tmp_path / "link").symlink_to("a")
    found = [str(path.relative_to(tmp_path)) for path in source_files(tmp_path)]
    assert found == ["a-b", "b", "link", "a/z", "a/b/c", "src/target/x"]
