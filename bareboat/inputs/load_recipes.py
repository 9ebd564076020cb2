"""Loads the folder of recipes and checks that its files fit together, reporting every problem of every file at once.

recipes/NAME.toml  recipes/toolchains/NAME.toml  recipes/provisions/NAME.toml  -> RecipeBook
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import TypeAdapter

from bareboat.errors import RecipeError
from bareboat.inputs.base import Debian, SameAs
from bareboat.inputs.crew import crew_names
from bareboat.inputs.recipe import Provision, Recipe, RecipeBook, Toolchain
from bareboat.inputs.sysroot import find_sysroot, read_sysroot
from bareboat.inputs.tomlfile import Parsed, Problem, did_you_mean, read_toml, validate
from bareboat.system.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bareboat.inputs.recipe import Copy
    from bareboat.inputs.sysroot import Sysroot

TEXT_LIMIT_BYTES = 65536

_T = TypeVar("_T", bound=Recipe | Toolchain | Provision)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File(Generic[_T]):
    """One file, as it was read and as it is understood."""

    # How problems call it.
    name: str
    # What it says; empty where it is no TOML.
    table: Mapping[str, Any]
    parsed: Parsed[_T]


def load_recipes(folder: Path, samples: Sequence[str] | None = None) -> RecipeBook:
    """Load every recipe, toolchain and provision of `folder`. Raises RecipeError with every problem of every file.

    `samples` are the names that recipes may name; None where any may be.
    """
    recipes = _load_all(folder, "", TypeAdapter(Recipe))
    toolchains = _load_all(folder, "toolchains/", TypeAdapter(Toolchain))
    provisions = _load_all(folder, "provisions/", TypeAdapter(Provision))
    problems = [*_problems(recipes), *_problems(toolchains), *_problems(provisions)]
    if not recipes:
        problems.append(Problem(file=str(folder), key="", text="has no recipe (a *.toml file)"))
    book = RecipeBook(recipes=_values(recipes), toolchains=_values(toolchains), provisions=_values(provisions))
    problems += [problem for file in recipes for problem in _name_problems(file, folder, samples)]
    problems += [problem for recipe in book.recipes for problem in _recipe_problems(recipe, book, folder)]
    for provision in book.provisions:
        problems += _copies_problems(provision, "provisions/", book, folder)
    problems += [problem for toolchain in book.toolchains for problem in _toolchain_problems(toolchain, book, folder)]
    read = [_read_sysroot(recipe, book, folder) for recipe in book.recipes]
    problems += [found for found in read if isinstance(found, Problem)]
    if problems:
        raise RecipeError("\n".join(str(problem) for problem in problems))
    return RecipeBook(
        recipes=tuple(replace(recipe, copies=_with_texts(recipe.copies, folder)) for recipe in book.recipes),
        toolchains=book.toolchains,
        provisions=tuple(replace(item, copies=_with_texts(item.copies, folder)) for item in book.provisions),
        sysroots=tuple(dict.fromkeys(found for found in read if found and not isinstance(found, Problem))),
    )


def find_shared_targets(copies: Sequence[Copy]) -> Iterator[str]:
    """A line for each path in the image that two of the copies have as their target."""
    places: dict[str, Copy] = {}
    for copy in copies:
        place = copy.to.removesuffix("/")
        if place in places:
            yield f"{copy.to} is the target of two copies: {places[place].why!r} and {copy.why!r}"
        places[place] = copy


def _load_all(folder: Path, prefix: str, adapter: TypeAdapter[_T]) -> list[_File[_T]]:
    paths = sorted((folder / prefix).glob("*.toml"), key=lambda path: path.stem)
    return [_load(path, prefix + path.name, adapter) for path in paths]


def _load(path: Path, name: str, adapter: TypeAdapter[_T]) -> _File[_T]:
    read = read_toml(path, name)
    if read.value is None:
        return _File(name=name, table={}, parsed=Parsed(value=None, problems=read.problems))
    parsed = validate({**read.value, "name": path.stem}, adapter, name)
    if "name" in read.value:
        taken = Problem(file=name, key="name", text=f"unknown key: the file's name already says '{path.stem}'")
        parsed = Parsed(value=None, problems=(*parsed.problems, taken))
    return _File(name=name, table=read.value, parsed=parsed)


def _problems(loaded: list[_File[_T]]) -> list[Problem]:
    return [problem for file in loaded for problem in file.parsed.problems]


def _values(loaded: list[_File[_T]]) -> tuple[_T, ...]:
    return tuple(file.parsed.value for file in loaded if file.parsed.value is not None)


def _names(folder: Path, kind: str) -> list[str]:
    # By the files that exist, including those with problems: these are reported as such, not as missing.
    return sorted(path.stem for path in (folder / kind).glob("*.toml"))


def _name_problems(file: _File[Recipe], folder: Path, samples: Sequence[str] | None) -> Iterator[Problem]:
    """What a recipe names that is not there; also of one with other mistakes, so that all are told at once."""
    toolchains, provisions = _names(folder, "toolchains"), _names(folder, "provisions")
    for wanted in _texts(file.table, "compile", "toolchain"):
        if wanted not in toolchains:
            text = f"no such toolchain: '{wanted}'{did_you_mean(wanted, toolchains)}"
            yield Problem(file=file.name, key="compile.toolchain", text=text)
    for name in _texts(file.table, "with"):
        if name not in provisions:
            text = f"no such provision: '{name}'{did_you_mean(name, provisions)}"
            yield Problem(file=file.name, key="with", text=text)
    for keys in (("samples",), ("published", "sample")):
        for pattern in _texts(file.table, *keys):
            if samples is not None and not any(fnmatchcase(name, pattern) for name in samples):
                text = f"no sample matches '{pattern}'{did_you_mean(pattern, samples)}"
                yield Problem(file=file.name, key=".".join(keys), text=text)


def _texts(table: object, *keys: str) -> tuple[str, ...]:
    """The text or texts at a place of a table that may be nothing like what it should be."""
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return tuple(text for text in (table if isinstance(table, list) else [table]) if isinstance(text, str))


def _recipe_problems(recipe: Recipe, book: RecipeBook, folder: Path) -> Iterator[Problem]:
    file = f"{recipe.name}.toml"
    yield from _bootstrap_problems(recipe, file, book.recipes, folder)
    yield from _copies_problems(recipe, "", book, folder)
    for text in find_shared_targets(book.copies_of(recipe)):
        yield Problem(file=file, key="copy", text=text)


def _read_sysroot(recipe: Recipe, book: RecipeBook, folder: Path) -> Sysroot | Problem | None:
    """The C library that a recipe names, or what is wrong with it; None where there is none, or it may be absent."""
    declared, file = recipe.compile, f"{recipe.name}.toml"
    if declared.sysroot is None:
        return None
    if any(one.name == declared.toolchain and one.libc != "musl" for one in book.toolchains):
        text = f"'{declared.toolchain}' is not for musl, in whose place a `sysroot` is linked"
        return Problem(file=file, key="compile.toolchain", text=text)
    try:
        if declared.sysroot_absent and not find_sysroot(declared.sysroot, folder).exists():
            return None
        return read_sysroot(declared.sysroot, folder)
    except RecipeError as error:
        return Problem(file=file, key="compile.sysroot", text=str(error))


def _toolchain_problems(toolchain: Toolchain, book: RecipeBook, folder: Path) -> Iterator[Problem]:
    file = f"toolchains/{toolchain.name}.toml"
    if toolchain.base.scratch:
        yield Problem(file=file, key="base.scratch", text="nothing can be compiled in an empty image")
    yield from _bootstrap_problems(toolchain, file, book.toolchains, folder / "toolchains")


def _bootstrap_problems(
    item: Recipe | Toolchain, file: str, others: Iterable[Recipe | Toolchain], folder: Path
) -> Iterator[Problem]:
    bootstrap = item.base.bootstrap
    if isinstance(bootstrap, Debian) and bootstrap.script and (fault := _text_fault(folder, bootstrap.script)):
        yield Problem(file=file, key="base.bootstrap.script", text=fault)
    if not isinstance(bootstrap, SameAs):
        return
    present = _names(folder, "")
    without = {other.name for other in others if isinstance(other.base.bootstrap, SameAs | None)}
    own = [name for name in present if name not in without]
    if bootstrap.of not in own:
        text = f"'{bootstrap.of}' has no bootstrap of its own{did_you_mean(bootstrap.of, own)}"
        yield Problem(file=file, key="base.bootstrap.of", text=text)


def _copies_problems(item: Recipe | Provision, prefix: str, book: RecipeBook, folder: Path) -> Iterator[Problem]:
    based = {recipe.name for recipe in book.recipes if not recipe.base.scratch}
    named = sorted(based | (set(_names(folder, "")) - {recipe.name for recipe in book.recipes}))
    for number, copy in enumerate(item.copies):
        kind, _, name = copy.source.partition(":")
        fault = ""
        if kind == "base" and name not in named:
            fault = f"no recipe with a base: '{name}'{did_you_mean(name, named)}"
        elif kind == "crew" and name not in (crew := crew_names()):
            fault = f"no such program of the crew: '{name}'{did_you_mean(name, crew)}"
        elif kind == "package" and isinstance(item, Recipe) and not _has_suite(item, book):
            fault = f"toolchain '{item.compile.toolchain}' has no Debian bootstrap, whose suite packages are taken from"
        elif kind == "recipe" and copy.path:
            fault = _text_fault(folder, copy.path)
        if fault:
            yield Problem(file=f"{prefix}{item.name}.toml", key=f"copy.{number}.from", text=fault)


def _has_suite(recipe: Recipe, book: RecipeBook) -> bool:
    toolchains = [toolchain for toolchain in book.toolchains if toolchain.name == recipe.compile.toolchain]
    return not toolchains or isinstance(book.bootstrap_of(toolchains[0])[1], Debian)


def _text_fault(folder: Path, name: str) -> str:
    path = folder / name
    try:
        # A symlink may lead to any file of this machine, and that file would be put into the image.
        if not path.resolve(strict=True).is_relative_to(folder.resolve()) or not path.is_file():
            return f"{name} is no file in the folder of the recipes"
        if path.stat().st_size > TEXT_LIMIT_BYTES:
            return f"{name} has more than {TEXT_LIMIT_BYTES} bytes"
        read_file(path).decode()
    except (OSError, RuntimeError) as error:
        return f"{name} cannot be read: {error.strerror if isinstance(error, OSError) else error}"
    except UnicodeDecodeError:
        return f"{name} is no text; what is not comes from an image or package"
    return ""


def _with_texts(copies: tuple[Copy, ...], folder: Path) -> tuple[Copy, ...]:
    return tuple(
        replace(copy, path=None, text=(folder / copy.path).read_text(encoding="utf-8"))
        if copy.source == "recipe" and copy.path
        else copy
        for copy in copies
    )
