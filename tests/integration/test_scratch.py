"""From scratch, file by file, on real Podman: what is built, what is said of it, and what is refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bareboat.archive import open_image
from tests.integration.harbour import Project, copy_project, podman, root_filesystem

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

pytestmark = [pytest.mark.podman, pytest.mark.network]

KINDS = (("musl", "static"), ("gnu", "static"), ("gnu", "dynamic"), ("musl", "dynamic"))
NAMES = {("musl", "static"): "scratch-musl", ("gnu", "static"): "scratch-glibc"} | {
    (libc, "dynamic"): f"scratch-{name}-dynamic" for libc, name in (("musl", "musl"), ("gnu", "glibc"))
}
DYNAMIC = "recipes/scratch-glibc-dynamic.toml"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout whose results may be written over: this one's are those of the matrix."""
    return copy_project(tmp_path_factory.mktemp("here") / "project")


@pytest.fixture
def spoiled(tmp_path: Path) -> Project:
    return copy_project(tmp_path / "project")


def scratch(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    return project.invoke("scratch", "--bases=bootstrap", *words)


def flags(libc: str, crt: str) -> tuple[str, ...]:
    return (f"--libc={libc}", f"--crt={crt}")


@pytest.mark.parametrize(("libc", "crt"), KINDS)
def test_each_kind_is_built_run_and_told_file_by_file(libc: str, crt: str, spoiled: Project, tmp_path: Path) -> None:
    answer = scratch(spoiled, *flags(libc, crt))
    assert answer.returncode == 0, answer.stderr
    image = f"localhost/bareboat/hello-world:{NAMES[libc, crt]}"
    files = [f"/{path}" for path, entry in root_filesystem(image, tmp_path).items() if entry[0] == "file"]
    rows = [line.split()[0] for line in answer.stdout.splitlines()[2:] if line.startswith("/")]
    assert rows == sorted(files)
    assert f"{len(files)} file" in answer.stdout
    assert podman("run", "--rm", "--network=none", image) == "Hello, world!"


def test_the_id_alone_can_be_run(here: Project) -> None:
    answer = scratch(here, "--libc=musl", "--quiet")
    assert podman("run", "--rm", "--network=none", answer.stdout.strip()) == "Hello, world!"
    assert len(answer.stdout.splitlines()) == 1


@pytest.mark.parametrize(("libc", "crt"), KINDS)
def test_two_checkouts_come_to_the_same_image(libc: str, crt: str, tmp_path: Path) -> None:
    ids = set()
    for folder in ("one", "another-place"):
        project = copy_project(tmp_path / folder)
        answer = scratch(project, *flags(libc, crt), "--quiet", "--force")
        assert answer.returncode == 0, answer.stderr
        ids.add(answer.stdout.strip())
    assert len(ids) == 1


def test_provisions_come_aboard_by_name_and_what_is_unknown_is_told(here: Project, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    tag = f"localhost/mine:{os.getpid()}"
    words = ("--libc=musl", "--with=certs,tz", "--with=tmp", f"--tag={tag}", f"--output=oci-archive:{archive}")
    answer = scratch(here, *words, "--sample=provisions")
    try:
        assert answer.returncode == 1, "no user and no hosts are aboard"
        assert "failed at run: run 'user': " in answer.stdout
        image = open_image(archive)
        assert (image.references, "provisions" in image.files()) == ((tag,), True), "it is given out all the same"
        assert podman("image", "inspect", "--format={{.Id}}", tag) == image.id.removeprefix("sha256:")
    finally:
        podman("rmi", "--force", "--ignore", tag, "localhost/bareboat/provisions:scratch-musl_certs_tmp_tz")
    try:
        answer = scratch(here, *words)
        assert answer.returncode == 0, answer.stderr
        image = open_image(archive)
        assert image.references == (tag,)
        assert image.id in answer.stdout
        assert podman("image", "inspect", "--format={{.Id}}", tag) == image.id.removeprefix("sha256:")
        assert {"usr/share/zoneinfo/Europe/Zurich", "etc/ssl/certs/ca-certificates.crt", "tmp"} <= set(image.files())
    finally:
        podman("rmi", "--force", tag, "localhost/bareboat/hello-world:scratch-musl_certs_tmp_tz")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--libc=glibc",), "--libc glibc: it takes one of gnu, musl"),
        (("--libc=musl", "--with=cert"), "--with cert: no such provision (did you mean 'certs'?)"),
        (("--libc=musl", "--sample=hello-wrld"), "--sample hello-wrld: no such sample (did you mean 'hello-world'?)"),
        (("--libc=musl", "--output=x.tar"), "--output x.tar: it takes oci-archive:FILE"),
        (("--libc=musl", "--output=oci-archive:/nowhere/x"), "there is no folder /nowhere"),
    ],
)
def test_a_wrong_flag_is_one_line_and_exit_code_2(here: Project, words: tuple[str, ...], said: str) -> None:
    answer = here.invoke("scratch", *words)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("error: ")
    assert said in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_a_kind_without_a_recipe_lists_those_that_there_are(spoiled: Project) -> None:
    for name in ("scratch-musl-dynamic", "scratch-musl-dynamic-net"):
        (spoiled.root / "recipes" / f"{name}.toml").unlink()
    answer = scratch(spoiled, "--libc=musl", "--crt=dynamic")
    assert answer.returncode == 2
    assert "there are: --libc gnu --crt dynamic (scratch-glibc-dynamic), " in answer.stderr


@pytest.mark.parametrize(
    ("number", "file", "package"),
    [
        (1, "/lib64/ld-linux-x86-64.so.2", "libc6"),
        (2, "/usr/lib/x86_64-linux-gnu/libc.so.6", "libc6"),
        (3, "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1", "libgcc-s1"),
    ],
)
def test_a_copy_that_is_missed_fails_by_its_name_and_the_advice_mends_it(
    number: int, file: str, package: str, spoiled: Project, tmp_path: Path
) -> None:
    path = spoiled.root / DYNAMIC
    parts = path.read_text(encoding="utf-8").split("[[copy]]")
    path.write_text("[[copy]]".join(part for at, part in enumerate(parts) if at != number), encoding="utf-8")
    words = ("build-matrix", "--bases=bootstrap", "--recipe=scratch-glibc-dynamic", "--sample=hello-world")
    answer = spoiled.invoke(*words, f"--results={tmp_path / 'results'}")
    assert answer.returncode == 1
    assert "failed at preflight: " in answer.stdout
    assert "prediction was wrong" not in answer.stdout, "it was run all the same, and did not start"
    name = file.rpartition("/")[2]
    assert f"{name} is not in the image; /hello-world needs it" in answer.stdout
    lines = [line.strip() for line in answer.stdout.splitlines()]
    at = next(at for at, line in enumerate(lines) if line.startswith(f"package {package} "))
    advice = lines[at + 2 : at + 7]
    assert advice[:2] == ["[[copy]]", 'from = "toolchain"']
    assert advice[3] == f'to = "{file}"'
    with path.open("a", encoding="utf-8") as recipe:
        recipe.write("\n" + "\n".join(advice) + "\n")
    answer = spoiled.invoke(*words, f"--results={tmp_path / 'results'}")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_an_idle_file_is_reported_and_proved_idle(spoiled: Project) -> None:
    with (spoiled.root / DYNAMIC).open("a", encoding="utf-8") as recipe:
        recipe.write('\n[[copy]]\nfrom = "recipe"\ntext = "idle"\nto = "/etc/idle"\nwhy = "to lie about"\n')
    answer = scratch(spoiled, "--libc=gnu", "--crt=dynamic", "--prove")
    assert answer.returncode == 0, answer.stderr
    assert "idle: /etc/idle: nobody needs it" in answer.stdout
    proofs = {line.split()[0]: line for line in answer.stdout.splitlines() if line.startswith("/")}
    assert " nobody " in proofs["/etc/idle"]
    assert " idle " in proofs["/etc/idle"]
    assert all(" needed " in line for path, line in proofs.items() if path not in {"/etc/idle", "/hello-world"})
    assert "static, observed" in proofs["/usr/lib/x86_64-linux-gnu/libc.so.6"]


def test_what_only_one_run_needs_is_told_with_it(here: Project) -> None:
    answer = scratch(here, "--libc=musl", "--with=certs,nss,tmp,tz,user", "--sample=provisions", "--prove")
    assert answer.returncode == 0, answer.stderr
    proofs = {line.split()[0]: line for line in answer.stdout.splitlines() if line.startswith("/")}
    assert "needed by tz (1 of " in proofs["/usr/share/zoneinfo/"]
    assert "needed by certs" in proofs["/etc/ssl/certs/ca-certificates.crt"]
    assert "needed by user" in proofs["/etc/passwd"]
    assert "needed by tmp" in proofs["/tmp/"]
    # musl reads none, and Podman mounts its own.
    assert " idle " in proofs["/etc/nsswitch.conf"]
    assert "observed" in proofs["/etc/passwd"]


@pytest.mark.parametrize(
    ("source", "path", "said"),
    [
        ("toolchain", "/usr/bin/su", "is set-uid or set-gid"),
        ("toolchain", "/dev/null", "there is no /dev/null"),
        ("toolchain", "/usr/share/nothing", "there is no /usr/share/nothing"),
        ("toolchain", "/usr/lib", "of a folder, and of nothing else, `path` and `to` end with a slash"),
        ("package:no-such-package", "/x", "no-such-package"),
    ],
)
def test_what_must_not_or_cannot_come_aboard_is_one_error(source: str, path: str, said: str, spoiled: Project) -> None:
    with (spoiled.root / DYNAMIC).open("a", encoding="utf-8") as recipe:
        recipe.write(f'\n[[copy]]\nfrom = "{source}"\npath = "{path}"\nto = "/x"\nwhy = "x"\n')
    answer = scratch(spoiled, "--libc=gnu", "--crt=dynamic")
    assert answer.returncode == 1
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_closure_names_packages_and_ways(here: Project) -> None:
    answer = here.invoke("closure", "hello-world@scratch-glibc-dynamic", "--bases=bootstrap")
    assert answer.returncode == 0, answer.stderr
    (libc,) = [line for line in answer.stdout.splitlines() if "libc.so.6" in line]
    assert "libc6 2." in libc
    assert libc.endswith("needed, observed")


def test_a_program_of_this_machine_is_told_its_bases(here: Project) -> None:
    answer = here.invoke("closure", "/bin/sh", "--bases=bootstrap")
    assert answer.returncode == 0, answer.stderr
    found = {line.split()[0]: line.split()[1] for line in answer.stdout.splitlines()[2:]}
    assert found["debian"] == "starts"
    assert found["alpine"] == found["distroless-static"] == found["scratch-musl"] == "fails"
    answer = here.invoke("closure", "/etc/passwd")
    assert answer.returncode == 2
    assert "does not begin as an ELF file does" in answer.stderr
