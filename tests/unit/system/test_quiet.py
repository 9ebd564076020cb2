"""Whether the machine is quiet: from what /proc/stat says twice, and what is waited for where it is not."""

from __future__ import annotations

import pytest

from bareboat.system.quiet import Processors, read_processors, say_busy, wait_for_quiet

BUSY = "the machine was busy: 63 % of its processors were at other work"


def stat(user, idle, *, iowait=0, steal=0):
    return f"cpu  {user} 0 0 {idle} {iowait} 0 0 {steal} 900 0\ncpu0 1 2 3 4 5 6 7 8 9 10\nbtime 1\n"


def test_waiting_for_a_disk_is_idle_and_what_a_guest_takes_is_not_counted_twice():
    assert read_processors(stat(30, 60, iowait=6, steal=4)) == Processors(total=100, idle=66)


@pytest.mark.parametrize("text", ["", "cpu 1 2\n", "cpu a b c d e f g h\n", "cpu0 1 2 3 4 5 6 7 8\n"])
def test_a_text_that_does_not_say_it_says_nothing(text):
    assert read_processors(text) is None


@pytest.mark.parametrize(("idle", "own", "said"), [
    (100, 0, ""),
    (80, 0, ""),
    (79, 0, "the machine was busy: 21 % of its processors were at other work"),
    (50, 30, ""),
    (50, 29, "the machine was busy: 21 % of its processors were at other work"),
    (0, 120, ""),
])  # fmt: skip
def test_others_may_have_a_fifth_of_the_processors(idle, own, said):
    assert say_busy(Processors(total=100, idle=idle), own) == said


def test_no_time_is_nobodys():
    assert say_busy(Processors(total=0, idle=0)) == ""


@pytest.fixture
def machine(tmp_path):
    """A machine that is as busy in each interval as it is told."""
    file = tmp_path / "stat"

    def run(*shares):
        user, idle, left = 0, 0, list(shares)
        file.write_text(stat(0, 0))

        def sleep(seconds):
            nonlocal user, idle
            assert seconds > 0
            share = left.pop(0) if left else 0
            user, idle = user + share, idle + 100 - share
            file.write_text(stat(user, idle))

        return wait_for_quiet(file, sleep), left

    return run


def test_a_quiet_machine_is_looked_at_once(machine):
    assert machine(5, 90) == ("", [90])


def test_quiet_is_waited_for(machine):
    assert machine(90, 63, 10, 90) == ("", [90])


def test_the_wait_has_an_end_and_says_how_busy_it_was(machine):
    said, left = machine(*[63] * 35)
    assert said == BUSY
    assert len(left) == 5


def test_where_nothing_says_how_busy_the_machine_is_that_is_said(tmp_path):
    said = wait_for_quiet(tmp_path / "stat", lambda _: None)
    assert said == f"it is not known how busy the machine was: {tmp_path / 'stat'} does not say it"
