"""Whose an image is that Podman cannot read, told from the files that Podman 4.3 and 5.4 leave."""

from __future__ import annotations

import json

import pytest

from bareboat.podman_engine.unreadable import is_ours, unreadable_image

ID = "bf6a1277dc0abc7fe4c181c201f70614dc5af700336b48db8033343fcc4dc405"
CONFIG = "=c2hhMjU2OmJmNmExMjc3ZGMwYWJjN2ZlNGMxODFjMjAxZjcwNjE0ZGM1YWY3MDAzMzZiNDhkYjgwMzMzNDNmY2M0ZGM0MDU="
CAUSE = f'locating item named "manifest" for image with ID "{ID}" (consider removing the image to resolve the issue)'


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (f"Error: {CAUSE}: file does not exist", ID),
        (f"failed in inspect image localhost/bareboat/x:1: {CAUSE}: file does not exist", ID),
        ('level=error msg="' + CAUSE.replace('"', '\\"') + '"', ID),
        ("Error: localhost/bareboat/x:1: image not known", None),
    ],
)
def test_podman_says_which_image_it_cannot_read(words, found):
    assert unreadable_image(words) == found


@pytest.mark.parametrize(
    ("names", "labels", "references", "ours"),
    [
        (["localhost/bareboat/x:1"], {}, set(), True),
        (["localhost/mine:1"], {"io.bareboat.kind": "base"}, set(), False),
        (["localhost/bareboat/x:1", "localhost/mine:1"], {"io.bareboat.kind": "base"}, set(), False),
        (["docker.io/library/debian:13"], {}, {"docker.io/library/debian:13"}, True),
        (None, {"io.bareboat.kind": "image"}, set(), True),
        ([], {"other": "label"}, set(), False),
        ([], {}, {f"sha256:{ID}"}, True),
        ([], None, set(), False),
    ],
)
def test_names_say_whose_an_image_is_and_without_them_labels_do(tmp_path, names, labels, references, ours):
    other = {"id": "0" * 64, "names": ["localhost/other:1"], "layer": "x"}
    (tmp_path / "images.json").write_text(json.dumps([other, {"id": ID, "names": names, "layer": "y"}]))
    if labels is not None:
        (tmp_path / ID).mkdir()
        (tmp_path / ID / CONFIG).write_text(json.dumps({"os": "linux", "config": {"Labels": labels}}))
    assert is_ours(tmp_path, ID, references) is ours


@pytest.mark.parametrize("content", [None, "", "{}", "[[]]"])
def test_a_store_that_cannot_be_read_makes_nothing_ours(tmp_path, content):
    if content is not None:
        (tmp_path / "images.json").write_text(content)
    assert not is_ours(tmp_path, ID, {"localhost/bareboat/x:1"})
