"""Which package may import which, how large modules and functions may be, and what only one module may do."""

from __future__ import annotations

import ast
import graphlib
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import tomli

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "bareboat"
FILES = sorted(PACKAGE.rglob("*.py"))
# Each may import, at run time, what stands on lines above its own, and its own line's package.
LAYERS = (
    ("bareboat", "errors"),
    ("system", "elf"),
    ("archive",),
    ("inputs", "closure"),
    ("bootstrap", "breakdown", "plan"),
    ("result",),
    ("engine", "report", "measurements"),
    ("page",),
    ("podman_engine",),
    ("doctor",),
    ("make",),
    ("check",),
    ("matrix",),
    ("commands",),
    ("console",),
    ("command_line",),
    ("tasks",),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def module_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "bareboat" if parts == ("__init__",) else parts[0]


def run_time_imports(path):
    """Every module that a file imports when it runs, that is, not those under TYPE_CHECKING."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            # `from bareboat.doctor import host` names a file of the package.
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name != "__version__")


def names_of_ours(path):
    return {
        name.split(".")[1] if "." in name else "bareboat"
        for name in run_time_imports(path)
        if name.split(".")[0] == "bareboat"
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    own = module_of(path)
    assert own in LEVEL, "give the new module its layer"
    for name in names_of_ours(path) - {own}:
        assert LEVEL[name] < LEVEL[own], f"{own} imports {name}, which is not below it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_types_come_from_the_same_line_or_above(path):
    # What is imported for its type alone ties no knot at run time, so neighbours may name each other's.
    own = module_of(path)
    for name in type_imports(path):
        assert LEVEL[name] <= LEVEL[own], f"{own} names a type of {name}, which is below it"


def type_imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            imports = [child for child in ast.walk(node) if isinstance(child, ast.ImportFrom)]
            yield from (found.module.split(".")[1] for found in imports if found.module.startswith("bareboat."))


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("archive", {"errors", "system"}),
        ("elf", {"errors"}),
        ("closure", {"errors", "archive", "elf"}),
        ("breakdown", {"errors", "elf"}),
        ("report", {"errors", "result", "system"}),
        ("page", {"errors", "report", "result", "system"}),
        ("plan", {"errors", "inputs"}),
    ],
)
def test_leaves_and_pure_modules_import_little(name, allowed):
    imported = {other for path in FILES if module_of(path) == name for other in names_of_ours(path)}
    assert imported - {name} <= allowed


ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def names_from_other_rooms(path):
    """What a module imports from another room, for its type alone or not: the room and the name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bareboat."):
            room = node.module.split(".")[1]
            if room in ROOMS and room != module_of(path):
                yield from ((room, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_gives_only_what_its_docstring_names(path):
    for room, name in names_from_other_rooms(path):
        said = (PACKAGE / room / "__init__.py").read_text(encoding="utf-8")
        assert re.search(rf"\b{re.escape(name)}\b", said), f"bareboat/{room}/__init__.py does not name {name}"


@pytest.mark.parametrize(
    ("library", "named"),
    [("podman", {"podman_engine"}), ("subprocess", {"system"}), ("invoke", {"tasks", "command_line"})],
)
def test_one_module_uses_it(library, named):
    users = {module_of(path) for path in FILES if library in {name.split(".")[0] for name in run_time_imports(path)}}
    assert users == named


def test_nothing_prints_or_exits():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"print", "sys.exit", "exit"}, f"{path.name}:{node.lineno}"
                assert called != "os._exit" or path.name == "console.py"


@pytest.mark.parametrize("path", [*FILES, ROOT / "tasks.py"], ids=lambda path: path.name)
def test_modules_and_functions_are_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= (150 if "tasks" in {path.stem, path.parent.name} else 300)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 40, f"{node.name} is too long"


def test_the_standard_library_is_not_shadowed():
    assert not {module_of(path) for path in FILES} & set(sys.stdlib_module_names)


def test_no_file_imports_another_in_a_circle():
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}
    # A package that is being imported is no further import of the files in it.
    graph = {
        name: {other for other in run_time_imports(path) if other in named and not f"{name}.".startswith(f"{other}.")}
        for name, path in named.items()
    }
    assert graph["bareboat.commands.session_run"] >= {"bareboat.matrix.run", "bareboat.podman_engine.session"}
    assert "bareboat.doctor.host" in graph["bareboat.doctor.examine"]
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert set(order) == set(named)


def test_imports_are_absolute_so_that_these_tests_see_them():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path.name}:{node.lineno}"
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in {"__import__", "os.system", "os.popen"}, f"{path.name}:{node.lineno}"


def test_the_tasks_do_nothing_themselves():
    """A task calls the library only, except the three tasks that start the developer's tools."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (PACKAGE / "tasks").glob("*.py")]
    calls = {ast.unparse(node.func) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & {"print", "sys.exit", "open", "subprocess.run"}
    assert "run" in calls


def test_every_library_that_is_imported_is_declared_and_the_other_way_round():
    files = [*FILES, ROOT / "tasks.py"]
    imported = {name.split(".")[0] for path in files for name in run_time_imports(path)}
    libraries = imported - set(sys.stdlib_module_names) - {"bareboat"}
    provided = packages_distributions()
    extra = declared("optional-dependencies", "page")
    assert {plain(provided[name][0]) for name in libraries} == declared("dependencies") | extra


@pytest.mark.parametrize("library", ["altair", "vl_convert", "jinja2", "markupsafe"])
def test_the_page_alone_uses_what_the_extra_brings(library):
    users = {module_of(path) for path in FILES if library in {name.split(".")[0] for name in run_time_imports(path)}}
    assert users == {"page"}


def test_what_is_declared_is_pinned():
    pinned = {plain(line.partition("==")[0]) for line in (ROOT / "pins.txt").read_text(encoding="utf-8").splitlines()}
    extras = declared("optional-dependencies", "dev") | declared("optional-dependencies", "page")
    assert declared("dependencies") | extras <= pinned


def declared(*keys):
    value = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for key in keys:
        value = value[key]
    return {plain(re.match(r"[A-Za-z0-9._-]+", requirement)[0]) for requirement in value}


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()
