"""One of each addition that CONTRIBUTING.md tells of, made in a copy of the project as it says, and seen to appear."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.harbour import ROOT, guide_blocks

if TYPE_CHECKING:
    from pathlib import Path


class Copy:
    """A copy of the project whose library may be changed, too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        for name in (".ci", "bareboat", "recipes", "rust-samples", "tests"):
            shutil.copytree(ROOT / name, self.folder / name, ignore=shutil.ignore_patterns("target", "__pycache__"))
        for name in ("tasks.py", "pyproject.toml"):
            shutil.copy(ROOT / name, self.folder)

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{path} has {text.count(old)} of {old!r}"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def python(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def answer(self, *words: str) -> str:
        done = self.python(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def invoke(self, *words: str) -> str:
        return self.answer("-m", "invoke", *words)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_recipe_is_a_file(copy: Copy) -> None:
    copy.write("recipes/busybox.toml", guide_blocks("Add a recipe")[0])
    assert re.search(
        r"^busybox +musl static +musl +docker.io/library/busybox:musl ", copy.invoke("recipes"), re.MULTILINE
    )
    plan = copy.invoke("plan", "--sample=hello-world", "--recipe=busybox", "--bases=registry")
    assert "image hello-world@busybox" in plan


def test_a_sample_is_a_folder(copy: Copy) -> None:
    manifest = '[package]\nname = "greeter"\nversion = "0.1.0"\nedition = "2021"\ndescription = "Greets"\n\n'
    copy.write("rust-samples/greeter/Cargo.toml", manifest + guide_blocks("Add a sample")[0])
    copy.write("rust-samples/greeter/Cargo.lock", 'version = 3\n\n[[package]]\nname = "greeter"\nversion = "0.1.0"\n')
    copy.write("rust-samples/greeter/src/main.rs", 'fn main() { println!("Hello, world!"); }\n')
    assert re.search(r"^greeter +greeter +no +Greets", copy.invoke("samples"), re.MULTILINE)
    assert "image greeter@scratch-musl" in copy.invoke("plan", "--sample=greeter", "--bases=bootstrap")


def test_a_measurement_is_a_module(copy: Copy) -> None:
    copy.write("bareboat/measurements/letters.py", guide_blocks("Add a measurement")[0])
    code = "from bareboat.measurements import load_measurements as load; print([m.COLUMN.heading for m in load()])"
    assert "'Letters'" in copy.answer("-c", code)


KIND = '''
@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """Nothing but an empty folder of that name."""

    __pydantic_config__ = STRICT

    kind: Literal["empty"]
    folder: Name


Bootstrap = Annotated[Debian | Distroless | Alpine | Empty | SameAs,'''
MAKE = '''"""A root filesystem with one empty folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.bootstrap.rootfs import RootFilesystem
from bareboat.bootstrap.tar import Folder, write_tar

if TYPE_CHECKING:
    from pathlib import Path

    from bareboat.inputs.base import Empty


def make_empty(bootstrap: Empty, *, folder: Path) -> RootFilesystem:
    """Write it to `folder`/rootfs.tar."""
    tar = folder / "rootfs.tar"
    write_tar({bootstrap.folder: Folder()}, tar)
    return RootFilesystem(tar=tar, packages=())
'''
RECIPE = """summary = "An empty folder"

[compile]
toolchain = "musl"
libc = "musl"
crt = "static"

[base.bootstrap]
kind = "empty"
folder = "data"
"""
MADE = """
import sys, tarfile
from pathlib import Path
from bareboat.bootstrap import make_root_filesystem
from bareboat.inputs.load_recipes import load_recipes
bootstrap = load_recipes(Path("recipes")).recipe("empty").base.bootstrap
folder = Path(sys.argv[1])
made = make_root_filesystem(bootstrap, folder=folder, recipes=Path("recipes"), processes=None, log=folder / "log")
print(tarfile.open(made.tar).getnames())
"""


def test_a_kind_of_base_is_a_class_a_module_and_a_case(copy: Copy, tmp_path: Path) -> None:
    copy.edit("bareboat/inputs/base.py", "\nBootstrap = Annotated[Debian | Distroless | Alpine | SameAs,", KIND)
    copy.edit(
        "bareboat/inputs/base.py",
        "RootBootstrap = Debian | Distroless | Alpine",
        "RootBootstrap = Debian | Distroless | Alpine | Empty",
    )
    checked = copy.python("-m", "mypy")
    assert "bareboat/bootstrap/__init__.py" in checked.stdout, "mypy finds the match that misses the new kind"
    copy.write("bareboat/bootstrap/empty.py", MAKE)
    room = "bareboat/bootstrap/__init__.py"
    copy.edit(
        room,
        "        case _:\n",
        "        case Empty():\n            return make_empty(bootstrap, folder=folder)\n        case _:\n",
    )
    copy.edit(
        room,
        "from bareboat.bootstrap.host",
        "from bareboat.bootstrap.empty import make_empty\nfrom bareboat.bootstrap.host",
    )
    copy.edit(room, "import Alpine, Debian, Distroless", "import Alpine, Debian, Distroless, Empty")
    copy.write("recipes/empty.toml", RECIPE)
    assert "packages only" in next(line for line in copy.invoke("recipes").splitlines() if line.startswith("empty "))
    assert "base empty" in copy.invoke("plan", "--sample=hello-world", "--recipe=empty", "--bases=bootstrap")
    assert "'data'" in copy.answer("-c", MADE, str(tmp_path))


def test_a_report_format_is_a_word_and_a_case(copy: Copy) -> None:
    page = "bareboat/report/render.py"
    copy.edit(page, 'Literal["text", "markdown", "csv", "json"]', 'Literal["text", "markdown", "csv", "json", "names"]')
    last = "        case _:\n            assert_never(format)"
    names = '        case "names":\n            return " ".join(result.cell for result in given)\n'
    copy.edit(page, last, names + last)
    shutil.copytree(ROOT / "results", copy.folder / "results")
    (copy.folder / "docs").mkdir()
    assert "hello-world@scratch-musl" in copy.invoke("report", "--format=names").split()
    wrong = copy.python("-m", "invoke", "report", "--format=nmaes")
    assert (wrong.returncode, "json, names" in wrong.stderr) == (2, True)


def test_a_field_is_decided_or_the_test_of_keys_fails(copy: Copy) -> None:
    old = "    writable: bool = False\n"
    copy.edit("bareboat/inputs/expectation.py", old, f'{old}    stdin: str = ""\n')
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/plan/test_keys.py")
    undecided = copy.python(*words)
    assert undecided.returncode == 1
    assert "stdin" in undecided.stdout
    worlds = "in_sample(expectations=(RUN,)), in_sample(expectations=(replace(RUN, stdin='x'),))"
    first = '    (Cargo, "features"):'
    copy.edit("tests/unit/plan/test_keys.py", first, f'    (Expectation, "stdin"): ("cell", {worlds}),\n{first}')
    decided = copy.python(*words)
    assert decided.returncode == 0, decided.stdout


@pytest.mark.podman
def test_a_doctors_check_is_a_function_that_is_called(copy: Copy) -> None:
    check = '\n\ndef check_tide() -> Check:\n    return Check(name="tide", finding="high", status="good", cure="")\n'
    path = copy.folder / "bareboat/doctor/host.py"
    path.write_text(path.read_text(encoding="utf-8") + check, encoding="utf-8")
    copy.edit("bareboat/doctor/examine.py", "host.check_limits())", "host.check_limits(), host.check_tide())")
    assert re.search(r"^ok +tide +high", copy.invoke("doctor", "--quick"), re.MULTILINE)
