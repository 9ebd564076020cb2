"""A command that the user sits before: its streams are ours, signals reach it, and it outlives nobody."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.system.test_process import PATIENCE_SECONDS, ROOT, alive, wait_until

pytestmark = pytest.mark.starts_processes("a command in the foreground is what is tested")

# As Bareboat does it: the command and what ends it are given as words of a shell.
RUNS = """
import signal, subprocess, sys
from bareboat.system.foreground import run_in_foreground
from bareboat.system.process import Processes

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
command, ends, patience = sys.argv[1], sys.argv[2], int(sys.argv[3])
code = run_in_foreground(
    Processes(),
    ["sh", "-c", command],
    env={"WORD": "given"},
    answers={INT: (INT, 0), TERM: (TERM, patience), HUP: (TERM, patience)},
    send=lambda number: subprocess.run(["sh", "-c", f"kill -{number} $(cat pid)"]),
    if_killed=["sh", "-c", ends],
)
sys.exit(code)
"""
DEAF = "trap '' TERM INT; echo $$ > pid.new; mv pid.new pid; while :; do sleep 0.01; done"
ENDS = "kill -KILL $(cat pid)"


def start(folder, command, ends=":", patience=60, **streams):
    # What started the tests may ignore one of them, as nohup(1) does.
    own = ["env", "--default-signal=HUP,INT,TERM", sys.executable]
    words = [*own, "-c", RUNS, command, ends, str(patience)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(words, cwd=folder, env=environment, text=True, **streams)


def pid_in(folder):
    wait_until((folder / "pid").exists)
    return int((folder / "pid").read_text(encoding="utf-8"))


def test_streams_environment_and_exit_code_are_those_of_the_command(tmp_path):
    child = start(
        tmp_path,
        'cat; echo "$WORD" >&2; exit 7',
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert (child.communicate("in"), child.returncode) == (("in", "given\n"), 7)


def test_a_command_that_a_signal_ended_has_the_code_that_a_shell_gives_it(tmp_path):
    assert start(tmp_path, "kill -KILL $$").wait(PATIENCE_SECONDS) == 128 + signal.SIGKILL


@pytest.mark.parametrize(("sent", "heard"), [("INT", "INT"), ("TERM", "TERM"), ("HUP", "TERM")])
def test_a_signal_reaches_the_command_as_the_one_that_answers_it_and_it_ends_as_it_likes(tmp_path, sent, heard):
    traps = "; ".join(f"trap 'echo {name}; exit 5' {name}" for name in ("INT", "TERM", "HUP"))
    child = start(tmp_path, f"{traps}; {DEAF.partition('; ')[2]}", stdout=subprocess.PIPE)
    pid_in(tmp_path)
    child.send_signal(getattr(signal, f"SIG{sent}"))
    assert (child.communicate(timeout=PATIENCE_SECONDS)[0], child.returncode) == (f"{heard}\n", 5)


def test_one_that_heeds_no_signal_is_killed_at_the_second(tmp_path):
    child = start(tmp_path, DEAF, ENDS)
    number = pid_in(tmp_path)
    child.send_signal(signal.SIGINT)
    # A signal that comes while the first has yet to be seen is no second one.
    time.sleep(0.2)
    assert alive(number)
    child.send_signal(signal.SIGINT)
    assert child.wait(PATIENCE_SECONDS) == 128 + signal.SIGKILL


def test_one_that_heeds_no_signal_is_killed_when_its_time_is_over(tmp_path):
    child = start(tmp_path, DEAF, ENDS, patience=1)
    pid_in(tmp_path)
    child.send_signal(signal.SIGTERM)
    assert child.wait(PATIENCE_SECONDS) == 128 + signal.SIGKILL


def test_a_signal_that_is_ignored_here_stays_so(tmp_path):
    ignoring = f"import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); {RUNS}"
    words = [sys.executable, "-c", ignoring, "echo $$ > pid.new; mv pid.new pid; until [ -e go ]; do sleep 0.01; done"]
    child = subprocess.Popen([*words, ":", "1"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    pid_in(tmp_path)
    child.send_signal(signal.SIGHUP)
    (tmp_path / "go").touch()
    assert child.wait(PATIENCE_SECONDS) == 0


def test_when_bareboat_is_killed_what_ends_the_command_is_done_all_the_same(tmp_path):
    child = start(tmp_path, DEAF, f"{ENDS}; touch ended")
    number = pid_in(tmp_path)
    child.kill()
    child.wait()
    wait_until((tmp_path / "ended").exists)
    wait_until(lambda: not alive(number))


def test_a_terminal_is_passed_on_and_left_as_it_was(tmp_path):
    told = RUNS.replace("sys.exit(code)", "print(termios.tcgetattr(0) == before); sys.exit(code)")
    words = [sys.executable, "-c", f"import termios\nbefore = termios.tcgetattr(0)\n{told}"]
    child, terminal = pty.fork()
    if not child:  # the terminal listens to this process
        os.chdir(tmp_path)
        os.environ["PYTHONPATH"] = str(ROOT)
        os.execv(sys.executable, [*words, "tty; stty raw; exit 3", ":", "1"])
    said = b""
    with contextlib.suppress(OSError):  # its last writer has gone
        while piece := os.read(terminal, 1024):
            said += piece
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert [line.strip()[:5] for line in said.splitlines()] == [b"/dev/", b"True"], said


def test_who_has_no_terminal_is_not_listened_to():
    words = (
        "from bareboat.system.foreground import has_terminal, is_listened_to; print(has_terminal(), is_listened_to())"
    )
    done = subprocess.run(
        [sys.executable, "-c", words],
        cwd=Path(ROOT),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False False\n"
