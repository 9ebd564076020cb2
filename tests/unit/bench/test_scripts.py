"""Each script of bench/ finds what it imports, whatever became of the package since it was last run."""

from __future__ import annotations

import runpy

import pytest

from tests.unit.bench.conftest import BENCH

SCRIPTS = sorted(BENCH.glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_can_be_read(script, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    assert runpy.run_path(str(script), run_name="read")["__doc__"]
