"""A program of the host in an image of its own, traced by Podman as it is here: nothing of it changes but the logs."""

from __future__ import annotations

import platform
import secrets
import shutil
from pathlib import Path

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.check.strace_log import Opened, read_traces
from bareboat.closure import FolderRoot, find_closure
from bareboat.engine.tracer import LOGS_TARGET, make_tracer
from bareboat.system.files import make_open_folder
from bareboat.system.folders import remove
from bareboat.system.process import Processes
from tests.integration.harbour import podman
from tests.programs import program

pytestmark = [pytest.mark.podman, pytest.mark.skipif(shutil.which("strace") is None, reason="no strace here")]

CONFINED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--network=none", "--umask=0022")
CAT = "/usr/bin/cat"


def closure_of(path):
    return [Path(file.path) for file in find_closure(FolderRoot(Path("/")), str(path)).files if file.required]


@pytest.fixture
def tracer(tmp_path):
    tracer = make_tracer(tmp_path / "tools", closure_of)
    assert tracer is not None
    return tracer


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "private" / "logs"
    make_open_folder(folder)
    yield folder
    remove(Processes(), folder)
    assert not folder.exists()


@pytest.fixture
def load(tmp_path):
    name = f"localhost/bareboat/trace-{secrets.token_hex(6)}:x"

    def load(entries, entrypoint):
        config = ImageConfig(entrypoint=entrypoint, user="65532:65532")
        write_image(entries, config, reference=name, to=tmp_path / "image.tar")
        podman("load", f"--input={tmp_path / 'image.tar'}")
        return name

    yield load
    podman("rmi", "--force", name)


def run_traced(tracer, logs, image, *words):
    first, *rest = tracer.entrypoint()
    mounts = [
        f"--mount=type=bind,source={source},target={place}{'' if place == LOGS_TARGET else ',ro'}"
        for place, source in tracer.mounts(logs).items()
    ]
    return podman("run", "--rm", *CONFINED, *mounts, f"--entrypoint={first}", image, *rest, *words)


@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="no program for this machine")
def test_a_static_program_on_scratch_opens_nothing(tracer, logs, load):
    image = load([Entry(path="program", mode=0o755, content=program())], ("/program",))
    assert run_traced(tracer, logs, image, "/program") == ""
    assert read_traces(logs) == (Opened(path="/program", real_path="/program", found=True, access="exec"),)


def test_a_dynamic_program_opens_its_libraries_and_files(tracer, logs, load):
    files = {path: path.read_bytes() for path in closure_of(CAT)}
    entries = [Entry(path=str(path)[1:], mode=0o755, content=content) for path, content in files.items()]
    entries += [Entry(path="data/one", content=b"said\n"), Entry(path="link", kind="symlink", target="data/one")]
    image = load(entries, (CAT,))
    assert run_traced(tracer, logs, image, CAT, "/link") == "said"
    seen = read_traces(logs)
    assert Opened(path=CAT, real_path=CAT, found=True, access="exec") in seen
    assert Opened(path="/link", real_path="/data/one", found=True, access="open") in seen
    assert Opened(path="/etc/ld.so.cache", real_path="/etc/ld.so.cache", found=False, access="open") in seen
    libraries = {path.name for path in files if path.name.startswith("libc.")}
    assert libraries <= {Path(opened.path).name for opened in seen if opened.access == "open" and opened.found}
