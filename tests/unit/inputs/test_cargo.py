"""How cargo is told to compile: options, variables, and one way after another."""

from __future__ import annotations

from dataclasses import fields

import pytest

from bareboat.inputs.cargo import Cargo

FIRST = Cargo(
    features=("a", "b"),
    default_features=False,
    profile="small",
    settings={"strip": "symbols", "opt-level": "z"},
    env={"A": "1", "B": "1"},
    rustflags=("-Zone",),
    link_rustflags=("-Clink-arg=-one",),
    linker_script="ONE",
    build_std=("std",),
    build_std_features=("one",),
    objcopy=("--one",),
)


@pytest.mark.parametrize(
    ("cargo", "options"),
    [
        (Cargo(), "--profile release"),
        (Cargo(profile="small"), "--profile small"),
        (
            Cargo(features=("a", "b/c"), default_features=False),
            "--profile release --no-default-features --features a,b/c",
        ),
        (Cargo(build_std=("std", "panic_abort")), "--profile release -Zbuild-std=std,panic_abort"),
        (
            Cargo(build_std=("std",), build_std_features=("optimize_for_size",)),
            "--profile release -Zbuild-std=std -Zbuild-std-features=optimize_for_size",
        ),
    ],
)
def test_options_are_those_of_cargo_build(cargo, options):
    assert " ".join(cargo.options) == options


def test_other_commands_are_told_features_and_no_more():
    assert FIRST.feature_options == ("--no-default-features", "--features", "a,b")


@pytest.mark.parametrize(
    ("cargo", "variables"),
    [
        (Cargo(), {}),
        (Cargo(settings={"opt-level": "z"}), {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "z"}),
        (
            Cargo(profile="very-small", settings={"codegen-units": "1"}),
            {"CARGO_PROFILE_VERY_SMALL_CODEGEN_UNITS": "1"},
        ),
        (Cargo(build_std=("std",)), {"RUSTC_BOOTSTRAP": "1"}),
        # What a crate says itself is the last word.
        (
            Cargo(settings={"lto": "fat"}, env={"CARGO_PROFILE_RELEASE_LTO": "thin", "X": "y"}),
            {"CARGO_PROFILE_RELEASE_LTO": "thin", "X": "y"},
        ),
    ],
)
def test_settings_are_variables_as_cargo_reads_them(cargo, variables):
    assert cargo.variables == variables


def test_a_compiler_is_stable_unless_it_is_asked_for_what_is_not():
    assert Cargo(rustflags=("-Copt-level=3",), linker_script="x", objcopy=("-S",)).is_stable
    assert not Cargo(build_std=("std",)).is_stable
    assert not Cargo(env={"RUSTC_BOOTSTRAP": "1"}).is_stable


def test_what_says_nothing_leaves_all_as_it_was_and_the_other_way_round():
    assert Cargo().after(FIRST) == FIRST
    assert FIRST.after(Cargo()) == FIRST


def test_the_later_of_two_ways_has_the_last_word_where_only_one_can_be_had():
    later = Cargo(
        features=("b", "c"),
        profile="tiny",
        settings={"opt-level": "s", "lto": "fat"},
        env={"B": "2"},
        rustflags=("-Ztwo",),
        link_rustflags=("-Clink-arg=-two",),
        linker_script="TWO",
        build_std=("core",),
        build_std_features=("two",),
        objcopy=("--two",),
    )
    assert later.after(FIRST) == Cargo(
        features=("a", "b", "c"),
        default_features=False,
        profile="tiny",
        settings={"strip": "symbols", "opt-level": "s", "lto": "fat"},
        env={"A": "1", "B": "2"},
        rustflags=("-Zone", "-Ztwo"),
        link_rustflags=("-Clink-arg=-one", "-Clink-arg=-two"),
        linker_script="TWO",
        build_std=("core",),
        build_std_features=("two",),
        objcopy=("--one", "--two"),
    )


@pytest.mark.parametrize("name", [field.name for field in fields(Cargo)])
def test_no_field_is_lost_on_the_way_down(name):
    told = Cargo(**{name: getattr(FIRST, name)})
    assert getattr(Cargo().after(told), name) == getattr(told.after(Cargo()), name) == getattr(FIRST, name)
