"""Keys: equal where what goes in is equal, and nowhere else. Logs: one a job."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from bareboat.engine.fake import HOST, FakeEngine
from bareboat.inputs.base import Debian
from bareboat.inputs.lock import Lock
from bareboat.make import context as shop
from bareboat.make.context import Workshop, make_key
from bareboat.system.folders import Folders
from bareboat.system.process import Processes

ROOT = Path(__file__).parents[3]
DEBIAN = Debian(kind="debian", suite="trixie", packages=("gcc",))
PARTS = st.lists(st.text(max_size=6), max_size=4)


def test_a_key_is_a_digest_and_of_every_field():
    key = make_key("root", DEBIAN, "")
    assert re.fullmatch("[0-9a-f]{64}", key)
    assert key == make_key("root", Debian(kind="debian", suite="trixie", packages=("gcc",)), "")
    others = {make_key("root", replace(DEBIAN, **{name: value}), "") for name, value in {"suite": "sid"}.items()}
    others |= {make_key("root", replace(DEBIAN, slim=True), ""), make_key("root", replace(DEBIAN, packages=()), "")}
    assert key not in others
    assert len(others) == 3


@given(PARTS, PARTS)
def test_other_parts_are_another_key(one, other):
    assume(one != other)
    assert make_key(*one) != make_key(*other)


def test_a_new_format_makes_everything_anew(monkeypatch):
    before = make_key("a")
    monkeypatch.setattr(shop, "FORMAT", shop.FORMAT + "0")
    assert make_key("a") != before


def test_a_key_is_the_same_in_every_process():
    code = "from bareboat.inputs.base import Debian; from bareboat.make.context import make_key; "
    code += "print(make_key('x', Debian(kind='debian', suite='trixie', packages=('gcc',)), {'b': 1, 'a': 2}), end='')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == make_key("x", DEBIAN, {"b": 1, "a": 2})


def test_each_job_has_a_log_of_its_own(tmp_path):
    folders = Folders(cache=tmp_path / "cache", bootstrap=tmp_path / "bootstrap")
    workshop = Workshop(
        engine=FakeEngine(folder=tmp_path),
        processes=Processes(),
        folders=folders,
        recipes=tmp_path,
        results=tmp_path,
        lock=Lock(),
        locked=False,
        force=False,
        renew=False,
        host=HOST,
        commit="",
    )
    assert workshop.log("program hello-world musl static in gnu").name == "program-hello-world-musl-static-in-gnu.log"
    assert workshop.log("base debian").parent == folders.logs
