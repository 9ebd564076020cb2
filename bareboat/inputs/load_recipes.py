"""Loads the folder of recipes and checks that its files fit together, reporting every problem of every file at once.

recipes/NAME.toml  recipes/toolchains/NAME.toml  recipes/provisions/NAME.toml  -> RecipeBook
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter

from bareboat.errors import RecipeError
from bareboat.inputs.base import Debian, SameAs
from bareboat.inputs.recipe import Provision, Recipe, RecipeBook, Toolchain
from bareboat.inputs.tomlfile import Parsed, Problem, did_you_mean, read_toml, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from bareboat.inputs.recipe import Copy

TEXT_LIMIT_BYTES = 65536

_T = TypeVar("_T", bound=Recipe | Toolchain | Provision)


def load_recipes(folder: Path) -> RecipeBook:
    """Load every recipe, toolchain and provision of `folder`. Raises RecipeError with every problem of every file."""
    recipes = _load_all(folder, "", TypeAdapter(Recipe))
    toolchains = _load_all(folder, "toolchains/", TypeAdapter(Toolchain))
    provisions = _load_all(folder, "provisions/", TypeAdapter(Provision))
    problems = [*_problems(recipes), *_problems(toolchains), *_problems(provisions)]
    if not recipes:
        problems.append(Problem(file=str(folder), key="", text="has no recipe (a *.toml file)"))
    book = RecipeBook(recipes=_values(recipes), toolchains=_values(toolchains), provisions=_values(provisions))
    problems += [problem for recipe in book.recipes for problem in _recipe_problems(recipe, book, folder)]
    for provision in book.provisions:
        problems += _copies_problems(provision, "provisions/", book, folder)
    problems += [problem for toolchain in book.toolchains for problem in _toolchain_problems(toolchain, book, folder)]
    if problems:
        raise RecipeError("\n".join(str(problem) for problem in problems))
    return RecipeBook(
        recipes=tuple(replace(recipe, copies=_with_texts(recipe.copies, folder)) for recipe in book.recipes),
        toolchains=book.toolchains,
        provisions=tuple(replace(item, copies=_with_texts(item.copies, folder)) for item in book.provisions),
    )


def find_shared_targets(copies: Sequence[Copy]) -> Iterator[str]:
    """A line for each path in the image that two of the copies have as their target."""
    places: dict[str, Copy] = {}
    for copy in copies:
        place = copy.to.removesuffix("/")
        if place in places:
            yield f"{copy.to} is the target of two copies: {places[place].why!r} and {copy.why!r}"
        places[place] = copy


def _load_all(folder: Path, prefix: str, adapter: TypeAdapter[_T]) -> list[Parsed[_T]]:
    paths = sorted((folder / prefix).glob("*.toml"), key=lambda path: path.stem)
    return [_load(path, prefix + path.name, adapter) for path in paths]


def _load(path: Path, name: str, adapter: TypeAdapter[_T]) -> Parsed[_T]:
    parsed = read_toml(path, name)
    if parsed.value is None:
        return Parsed(value=None, problems=parsed.problems)
    loaded = validate({**parsed.value, "name": path.stem}, adapter, name)
    if "name" in parsed.value:
        taken = Problem(file=name, key="name", text=f"unknown key: the file's name already says '{path.stem}'")
        return Parsed(value=None, problems=(*loaded.problems, taken))
    return loaded


def _problems(loaded: list[Parsed[_T]]) -> list[Problem]:
    return [problem for file in loaded for problem in file.problems]


def _values(loaded: list[Parsed[_T]]) -> tuple[_T, ...]:
    return tuple(file.value for file in loaded if file.value is not None)


def _names(folder: Path, kind: str) -> list[str]:
    # By the files that exist, including those with problems: these are reported as such, not as missing.
    return sorted(path.stem for path in (folder / kind).glob("*.toml"))


def _recipe_problems(recipe: Recipe, book: RecipeBook, folder: Path) -> Iterator[Problem]:
    file, wanted = f"{recipe.name}.toml", recipe.compile.toolchain
    toolchains, provisions = _names(folder, "toolchains"), _names(folder, "provisions")
    if wanted not in toolchains:
        text = f"no such toolchain: '{wanted}'{did_you_mean(wanted, toolchains)}"
        yield Problem(file=file, key="compile.toolchain", text=text)
    for name in recipe.provisions:
        if name not in provisions:
            yield Problem(file=file, key="with", text=f"no such provision: '{name}'{did_you_mean(name, provisions)}")
    yield from _same_as_problems(recipe, file, book.recipes, _names(folder, ""))
    yield from _copies_problems(recipe, "", book, folder)
    for text in find_shared_targets(book.copies_of(recipe)):
        yield Problem(file=file, key="copy", text=text)


def _toolchain_problems(toolchain: Toolchain, book: RecipeBook, folder: Path) -> Iterator[Problem]:
    file = f"toolchains/{toolchain.name}.toml"
    if toolchain.base.scratch:
        yield Problem(file=file, key="base.scratch", text="nothing can be compiled in an empty image")
    yield from _same_as_problems(toolchain, file, book.toolchains, _names(folder, "toolchains"))


def _same_as_problems(
    item: Recipe | Toolchain, file: str, others: Iterable[Recipe | Toolchain], present: Sequence[str]
) -> Iterator[Problem]:
    bootstrap = item.base.bootstrap
    if not isinstance(bootstrap, SameAs):
        return
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
        content = path.read_bytes()
        content.decode()
    except (OSError, RuntimeError) as error:
        return f"{name} cannot be read: {error.strerror if isinstance(error, OSError) else error}"
    except UnicodeDecodeError:
        return f"{name} is no text; what is not comes from an image or package"
    return "" if len(content) <= TEXT_LIMIT_BYTES else f"{name} has more than {TEXT_LIMIT_BYTES} bytes"


def _with_texts(copies: tuple[Copy, ...], folder: Path) -> tuple[Copy, ...]:
    return tuple(
        replace(copy, path=None, text=(folder / copy.path).read_text(encoding="utf-8"))
        if copy.source == "recipe" and copy.path
        else copy
        for copy in copies
    )
