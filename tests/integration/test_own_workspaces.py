"""Crates of a user as cargo sees them: folders beside them, what git ignores, C libraries, private repositories."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from bareboat.system.folders import find_folders
from tests.integration.git_server import git_server
from tests.integration.harbour import ROOT, Project, podman, rows
from tests.integration.test_build_secrets import holders
from tests.integration.test_own_programs import BOOTSTRAP, remove, write, write_crate

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.git_server import GitServer

pytestmark = [pytest.mark.podman, pytest.mark.network]

BASES = ("scratch-musl", "scratch-glibc-dynamic", "debian-slim")
SHARED_TOML = '[package]\nname = "shared"\nversion.workspace = true\nedition.workspace = true\n'
# The crate of a repository with others, which it needs, and whose lock and secrets git ignores.
TREE = {
    "libs/Cargo.toml": (
        '[workspace]\nmembers = ["shared", "other"]\n[workspace.package]\nversion = "0.3.0"\nedition = "2021"\n'
    ),
    "libs/shared/Cargo.toml": SHARED_TOML,
    "libs/shared/src/lib.rs": "pub const CODE: i32 = 4;\n",
    "libs/other/Cargo.toml": SHARED_TOML.replace("shared", "other"),
    "libs/other/src/lib.rs": "",
    "secret": "",
    "my app/.gitignore": "Cargo.lock\nsecret\n",
    "my app/secret": "",
    "my app/Cargo.toml": '[workspace]\nmembers = ["cli"]\n',
    "my app/Cargo.lock": (
        'version = 4\n[[package]]\nname = "cli"\nversion = "0.1.0"\ndependencies = ["shared"]\n'
        '[[package]]\nname = "shared"\nversion = "0.3.0"\n'
    ),
    "my app/rust-toolchain.toml": '[toolchain]\nchannel = "1.70.0"\n',
    "my app/text.txt": "three",
    "my app/cli/Cargo.toml": (
        '[package]\nname = "cli"\nversion = "0.1.0"\nedition = "2021"\n'
        '[dependencies]\nshared = { path = "../../libs/shared" }\n'
    ),
    "my app/cli/src/main.rs": (
        'fn main() { std::process::exit(shared::CODE + include_str!("../../text.txt").len() as i32) }\n'
    ),
}


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    main = "my app/cli/src/main.rs"
    # One that was never compiled, so that its compile is told of.
    sources = {**TREE, main: f"// {secrets.token_hex(8)}\n{TREE[main]}"}
    try:
        yield write(tmp_path / "tree", sources)
    finally:
        remove(("cli", "scratch-musl"))


def matrix(
    crate: Path, folder: Path, *words: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    options = (f"--crate={crate}", "--format=json", f"--results={folder / 'results'}", BOOTSTRAP, *words)
    return Project(root=ROOT).invoke("build-matrix", *options, env=env)


def copies_of(crate: str) -> list[Path]:
    """The copies of sources that compiles of crates of that name were given."""
    return list(find_folders().sources.glob(f"{crate}-*"))


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "lockless"])
def test_a_workspace_gets_the_folders_that_it_names_and_nothing_that_git_ignores(
    tree: Path,
    tmp_path: Path,
    lock: bool,  # noqa: FBT001
) -> None:
    if not lock:
        (tree / "my app" / "Cargo.lock").unlink()
    before, known = sorted(tree.rglob("*")), copies_of("cli")
    answer = matrix(tree / "my app", tmp_path, "--recipe=scratch-musl")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    row = rows(answer, "cli")["scratch-musl"]
    assert (row["outcome"], row["exit_code"]) == ("passed", 9), row["reason"]
    assert answer.stderr.count("cli asks for Rust 1.70.0 in its rust-toolchain file: toolchain ") == 1
    assert sorted(tree.rglob("*")) == before
    (copy,) = set(copies_of("cli")) - {*known}
    found = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    assert {"libs/Cargo.toml", "libs/shared/src/lib.rs", "my app/Cargo.lock", "my app/text.txt"} <= found
    assert not [place for place in found if "secret" in place or "other" in place]


def test_the_containerfile_of_such_a_crate_builds_in_the_folder_that_has_all(tree: Path, tmp_path: Path) -> None:
    crate = tree / "my app"
    told = Project(root=ROOT).invoke("containerfile", "scratch-musl", f"--crate={crate}", BOOTSTRAP)
    assert told.returncode == 0, told.stderr
    assert f"its context is {tree}, " in told.stderr
    run_root = podman("info", "--format={{.Store.RunRoot}}")
    words = ("build", "--file=-", "--tag=localhost/bareboat/cli:scratch-musl", str(tree))
    # Old Buildah has cache mounts in one folder for all users of a machine.
    podman("--runroot", run_root, *words, stdin=told.stdout, env={"TMPDIR": str(tmp_path)})
    row = rows(matrix(crate, tmp_path, "--recipe=scratch-musl"), "cli")["scratch-musl"]
    assert row["exit_code"] == 9, row["reason"]


FAULTS = {
    "young": ('rust-version = "1.999"\n', {}, "young@0.1.0 requires rustc 1.999, and the toolchain has 1."),
    "calls": (
        "",
        {"build.rs": 'fn main() { std::net::TcpStream::connect("example.com:80").expect("download"); }\n'},
        "the build script of calls v0.1.0 asks for a network, and compiles have none: ",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_compile_that_cannot_be_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    package, sources, words = FAULTS[name]
    crate = write_crate(tmp_path / name, {"src/main.rs": "fn main() {}\n", **sources})
    manifest = crate / "Cargo.toml"
    manifest.write_text(manifest.read_text().replace('"2021"\n', f'"2021"\n{package}'), encoding="utf-8")
    answer = matrix(crate, tmp_path, "--recipe=scratch-musl")
    row = rows(answer, name)["scratch-musl"]
    assert (answer.returncode, row["outcome"], row["stage"]) == (1, "failed", "compile")
    assert row["reason"].startswith(words)
    assert words in answer.stderr


CHECKSUMS = {
    "cc": ("1.0.79", "50d30906286121d95be3d479533b458f87493b30a4b5f79a607db8f5d11aa91f"),
    "pkg-config": ("0.3.27", "26072860ba924cbfa98ea39c8c19b4dd6a4a25423dbdf219c1eca91aa0cf6964"),
}
LOCKED = '[[package]]\nname = "{}"\nversion = "{}"\nsource = "{}"\n'
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
PACKAGE = '[package]\nname = "{}"\nversion = "0.1.0"\nedition = "2021"\n'
MIXED = {
    "Cargo.toml": '[workspace]\nresolver = "2"\nmembers = ["macros", "mixed", "z-sys", "zip"]\n',
    "Cargo.lock": (
        "version = 4\n"
        + "".join(LOCKED.format(name, version, CRATES_IO) + f'checksum = "{checksum}"\n'
        for name, (version, checksum) in CHECKSUMS.items())
        + '[[package]]\nname = "macros"\nversion = "0.1.0"\n'
        '[[package]]\nname = "mixed"\nversion = "0.1.0"\ndependencies = ["cc", "macros"]\n'
        '[[package]]\nname = "z-sys"\nversion = "0.1.0"\ndependencies = ["pkg-config"]\n'
        '[[package]]\nname = "zip"\nversion = "0.1.0"\ndependencies = ["z-sys"]\n'
    ),
    "macros/Cargo.toml": PACKAGE.format("macros") + "[lib]\nproc-macro = true\n",
    "macros/src/lib.rs": (
        "use proc_macro::TokenStream;\n"
        '#[proc_macro]\npub fn seven(_: TokenStream) -> TokenStream { "7".parse().unwrap() }\n'
    ),
    "mixed/Cargo.toml": (
        PACKAGE.format("mixed") + '[dependencies]\nmacros = { path = "../macros" }\n[build-dependencies]\ncc = "1"\n'
    ),
    "mixed/build.rs": 'fn main() { cc::Build::new().file("three.c").compile("three") }\n',
    "mixed/three.c": "int three(void) { return 3; }\n",
    "mixed/src/main.rs": (
        'extern "C" { fn three() -> i32; }\nfn main() { std::process::exit(macros::seven!() + unsafe { three() }) }\n'
    ),
    "z-sys/Cargo.toml": (
        PACKAGE.format("z-sys") + 'links = "z"\n[build-dependencies]\npkg-config = "0.3"\n'
    ),
    "z-sys/build.rs": 'fn main() { pkg_config::probe_library("zlib").unwrap(); }\n',
    "z-sys/src/lib.rs": 'extern "C" { pub fn zlibVersion() -> *const std::ffi::c_char; }\n',
    "zip/Cargo.toml": (
        PACKAGE.format("zip")
        + '[dependencies]\nz-sys = { path = "../z-sys" }\n'
        + '[package.metadata.bareboat]\ntoolchain-packages = ["zlib1g-dev"]\n'
    ),
    "zip/src/main.rs": "fn main() { std::process::exit(unsafe { *z_sys::zlibVersion() } as i32 - '0' as i32) }\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    try:
        yield write(tmp_path_factory.mktemp("mixed") / "mixed", MIXED)
    finally:
        remove(*((program, base) for program in ("mixed", "zip") for base in BASES))


def outcomes(answer: subprocess.CompletedProcess[str], sample: str) -> dict[str, Any]:
    return {base: (row["outcome"], row["exit_code"]) for base, row in rows(answer, sample).items()}


def test_a_macro_and_sources_of_c_are_compiled_for_every_base(mixed: Path, tmp_path: Path) -> None:
    answer = matrix(mixed, tmp_path, "--package=mixed", *(f"--recipe={base}" for base in BASES))
    assert outcomes(answer, "mixed") == dict.fromkeys(BASES, ("passed", 10)), answer.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="a toolchain with more packages takes minutes: once a machine")
def test_a_library_that_pkg_config_finds_is_linked_to_where_the_base_has_its_libc(mixed: Path, tmp_path: Path) -> None:
    answer = matrix(mixed, tmp_path, "--package=zip", *(f"--recipe={base}" for base in BASES))
    found = rows(answer, "zip")
    for base in ("scratch-glibc-dynamic", "debian-slim"):
        assert (found[base]["outcome"], found[base]["exit_code"]) == ("passed", 1), found[base]["reason"]
    assert "libz.so.1" in found["scratch-glibc-dynamic"]["completed"]
    # What the toolchain has is of glibc.
    assert (found["scratch-musl"]["outcome"], found["scratch-musl"]["stage"]) == ("failed", "compile")
    assert found["scratch-musl"]["reason"].startswith("a C library of the toolchain is for glibc, and this is musl")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    if os.geteuid() and not podman("version", "--format={{.Client.Version}}").startswith("4."):
        pytest.skip("pasta gives a container this machine's address, by which nobody else can be reached then")
    with git_server(tmp_path / "served") as running:
        yield running
    remove(("private", "scratch-musl"))


def test_a_private_repository_is_fetched_with_the_users_own_credentials(server: GitServer, tmp_path: Path) -> None:
    library = write(
        tmp_path / "library",
        {"Cargo.toml": PACKAGE.format("hidden"), "src/lib.rs": f"pub const CODE: i32 = 5; // {server.url}\n"},
    )
    commit = server.publish("hidden.git", library)
    needs = f'[dependencies]\nhidden = {{ git = "{server.url}/hidden.git" }}\n'
    crate = write_crate(
        tmp_path / "private", {"src/main.rs": "fn main() { std::process::exit(hidden::CODE) }\n"}, needs
    )
    lock = crate / "Cargo.lock"
    hidden = LOCKED.format("hidden", "0.1.0", f"git+{server.url}/hidden.git#{commit}")
    lock.write_text(f'{lock.read_text()}dependencies = ["hidden"]\n{hidden}', encoding="utf-8")
    since = time.time() - 2
    environment = {"no_proxy": "*", "NO_PROXY": "*", "CARGO_NET_RETRY": "0"}
    refused = matrix(crate, tmp_path, "--recipe=scratch-musl", env=environment)
    reason = rows(refused, "private")["scratch-musl"]["reason"]
    assert reason.startswith(f"repository {server.url}/hidden.git wants credentials; ")
    kept = tmp_path / "passwords"
    kept.write_text(f"{server.url.replace('://', f'://me:{server.password}@')}\n", encoding="utf-8")
    helper = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "credential.helper"}
    environment |= {**helper, "GIT_CONFIG_VALUE_0": f"store --file={kept}"}
    answer = matrix(crate, tmp_path, "--recipe=scratch-musl", env=environment)
    row = rows(answer, "private")["scratch-musl"]
    assert (row["outcome"], row["exit_code"]) == ("passed", 5), row["reason"]
    assert holders(server.password, since, find_folders().cache, tmp_path / "results", crate) == []
