"""Under which name and where an image is given out."""

from __future__ import annotations

import pytest

from bareboat.commands.hand_out import full_name, read_hand_out
from bareboat.errors import InputError


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("mine", "mine:latest"),
        ("mine:1", "mine:1"),
        ("localhost:5000/mine", "localhost:5000/mine:latest"),
        ("localhost:5000/mine:1", "localhost:5000/mine:1"),
    ],
)
def test_a_name_without_a_tag_gets_the_latest(name, full):
    assert full_name(name) == full
    assert read_hand_out(name, "").tag == full


def test_what_is_wanted_is_wanted_and_nothing_is_nothing(tmp_path):
    assert not read_hand_out("", "")
    assert read_hand_out("mine", "")
    wanted = read_hand_out("", f"oci-archive:{tmp_path}/x.tar")
    assert wanted
    assert wanted.archive == tmp_path / "x.tar"


@pytest.mark.parametrize("output", ["x.tar", "oci-archive:", "oci-archive:/nowhere/x", "docker-archive:x"])
def test_a_place_that_is_none_is_told(output):
    with pytest.raises(InputError, match=r"^--output "):
        read_hand_out("", output)
