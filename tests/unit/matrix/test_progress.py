from __future__ import annotations

import io
import os
import re
import sys
import time
from threading import Barrier, Thread
from typing import TYPE_CHECKING, get_args

import pytest

from bareboat.matrix.live import LiveProgress
from bareboat.matrix.outlook import Outlook
from bareboat.matrix.pace import Pace
from bareboat.matrix.plain import Loudness, PlainProgress, took_of
from bareboat.matrix.progress import Muted, make_progress
from tests.unit.project import plan_of

if TYPE_CHECKING:
    from pathlib import Path

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class ClosedPipe(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(32, f"Broken pipe: {text}")


@pytest.fixture(autouse=True)
def xterm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)


def test_the_view_is_live_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(make_progress(Terminal(), 1), LiveProgress)
    assert isinstance(make_progress(io.StringIO(), 1), PlainProgress)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(make_progress(io.StringIO(), 1), PlainProgress)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_progress(Terminal(), 1), PlainProgress)
    monkeypatch.delenv("TERM")
    assert isinstance(make_progress(Terminal(), 1), PlainProgress)


def test_plain_lines_count_and_say_each_end(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    with make_progress(stream, 17) as progress:
        progress.note("bases: bootstrap")
        progress.started("base debian")
        progress.finished("base debian", "built", 75.4, "")
        progress.started("image hello-world@alpine")
        progress.finished("image hello-world@alpine", "passed", 1.23, "7.47 MB")
        progress.finished("image hello-world@debian", "skipped", 0.0, "no toolchain")
        progress.finished("program hello-world gnu static", "unchanged", 0.0, "")
    assert stream.getvalue().splitlines() == [
        "bases: bootstrap",
        "[ 1/17] base debian: built in 1 min 15 s",
        "[ 2/17] image hello-world@alpine: passed in 1.2 s: 7.47 MB",
        "[ 3/17] image hello-world@debian: skipped: no toolchain",
        "1 job unchanged",
    ]
    assert capsys.readouterr() == ("", "")


def test_durations_never_read_sixty_seconds() -> None:
    stream = io.StringIO()
    progress = make_progress(stream, 9)
    for seconds in (0.0, 59.94, 59.96, 60.0, 119.6, 3600.0):
        progress.finished("j", "built", seconds, "")
    said = [line.partition(" in ")[2] for line in stream.getvalue().splitlines()]
    assert said == ["0.0 s", "59.9 s", "1 min 00 s", "1 min 00 s", "2 min 00 s", "60 min 00 s"]


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["plain", "live"])
def test_no_escape_sequence_of_a_note_passes(stream: io.StringIO) -> None:
    with make_progress(stream, 1) as progress:
        progress.started("image a\x1b[2Jb")
        progress.finished("image a\x1b[2Jb", "failed", 1.0, "it said \x1b]0;title\x07 and\r\n[bold]more[/bold]")
        progress.note("\x1b[8mhidden")
    said = stream.getvalue()
    assert "\x1b]0" not in said
    assert "\x1b[2J" not in said
    assert "\x1b[8m" not in said
    assert r"it said \x1b]0;title\x07 and  [bold]more[/bold]" in said
    assert r"\x1b[8mhidden" in said


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["plain", "live"])
def test_many_threads_finish_on_whole_lines_in_order(stream: io.StringIO) -> None:
    threads, jobs_each = 8, 20
    barrier = Barrier(threads)
    with make_progress(stream, threads * jobs_each) as progress:

        def work(number: int) -> None:
            barrier.wait(timeout=10)
            for job in range(jobs_each):
                progress.started(f"job {number} {job}")
                progress.finished(f"job {number} {job}", "built", 0.1, "")

        workers = [Thread(target=work, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(timeout=10)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    counted = re.findall(r"\[ *(\d+)/160\] job \d+ \d+: built in 0\.1 s", plain)
    assert [int(number) for number in counted] == list(range(1, threads * jobs_each + 1))


def test_a_live_view_shows_what_runs_and_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    progress = LiveProgress(stream, 3)
    with progress:
        progress.started("base debian")
        progress.started("program hello-world gnu static")
        progress.finished("base debian", "built", 2.0, "")
        progress._live.refresh()
    last_frame = stream.getvalue().rpartition("[1/3] base debian: built in 2.0 s")[2]
    assert "program hello-world gnu static" in last_frame
    assert "base debian" not in last_frame
    assert "1 of 3 jobs" in last_frame


def test_a_low_terminal_keeps_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "6")
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    progress = LiveProgress(stream, 9)
    with progress:
        for number in range(9):
            progress.started(f"job {number}")
        progress._live.refresh()
    said = stream.getvalue()
    assert "and 6 more" in said
    assert "0 of 9 jobs" in said
    assert "job 3" not in said


def test_colours_stay_out_where_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {}
    for name, value in (("with", ""), ("without", "1")):
        monkeypatch.setenv("NO_COLOR", value)
        stream = Terminal()
        with make_progress(stream, 1) as progress:
            progress.finished("base debian", "failed", 1.0, "")
        said[name] = stream.getvalue()
    assert COLOUR.search(said["with"])
    assert not COLOUR.search(said["without"])
    assert HIDE_CURSOR in said["without"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_terminal_is_restored_when_the_block_ends_by_an_exception(error: type[BaseException]) -> None:
    stream = Terminal()
    before = sys.stdout, sys.stderr
    with pytest.raises(error), make_progress(stream, 1) as progress:  # noqa: PT012  # the view is what is tested
        progress.started("base debian")
        raise error
    said = stream.getvalue()
    assert said.rindex(SHOW_CURSOR) > said.rindex(HIDE_CURSOR)
    assert (sys.stdout, sys.stderr) == before


def test_stdout_is_the_callers_while_the_view_is_live(capsys: pytest.CaptureFixture[str]) -> None:
    stream = Terminal()
    with make_progress(stream, 1) as progress:
        progress.started("base debian")
        print("sha256:1")  # noqa: T201  # what a task prints
        progress.finished("base debian", "built", 1.0, "")
    assert capsys.readouterr().out == "sha256:1\n"
    assert "sha256:1" not in stream.getvalue()


def test_what_else_is_said_on_stderr_stands_above_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    progress = LiveProgress(stream, 1)
    with progress:
        progress.started("base debian")
        progress._live.refresh()
        print("a warning", file=sys.stderr)  # noqa: T201  # as a library would
    before, _, after = stream.getvalue().partition("a warning\n")
    assert before.endswith("\x1b[2K")  # the rows were erased first
    assert "0 of 1 jobs" in after  # and drawn again below
    assert sys.stderr is stream


def test_a_reader_who_went_away_fails_nothing() -> None:
    with make_progress(ClosedPipe(), 1) as progress:
        progress.finished("base debian", "built", 1.0, "")


def test_a_terminal_that_speaks_ascii_only_is_sent_ascii() -> None:
    written = io.BytesIO()

    class AsciiTerminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    stream = AsciiTerminal(written, encoding="ascii", errors="strict")
    progress = LiveProgress(stream, 2)
    with progress:
        progress.started("base debian")
        progress._live.refresh()
        progress.finished("base debian", "built", 1.0, "")
    assert b"base debian: " in written.getvalue()


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_job_that_takes_long_is_told_of_less_and_less_often(tmp_path: Path) -> None:
    log, clock, stream = tmp_path / "gnu.log", Clock(), io.StringIO()
    outlook = Outlook((), Pace({"toolchain gnu": 400.0}), logs={"toolchain gnu": log})
    progress = PlainProgress(stream, 2, outlook, clock=clock)
    progress.started("toolchain gnu")
    progress.started("base alpine")
    log.write_text("I: installing packages...\n   Compiling core v0.0.0\n\n", encoding="utf-8")
    os.utime(log, (clock.now + 5, clock.now + 5))
    told = []
    for _ in range(25):
        clock.now += 10
        if clock.now == 1_000_050:
            progress.finished("base alpine", "built", 50.0, "")
        progress.tell_of_running()
        told += [(clock.now - 1_000_000, line) for line in stream.getvalue().splitlines()[len(told) :]]
    assert told == [
        (30, f"toolchain gnu: Compiling core v0.0.0, 30.0 s of about 7 min, log: {log}"),
        (30, "base alpine: 30.0 s"),
        (50, "[1/2] base alpine: built in 50.0 s"),
        (60, f"toolchain gnu: Compiling core v0.0.0, 1 min 00 s of about 7 min, log: {log}"),
        (120, f"toolchain gnu: Compiling core v0.0.0, 2 min 00 s of about 7 min, log: {log}"),
        (240, f"toolchain gnu: Compiling core v0.0.0, 4 min 00 s of about 7 min, log: {log}"),
    ]


def test_what_is_unchanged_is_one_line_unless_all_is_to_be_told(tmp_path: Path) -> None:
    said = {}
    for loudness in get_args(Loudness):
        stream = io.StringIO()
        outlook = Outlook(logs={"base a": tmp_path / "a.log"})
        with PlainProgress(stream, 5, outlook, loudness=loudness) as progress:
            progress.note("waits for another run")
            progress.finished("base a", "built", 1.0, "")
            progress.finished("image b", "unchanged", 0.0, "")
            progress.passed_over("timed c")
            progress.finished("image d", "failed", 1.0, "it said no")
            progress.finished("image e", "unchanged", 0.0, "")
        said[loudness] = stream.getvalue().splitlines()
    failed = "[4/5] image d: failed in 1.0 s: it said no"
    assert said["quiet"] == [failed]
    assert said["usual"] == ["waits for another run", "[1/5] base a: built in 1.0 s", failed, "2 jobs unchanged"]
    assert said["verbose"] == [
        "waits for another run",
        f"[1/5] base a: built in 1.0 s; log: {tmp_path / 'a.log'}",
        "[2/5] image b: unchanged",
        failed,
        "[5/5] image e: unchanged",
    ]


def test_a_muted_stream_hears_of_failures_alone() -> None:
    stream = io.StringIO()
    muted = Muted(stream)
    muted.write("bases: bootstrap\n")
    with make_progress(muted, 2) as progress:
        progress.finished("base a", "built", 1.0, "")
        progress.finished("image d", "failed", 1.0, "it said no")
    assert stream.getvalue() == "[2/2] image d: failed in 1.0 s: it said no\n"
    assert muted.getvalue() == ""


@pytest.mark.parametrize("columns", [40, 80, 140])
def test_a_live_view_says_what_is_left_and_is_no_wider_than_its_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", "20")
    log, stream = tmp_path / "gnu.log", Terminal()
    jobs = plan_of("scratch-musl").jobs
    toolchain = next(job.id for job in jobs if job.id.startswith("toolchain"))
    pace = Pace({job.id: 90.0 for job in jobs})
    progress = LiveProgress(stream, len(jobs), Outlook(jobs, pace, 1, {toolchain: log}))
    with progress:
        progress.started(toolchain)
        log.write_text(f"   Compiling {'alloc ' * 40}\n", encoding="utf-8")
        # A file's time is that of the kernel's last tick, and may lie before the start.
        os.utime(log, (time.time() + 1, time.time() + 1))
        progress._live.refresh()
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "\n", stream.getvalue())
    assert max(map(len, re.split(r"[\r\n]", plain))) <= columns
    assert f"0 of {len(jobs)} jobs, about {-(-90 * len(jobs) // 60)} min left" in plain
    assert ("Compiling alloc" in plain) == (columns > 40)
    assert not re.search(r"\ball?\b|\ballo\b", plain)  # no word is cut


def test_a_forecast_that_turned_out_wrong_is_not_repeated() -> None:
    assert took_of(90.0, 100.0) == "1 min 30 s of about 2 min"
    assert took_of(480.0, 100.0) == "8 min 00 s"
    assert took_of(5.0, 6.0) == took_of(5.0, None) == "5.0 s"
