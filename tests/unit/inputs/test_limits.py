"""What a run may take follows the host's cores, and the recipe's runtime goes before."""

from __future__ import annotations

import pytest

from bareboat.inputs.limits import Limits, limits_of
from bareboat.inputs.recipe import Runtime


@pytest.mark.parametrize(
    ("cores", "memory_mb", "processes"), [(0, 512, 64), (1, 512, 64), (2, 512, 64), (3, 528, 80), (64, 1504, 1056)]
)
def test_each_core_beyond_two_has_its_threads_and_their_memory(cores, memory_mb, processes):
    assert limits_of(Runtime(), cores) == Limits(memory_mb=memory_mb, processes=processes)


def test_a_recipe_that_says_its_limits_has_them_on_every_host():
    for cores in (1, 64):
        assert limits_of(Runtime(memory_mb=100, processes=20), cores) == Limits(memory_mb=100, processes=20)
    assert limits_of(Runtime(memory_mb=100), 64) == Limits(memory_mb=100, processes=1056)


def test_a_mb_is_a_million_bytes():
    assert Limits(memory_mb=512).memory_bytes == 512_000_000
