"""A file is written whole or not at all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from bareboat.errors import BareboatError
from bareboat.system.files import read_file, replacing, sweep, write_whole

ROOT = Path(__file__).parents[3]


def test_what_is_no_file_is_not_read_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name, kind in {"pipe": "a named pipe", "link": "a named pipe", ".": "a folder"}.items():
        with pytest.raises(OSError, match=f"is {kind}, and no file"):
            read_file(tmp_path / name)
    with pytest.raises(OSError, match="is a device, and no file"):
        read_file(Path("/dev/null"))


def test_a_pipe_that_takes_a_files_place_while_it_is_opened_is_not_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "x"
    os.mkfifo(path)
    (tmp_path / "file").touch()
    was = (tmp_path / "file").stat()
    monkeypatch.setattr(Path, "stat", lambda _path: was)
    with pytest.raises(OSError, match="is a named pipe, and no file"):
        read_file(path)


def test_a_file_is_read_up_to_its_limit(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_file(path) == read_file(path, limit_bytes=5) == b"12345"
    with pytest.raises(OSError, match="has more than 4 bytes"):
        read_file(path, limit_bytes=4)


def test_a_file_has_its_content_and_mode_and_nothing_lies_beside_it(tmp_path):
    path = tmp_path / "deep" / "folder" / "program"
    write_whole(path, b"\x7fELF", mode=0o755)
    assert path.read_bytes() == b"\x7fELF"
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    write_whole(path, b"")
    assert path.read_bytes() == b""
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_what_is_for_the_owner_alone_is_so_from_its_first_byte(tmp_path):
    with replacing(tmp_path / "x", mode=0o600) as file:
        file.write(b"password")
        file.flush()
        (half,) = tmp_path.iterdir()
        assert stat.S_IMODE(half.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


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


@pytest.mark.starts_processes("a process is killed in the middle of a write")
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


def test_a_stream_takes_the_place_of_the_old_file_only_when_it_is_whole(tmp_path):
    path = tmp_path / "image.tar"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"ne")
        file.seek(0)
        assert path.read_bytes() == b"old"
        file.write(b"new")
    assert path.read_bytes() == b"new"
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(bytes(1 // 0))
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_mode_is_the_umasks_where_none_is_asked_for(tmp_path):
    before = os.umask(0o077)
    try:
        with replacing(tmp_path / "private"):
            pass
        with replacing(tmp_path / "open", mode=0o755):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o755


def test_a_folder_that_is_not_there_is_told_and_not_made(tmp_path):
    path = tmp_path / "none" / "x"
    with (
        pytest.raises(BareboatError, match=rf"^{path}: cannot be written: No such file or directory$"),
        replacing(path),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_any_cause_is_told_with_the_path_though_the_error_itself_names_none(tmp_path):
    path = tmp_path / "x"
    with (
        pytest.raises(BareboatError, match=rf"^{path}: cannot be written: No space left on device$"),
        replacing(path),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        full.write(b"x")
    with pytest.raises(BareboatError, match=rf"^{path}: cannot be written: no number$"), replacing(path):
        raise OSError("no number")
    assert list(tmp_path.iterdir()) == []


def test_sweep_removes_leftovers_and_nothing_else(tmp_path):
    kept = tmp_path / "x.json"
    write_whole(kept, b"{}")
    leftover = tmp_path / ".x.json.tmp-0badc0de"
    leftover.write_text("{")
    (tmp_path / ".gitignore").write_text("")
    assert sweep(tmp_path) == (leftover,)
    assert sorted(tmp_path.iterdir()) == [tmp_path / ".gitignore", kept]
    assert sweep(tmp_path / "absent") == ()


HALF_WRITTEN = """
import sys
from pathlib import Path
from bareboat.system.files import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.mark.starts_processes("a process is killed in the middle of a write")
def test_sweep_leaves_a_running_writer_alone_and_takes_a_killed_one(tmp_path):
    with half_written(tmp_path / "x.json"):
        assert sweep(tmp_path) == ()
    assert [leftover.name.startswith(".x.json.tmp-") for leftover in sweep(tmp_path)] == [True]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.starts_processes("a process is killed in the middle of a write")
def test_what_a_killed_writer_left_goes_when_the_file_is_next_written(tmp_path):
    with half_written(tmp_path / "x.json"):
        write_whole(tmp_path / "x.json", b"meanwhile")
        assert len(list(tmp_path.iterdir())) == 2
    write_whole(tmp_path / "y.json", b"")
    assert len(list(tmp_path.iterdir())) == 3
    write_whole(tmp_path / "x.json", b"after")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.json", "y.json"]


@contextmanager
def half_written(path):
    """A process that is in the middle of writing; it is killed when the block ends."""
    command = [sys.executable, "-c", HALF_WRITTEN, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as writer:
        try:
            assert writer.stdout.readline() == "writing\n"
            yield
        finally:
            writer.kill()


def test_writers_of_one_file_do_not_sweep_each_other(tmp_path):
    path, faults = tmp_path / "x", []

    def write_often(content):
        try:
            for _ in range(100):
                with replacing(path) as file:
                    file.write(content)
        except BareboatError as error:
            faults.append(error)

    writers = [threading.Thread(target=write_often, args=(letter * 1000,)) for letter in (b"a", b"b", b"c", b"d")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not faults
    assert len(set(path.read_bytes())) == 1
    assert list(tmp_path.iterdir()) == [path]
