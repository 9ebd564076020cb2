"""Recipes, provisions and toolchains: the words of `recipes/**.toml` as frozen values.

A recipe is one base-image strategy: what the program is compiled in, what it is put on, what comes aboard beside it,
and how it runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, TypeAdapter

from bareboat.inputs.base import STRICT, Base, Name, SameAs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.inputs.base import RootBootstrap

Libc = Literal["gnu", "musl"]
Crt = Literal["static", "dynamic"]

_EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_EnvValue = Annotated[str, Field(pattern=r"^[^\n\r\x00]*$")]  # a Containerfile's ENV is one line
_Owner = Annotated[str, Field(pattern=r"^[0-9]+:[0-9]+$")]
_UNSAFE = frozenset(" \"'\\$*?[]{}#")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compile:
    """How the program is compiled; `crt` becomes `-C target-feature=+crt-static` or `-crt-static`, always said.

    The toolchain says which libc is compiled for; `libc` declares what must come out, and the program is held to it.
    """

    __pydantic_config__ = STRICT

    toolchain: Name
    libc: Libc
    crt: Crt


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """How the image runs: a numeric user and group, so that no /etc/passwd is needed."""

    __pydantic_config__ = STRICT

    user: _Owner = "65532:65532"
    env: dict[_EnvName, _EnvValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What somebody else says that an image of `sample` on this base weighs: bytes (10^6 to the MB), and where."""

    __pydantic_config__ = STRICT

    size_bytes: Annotated[int, Field(gt=0)]
    source: str
    sample: str = "hello-world"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One file or folder that comes aboard: `from` where (`path` there), `to` where in the image, and why.

    `from` is `toolchain`, `base:RECIPE` (the base of another recipe), `package:NAME` (a package of the toolchain's
    Debian suite), `recipe` (a `text`, or the `path` of one beside the recipes) or `new` (an empty folder). A folder's
    `path` and `to` end with a slash. Links are followed to what is copied; those inside a folder stay links. `mode` is
    the source's unless it is given; folders and files that are made get 0755 and 0644.
    """

    __pydantic_config__ = STRICT

    source: Annotated[str, Field(alias="from", pattern=r"^(toolchain|recipe|new|(base|package):[a-z0-9][a-z0-9.+-]*)$")]
    to: str
    why: Annotated[str, Field(min_length=1)]
    path: str | None = None
    text: str | None = None
    mode: Annotated[str, Field(pattern=r"^[0-7]{4}$")] | None = None
    owner: _Owner = "0:0"

    def __post_init__(self) -> None:
        for fault in self._faults():
            raise ValueError(fault)

    @property
    def is_folder(self) -> bool:
        """Whether a folder comes aboard, with all that is in it."""
        return self.to.endswith("/")

    @property
    def is_made(self) -> bool:
        """Whether the recipe itself makes it, so that no image has to be at hand."""
        return self.source in {"recipe", "new"}

    @property
    def permissions(self) -> int | None:
        """The mode as a number: what is said, what made things get, or None for the source's own."""
        made = (0o755 if self.is_folder else 0o644) if self.is_made else None
        return int(self.mode, 8) if self.mode else made

    def _faults(self) -> Iterator[str]:
        yield from _path_faults("to", self.to, absolute=True)
        if self.path is not None:
            yield from _path_faults("path", self.path, absolute=self.source != "recipe")
        if int(self.mode or "0", 8) & 0o6000:
            yield f"mode {self.mode} is set-uid or set-gid, and a shipped program gains no privileges"
        match self.source:
            case "new":
                if self.path or self.text or not self.is_folder:
                    yield 'from = "new" makes an empty folder: `to` ends with a slash, and there is no path or text'
            case "recipe":
                if (self.path is None) == (self.text is None) or self.is_folder:
                    yield 'from = "recipe" makes one text file: give its `text`, or `path`, a file beside the recipes'
            case _:
                yield from self._copied_faults()

    def _copied_faults(self) -> Iterator[str]:
        if self.path is None or self.text is not None:
            yield f'from = "{self.source}" needs a `path` there, and no text'
        elif self.path.endswith("/") != self.is_folder:
            yield "a folder is copied to a folder: `path` and `to` both end with a slash, or neither does"
        elif self.is_folder and (self.mode or self.owner != "0:0"):
            yield "`mode` and `owner` are for one file; what is in a folder keeps its modes and belongs to root"


def _path_faults(key: str, path: str, *, absolute: bool) -> Iterator[str]:
    parts = path.removeprefix("/").removesuffix("/").split("/")
    if path.startswith("/") != absolute:
        yield f"{key}: {path!r} must {'begin with a slash' if absolute else 'be relative to the folder of the recipes'}"
    elif {"", ".", ".."} & set(parts):
        yield f"{key}: {path!r} has an empty, `.` or `..` part"
    elif any(not character.isprintable() or character in _UNSAFE for character in path):
        yield f"{key}: {path!r} has a character that a Containerfile would read as more than a name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One base-image strategy; `name` is the stem of its file.

    `provisions` names files of `provisions/`, whose copies come aboard too. `samples` are patterns of the samples that
    it takes (empty: all). `expect_failure` says why its cells are known not to work; they stay as tests.
    """

    __pydantic_config__ = STRICT

    name: Name
    summary: Annotated[str, Field(min_length=1)]
    compile: Compile
    base: Base
    copies: Annotated[tuple[Copy, ...], Field(alias="copy")] = ()
    provisions: Annotated[tuple[Name, ...], Field(alias="with")] = ()
    runtime: Runtime = field(default_factory=Runtime)
    published: Published | None = None
    samples: tuple[str, ...] = ()
    expect_failure: Annotated[str, Field(min_length=1)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """What may go aboard beside the program, such as certificates; `name` is the stem of its file."""

    __pydantic_config__ = STRICT

    name: Name
    summary: Annotated[str, Field(min_length=1)]
    copies: Annotated[tuple[Copy, ...], Field(alias="copy", min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """The image a program is compiled in; `name` is the stem of its file, `libc` what the program is compiled for."""

    __pydantic_config__ = STRICT

    name: Name
    summary: Annotated[str, Field(min_length=1)]
    libc: Libc
    base: Base


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeBook:
    """Every recipe, toolchain and provision of a folder, in order of name."""

    recipes: tuple[Recipe, ...]
    toolchains: tuple[Toolchain, ...]
    provisions: tuple[Provision, ...] = ()

    def toolchain(self, name: str) -> Toolchain:
        """The toolchain of that name; the loader has seen to it that a recipe's toolchain exists."""
        return next(toolchain for toolchain in self.toolchains if toolchain.name == name)

    def recipe(self, name: str) -> Recipe:
        """The recipe of that name; the loader has seen to it that what a recipe names exists."""
        return next(recipe for recipe in self.recipes if recipe.name == name)

    def bootstrap_of(self, one: Recipe | Toolchain) -> tuple[str, RootBootstrap | None]:
        """The one whose bootstrap this one uses (itself, unless it says same-as), and that bootstrap."""
        match one.base.bootstrap:
            case SameAs(of=other):
                return self.bootstrap_of(self.toolchain(other) if isinstance(one, Toolchain) else self.recipe(other))
            case bootstrap:
                return one.name, bootstrap

    def copies_of(self, recipe: Recipe) -> tuple[Copy, ...]:
        """All that comes aboard beside the program: the recipe's own, then those of its provisions in their order."""
        added = [one for name in recipe.provisions for one in self.provisions if one.name == name]
        return (*recipe.copies, *(copy for provision in added for copy in provision.copies))


def recipe_schema() -> dict[str, object]:
    """The JSON schema of a recipe file; `name` is left out, since the file's stem is the name."""
    schema: dict[str, object] = TypeAdapter(Recipe).json_schema()
    properties, required = schema["properties"], schema["required"]
    if isinstance(properties, dict) and isinstance(required, list):
        properties.pop("name")
        required.remove("name")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
