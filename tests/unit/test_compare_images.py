"""What .ci/run says of two runs of the matrix whose images should be the same."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.engine.fake import HOST
from bareboat.result.values import Failed, Passed, Provenance, Result, Source

FOLDER = Path(__file__).parents[2] / ".ci"
BASE = Source(kind="bootstrap", reference="base/debian", digest="sha256:b1", packages=("apt=3", "tar=1"))
TOOLCHAIN = Source(kind="bootstrap", reference="toolchain/gnu", digest="sha256:t1", packages=("gcc=14",))


@pytest.fixture
def compare(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("compare_images").compare
    sys.modules.pop("compare_images", None)


def result(cell, image="sha256:i1", *, base=BASE, toolchain=TOOLCHAIN):
    provenance = Provenance(
        host=HOST, base=base, toolchain=toolchain, image_id=image, commit="", measured_at="2026-01-01T00:00:00+00:00"
    )
    sample, _, recipe = cell.partition("@")
    return Result(
        cell=cell,
        sample=sample,
        recipe=recipe,
        platform="linux/amd64",
        key="k",
        outcome=Passed(),
        measurements=(),
        provenance=provenance,
    )


def without_image(cell):
    return replace(result(cell), outcome=Failed(stage="base", reason="no base"), provenance=None)


def test_the_same_images_are_the_same_whatever_else_is_here(compare):
    there = [result("a@debian"), result("a@scratch", "sha256:i2"), without_image("a@alpine")]
    said, same = compare(there, [*there, result("on-request@debian")])
    assert (said, same) == ("the 2 images have the same ids here", True)


@pytest.mark.parametrize(
    ("here", "said"),
    [
        (result("a@debian", "sha256:i9"), "sha256:i9 here, sha256:i1 there: of the same base and toolchain"),
        (
            result("a@debian", "sha256:i9", base=replace(BASE, digest="sha256:b9")),
            "sha256:i9 here, sha256:i1 there: another base (of the same packages: sha256:b9 here, sha256:b1 there)",
        ),
        (
            result("a@debian", "sha256:i9", toolchain=replace(TOOLCHAIN, digest="sha256:t9", packages=("gcc=15",))),
            "sha256:i9 here, sha256:i1 there: another toolchain (gcc=14, gcc=15)",
        ),
        (without_image("a@debian"), "no image here: failed"),
    ],
)
def test_what_differs_is_named_with_what_it_differs_in(compare, here, said):
    there = [result("a@debian"), result("a@scratch")]
    expected = f"not the same: 1 of 2 images\n  a@debian: {said}"
    assert compare(there, [here, result("a@scratch")]) == (expected, False)


def test_an_image_that_is_not_here_and_none_at_all_are_faults(compare):
    assert compare([result("a@debian")], []) == (
        "not the same: 1 of 1 images\n  a@debian: no image here: no result",
        False,
    )
    assert compare([without_image("a@debian")], [result("a@debian")])[1] is False
