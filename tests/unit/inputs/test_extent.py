"""Crates that name folders outside of their own: which are sources, where they are seen, and what is in the key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.inputs.crate_files import read_sources, source_digest, source_files
from bareboat.inputs.extent import Extent, find_extent, nothing_ignored
from bareboat.inputs.load_samples import load_crate
from bareboat.make.sources import sync_sources
from bareboat.plan.containerfile import compile_stages
from tests.unit.inputs.crates import write
from tests.unit.project import plan_of

APP = '[package]\nname = "app"\nversion = "0.1.0"\n[dependencies]\n'
LIBRARY = '[package]\nname = "shared"\nversion = "0.1.0"\n'
LOCK = 'version = 4\n[[package]]\nname = "app"\nversion = "0.1.0"\n'


def write_app(folder, dependencies, **more):
    contents = {"Cargo.toml": APP + dependencies, "Cargo.lock": LOCK, "src/main.rs": "fn main() {}\n"}
    return write(folder, {**contents, **more})


def beside(folder):
    return find_extent(folder, nothing_ignored).beside


@pytest.mark.parametrize(
    "named",
    [
        'shared = { path = "../libs/shared" }',
        '[build-dependencies]\nshared = { path = "../libs/./shared/" }',
        '[dev-dependencies]\nshared = { path = "../libs/shared" }',
        '[dependencies.shared]\npath = "../libs/shared"',
        "[target.'cfg(unix)'.dependencies]\nshared = { path = '../libs/shared' }",
        '[patch.crates-io]\nshared = { path = "../libs/shared" }',
        'shared.workspace = true\n[workspace.dependencies]\nshared = { path = "../libs/shared" }',
        'shared = { path = "linked" }',
        'inner = { path = "inner" }',
        '[workspace]\nmembers = ["in*"]',
    ],
)
def test_wherever_a_manifest_names_a_package_outside_it_is_found(tmp_path, named):
    inner = '[package]\nname = "inner"\nversion = "0.1.0"\n[dependencies]\nshared = { path = "../../libs/shared" }\n'
    app = write_app(tmp_path / "app", named, **{"inner/Cargo.toml": inner})
    write(tmp_path / "libs" / "shared", {"Cargo.toml": LIBRARY})
    (app / "linked").symlink_to("../libs/shared")
    assert beside(app) == ("../libs/shared",)


@pytest.mark.parametrize(
    "named",
    ['x = { path = "in" }', 'x = { path = "../gone" }', 'x = { path = "/etc" }', "x = { path = 1 }", 'x = "1"', "x = 1",
     'x = { path = "a\\u0000" }', "x.workspace = true", "[target]\nx = 1", 'x = { path = "loop" }'],
)  # fmt: skip
def test_what_names_no_package_outside_is_passed_over(tmp_path, named):
    app = write_app(tmp_path / "app", named, **{"in/Cargo.toml": LIBRARY})
    (app / "loop").symlink_to("loop")
    assert beside(app) == ()


def test_a_package_is_followed_to_what_it_needs_and_its_tests_do_not(tmp_path):
    app = write_app(tmp_path / "a" / "app", 'one = { path = "../../libs/one" }')
    write(
        tmp_path / "libs",
        {
            "Cargo.toml": '[workspace]\nmembers = ["one"]\n[workspace.dependencies]\ntwo = { path = "two" }\n',
            "one/Cargo.toml": LIBRARY + '[dependencies]\ntwo.workspace = true\n[dev-dependencies]\n'
            'tests = { path = "../tests" }\n',
            "two/Cargo.toml": LIBRARY,
            "tests/Cargo.toml": LIBRARY,
        },
    )  # fmt: skip
    assert beside(app) == ("../../libs/Cargo.toml", "../../libs/one", "../../libs/two")


def test_a_container_sees_what_is_named_at_the_same_places_and_nothing_else(tmp_path):
    app = write_app(tmp_path / "a" / "app", 'shared = { path = "../../libs/shared" }', **{"target/x": ""})
    write(tmp_path / "libs" / "shared", {"Cargo.toml": LIBRARY, "src/lib.rs": "", "target/x": "", "x.log": ""})
    write(tmp_path, {"secret": "", "a/secret": "", "libs/other/Cargo.toml": LIBRARY})
    extent = find_extent(app, lambda folder: ["x.log"] if folder.name == "shared" else [])
    assert (extent.root(app), extent.place(app)) == (tmp_path, "a/app")
    assert extent.parts(app) == ("a/app", "libs/shared")
    found = [str(path.relative_to(tmp_path)) for path in source_files(app, extent)]
    assert found == [
        "a/app/Cargo.lock",
        "a/app/Cargo.toml",
        "a/app/src/main.rs",
        "libs/shared/Cargo.toml",
        "libs/shared/src/lib.rs",
    ]


def test_a_crate_may_lie_in_the_package_that_it_needs(tmp_path):
    write(tmp_path, {"Cargo.toml": LIBRARY, "src/lib.rs": "", "target/x": "", "fuzz/corpus/x": ""})
    fuzz = write_app(tmp_path / "fuzz", 'shared = { path = ".." }', **{"target/x": ""})
    extent = find_extent(fuzz, lambda folder: ["corpus"] if folder == fuzz else ["fuzz"])
    assert (extent.root(fuzz), extent.place(fuzz), extent.parts(fuzz)) == (tmp_path, "fuzz", ("",))
    found = {str(path.relative_to(tmp_path)) for path in source_files(fuzz, extent)}
    assert found == {"Cargo.toml", "src/lib.rs", "fuzz/Cargo.toml", "fuzz/Cargo.lock", "fuzz/src/main.rs"}


def test_its_copy_has_its_digest_and_a_change_beside_it_is_another(tmp_path):
    app = write_app(tmp_path / "app", 'shared = { path = "../shared" }')
    write(tmp_path / "shared", {"Cargo.toml": LIBRARY, "src/lib.rs": "// old\n"})
    (sample,), copy = load_crate(app), tmp_path / "copy"
    sync_sources(sample, copy)
    assert source_digest(copy) == sample.digest
    assert (copy / "app" / "src" / "main.rs").is_file()
    assert (copy / "shared" / "src" / "lib.rs").is_file()
    write(tmp_path / "shared", {"src/lib.rs": "// new\n"})
    assert load_crate(app)[0].digest != sample.digest
    # It is read from the copy as well: so it is for a crate that gets its lock there.
    assert read_sources(copy / "app", "app", sample.extent).value == sample.digest


def test_the_containerfile_copies_each_part_and_works_in_the_crates_folder(tmp_path):
    app = write_app(tmp_path / 'my $app "ü"', 'shared = { path = "../shared" }')
    write(tmp_path / "shared", {"Cargo.toml": LIBRARY})
    (sample,) = load_crate(app)
    (cell,) = plan_of("scratch-musl", samples=(sample,)).cells
    lines = compile_stages(cell.program, "toolchain").splitlines()
    assert lines[1:5] == [
        "WORKDIR /src",
        'COPY ["my \\\\$app \\"ü\\"", "my \\\\$app \\"ü\\""]',
        'COPY ["shared", "shared"]',
        'WORKDIR /src/my \\$app "ü"',
    ]
    assert any("find /src -type f" in line for line in lines)


def test_a_crate_by_itself_is_compiled_where_it_always_was(tmp_path):
    (sample,) = load_crate(write_app(tmp_path / "app", ""))
    assert (sample.extent, sample.source_folder) == (Extent(), "/src")
    (cell,) = plan_of("scratch-musl", samples=(sample,)).cells
    assert compile_stages(cell.program, "t").splitlines()[1:3] == ["WORKDIR /src", "COPY . ."]
    named = replace(sample, extent=Extent(ignored=frozenset({"x"})))
    (other,) = plan_of("scratch-musl", samples=(named,)).cells
    assert compile_stages(other.program, "t") == compile_stages(cell.program, "t")
