"""Exit codes, and what goes to which stream."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bareboat import errors
from bareboat.console import choose, run
from bareboat.matrix import Bases

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.BareboatError("x"), 1),
        (errors.RecipeError("x"), 2),
        (errors.SampleError("x"), 2),
        (errors.SelectionError("x"), 2),
        (errors.ResultError("x"), 2),
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


def test_an_unknown_word_lists_the_known_ones():
    assert choose("bases", "auto", Bases) == "auto"
    with pytest.raises(errors.InputError, match="--bases both: it takes one of auto, registry, bootstrap"):
        choose("bases", "both", Bases)


def test_a_reader_that_leaves_early_is_no_error():
    code = "from bareboat.console import run; raise SystemExit(run(lambda _: 'x\\n' * 100000))"
    script = f"set -o pipefail; '{sys.executable}' -c \"{code}\" | head -n 1"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "x\n", "")
