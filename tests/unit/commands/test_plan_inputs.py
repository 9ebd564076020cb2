"""What a command plans with: the mistakes of recipes and samples are told together."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bareboat.commands.plan_inputs import kept_results, load_project, sample_names
from bareboat.commands.project import Project
from bareboat.errors import RecipeError, SampleError
from bareboat.inputs.cargo_metadata import Choice
from bareboat.inputs.load_samples import enable
from tests.unit.project import ROOT


@pytest.fixture
def project(tmp_path):
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    shutil.copytree(ROOT / "rust-samples" / "hello-world", tmp_path / "rust-samples" / "hello-world")
    for path in (tmp_path / "recipes").glob("*.toml"):
        if "\nsamples =" in path.read_text(encoding="utf-8"):
            path.unlink()
    return Project(root=tmp_path)


def append(path, text):
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_a_recipe_may_name_the_projects_samples_alone(project):
    book, samples = load_project(project)
    assert [sample.name for sample in samples] == ["hello-world"]
    alpine = project.recipes / "alpine.toml"
    alpine.write_text('samples = ["helo-*"]\n' + alpine.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"alpine\.toml: samples: no sample matches 'helo-\*'"):
        load_project(project)
    # Of another crate in their place nothing is known of the samples that recipes name.
    assert len(load_project(project, ROOT / "rust-samples" / "hello-world")[0].recipes) == len(book.recipes)


def test_mistakes_of_recipes_and_samples_are_told_together(project):
    append(project.recipes / "alpine.toml", "\n[compyle]\n")
    append(project.samples / "hello-world" / "Cargo.toml", "\n[package.metadata.bareboat.expct]\n")
    with pytest.raises(RecipeError) as caught:
        load_project(project)
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "alpine.toml",
        "rust-samples/hello-world/Cargo.toml",
    ]
    assert sample_names(project) is None


def test_a_provision_that_a_sample_wants_is_there(project):
    append(
        project.samples / "hello-world" / "Cargo.toml", '\n[package.metadata.bareboat.with]\n"scratch-*" = ["cert"]\n'
    )
    with pytest.raises(SampleError, match=r"no such provision: 'cert' \(did you mean 'certs'\?\)"):
        load_project(project)


def test_results_are_kept_by_folder_and_in_nobodys(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    project = Project(root=tmp_path / "project")
    first, second = (tmp_path / folder / "app" for folder in "ab")
    # What one crate lacks is nothing to another of its name.
    assert len({kept_results(project, folder) for folder in (first, second, None)}) == 3
    assert {kept_results(project, folder).parent for folder in (first, None)} == {tmp_path / "state/bareboat/results"}
    monkeypatch.chdir(tmp_path)
    assert kept_results(project, Path("a/app")) == kept_results(project, first)


@pytest.mark.parametrize("choice", [Choice(package="a"), Choice(binary="a"), Choice(all_binaries=True)])
def test_who_chooses_of_a_crate_names_one(choice):
    with pytest.raises(SampleError, match="--crate FOLDER"):
        load_project(Project(root=ROOT), None, choice)
    assert load_project(Project(root=ROOT), None, Choice())


def test_features_are_enabled_beside_those_that_a_crate_names(project):
    samples = load_project(project, ROOT / "rust-samples" / "webserver")[1]
    enabled = enable(samples, "a,dep/b,,a")
    for before, after in zip(samples, enabled, strict=True):
        assert after.cargo.features == (*before.cargo.features, "a", "dep/b")
    with pytest.raises(SampleError, match=r"^--features --all: that is no name of a feature$"):
        enable(samples, "--all")
