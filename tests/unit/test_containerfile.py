"""Every shipped recipe's Containerfile, to the letter.

BAREBOAT_RENEW_GOLDEN=1 pytest tests/unit/test_containerfile.py writes tests/unit/golden/ anew: read the difference.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bareboat.containerfile import CA_SECRET, CARGO_SECRET, compile_stages, render, shipped_stage
from bareboat.plan import PLATFORMS, Selection, make_plan
from bareboat.recipe import load_recipes
from bareboat.sample import load_samples

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("golden")
CELLS = {
    cell.recipe.name: cell
    for cell in make_plan(
        load_recipes(ROOT / "recipes"),
        load_samples(ROOT / "rust-samples"),
        Selection(samples=("hello-world",)),
        source="bootstrap",
        platform=PLATFORMS["x86_64"],
    ).cells
}


@pytest.mark.parametrize("name", sorted(CELLS))
def test_a_recipes_containerfile_is_the_golden_one(name):
    cell, path = CELLS[name], GOLDEN / f"{name}.containerfile"
    text = render(cell, cell.program.toolchain.reference, cell.base.reference if cell.base else "scratch")
    if os.environ.get("BAREBOAT_RENEW_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_there_is_a_golden_file_for_each_recipe_and_no_other():
    assert {path.stem for path in GOLDEN.iterdir()} == set(CELLS)


@pytest.mark.parametrize("name", sorted(CELLS))
def test_target_and_linkage_are_always_said(name):
    program = CELLS[name].program
    text = compile_stages(program, "toolchain")
    sign = "+" if program.crt == "static" else "-"
    assert f"--target {program.target} " in text
    assert f"target-feature={sign}crt-static" in text
    assert "--locked --offline" in text


def test_crates_are_fetched_in_a_stage_of_their_own_with_the_hosts_files_for_that_step_alone():
    program = CELLS["scratch-glibc"].program
    text = compile_stages(replace(program, sample=replace(program.sample, needs_crates=True)), "toolchain")
    fetching, compiling = text.split("FROM crates AS compile\n")
    assert fetching.startswith("FROM toolchain AS crates\n")
    for secret in (CA_SECRET, CARGO_SECRET):
        assert f"type=secret,id={secret}" in fetching
        assert secret not in compiling
    assert "cargo --config /crates/vendor.toml build" in compiling


def test_odd_names_and_values_are_quoted():
    cell = CELLS["scratch-glibc"]
    odd = replace(cell.program.sample, binary="my app")
    assert "--bin 'my app'" in compile_stages(replace(cell.program, sample=odd), "toolchain")
    runtime = replace(cell.recipe.runtime, env={"GREETING": 'say "hi" $HOME'})
    stage = shipped_stage(replace(cell, recipe=replace(cell.recipe, runtime=runtime)), "scratch")
    assert 'ENV GREETING="say \\"hi\\" ' in stage
