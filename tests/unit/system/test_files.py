"""A file is written whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bareboat.errors import BareboatError
from bareboat.system.files import write_whole

ROOT = Path(__file__).parents[3]


def test_a_file_has_its_content_and_mode_and_nothing_lies_beside_it(tmp_path):
    path = tmp_path / "deep" / "folder" / "program"
    write_whole(path, b"\x7fELF", mode=0o755)
    assert path.read_bytes() == b"\x7fELF"
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    write_whole(path, b"")
    assert path.read_bytes() == b""
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_who_has_the_old_file_open_keeps_reading_the_old_one(tmp_path):
    path = tmp_path / "x"
    write_whole(path, b"old")
    with path.open("rb") as reader:
        write_whole(path, b"new and longer")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new and longer"


def test_where_it_cannot_be_written_the_path_is_told_and_nothing_is_left(tmp_path):
    folder = tmp_path / "taken"
    (folder / "kept").mkdir(parents=True)
    with pytest.raises(BareboatError, match=rf"^{folder}: cannot be written: "):
        write_whole(folder, b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert (folder / "kept").is_dir()
    file = tmp_path / "file"
    file.write_bytes(b"old")
    with pytest.raises(BareboatError, match="cannot be written"):
        write_whole(file / "below", b"x")
    assert file.read_bytes() == b"old"


def test_a_kill_in_the_middle_leaves_one_of_the_whole_contents(tmp_path):
    path = tmp_path / "x"
    contents = [letter * 1_000_000 for letter in (b"a", b"b")]
    code = (
        "import sys; from pathlib import Path; from bareboat.system.files import write_whole\n"
        "while True:\n"
        "    for letter in (b'a', b'b'): write_whole(Path(sys.argv[1]), letter * 1_000_000)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT)
    try:
        deadline = time.monotonic() + 20
        while not path.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        for _ in range(50):
            assert path.read_bytes() in contents
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    assert path.read_bytes() in contents
