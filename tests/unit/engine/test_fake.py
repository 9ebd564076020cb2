"""The fake engine keeps the contract."""

from __future__ import annotations

import pytest

from bareboat.engine.fake import FakeEngine
from tests.engine_contract import BROKEN, EngineContract


class TestFakeEngine(EngineContract):
    @pytest.fixture
    def engine(self, tmp_path):
        folder = tmp_path / "store"
        folder.mkdir()
        return FakeEngine(folder=folder, broken=BROKEN)
