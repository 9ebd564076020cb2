"""What is read from strace's logs, and the copy of strace that is mounted."""

from __future__ import annotations

import os
import random
import shutil

import pytest

from bareboat.check.strace_log import Opened, read_traces
from bareboat.engine.tracer import LOGS_TARGET, TOOLS_TARGET, Tracer, make_tracer
from bareboat.errors import BareboatError
from bareboat.system.files import make_open_folder
from tests.unit.elf_builder import build_elf


def opened(path, access="open", *, found=True, real_path=None):
    return Opened(path=path, real_path=real_path or path, found=found, access=access)


def read(folder, *logs, first=8, **options):
    for number, log in enumerate(logs, first):
        (folder / f"log.{number}").write_bytes(log if isinstance(log, bytes) else log.encode())
    return read_traces(folder, **options)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('execve("/app", ["/app"], 0x7ffd4eec5380 /* 5 vars */) = 0', [opened("/app", "exec")]),
        (
            'execve("/data/one", ["one", ") = 3"], 0x7f /* 5 vars */) = -1 EACCES (Zugriff verweigert)',
            [opened("/data/one", "exec")],
        ),
        (
            'access("/etc/ld.so.preload", R_OK)      = -1 ENOENT (No such file or directory)',
            [opened("/etc/ld.so.preload", "stat", found=False)],
        ),
        (
            'openat(AT_FDCWD</>, "/lib/libc.so.6", O_RDONLY|O_CLOEXEC) = 3</usr/lib/libc.so.6>',
            [opened("/lib/libc.so.6", real_path="/usr/lib/libc.so.6")],
        ),
        ('openat(5</data>, "one", O_RDONLY) = 6</data/one>', [opened("/data/one")]),
        ('openat(5</d\\74\\76>, "../x", O_RDONLY) = -1 ENOENT (No)', [opened("/x", found=False)]),
        ('openat(8</tmp/d>(deleted), "gone", O_RDONLY) = -1 ENOENT (No)', []),
        ('openat(8</tmp/d (deleted)>, "gone", O_RDONLY) = -1 ENOENT (No)', []),
        ('openat(-1, "one", O_RDONLY) = -1 EBADF (Bad file descriptor)', []),
        ('openat(7, "one", O_RDONLY) = 8', []),
        ('openat(3<socket:[7]>, "one", O_RDONLY) = -1 ENOTDIR (Not a directory)', []),
        ('newfstatat(7</data/one>, "", {st_mode=S_IFREG|0644, st_size=1, ...}, AT_EMPTY_PATH) = 0', []),
        ('execveat(3</data/tool>, "", ["tool"], 0x7f /* 0 vars */, AT_EMPTY_PATH) = 0', [opened("/data/tool", "exec")]),
        ('open("/made", O_WRONLY|O_CREAT, 0644) = -1 EROFS (Read-only file system)', [opened("/made", found=False)]),
        ('open("/there", O_WRONLY) = -1 EROFS (Read-only file system)', [opened("/there")]),
        ('open("//a/./b/../c", O_RDONLY) = 3', [opened("/a/c")]),
        ('readlink("/link", "data/one", 99)       = 8', [opened("/link", "stat")]),
        ('open("a\\n\\"q>\\377\\303\\244\\1", O_RDONLY) = 3', [opened('/a\n"q>\udcffä\x01')]),
        ('open("/etc/mtab", O_RDONLY) = 3</proc/8/mounts>', [opened("/etc/mtab")]),
        ('open("/x", O_RDONLY) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)', []),
        ('open("/x", O_RDONLY) = -1 EINTR (Interrupted system call)', []),
        ('open("/x", O_RDONLY <unfinished ...>) = ?', []),
        ('open("/x", O_RDONLY <unfinished ...>', []),
        ('open("/x"..., O_RDONLY) = 3', []),
        ("open(0x7ffc, O_RDONLY) = 3", []),
        ('mkdir("/data/sub", 0755) = -1 EROFS (Read-only file system)', []),
        ('statx(AT_FDCWD, "/x", 0, 0, 0x7f) = -1 ENOSYS (Function not implemented)', []),
        ("+++ exited with 0 +++", []),
        ("--- SIGCHLD {si_signo=SIGCHLD, si_pid=9} ---", []),
        *((f'open("{path}", O_RDONLY) = 3', []) for path in ("/proc/self/maps", "/dev/null", f"{TOOLS_TARGET}/x")),
        *((f'open("{path}", O_RDONLY) = 3', []) for path in ("/sys", f"{LOGS_TARGET}/log.1", "/a/../proc")),
        ('open("/process", O_RDONLY) = 3', [opened("/process")]),
    ],
)
def test_a_line_is_read(tmp_path, line, expected):
    assert read(tmp_path, f"{line}\n") == tuple(expected)


@pytest.mark.parametrize(
    ("moves", "folder"),
    [
        ((), "/app"),
        (('chdir("/data") = 0',), "/data"),
        (('chdir("sub") = 0', 'chdir("..") = 0', 'chdir("other") = 0'), "/app/other"),
        (('chdir("/data") = -1 ENOENT (No)',), "/app"),
        (("fchdir(3</data>) = 0",), "/data"),
        (("fchdir(3</data>) = -1 EACCES (No)",), "/app"),
        (('getcwd("/real", 4096) = 6',), "/real"),
        (('openat(AT_FDCWD</noted>, "/x", O_RDONLY) = 3',), "/noted"),
    ],
)
def test_a_name_is_relative_to_where_the_program_is(tmp_path, moves, folder):
    log = "\n".join((*moves, 'open("here", O_RDONLY) = 4', ""))
    assert opened(f"{folder}/here") in read(tmp_path, log, working_dir="/app")


def test_a_child_begins_where_its_parent_was(tmp_path):
    parent = 'chdir("/data") = 0\nclone(child_stack=0x7f, flags=CLONE_VM) = 9\nchdir("/elsewhere") = 0\n'
    assert opened("/data/one") in read(tmp_path, parent, 'open("one", O_RDONLY) = 3\n')


def test_what_was_asked_twice_is_told_once_and_in_order(tmp_path):
    line = 'open("{}", O_RDONLY) = 3\n'
    logs = (line.format("/b") * 2, line.format("/a") + line.format("/b"))
    assert read(tmp_path, *logs) == (opened("/a"), opened("/b"))


def test_binary_logs_are_passed_over(tmp_path):
    noise = random.Random(7)
    parts = [
        b"open(",
        b"AT_FDCWD",
        b"</",
        b">",
        b'"',
        b"\\",
        b"\\9",
        b", ",
        b") = ",
        b"-1",
        b"3",
        b"\n",
        b"\0",
        b"\xff",
    ]
    logs = [b"".join(noise.choices(parts, k=4000)) for _ in range(20)]
    read(tmp_path, *logs, b"open(" + b'"\\' * 200_000 + b") = " * 20_000, noise.randbytes(50_000))


def test_only_plain_logs_are_read(tmp_path):
    secret, logs = tmp_path / "secret", tmp_path / "logs"
    logs.mkdir()
    secret.write_text('open("/secret", O_RDONLY) = 3\n')
    (logs / "log.1").symlink_to(secret)
    os.mkfifo(logs / "log.2")
    (logs / "log.3").mkdir()
    for name in ("log.x", "log.04", "other"):
        shutil.copy(secret, logs / name)
    assert read_traces(logs) == ()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BareboatError, match="absent: cannot be read"):
        read_traces(tmp_path / "absent")


def test_the_log_folder_is_open_in_a_closed_one(tmp_path):
    logs = tmp_path / "private" / "logs"
    make_open_folder(logs)
    assert (logs.stat().st_mode & 0o777, logs.parent.stat().st_mode & 0o777) == (0o777, 0o700)
    with pytest.raises(BareboatError, match="cannot be made"):
        make_open_folder(logs)


@pytest.mark.parametrize(
    ("loader", "start"),
    [
        ("ld.so", (f"{TOOLS_TARGET}/ld.so", "--inhibit-cache", "--library-path", TOOLS_TARGET)),
        ("ld-musl-x86_64.so.1", (f"{TOOLS_TARGET}/ld-musl-x86_64.so.1", "--library-path", TOOLS_TARGET)),
        ("", ()),
    ],
)
def test_strace_is_started_by_its_own_loader(tmp_path, loader, start):
    words = Tracer(tools=tmp_path, loader=loader).entrypoint()
    assert words[: len(start) + 1] == (*start, f"{TOOLS_TARGET}/strace")
    assert words[-1] == "--"


def test_a_container_sees_the_tools_and_the_folder_for_the_logs(tmp_path):
    mounts = Tracer(tools=tmp_path / "tools", loader="").mounts(tmp_path / "logs")
    assert mounts == {TOOLS_TARGET: tmp_path / "tools", LOGS_TARGET: tmp_path / "logs"}


@pytest.fixture
def host(tmp_path):
    folder = tmp_path / "host"
    folder.mkdir()
    for name in ("ld.so", "libc.so.6.real"):
        (folder / name).write_text(name)
    (folder / "libc.so.6").symlink_to("libc.so.6.real")
    (folder / "strace").write_bytes(build_elf(interpreter=str(folder / "ld.so"), needed=("libc.so.6",)))
    return folder


def test_strace_is_copied_once_and_again_when_it_changes(tmp_path, host):
    def make():
        return make_tracer(tmp_path / "cache", lambda _: [host / "libc.so.6"], strace=host / "strace")

    first = make()
    assert first is not None
    assert first.loader == "ld.so"
    files = {path.name: path.read_bytes() for path in first.tools.iterdir() if not path.is_symlink()}
    assert files.keys() == {"ld.so", "libc.so.6", "strace"}
    assert files["libc.so.6"] == b"libc.so.6.real"
    assert {path.stat().st_mode & 0o777 for path in (first.tools, *first.tools.iterdir())} == {0o755}
    before = first.tools.stat().st_ino
    assert (make(), first.tools.stat().st_ino) == (first, before)
    (host / "libc.so.6.real").write_text("another")
    second = make()
    assert second is not None
    assert second.tools != first.tools
    assert list((tmp_path / "cache").iterdir()) == [second.tools]


def test_a_host_without_strace_traces_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert make_tracer(tmp_path / "cache", lambda _: []) is None


def test_a_library_that_is_not_there_is_named(tmp_path, host):
    with pytest.raises(BareboatError, match="absent: cannot be copied"):
        make_tracer(tmp_path / "cache", lambda _: [host / "absent"], strace=host / "strace")
