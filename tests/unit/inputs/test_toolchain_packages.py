"""Toolchains with more packages for crates that link to C libraries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.errors import SampleError
from bareboat.inputs.base import Base
from bareboat.inputs.load_samples import load_crate
from bareboat.inputs.lock import Lock
from bareboat.inputs.toolchain_packages import extend_toolchains, is_extended
from bareboat.make.context import Outputs, RootImage
from bareboat.matrix.gather import new_pins
from bareboat.plan.keys import root_key
from bareboat.plan.planner import root_jobs
from bareboat.result.values import Source
from tests.unit.project import BOOK, HELLO

WANTS = replace(HELLO, own=True, toolchain_packages=("zlib1g-dev", "libpq-dev"))


def toolchains(book, source="bootstrap"):
    return [job for job in root_jobs(book, source) if job.role == "toolchain"]


def test_a_book_is_as_it_is_where_nobody_asks():
    assert extend_toolchains(BOOK, [HELLO]) is BOOK


@pytest.mark.parametrize("source", ["bootstrap", "registry"])
def test_each_toolchain_is_one_image_of_packages_with_those_that_are_asked_for(source):
    book = extend_toolchains(BOOK, [WANTS])
    assert {recipe.compile.toolchain for recipe in book.recipes} <= {toolchain.name for toolchain in book.toolchains}
    (extended,) = toolchains(book, source)
    (plain,) = toolchains(BOOK)
    assert extended.bootstrap.packages == (*plain.bootstrap.packages, "libpq-dev", "zlib1g-dev")
    assert (extended.source, extended.reference == plain.reference) == ("bootstrap", False)
    assert root_key(extended.bootstrap, "") != root_key(plain.bootstrap, "")
    assert not {"+", " "} & set(extended.reference)
    assert (is_extended(extended.name), is_extended(plain.name)) == (True, False)


def test_the_same_packages_are_the_same_toolchain_in_whatever_order():
    other = replace(WANTS, name="other", toolchain_packages=("libpq-dev", "zlib1g-dev"))
    assert extend_toolchains(BOOK, [WANTS]) == extend_toolchains(BOOK, [other, WANTS])
    more = replace(WANTS, toolchain_packages=("cmake",))
    assert toolchains(extend_toolchains(BOOK, [more])) != toolchains(extend_toolchains(BOOK, [WANTS]))


def test_the_lock_pins_none_that_is_one_crates_alone():
    jobs = [*toolchains(BOOK), *toolchains(extend_toolchains(BOOK, [WANTS]))]
    source = Source(kind="bootstrap", reference="r", digest="sha256:d")
    made = {job.id: RootImage(status="built", note="", reference="r", source=source, packages=()) for job in jobs}
    assert set(new_pins(Lock(), jobs, Outputs(by_id=made)).bootstrap) == {jobs[0].id}


def test_where_no_toolchain_is_made_from_packages_it_is_an_error():
    pulled = tuple(replace(one, base=Base(image="example.com/rust:1")) for one in BOOK.toolchains)
    with pytest.raises(SampleError, match="toolchain-packages"):
        extend_toolchains(replace(BOOK, toolchains=pulled), [WANTS])


def test_a_crate_names_them_in_its_manifest(tmp_path):
    lines = '[package]\nname = "app"\n[package.metadata.bareboat]\ntoolchain-packages = ["libpq-dev"]\n'
    (tmp_path / "Cargo.toml").write_text(lines, encoding="utf-8")
    (tmp_path / "Cargo.lock").write_text("version = 4\n", encoding="utf-8")
    assert load_crate(tmp_path)[0].toolchain_packages == ("libpq-dev",)
    (tmp_path / "Cargo.toml").write_text(lines.replace("libpq-dev", "a; b"), encoding="utf-8")
    with pytest.raises(SampleError, match=r"toolchain-packages\.0: "):
        load_crate(tmp_path)
