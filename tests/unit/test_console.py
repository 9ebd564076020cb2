"""Exit codes, and what goes to which stream."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bareboat import errors
from bareboat.console import choose, run
from bareboat.plan.jobs import Bases
from tests.unit.system.test_process import alive, wait_until

ROOT = Path(__file__).parents[2]
# A thread that never ends would hold up a plain exit.
STOPPED = """
import threading
from bareboat.console import run
from bareboat.errors import StoppedError
def action(processes):
    threading.Thread(target=threading.Event().wait).start()
    {ends}
raise SystemExit(run(action))
"""
# The main thread waits for a shell that waits for a command, both of which would sleep on.
SIGNALLED = """
import sys
from bareboat.console import run
script = "sleep 600 & echo $$ $! > new; mv new pids; wait"
raise SystemExit(run(lambda processes: processes.run(["sh", "-c", script], cwd=sys.argv[1])))
"""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.BareboatError("x"), 1),
        (errors.RecipeError("x"), 2),
        (errors.SampleError("x"), 2),
        (errors.SelectionError("x"), 2),
        (errors.ResultError("x"), 2),
        (errors.MeasurementError("x"), 2),
        (errors.HostError("x"), 3),
        (errors.EngineError("podman x", 125), 1),
    ],
)
def test_an_error_is_one_message_on_stderr_and_its_classs_exit_code(capsys, error, code):
    def action(_):
        raise error

    assert run(action) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"error: {error}\n")


def test_an_answer_goes_to_stdout(capsys):
    assert run(lambda _: "text\n\n") == 0
    assert run(lambda _: ("failed", 1)) == 1
    assert capsys.readouterr() == ("text\nfailed\n", "")


def test_a_bug_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run(lambda _: str(1 // 0))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "/a/b"), "/a/b: Permission denied"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(18, "Invalid cross-device link", b"/a", None, "/b"), "/a -> /b: Invalid cross-device link"),
        (OSError("no number"), "no number"),
    ],
)
def test_what_the_system_refuses_is_one_line(capsys, error, said):
    def action(_):
        raise error

    assert run(action) == 1
    assert capsys.readouterr() == ("", f"error: {said}\n")


def test_what_the_terminal_has_no_sign_for_is_spelt_out(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    assert run(lambda _: "caf\u00e9 \udcff") == 0
    assert written.getvalue() == b"caf\\xe9 \\udcff\n"


@pytest.mark.parametrize("ends", ["tell('x' * 100000) or ''", "(_ for _ in ()).throw(OSError('x' * 100000))"])
@pytest.mark.starts_processes("a whole process is ended by a signal or a closed pipe")
def test_a_reader_of_progress_that_leaves_ends_the_run_without_a_word(ends):
    code = f"from bareboat.console import run, tell; raise SystemExit(run(lambda _: {ends}))"
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=-1, stderr=closed, check=False)
    assert (done.returncode, done.stdout) == (141 if "tell" in ends else 1, b"")


def test_an_unknown_word_lists_the_known_ones():
    assert choose("bases", "auto", Bases) == "auto"
    with pytest.raises(errors.InputError, match="--bases both: it takes one of auto, registry, bootstrap"):
        choose("bases", "both", Bases)


@pytest.mark.starts_processes("a whole process is ended by a signal or a closed pipe")
def test_a_reader_that_leaves_early_is_no_error():
    code = "from bareboat.console import run; raise SystemExit(run(lambda _: 'x\\n' * 100000))"
    script = f"set -o pipefail; '{sys.executable}' -c \"{code}\" | head -n 1"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "x\n", "")


# What an interrupt becomes that comes between a lock's release and the end of the block that has it.
UNHELD = """held = threading.Lock()
    with held:
        held.release()
        raise KeyboardInterrupt"""


@pytest.mark.parametrize("ends", ["raise StoppedError('stopped')", "raise KeyboardInterrupt", UNHELD])
@pytest.mark.starts_processes("a whole process is ended by a signal or a closed pipe")
def test_a_stopped_run_says_so_and_leaves_with_130_whatever_its_threads_do(ends):
    code = [sys.executable, "-c", STOPPED.format(ends=ends)]
    # What waits for its threads would wait for ever.
    done = subprocess.run(code, cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (130, b"")
    assert done.stderr == b"stopped; the next run goes on where this one was\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.starts_processes("a whole process is ended by a signal or a closed pipe")
def test_a_signal_ends_what_the_action_started(tmp_path, number):
    code = [sys.executable, "-c", SIGNALLED, str(tmp_path)]
    run = subprocess.Popen(code, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until((tmp_path / "pids").exists)
    run.send_signal(number)
    out, err = run.communicate()
    assert (run.returncode, out, err) == (130, b"", b"stopped; the next run goes on where this one was\n")
    for pid in (tmp_path / "pids").read_text(encoding="utf-8").split():
        wait_until(lambda pid=int(pid): not alive(pid))


def test_sigterm_means_again_what_it_meant_before():
    before = signal.getsignal(signal.SIGTERM)
    meant = []

    def action(_):
        meant.append(signal.getsignal(signal.SIGTERM))
        return ""

    assert run(action) == 0
    assert meant == [signal.default_int_handler]
    assert signal.getsignal(signal.SIGTERM) is before
