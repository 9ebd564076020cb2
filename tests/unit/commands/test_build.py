"""What is refused before a run begins."""

from __future__ import annotations

import io

import pytest

from bareboat.commands.build import MatrixOptions, build_matrix
from bareboat.commands.project import Project
from bareboat.errors import InputError
from bareboat.system.process import Processes
from tests.unit.project import ROOT


def test_a_network_is_for_a_crate_of_ones_own():
    with pytest.raises(InputError, match=r"^--network is for a crate of your own"):
        build_matrix(Project(root=ROOT), MatrixOptions(network=True), Processes(), io.StringIO())
