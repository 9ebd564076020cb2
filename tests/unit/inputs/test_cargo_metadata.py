"""Which program of a workspace is meant, by what cargo says of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tomli

from bareboat.errors import SampleError
from bareboat.inputs.cargo_metadata import Choice, choose_programs, find_workspace, read_metadata, root_source
from bareboat.inputs.load_samples import load_crate
from bareboat.inputs.manifest import names_one_program

HERE = Path("/home/me/work")


def package(name, *programs, place="", source="x", **more):
    targets = [{"name": program, "kind": ["bin"], "src_path": source} for program in programs]
    targets.append({"name": name, "kind": ["lib"], "src_path": "x"})
    path = f"/src/{place or name}/Cargo.toml".replace("/./", "/")
    return {"name": name, "manifest_path": path, "targets": targets, "version": "1.0.0", **more}


def said(*packages, root="/src"):
    line = json.dumps({"packages": packages, "workspace_root": root, "version": 1})
    return read_metadata(f"warning: of something\n{line}\n", "/src", HERE)


def chosen(metadata, folder=HERE, **choice):
    return [(one.name, one.package.name, one.binary) for one in choose_programs(metadata, folder, Choice(**choice))]


TWO = said(package("server", "server", "tool"), package("shared"))


def test_paths_are_those_of_this_machine():
    assert TWO.workspace_root == HERE
    assert TWO.packages[0].manifest_path == HERE / "server" / "Cargo.toml"


def test_the_root_source_of_a_program_is_where_cargo_saw_it():
    two = said(package("a", "x", source="/src/a/src/main.rs"), package("b", "x", "y", source="/src/b/src/bin/x.rs"))
    assert root_source(two, "b", "x") == Path("/src/b/src/bin/x.rs")
    assert root_source(two, "", "x") == Path("/src/a/src/main.rs")
    assert root_source(two, "a", "y") is root_source(two, "", "b") is None


def test_the_only_program_is_meant_wherever_the_user_stands():
    one = said(package("cli", "cli"), package("shared"))
    assert chosen(one) == [("cli", "cli", "cli")]
    assert chosen(one, HERE / "cli") == [("cli", "cli", "cli")]


def test_where_cargo_run_would_ask_the_user_is_asked():
    with pytest.raises(SampleError, match=r"which program of 'server'\? .*--bin.*--all-bins; there are server, tool"):
        chosen(TWO)
    with pytest.raises(SampleError, match=r"which package\? .*--package; .* are a, b"):
        chosen(said(package("a", "a"), package("b", "b")))


def test_a_program_is_named_by_its_package_too_where_it_is_one_of_several():
    assert chosen(TWO, binary="tool") == [("server-tool", "server", "tool")]
    assert chosen(TWO, all_binaries=True) == [("server", "server", "server"), ("server-tool", "server", "tool")]
    assert chosen(said(package("crate-x", "x"))) == [("crate-x", "crate-x", "x")]


def test_the_default_program_is_the_one_that_cargo_run_takes():
    assert chosen(said(package("a", "b", "c", default_run="c"))) == [("a-c", "a", "c")]


def test_a_program_is_found_in_whichever_package_has_it():
    several = said(package("a", "x"), package("b", "y"))
    assert chosen(several, binary="y") == [("b", "b", "y")]
    assert chosen(several, package="a") == [("a", "a", "x")]
    assert chosen(several, HERE / "b") == [("b", "b", "y")]


@pytest.mark.parametrize(
    ("folder", "choice", "words"),
    [
        (HERE, {"package": "servr"}, r"--package servr: no such package \(did you mean 'server'\?\)"),
        (HERE / "server", {"binary": "tol"}, r"--bin tol: no such program \(did you mean 'tool'\?\)"),
        (HERE, {"binary": "none"}, r"--bin none: no such program \(there are: server, tool\)"),
        (HERE, {"package": "shared"}, "package 'shared' is a library"),
        (HERE / "shared", {}, "package 'shared' is a library"),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(folder, choice, words):
    with pytest.raises(SampleError, match=words):
        chosen(TWO, folder, **choice)


def test_a_library_at_the_root_is_not_what_is_meant():
    assert chosen(said(package("lib", place="."), package("cli", "cli"))) == [("cli", "cli", "cli")]
    with pytest.raises(SampleError, match="'lib' is a library"):
        chosen(said(package("lib", place=".")))


@pytest.mark.parametrize("name", ["a b", "../x", "-x", "x;y", "$(x)"])
def test_a_program_whose_name_an_image_cannot_have_is_refused(name):
    with pytest.raises(SampleError, match="is no name of a program"):
        chosen(said(package("a", name)))


@pytest.mark.parametrize("words", ["", "error: no", "{", '{"packages": 3}'])
def test_what_is_no_metadata_is_cargos_own_words(words):
    with pytest.raises(SampleError, match="cargo says of /home/me/work"):
        read_metadata(words, "/src", HERE)


@pytest.fixture
def workspace(tmp_path):
    for name in ("server", "shared"):
        (tmp_path / name / "src").mkdir(parents=True)
        (tmp_path / name / "Cargo.toml").write_text(f'[package]\nname = "{name}"\n', encoding="utf-8")
    (tmp_path / "Cargo.toml").write_text("[workspace]\nmembers = ['*']\n", encoding="utf-8")
    (tmp_path / "Cargo.lock").write_text("version = 4\n", encoding="utf-8")
    return tmp_path


class Asked:
    """Cargo, which is asked once, or not at all."""

    def __init__(self, *packages, root="/src", locked=None):
        self.packages, self.root, self.locked, self.questions = packages, root, locked, []

    def tell(self, workspace, place):
        self.questions.append((workspace, place))
        return read_metadata(json.dumps({"packages": self.packages, "workspace_root": self.root}), "/src", workspace)

    def lock(self, workspace):
        assert self.locked, f"{workspace} has a lock"
        self.questions.append(workspace)
        return self.locked


def test_a_member_is_compiled_in_the_folder_of_its_workspace(workspace):
    cargo = Asked(package("server", "server", "tool"))
    (sample,) = load_crate(workspace / "server", Choice(binary="tool"), lambda: cargo)
    assert cargo.questions == [(workspace, workspace / "server")]
    assert (sample.name, sample.package, sample.binary) == ("server-tool", "server", "tool")
    assert (sample.folder, sample.stands_alone, sample.own) == (workspace, False, True)
    assert sample.package_option == ("--package=server",)
    before = sample.digest
    (workspace / "shared" / "src" / "lib.rs").write_text("// what the member depends on", encoding="utf-8")
    assert load_crate(workspace / "server", Choice(binary="tool"), lambda: cargo)[0].digest != before


def test_cargo_is_not_asked_where_the_manifest_names_one_program(workspace):
    (workspace / "Cargo.toml").unlink()
    (workspace / "server" / "Cargo.lock").write_text("version = 4\n", encoding="utf-8")
    (workspace / "server" / "src" / "main.rs").touch()
    assert find_workspace(workspace / "server") is None
    cargo = Asked(package("server", "server", place="."))
    (sample,) = load_crate(workspace / "server", None, lambda: cargo)
    assert (sample.name, sample.package, sample.binary) == ("server", "", "server")
    load_crate(workspace / "server", Choice(all_binaries=True), lambda: cargo)
    assert cargo.questions == []
    load_crate(workspace / "server", Choice(binary="server"), lambda: cargo)
    (workspace / "server" / "src" / "bin").mkdir()
    load_crate(workspace / "server", None, lambda: cargo)
    assert cargo.questions == [(workspace / "server", workspace / "server")] * 2


@pytest.mark.parametrize("member", [False, True])
def test_a_crate_without_a_lock_is_compiled_in_a_copy_that_has_one(workspace, member):
    (workspace / "server" / "src" / "main.rs").touch()
    if not member:
        (workspace / "Cargo.toml").unlink()
    (workspace / "Cargo.lock").unlink()
    root = workspace if member else workspace / "server"
    copy = workspace / "copy"
    shutil.copytree(workspace / "server", copy / "server" if member else copy)
    (copy / "Cargo.lock").write_text("version = 4\n", encoding="utf-8")
    cargo = Asked(package("server", "server"), locked=copy)
    (sample,) = load_crate(workspace / "server", None, lambda: cargo)
    assert cargo.questions == [root, *([(copy, copy / "server")] if member else [])]
    assert (sample.folder, sample.name) == (copy, "server")
    with pytest.raises(SampleError, match="generate-lockfile"):
        load_crate(workspace / "server")


@pytest.mark.parametrize(
    ("manifest", "files", "one"),
    [
        ("", ["src/main.rs"], True),
        ("", [], False),
        ("", ["src/main.rs", "src/bin/b.rs"], False),
        ('[[bin]]\nname = "a"\npath = "src/main.rs"', ["src/main.rs"], True),
        ('[[bin]]\nname = "a"', ["src/main.rs"], False),
        ('[[bin]]\nname = "a"\npath = "a.rs"', [], True),
        ('[[bin]]\nname = "a"\n[[bin]]\nname = "b"', [], False),
    ],
)
def test_it_is_told_where_a_manifest_names_one_program(tmp_path, manifest, files, one):
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    read = tomli.loads(f'[package]\nname = "p"\n{manifest}')
    assert names_one_program(read, tmp_path) is one
    default = tomli.loads(f'[package]\nname = "p"\ndefault-run = "b"\n{manifest}')
    assert names_one_program(default, tmp_path)
    assert names_one_program(default, tmp_path, by_default=False) is one
