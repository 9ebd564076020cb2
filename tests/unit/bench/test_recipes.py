"""What the peers are given to build: hand-written Containerfiles, crates, and the change of one line."""

from __future__ import annotations

import tomllib

import pytest

CONTAINERFILE = """\
FROM localhost/bareboat/toolchain/gnu:bootstrap AS build
WORKDIR /src/bareboat-bench
COPY . .
RUN --mount=type=cache,id=mine-x86_64-unknown-linux-gnu-dynamic,target=/target,sharing=locked \\
    RUSTFLAGS='-C target-feature=-crt-static' CARGO_TARGET_DIR=/target cargo build --profile release --locked \
--offline --target x86_64-unknown-linux-gnu --bin hello && \\
    cp /target/x86_64-unknown-linux-gnu/release/hello /hello

FROM localhost/bareboat/base/debian-slim:bootstrap
COPY --from=build /hello /hello
USER 65532:65532
ENTRYPOINT ["/hello"]
"""


def test_a_containerfile_compiles_as_bareboat_does_and_keeps_what_cargo_compiled(beside):
    recipes = beside("recipes")
    (cell,) = recipes.plain_cells(["debian-slim"])
    assert recipes.write_containerfile("hello", cell, cache="mine") == CONTAINERFILE


def test_cells_that_compile_alike_have_one_compile_stage(beside):
    recipes = beside("recipes")
    texts = [recipes.write_containerfile("hello", cell, cache="mine") for cell in recipes.plain_cells(recipes.SEVEN)]
    assert len(texts) == 7
    assert len({text.partition("\n\n")[0] for text in texts}) == 3


@pytest.mark.parametrize("kind", ["HELLO", "DEPENDENT"])
def test_a_change_of_the_text_reaches_the_program_and_what_is_expected_of_it(beside, tmp_path, kind):
    crate = getattr(beside("crates"), kind)
    for text in ("one", "two"):
        crate.write(tmp_path, "hello", text)
        manifest = tomllib.loads((tmp_path / "Cargo.toml").read_text())
        assert manifest["package"]["metadata"]["bareboat"]["expect"]["stdout"] == f"{text}\n"
        assert any(f'"{text}"' in file.read_text() for file in tmp_path.rglob("*.rs"))


def test_a_dependency_goes_up_by_a_version(beside, tmp_path):
    crate = beside("crates").DEPENDENT
    versions = []
    for text in ("one", "two"):
        crate.write(tmp_path, "hello", text)
        locked = tomllib.loads((tmp_path / "Cargo.lock").read_text())
        versions += [one["version"] for one in locked["package"] if one["name"] == "greeting"]
    assert versions == ["0.1.0", "0.1.1"]


def test_what_is_written_already_keeps_its_time(beside, tmp_path):
    file = tmp_path / "folder" / "file"
    put = beside("crates").put
    put(file, "text")
    before = file.stat().st_mtime_ns
    put(file, "text")
    assert file.stat().st_mtime_ns == before


def test_the_webservers_text_is_in_its_program_and_its_manifest_stays(beside, tmp_path):
    crate = beside("service").WEBSERVER
    manifests = []
    for text in ("one", "two"):
        crate.write(tmp_path / "crate", crate.name, text)
        assert f'"{text} {{}} tls' in (tmp_path / "crate" / "src" / "features.rs").read_text()
        manifests.append((tmp_path / "crate" / "Cargo.toml").read_text())
    assert manifests[0] == manifests[1]
    package = tomllib.loads(manifests[0])["package"]
    assert package["name"] == crate.name == "bareboat-bench-webserver"
    assert package["metadata"]["bareboat"]["expect"] == {"arguments": ["--check"]}


def test_the_crates_that_a_lock_names_are_told_from_others(beside, tmp_path):
    lock = tmp_path / "Cargo.lock"
    lock.write_text('[[package]]\nname = "own"\n[[package]]\nname = "hyper"\nsource = "registry"\n')
    for path in ("crates/a/vendor/ring", "crates/b/vendor/hyper", "crates/cargo"):
        (tmp_path / path).mkdir(parents=True)
    assert beside("service").find_crates(tmp_path / "crates", lock).name == "b"
