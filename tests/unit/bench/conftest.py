"""Lets tests import the benchmarks' modules, which are no part of the package."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

import bareboat.podman_engine.session  # noqa: F401 (urllib3 tries a socket when it is imported, which no test may)

BENCH = Path(__file__).parents[3] / "bench"


@pytest.fixture
def beside(monkeypatch):
    """Imports `beside.NAME`."""
    yield from _importer(monkeypatch, "beside")


@pytest.fixture
def curves(monkeypatch):
    """Imports `curves.NAME`."""
    yield from _importer(monkeypatch, "curves")


def _importer(monkeypatch, package):
    monkeypatch.syspath_prepend(str(BENCH))
    before = set(sys.modules)
    yield lambda name: importlib.import_module(f"{package}.{name}")
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {"beside", "curves", "allocators", "machine", "side_by_side"}:
            sys.modules.pop(name)
