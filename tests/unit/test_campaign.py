"""The campaign of bad input, as CI runs it; by hand it is run for thousands (docs/reliability.md)."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.campaign import bad_input
from tests.campaign.kinds import kinds

ROOT = Path(__file__).parents[2]
CASES = 500
# What is read leniently: a line or an entry in another form is passed over.
LENIENT = {"kept", "ldcache", "owners", "strace"}


@pytest.mark.starts_processes("a case may hang or kill its process")
def test_bad_input_brings_a_result_or_one_of_our_errors(tmp_path):
    command = [sys.executable, ROOT / "tests" / "campaign" / "bad_input.py", f"--cases={CASES}", "--seed=1"]
    done = subprocess.run([*command, f"--keep={tmp_path}"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, list(tmp_path.iterdir())) == (0, []), done.stdout + done.stderr
    assert f"\nseed 1: {CASES} cases: " in done.stdout
    rows = re.findall(r"^\| (\w+) +\| +(\d+) \| +(\d+) \| +(\d+) \| +0 \|", done.stdout, re.MULTILINE)
    assert {kind for kind, *_ in rows} == set(kinds())
    for kind, tried, sound, refused in rows:
        assert int(tried) >= CASES // len(kinds())
        assert int(sound), f"no {kind} is sound: the changes are too coarse to test what follows"
        assert bool(int(refused)) != (kind in LENIENT), f"no {kind} is refused: the changes are too fine"


def test_a_case_is_the_same_whenever_it_is_made():
    first, again = (list(bad_input.make_cases(7, 40, list(kinds()))) for _ in range(2))
    assert first == again
    assert first != list(bad_input.make_cases(8, 40, list(kinds())))


def hang(_data, _folder):
    while True:
        pass


def fill(_data, _folder):
    return len(bytearray(2**40))


def die(_data, _folder):
    os._exit(3)


def leave(_data, _folder):
    raise KeyError("x")


def speak(_data, _folder):
    raise bad_input.BareboatError("a\x1b[2J")


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (leave, "KeyError: 'x'"),
        (fill, "MemoryError"),
        (speak, "an error of 1 lines and 5 characters"),
        (lambda _data, folder: 1 // len(list(folder.iterdir())), "ZeroDivisionError"),
    ],
)
def test_anything_else_is_a_failure(monkeypatch, tmp_path, check, said):
    kind = replace(kinds()["elf"], check=check)
    monkeypatch.setattr(bad_input, "kinds", lambda: {"elf": kind})
    what, words = bad_input.try_case(bad_input.Case(kind="elf", data=b"", name="x"), tmp_path)
    assert what == "failed"
    assert said in words


BROKEN = """
import sys
sys.path.insert(0, {root!r})
from dataclasses import replace
from tests.campaign import bad_input, kinds
from tests.unit import test_campaign
every = dict(kinds.kinds(), elf=replace(kinds.kinds()["elf"], check=test_campaign.{check}))
bad_input.kinds = lambda: every
if __name__ == "__main__":
    raise SystemExit(bad_input.main())
"""


@pytest.mark.parametrize(
    ("check", "said"), [("hang", "no answer within 1 s"), ("die", "the process died with exit code 3")]
)
@pytest.mark.starts_processes("a case may hang or kill its process")
def test_a_hang_and_a_death_are_failures_that_are_kept_and_can_be_repeated(tmp_path, check, said):
    script = tmp_path / "broken.py"
    script.write_text(BROKEN.format(root=str(ROOT), check=check), encoding="utf-8")
    command = [sys.executable, str(script), f"--keep={tmp_path / 'kept'}", "--seconds=1", "--workers=1"]
    words = ["--kind=elf", "--cases=2", "--seed=3"]
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    kept = sorted((tmp_path / "kept").iterdir())
    assert [path.name for path in kept] == ["elf-3-0.case", "elf-3-1.case"]
    assert kept[0].read_bytes() == kinds()["elf"].make(random.Random("3 elf 0"))
    assert done.stdout.count(said) == 2
    again = subprocess.run([*command, f"--repeat={kept[0]}"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert again.returncode == 1
    assert again.stdout.count(said) == 1
