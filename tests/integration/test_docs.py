"""The pages of docs/ that have commands, each followed from its first line to its last in an empty folder."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bareboat.doctor.install_commands import _PACKAGES
from bareboat.result.store import load
from tests.integration.harbour import ROOT, podman
from tests.integration.test_guide import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCS = ROOT / "docs"
# A fence says what is in it: `rust src/main.rs` a file, `sh` commands, `sh exits 1` commands that end with that code.
FENCE = re.compile(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HELLO = {
    "Cargo.toml": '[package]\nname = "hello"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/main.rs": 'fn main() { println!("Hello, world!") }\n',
}


@dataclass
class Page:
    """A page, and the folder in which it is followed."""

    name: str
    folder: Path
    said: dict[str, str] = field(default_factory=dict)

    def of_hello(self) -> Page:
        """Have it followed in the folder of a crate."""
        for name, text in HELLO.items():
            self.write(name, text)
        return self

    def follow(self) -> Page:
        """Write its files and run its commands, in the order in which they stand."""
        for kind, more, text in FENCE.findall((DOCS / self.name).read_text(encoding="utf-8")):
            if kind == "sh":
                for command in text.splitlines():
                    self.run(command, int(more.removeprefix("exits ") or 0))
            elif more:
                self.write(more, text)
        return self

    def run(self, command: str, code: int = 0) -> None:
        done = run(command, self.folder)
        assert done.returncode == code, f"{command}\n{done.stderr}\n{done.stdout}"
        self.said[command] = done.stderr + done.stdout

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def shown(self, word: str) -> str:
        """The block that is neither file nor command and has a word in it."""
        blocks = FENCE.findall((DOCS / self.name).read_text(encoding="utf-8"))
        return next(text for kind, more, text in blocks if kind != "sh" and not more and word in text)

    def answer(self, word: str) -> str:
        """What the last command said that has a word in it."""
        return next(said for command, said in reversed(self.said.items()) if word in command)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    try:
        yield tmp_path
    finally:
        made = podman("images", "--format={{.Repository}}:{{.Tag}}").split()
        names = ("hello", "calls", "server", "server-tool")
        ours = [image for image in made if image.startswith(tuple(f"localhost/bareboat/{name}:" for name in names))]
        if ours:
            podman("rmi", "--force", "--ignore", *ours)


@pytest.mark.podman
@pytest.mark.network
def test_a_base_is_chosen(folder: Path) -> None:
    page = Page("choose-a-base.md", folder).of_hello().follow()
    assert re.search(r"^Take scratch-musl \(", page.answer("build-matrix"), re.MULTILINE)
    table = (DOCS / "choose-a-base.md").read_text(encoding="utf-8")
    for base in re.findall(r"^\| [^|]+ \| `([a-z-]+)`", table, re.MULTILINE):
        assert f"\n{base} " in page.answer("recipes")
    assert "libgcc_s.so.1" in page.answer("closure")


@pytest.mark.podman
@pytest.mark.network
def test_certificates_come_aboard_and_are_written_down(folder: Path) -> None:
    page = Page("tls-and-certificates.md", folder).follow()
    first, second = (said for command, said in page.said.items() if "build-matrix" in command)
    lacks = "it lacks the certificates of authorities"
    assert f"once more with provision 'certs', because {lacks}: calls@scratch-musl" in first
    assert f"with provision 'certs', without which {lacks}" in first
    assert f"Not on debian-slim: {lacks}; provision 'certs' brings it aboard." in first
    assert (folder / "Cargo.toml").read_text(encoding="utf-8").endswith(page.shown("certs"))
    assert "Not on" not in second
    assert "once more" not in second


@pytest.mark.podman
@pytest.mark.network
def test_a_workspaces_programs_are_built_by_name(folder: Path) -> None:
    page = Page("workspaces-and-c-libraries.md", folder).follow()
    assert "server-tool" in page.answer("samples")
    for program in ("server", "server-tool"):
        assert f"\n{program}: Take scratch-musl (" in page.answer("--all-bins")
    assert 'env = { PORT = "8080" }' in (folder / "server" / "Cargo.toml").read_text(encoding="utf-8")


@pytest.mark.podman
@pytest.mark.network
def test_a_job_builds_its_part_and_is_held_to_a_size(folder: Path) -> None:
    page = Page("ci.md", folder).of_hello().follow()
    assert "bareboat plan --bases registry --format github" in page.answer("--github")
    assert '{"cell": "hello@scratch-musl", "sample": "hello", "recipe": "scratch-musl"}' in page.answer("plan")
    assert "| scratch-musl | passed" in re.sub(" +", " ", page.answer("build-matrix"))
    assert "Take scratch-musl (" in page.answer("recommend")
    assert "1 cell compared: of their figures " in page.answer("compare")
    assert [path.name for path in (folder / "bareboat-results").glob("*/*")] == ["hello@scratch-musl.json"]
    page.run("bareboat recommend --max-size 100kB --results bareboat-results", 1)


@pytest.mark.podman
@pytest.mark.parametrize(("name", "command"), [("rootless.md", "doctor --quick"), ("behind-a-proxy.md", "doctor")])
def test_the_machine_is_examined(tmp_path: Path, name: str, command: str) -> None:
    assert "starts containers" in Page(name, tmp_path).follow().answer(command)


def test_the_sizes_are_those_that_were_measured() -> None:
    table = (DOCS / "choose-a-base.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| (`[^|]+) \| ([\d., ]+) \|", table, re.MULTILINE)
    assert len(rows) >= 8
    for bases, sizes in rows:
        for base, size in zip(re.findall(r"`([a-z-]+)`", bases), sizes.split(", "), strict=True):
            assert f"{measured(base) / 10**6:.1f}" == size.strip(), base


def measured(base: str) -> int:
    """The bytes of a hello world on a base, as committed."""
    result = load(ROOT / "results" / "debian-12-amd64-rootless" / f"hello-world@{base}.json")
    (size,) = (one.value for one in result.measurements if one.column.name == "size")
    assert isinstance(size, int)
    return size


@pytest.mark.parametrize(
    "tool", ["podman", "runc", "newuidmap", "slirp4netns", "pasta", "mmdebstrap", "debian keyring"]
)
def test_the_packages_are_those_that_the_doctor_names(tool: str) -> None:
    rows = [line for line in (DOCS / "rootless.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    names = [f"`{name}`" for name in _PACKAGES[tool][:3] if name]
    assert any(all(name in row for name in names) for row in rows), names


def test_every_page_that_has_commands_is_followed() -> None:
    followed = {*re.findall(r'"([a-z-]+\.md)"', (ROOT / "tests/integration/test_docs.py").read_text(encoding="utf-8"))}
    having = {path.name for path in DOCS.glob("*.md") if "\n```sh" in path.read_text(encoding="utf-8")}
    assert having - {"ship-a-service.md"} <= followed, "test_guide.py follows that one"
