"""Recipes, provisions and toolchains: the content of `recipes/**.toml` as frozen values.

A recipe is one base-image strategy: the image that the program is compiled in, the image that it is put on, the files
that are put beside it, and how it runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bareboat.elf import Crt, Libc  # noqa: TC001 -- pydantic reads the types of fields
from bareboat.inputs.base import STRICT, Base, Name, SameAs
from bareboat.inputs.expected import ExpectedFailure  # noqa: TC001 -- likewise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bareboat.inputs.base import RootBootstrap
    from bareboat.inputs.sysroot import Sysroot

_EnvName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_EnvValue = Annotated[str, Field(pattern=r"^[^\n\r\x00]*$")]  # a Containerfile's ENV is one line
_Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$")]
_Owner = Annotated[str, Field(pattern=r"^[0-9]+:[0-9]+$")]
CREW = "crew:"
_UNSAFE = frozenset(" \"'\\$*?[]{}#")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compile:
    """How the program is compiled."""

    __pydantic_config__ = STRICT

    toolchain: Name
    """The stem of a file of `toolchains/`; it decides which libc the program is compiled for."""
    libc: Literal["gnu", "musl", "other"]
    """The libc that the compiled program must have, or else the cell fails; `other` is that of a `sysroot`."""
    crt: Crt
    """How libc is linked: becomes `-C target-feature=+crt-static` or `-crt-static`, never rustc's default."""
    sysroot: _Line | None = None
    """A C library of your own, which is linked statically in musl's place: a folder with its start files and its
    `libc.a`, by a path that is absolute, begins with `~`, or is relative to the folder of the recipes."""
    sysroot_absent: _Line | None = None
    """Why that folder may be absent: cells are skipped then, and say so. Without it, an absent folder is a mistake."""

    def __post_init__(self) -> None:
        if (self.libc == "other") != (self.sysroot is not None):
            raise ValueError('libc is "other" where `sysroot` names a C library of your own, and only there')
        if self.sysroot is not None and self.crt != "static":
            raise ValueError('a C library of your own is linked statically: crt = "static"')
        if self.sysroot is None and self.sysroot_absent is not None:
            raise ValueError("`sysroot_absent` says why the folder of a `sysroot` may be absent, and none is named")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """How the image runs."""

    __pydantic_config__ = STRICT

    user: _Owner = "65532:65532"
    """User and group as numbers, so that no /etc/passwd is needed."""
    env: dict[_EnvName, _EnvValue] = field(default_factory=dict)
    """The image's environment variables."""
    memory_mb: Annotated[int, Field(ge=8, le=1_000_000)] | None = None
    """The memory that a run of the image may take, in MB of 10^6 bytes; without it, 512, and 16 for each core of the
    host beyond two."""
    processes: Annotated[int, Field(ge=16, le=1_000_000)] | None = None
    """The processes and threads that may be in a run of the image at once; without it, 64, and 16 for each core of the
    host beyond two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The size that somebody else has published for an image on this base."""

    __pydantic_config__ = STRICT

    size_bytes: Annotated[int, Field(gt=0)]
    """The size; a published MB counts as 10^6 bytes."""
    source: str
    """Where it is published."""
    sample: str = "hello-world"
    """The sample in that image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One file or folder that is put into the image beside the program.

    A link at `path` is followed; links inside a copied folder stay links.
    """

    __pydantic_config__ = STRICT

    source: Annotated[
        str, Field(alias="from", pattern=r"^(toolchain|recipe|new|(base|crew|package):[a-z0-9][a-z0-9.+-]*)$")
    ]
    """`toolchain`, `base:RECIPE` (the base of another recipe), `package:NAME` (a package of the toolchain's Debian
    suite), `crew:NAME` (a program of Bareboat's own, compiled in the toolchain), `recipe` (a text, or a text file
    beside the recipes) or `new` (an empty folder)."""
    to: str
    """Its absolute path in the image; a folder's ends with a slash."""
    why: Annotated[str, Field(min_length=1)]
    """Why the program needs it."""
    path: str | None = None
    """Its path in the source; a folder's ends with a slash."""
    text: str | None = None
    """With `from = "recipe"`, the file's whole content, instead of a `path`."""
    mode: Annotated[str, Field(pattern=r"^[0-7]{4}$")] | None = None
    """Four octal digits; without it, a copy keeps its mode, a text gets 0644 and a new folder 0755."""
    owner: _Owner = "0:0"
    """User and group as numbers."""

    def __post_init__(self) -> None:
        for fault in self._faults():
            raise ValueError(fault)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, which is copied with all that is in it."""
        return self.to.endswith("/")

    @property
    def is_made(self) -> bool:
        """Whether the recipe alone says what it is, so that nothing is copied from an image or package."""
        return self.source in {"recipe", "new"}

    @property
    def permissions(self) -> int | None:
        """The mode as a number; None if the copy keeps the mode of its source."""
        default = (0o755 if self.is_folder else 0o644) if self.is_made else None
        return int(self.mode, 8) if self.mode else default

    def _faults(self) -> Iterator[str]:
        yield from _path_faults("to", self.to, absolute=True)
        if self.path is not None:
            yield from _path_faults("path", self.path, absolute=self.source != "recipe")
        if int(self.mode or "0", 8) & 0o6000:
            yield f"mode {self.mode} is set-uid or set-gid, and a shipped program gains no privileges"
        yield from self._source_faults()

    def _source_faults(self) -> Iterator[str]:
        match self.source:
            case "new":
                if self.path or self.text or not self.is_folder:
                    yield 'from = "new" makes an empty folder: `to` ends with a slash, and there is no path or text'
            case "recipe":
                if (self.path is None) == (self.text is None) or self.is_folder:
                    yield 'from = "recipe" makes one text file: give its `text`, or `path`, a file beside the recipes'
            case source if source.startswith(CREW):
                if self.path or self.text or self.is_folder:
                    yield f'from = "{source}" is one program: `to` is a file, and there is no path or text'
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
    """One base-image strategy."""

    __pydantic_config__ = STRICT

    name: Name
    """The stem of its file."""
    summary: _Line
    """One line for lists of recipes."""
    compile: Compile
    base: Base
    """The image that the program is put on."""
    copies: Annotated[tuple[Copy, ...], Field(alias="copy")] = ()
    """The files and folders that are put into the image beside the program."""
    provisions: Annotated[tuple[Name, ...], Field(alias="with")] = ()
    """The stems of files of `provisions/`, whose copies are put into the image too."""
    runtime: Runtime = field(default_factory=Runtime)
    published: Published | None = None
    """The size that somebody else has published for an image on this base."""
    samples: tuple[str, ...] = ()
    """Patterns of the samples that are put on this base; without any, all are."""
    expect_failure: ExpectedFailure | None = None
    """Why this recipe is known not to work, and what it says; its cells stay as tests and must fail by that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """Files and folders that several recipes put beside the program, such as certificates."""

    __pydantic_config__ = STRICT

    name: Name
    """The stem of its file."""
    summary: _Line
    """What it is for, in one line."""
    copies: Annotated[tuple[Copy, ...], Field(alias="copy", min_length=1)]
    """The files and folders."""
    entrypoint: tuple[_Line, ...] = ()
    """What comes before the program in the image's entry point: a program that starts the one that it is given."""
    healthcheck: tuple[_Line, ...] = ()
    """The command by which an engine asks whether a service is well; `{port}` and `{path}` stand for where it is
    asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """The image that a program is compiled in."""

    __pydantic_config__ = STRICT

    name: Name
    """The stem of its file."""
    summary: _Line
    """What it is, in one line."""
    libc: Libc
    """The libc that programs are compiled for in it."""
    std_source: Name | None = None
    """The Debian package that has the source of its standard library, for programs that compile it too."""
    base: Base
    """The image itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeBook:
    """Every recipe, toolchain and provision of a folder."""

    # In order of name, as the others are.
    recipes: tuple[Recipe, ...]
    toolchains: tuple[Toolchain, ...]
    provisions: tuple[Provision, ...] = ()
    # The C libraries of the user's own that recipes name; those whose folder is absent are not among them.
    sysroots: tuple[Sysroot, ...] = ()

    def toolchain(self, name: str) -> Toolchain:
        """The toolchain of that name; `load_recipes` has checked that a recipe's toolchain exists."""
        return next(toolchain for toolchain in self.toolchains if toolchain.name == name)

    def recipe(self, name: str) -> Recipe:
        """The recipe of that name; `load_recipes` has checked that a recipe which another names exists."""
        return next(recipe for recipe in self.recipes if recipe.name == name)

    def sysroot_of(self, recipe: Recipe) -> Sysroot | None:
        """The C library of the user's own that a recipe's programs are linked with; None for the toolchain's."""
        return next((one for one in self.sysroots if one.path == recipe.compile.sysroot), None)

    def lacks_sysroot(self, recipe: Recipe) -> bool:
        """Whether a recipe names a C library of the user's own that is absent, as it may be."""
        return recipe.compile.sysroot is not None and self.sysroot_of(recipe) is None

    def bootstrap_of(self, item: Recipe | Toolchain) -> tuple[str, RootBootstrap | None]:
        """The item's bootstrap, and the name of the recipe or toolchain in whose file it stands."""
        match item.base.bootstrap:
            case SameAs(of=other):
                return self.bootstrap_of(self.toolchain(other) if isinstance(item, Toolchain) else self.recipe(other))
            case bootstrap:
                return item.name, bootstrap

    def copies_of(self, recipe: Recipe) -> tuple[Copy, ...]:
        """All that is put beside the program: the recipe's own copies, then those of its provisions, in their order."""
        return (*recipe.copies, *(copy for provision in self.provisions_of(recipe) for copy in provision.copies))

    def provisions_of(self, recipe: Recipe) -> tuple[Provision, ...]:
        """The provisions of a recipe, in its order."""
        return tuple(item for name in recipe.provisions for item in self.provisions if item.name == name)
