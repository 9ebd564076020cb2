"""Explanations of stored results and of archives; no engine is asked."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from bareboat.commands.explain import ExplainOptions, print_explanation
from bareboat.commands.project import Project
from bareboat.errors import BareboatError, SelectionError
from bareboat.result.store import save
from bareboat.result.values import Failed, ManifestRow
from bareboat.system.process import Processes
from tests.unit.elf_builder import ET_EXEC, build_elf
from tests.unit.image_builder import entry, make_config, make_layer, write_docker_archive, write_oci_archive
from tests.unit.project import ROOT
from tests.unit.report.example_results import result

PROGRAM = build_elf(kind=ET_EXEC, interpreter=None, has_dynamic=False)
PANIC = "thread 'main' panicked at src/main.rs:3:5:\ncannot read /usr/share/zoneinfo/UTC: NotFound\n"


@pytest.fixture(autouse=True)
def _folders(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def explain(tmp_path):
    def answer(what, *results, **more):
        for one in results:
            save(one, tmp_path / "results" / "host")
        options = ExplainOptions(what=what, results=tmp_path / "results", **more)
        return print_explanation(Project(root=ROOT), options, Processes(), io.StringIO())

    return answer


def row(path, size):
    return ManifestRow(
        path=path, kind="directory", size_bytes=size, mode="0755", source="", package="", version="", why=""
    )


def test_a_failed_cell_is_told_with_its_cure_and_what_that_weighs(explain):
    failed = Failed(stage="run", reason="exit code 101, not 0", detail=PANIC)
    # A sample's program says the same as one of the user's own, and its manifest shows that no zones are there.
    bare = replace(result("scratch-musl", outcome=failed, size=400_000), manifest=(row("/app", 1),))
    whole = replace(result("scratch-musl-net", size=1_700_000), manifest=(row("/usr/share/zoneinfo/", 1_200_000),))
    text, code = explain("hello-world@scratch-musl", bare, whole)
    assert code == 0
    assert "The program's own code asked for it: it panicked at src/main.rs:3:5: cannot read" in text
    assert "Provision 'tz' brings it aboard, about 1.2 MB" in text
    assert 'with = { scratch-musl = ["tz"] }' in text
    assert "The same program works on scratch-musl-net (1.7 MB, 1.3 MB more)." in text


def test_what_is_aboard_is_not_what_a_program_lacks(explain):
    failed = Failed(stage="run", reason="exit code 101, not 0", detail=PANIC)
    zones = (row("/usr/share/zoneinfo/", 1),)
    text, _ = explain("hello-world@scratch-musl", replace(result("scratch-musl", outcome=failed), manifest=zones))
    assert "Provision" not in text


def test_a_compile_that_failed_is_told_as_todays_bareboat_does(explain):
    log = "cargo does not compile it:\n  cannot find -lpq\n"
    failed = Failed(stage="compile", reason="error: linking failed", detail=log)
    text, _ = explain("hello-world@debian", result("debian", outcome=failed))
    assert "failed at compile: the toolchain lacks library pq: package libpq-dev has it." in text
    assert '    toolchain-packages = ["libpq-dev"]' in text
    assert "cannot find -lpq" in text


def test_a_cell_that_was_not_measured_is_told_with_the_command_that_does_it(explain):
    with pytest.raises(SelectionError, match="`invoke build-matrix --sample hello-world --recipe debian` measures it"):
        explain("hello-world@debian")
    with pytest.raises(SelectionError, match=r"no such recipe: debin \(did you mean 'debian'\?\)"):
        explain("hello-world@debin")
    with pytest.raises(SelectionError, match=r"no such sample: helo-world \(did you mean 'hello-world'\?\)"):
        explain("helo-world@debian")


@pytest.mark.starts_processes("git says what it ignores in a crate of the user's own")
def test_of_a_crate_of_ones_own_the_recipe_alone_is_a_cell(explain):
    crate = ROOT / "rust-samples" / "hello-world"
    assert explain("debian", result("debian", size=1), crate=crate)[0].startswith("hello-world@debian works")
    with pytest.raises(SelectionError, match=r"`invoke build-matrix --crate .*hello-world --recipe alpine` measures"):
        explain("alpine", crate=crate)


@pytest.mark.parametrize("write", [write_docker_archive, write_oci_archive])
@pytest.mark.parametrize("mode", [0o755, 0o644])
def test_an_archive_says_whether_its_program_starts(explain, tmp_path, monkeypatch, write, mode):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    layer = make_layer(entry("app", PROGRAM, mode=mode))
    archive = write(tmp_path / "x.tar", layer, config=make_config([layer], config={"Entrypoint": ["/app"]}))
    kind = "docker" if write is write_docker_archive else "oci"
    text, code = explain(f"{kind}-archive:{archive}")
    assert code == (0 if mode == 0o755 else 1)
    assert ("may not execute /app" in text) is (code == 1)
    assert explain(str(archive))[1] == code


def test_an_archive_that_is_none_is_an_error(explain, tmp_path):
    with pytest.raises(BareboatError, match=r"gone\.tar"):
        explain(f"oci-archive:{tmp_path / 'gone.tar'}")
    (tmp_path / "x.tar").write_bytes(b"x" * 1024)
    with pytest.raises(BareboatError, match=r"x\.tar"):
        explain(str(tmp_path / "x.tar"))
