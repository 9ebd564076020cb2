"""A folder as a root filesystem: links stay inside, and nothing but files is opened."""

from __future__ import annotations

import os

import pytest

from bareboat.archive import open_image
from bareboat.closure import FolderRoot
from bareboat.errors import BareboatError
from tests.unit.closure.test_closure import lay
from tests.unit.image_builder import entry, folder, make_layer, symlink, write_docker_archive

FILES = {
    "/usr/lib/real": b"content",
    "/lib": "usr/lib",
    "/absolute": "/usr/lib/real",
    "/usr/up": "../absolute",
    "/chain": "lib/../up",
    "/dangling": "nothing/here",
}


@pytest.mark.parametrize("path", ["/usr/lib/real", "usr//lib/./real", "/lib/real", "/absolute", "/usr/up", "/chain"])
def test_links_are_followed_inside_the_root(tmp_path, path):
    root = lay(tmp_path, FILES)
    assert root.find(path).path == "usr/lib/real"
    assert root.read(path) == b"content"


@pytest.mark.parametrize("path", ["/no", "/dangling", "/usr/lib/real/x", "/usr/lib/real/..", "/" + "x" * 300])
def test_what_is_not_there_is_none(tmp_path, path):
    assert lay(tmp_path, FILES).find(path) is None


def test_the_root_and_folders_are_found_and_cannot_be_read(tmp_path):
    root = lay(tmp_path, FILES)
    assert (root.find("/").path, root.find("/").kind) == ("", "directory")
    assert (root.find("/lib/").path, root.find("/lib").size_bytes) == ("usr/lib", 0)
    for path, why in (("/lib", "a directory"), ("/no", "no file")):
        with pytest.raises(BareboatError, match=why):
            root.read(path)


def test_no_link_reads_what_is_outside(tmp_path):
    (tmp_path / "secret").write_bytes(b"outside")
    inside = tmp_path / "root"
    root = lay(inside, {"/up": "../secret", "/absolute": str(tmp_path / "secret"), "/folder": None, "/loop": "loop"})
    assert root.find("/absolute") is None
    for path in ("/up", "/../secret", "/folder/../../secret"):
        with pytest.raises(BareboatError, match="leaves"):
            root.find(path)
    with pytest.raises(BareboatError, match="40 symlinks"):
        root.find("/loop")


def test_a_pipe_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    root = FolderRoot(tmp_path)
    assert root.find("/pipe").kind == "fifo"
    with pytest.raises(BareboatError, match="fifo"):
        root.read("/pipe")


def test_what_is_no_path_is_an_error(tmp_path):
    with pytest.raises(BareboatError, match="no path"):
        FolderRoot(tmp_path).find("a\0b")


def test_an_image_finds_the_same(tmp_path):
    layer = make_layer(
        folder("usr"),
        entry("usr/lib/real", b"content"),
        symlink("lib", "usr/lib"),
        symlink("absolute", "/usr/lib/real"),
        symlink("usr/up", "../absolute"),
        symlink("dangling", "nothing/here"),
    )
    image = open_image(write_docker_archive(tmp_path / "image.tar", layer))
    root = lay(tmp_path / "root", {path: what for path, what in FILES.items() if path != "/chain"})
    for path in ("/lib/real", "/usr/up", "/dangling", "/no", "/lib", "/"):
        mine, other = root.find(path), image.find(path)
        assert (mine and (mine.path, mine.kind)) == (other and (other.path, other.kind))
