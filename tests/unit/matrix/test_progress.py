from __future__ import annotations

import io
import re
import sys
from threading import Barrier, Thread

import pytest

from bareboat.matrix.live import LiveProgress
from bareboat.matrix.plain import PlainProgress
from bareboat.matrix.progress import make_progress

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
        "[ 4/17] program hello-world gnu static: unchanged",
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
    assert " 1/3" in last_frame


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
    assert " 0/9" in said
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
    assert "0/1" in after  # and drawn again below
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
