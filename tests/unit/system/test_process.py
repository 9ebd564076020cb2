"""Commands of the host: their output, their failures, and that none outlives Bareboat."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bareboat.errors import EngineError, HostError, StoppedError
from bareboat.system.process import Processes

pytestmark = pytest.mark.starts_processes("child processes are what is tested")

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 20
WAITS = "echo http://a:b@first; until [ -e go ]; do sleep 0.01; done; echo second"


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_output_input_and_environment():
    assert Processes().run(["sh", "-c", "cat; echo $WORD"], stdin=b"in ", env={"WORD": "out"}) == "in out\n"


def test_a_failure_tells_the_command_its_code_and_its_last_lines(tmp_path):
    log = tmp_path / "logs" / "x.log"
    with pytest.raises(EngineError) as caught:
        Processes().run(["sh", "-c", "seq 30; echo 'error: no' >&2; exit 7"], log=log)
    assert (caught.value.command_exit_code, caught.value.summary) == (7, "error: no")
    assert caught.value.log_tail == (*[str(number) for number in range(12, 31)], "error: no")
    assert str(log) in str(caught.value)
    assert log.read_text().splitlines()[0] == "1"


def test_an_absent_program_is_told_how_to_get_it():
    with pytest.raises(HostError, match=r"no-such-program is not installed; `invoke setup`"):
        Processes().run(["no-such-program"])


def test_stop_ends_children_and_grandchildren_and_nothing_starts_after_it(tmp_path):
    processes, pid_file = Processes(), tmp_path / "pid"
    ends = []

    def sleep():
        with pytest.raises(StoppedError):
            processes.run(["sh", "-c", f"sleep 600 & echo $! > {pid_file}.new; mv {pid_file}.new {pid_file}; wait"])
        ends.append("stopped")

    thread = threading.Thread(target=sleep)
    thread.start()
    wait_until(pid_file.exists)
    processes.stop()
    thread.join(PATIENCE_SECONDS)
    assert ends == ["stopped"]
    wait_until(lambda: not alive(int(pid_file.read_text())))
    with pytest.raises(StoppedError):
        processes.run(["true"])


def test_stop_reaches_those_whose_parent_the_interrupt_already_ended(tmp_path):
    processes = Processes()
    names = [str(number) for number in range(6)]

    def sleep(name):
        with pytest.raises(StoppedError):
            # The shell ends at the interrupt; its background command ignores it and holds the pipe open.
            processes.run(["sh", "-c", f"sleep 600 & echo $! > {name}.new; mv {name}.new {name}; wait"], cwd=tmp_path)

    threads = [threading.Thread(target=sleep, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    wait_until(lambda: all((tmp_path / name).exists() for name in names))
    processes.stop()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
    wait_until(lambda: not any(alive(int((tmp_path / name).read_text())) for name in names))


@pytest.mark.parametrize("disposition", ["SIG_DFL", "SIG_IGN"])
def test_a_child_dies_with_a_bareboat_that_is_killed(tmp_path, disposition):
    pid_file = tmp_path / "pid"
    code = (
        f"import signal; signal.signal(signal.SIGINT, signal.{disposition}); "
        "from bareboat.system.process import Processes; "
        f"Processes().run(['sh', '-c', 'echo $$ > {pid_file}; exec sleep 600'])"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    wait_until(lambda: pid_file.exists() and pid_file.read_text().strip())
    child = int(pid_file.read_text())
    assert alive(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not alive(child))


STARTS_ITSELF_AGAIN = """
import os, signal, sys, time
if os.fork():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.wait()
signal.signal(signal.SIGINT, getattr(signal, sys.argv[2]))
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(600)
"""


@pytest.mark.parametrize("disposition", ["SIG_DFL", "SIG_IGN"])
def test_a_child_of_a_child_dies_with_a_bareboat_that_is_killed(tmp_path, disposition):
    # As a rootless Podman: told by nobody when its own parent, the one that Bareboat knows, is ended by a signal.
    argv = [sys.executable, "-c", STARTS_ITSELF_AGAIN, str(tmp_path / "pid"), disposition]
    code = f"from bareboat.system.process import Processes; Processes().run({argv!r})"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    wait_until((tmp_path / "pid").exists)
    grandchild = int((tmp_path / "pid").read_text())
    assert alive(grandchild)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not alive(grandchild))


def test_a_child_that_begins_after_bareboat_was_killed_is_ended(tmp_path):
    (tmp_path / "bin").mkdir()
    # A shell that begins late: nobody holds the lifeline by then.
    late = tmp_path / "bin" / "sh"
    late.write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid\n"
        f"while kill -0 {os.getpid()} && [ ! -e {tmp_path}/go ]; do sleep 0.01; done\n"
        'exec /bin/sh "$@"\n',
        encoding="utf-8",
    )
    late.chmod(0o755)
    code = "from bareboat.system.process import Processes; Processes().run(['sleep', '600'])"
    path = {"PATH": f"{late.parent}:{os.environ['PATH']}"}
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **path})
    wait_until((tmp_path / "pid").exists)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    (tmp_path / "go").touch()
    child = int((tmp_path / "pid").read_text())
    wait_until(lambda: not alive(child))


def test_neither_a_watcher_nor_a_lifeline_outlives_its_command(tmp_path):
    before = len(list(Path("/proc/self/fd").iterdir()))
    processes = Processes()
    group = int(processes.run(["sh", "-c", "echo $$"]))
    with pytest.raises(HostError):
        processes.run(["no-such-program"])
    with pytest.raises(FileNotFoundError):
        processes.run(["true"], cwd=tmp_path / "none")
    assert len(list(Path("/proc/self/fd").iterdir())) == before

    def ended():
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        return False

    wait_until(ended)


def test_a_command_has_no_child_that_it_did_not_start():
    # One that waits for all of its children would wait for a watcher for ever.
    script = "import os\ntry: os.waitpid(-1, 0)\nexcept ChildProcessError: print('none')"
    assert Processes().run([sys.executable, "-c", script]) == "none\n"


def test_no_secret_is_in_a_log_an_error_or_a_command_that_failed(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:proxy-password@proxy.test:3128")
    processes, log = Processes(), tmp_path / "logs" / "x.log"
    log.parent.mkdir()
    log.write_text("an older Bareboat's", encoding="utf-8")
    processes.hide('Acquire::http::Proxy "http://user:apt-password@proxy.test";')
    script = "echo proxy-password; echo http://a:b@c; echo apt-password >&2; exit $1"
    for kept in (log, None):
        with pytest.raises(EngineError) as caught:
            processes.run(["sh", "-c", script, "sh", "7", "proxy-password"], log=kept)
        assert "password" not in str(caught.value)
        assert "password" not in caught.value.detail
        assert "http://***@c" in caught.value.log_tail
    assert log.read_text(encoding="utf-8") == "***\nhttp://***@c\n***\n"
    assert log.stat().st_mode & 0o777 == 0o600
    # What a command answers is for Bareboat, which must know the address of a mirror.
    assert processes.run(["echo", "apt-password"]) == "apt-password\n"


def test_a_log_is_written_as_it_comes_and_without_what_a_killed_bareboat_never_cleaned(tmp_path):
    log, seen = tmp_path / "log", []
    thread = threading.Thread(target=lambda: seen.append(Processes().run(["sh", "-c", WAITS], cwd=tmp_path, log=log)))
    thread.start()
    wait_until(lambda: log.exists() and log.read_text(encoding="utf-8") == "http://***@first\n")
    (tmp_path / "go").touch()
    thread.join(PATIENCE_SECONDS)
    assert seen == ["http://***@first\nsecond\n"]


def test_a_log_does_not_wait_for_what_a_command_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("bareboat.system.logs._PATIENCE_SECONDS", 0.2)
    processes, started = Processes(), time.monotonic()
    said = processes.run(["sh", "-c", "echo $$; setsid sleep 30 & echo $!"], log=tmp_path / "log")
    assert time.monotonic() - started < PATIENCE_SECONDS
    os.kill(int(said.split()[1]), signal.SIGKILL)


def test_a_log_for_which_there_is_no_room_is_told_and_holds_nobody_up(tmp_path, monkeypatch):
    def refuse(_processes, _text):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Processes, "clean", refuse)
    with pytest.raises(OSError, match="No space left"):
        Processes().run(["seq", "100000"], log=tmp_path / "log")
