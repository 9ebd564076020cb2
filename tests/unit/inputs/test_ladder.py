"""The ladder: its steps, each with all that it comes to, and the variants that they are."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import tomli

from bareboat.errors import RecipeError, SampleError, SelectionError
from bareboat.inputs import ladder
from bareboat.inputs.cargo import Cargo
from bareboat.inputs.ladder import PLAIN, choose_steps, find_step, path_to, read_ladder
from bareboat.inputs.load_samples import load_crate
from bareboat.inputs.variants import climb
from tests.unit.project import HELLO, ROOT, SAMPLES

STEPS = {step.name: step for step in read_ladder()}
WRITTEN = tomli.loads((ROOT / "bareboat" / "ladder.toml").read_text(encoding="utf-8"))["step"]


@pytest.fixture
def ladder_of(tmp_path, monkeypatch):
    """Reads a ladder of these lines."""

    def read(text):
        path = tmp_path / "ladder.toml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setattr(ladder, "_FILE", path)
        return read_ladder.__wrapped__()

    return read


def test_steps_come_in_the_order_of_the_file():
    assert list(STEPS) == [step["name"] for step in WRITTEN]


def test_a_step_has_all_that_the_steps_before_it_say():
    for name, step in STEPS.items():
        above = STEPS[step.after].cargo if step.after else Cargo()
        assert step.cargo.after(above) == step.cargo.after(Cargo()) or step.cargo != above, name
        assert set(above.settings) <= set(step.cargo.settings), name
        assert step.cargo.link_rustflags[: len(above.link_rustflags)] == above.link_rustflags, name
        assert step.cargo.rustflags[: len(above.rustflags)] == above.rustflags, name
    assert STEPS["abort"].cargo.settings == {
        "strip": "symbols",
        "opt-level": "z",
        "lto": "fat",
        "codegen-units": "1",
        "panic": "abort",
    }


def test_only_what_compiles_std_is_unstable():
    assert {name for name, step in STEPS.items() if not step.cargo.is_stable} == {
        name for name, step in STEPS.items() if step.cargo.build_std
    }


def test_what_loses_hardening_is_for_records_and_so_is_all_after_it():
    static = [name for name, step in STEPS.items() if "-Crelocation-model=static" in step.cargo.link_rustflags]
    assert {name for name, step in STEPS.items() if not step.production} == set(static)
    assert {"no-headers", "std-opt-s"} <= set(static)
    assert STEPS["packed"].production


def test_each_step_that_costs_something_says_so():
    assert [name for name, step in STEPS.items() if not step.costs] == ["std-opt-s"]


def test_the_path_to_a_step_begins_with_the_plain_program():
    assert [step.name for step in path_to(STEPS["packed"])] == [
        *("plain", "strip", "opt-z", "lto", "one-unit", "abort", "packed"),
    ]
    assert path_to(PLAIN) == (PLAIN,)
    assert find_step("nothing") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[step]]\nname = "a"\nsummary = "x"\nafter = "b"', "comes after one that stands before it"),
        ('[[step]]\nname = "a"\nsummary = "x"\n' * 2, "has a name of its own"),
        ('[[step]]\nname = "plain"\nsummary = "x"', "has a name of its own"),
        ('[[step]]\nname = "a"', "summary: is missing"),
        ('[[step]]\nname = "a"\nsummary = "x"\ncargo.setings = {}', "unknown key"),
        ("[[step]", "not TOML"),
    ],
)
def test_a_wrong_ladder_is_told_by_its_key(ladder_of, text, said):
    with pytest.raises(RecipeError, match=said):
        ladder_of(text)


def test_a_step_after_one_for_records_is_for_records(ladder_of):
    text = '[[step]]\nname = "a"\nsummary = "x"\nproduction = false\n[[step]]\nname = "b"\nafter = "a"\nsummary = "x"\n'
    assert [step.production for step in ladder_of(text)] == [False, False]


def test_steps_are_chosen_by_patterns():
    assert choose_steps((), unstable=True) == read_ladder()
    assert [step.name for step in choose_steps(("no-*",), unstable=False)] == ["no-pie", "no-tables", "no-headers"]
    assert all(step.cargo.is_stable for step in choose_steps((), unstable=False))


@pytest.mark.parametrize(
    ("pattern", "said"),
    [("stirp", r"the ladder has no step 'stirp' \(did you mean 'strip'\?\)"), ("build-std", "--no-unstable leaves")],
)
def test_a_pattern_that_chooses_nothing_is_told(pattern, said):
    with pytest.raises(SelectionError, match=said):
        choose_steps((pattern,), unstable=False)


def test_a_crate_is_compiled_by_each_step_beside_what_it_says_itself():
    crate = replace(HELLO, published=(("debian", 1),), cargo=Cargo(features=("x",), settings={"strip": "none"}))
    climbed = climb(crate)
    assert [sample.name for sample in climbed] == [f"hello-world+{name}" for name in STEPS]
    assert {sample.cargo.features for sample in climbed} == {("x",)}
    assert climbed[0].cargo.settings == {"strip": "symbols"}
    assert {sample.published for sample in climbed} == {()}
    assert {(sample.crate, sample.digest) for sample in climbed} == {(HELLO.crate, HELLO.digest)}


def test_the_smallest_sample_has_a_variant_for_each_step_and_its_own():
    own = [sample for sample in SAMPLES if sample.crate == "smallest"]
    names = [sample.name.partition("+")[2] for sample in own]
    assert names == ["", *STEPS, "no-main", "descriptor"]
    variants = dict(zip(names, own, strict=True))
    assert variants["no-main"].cargo == Cargo(features=("no-main",)).after(STEPS["std-opt-s"].cargo)
    assert all(sample.on_request for sample in own)


@pytest.fixture
def crate(tmp_path):
    folder = Path(shutil.copytree(ROOT / "rust-samples" / "hello-world", tmp_path / "app"))

    def load(table):
        text = f'[package]\nname = "app"\n[package.metadata.bareboat]\n{table}\n'
        (folder / "Cargo.toml").write_text(text, encoding="utf-8")
        return load_crate(folder)

    return load


def test_a_variant_may_begin_with_a_step(crate):
    _, variant = crate('variants = [{ name = "a", step = "abort", cargo.settings.opt-level = "3" }]')
    assert variant.cargo.settings == {**STEPS["abort"].cargo.settings, "opt-level": "3"}


def test_a_program_without_a_c_library_says_so_for_itself_or_a_variant(crate):
    plain, variant = crate('libc = "none"\nvariants = [{ name = "a" }]')
    assert (plain.libc, variant.libc) == ("none", "none")
    plain, variant = crate('variants = [{ name = "a", libc = "none" }]')
    assert (plain.libc, variant.libc) == (None, "none")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            'variants = [{ name = "a", step = "stirp" }]',
            r"variants\.0\.step: the ladder has no step 'stirp' \(did you mean 'strip'\?\)",
        ),
        (
            'ladder = true\nvariants = [{ name = "lto" }]',
            r"variants\.0\.name: 'lto' is the variant of the ladder's step of that name",
        ),
        (
            'cargo.build_std_features = ["optimize_for_size"]',
            r"bareboat\.cargo\.build_std_features: are of a std that is compiled too",
        ),
        (
            'variants = [{ name = "a", step = "abort", cargo.build_std_features = ["optimize_for_size"] }]',
            r"variants\.0\.cargo\.build_std_features: are of a std that is compiled too",
        ),
        ('cargo.settings.optlevel = "z"', "unknown key|is not one of"),
        ('cargo.settings.opt-level = "z; rm"', "does not have the form"),
        ('cargo.build_std = ["std;"]', "does not have the form"),
        ('libc = "musl"', "is not one of|input should be"),
    ],
)
def test_a_wrong_key_is_one_clear_problem(crate, table, said):
    with pytest.raises(SampleError, match=said) as caught:
        crate(table)
    assert len(str(caught.value).splitlines()) == 1


def test_features_of_std_may_be_given_where_the_step_compiles_it(crate):
    _, variant = crate('variants = [{ name = "a", step = "build-std", cargo.build_std_features = ["x"] }]')
    assert variant.cargo.build_std_features == ("x",)
