"""The strategies that are compared, as one would write them by hand: Containerfiles for the peers. Pure.

They do what `invoke containerfile` prints: the same bases, compiler, target and flags. Equal stages are written
equally, so that a builder which shares them can, and what cargo compiled before is kept in a cache mount.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# In the name of every crate and image of the benchmark, by which what it made is found again.
MARK = "bareboat-bench"
TOOLCHAIN = "localhost/bareboat/toolchain/gnu:bootstrap"
CRATES_IMAGE = f"localhost/{MARK}/crates:latest"
_BASE = "localhost/bareboat/base/{}:bootstrap"
GNU, MUSL = "x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"
_GLIBC = (
    "/lib64/ld-linux-x86-64.so.2",
    *(f"/usr/lib/x86_64-linux-gnu/{name}" for name in ("libc.so.6", "libgcc_s.so.1", "libm.so.6")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How a program is compiled and what it is put on."""

    target: str
    static: bool
    base: str = "scratch"
    libraries: tuple[str, ...] = ()  # what comes aboard of the toolchain

    @property
    def flags(self) -> str:
        """RUSTFLAGS."""
        return f"-C target-feature={'+' if self.static else '-'}crt-static"

    @property
    def kind(self) -> str:
        """What programs that are compiled alike have in common."""
        return f"{self.target}-{'static' if self.static else 'dynamic'}"


STRATEGIES = {
    "debian": Strategy(target=GNU, static=False, base=_BASE.format("debian")),
    "debian-slim": Strategy(target=GNU, static=False, base=_BASE.format("debian-slim")),
    "distroless-cc": Strategy(target=GNU, static=False, base=_BASE.format("distroless-cc")),
    "alpine": Strategy(target=MUSL, static=True, base=_BASE.format("alpine")),
    "distroless-static": Strategy(target=GNU, static=True, base=_BASE.format("distroless-static")),
    "scratch-glibc": Strategy(target=GNU, static=True),
    "scratch-musl": Strategy(target=MUSL, static=True),
    "scratch-glibc-dynamic": Strategy(target=GNU, static=False, libraries=_GLIBC),
}
SEVEN = tuple(STRATEGIES)[:7]
ROOTS = (TOOLCHAIN, *(strategy.base for strategy in STRATEGIES.values() if strategy.base != "scratch"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One image that every way makes: the recipe's name, which strategy it is like, and its own environment."""

    recipe: str
    like: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def strategy(self) -> Strategy:
        """The strategy that it is like."""
        return STRATEGIES[self.like]


def plain_cells(names: Iterable[str]) -> tuple[Cell, ...]:
    """The strategies themselves."""
    return tuple(Cell(recipe=name, like=name) for name in names)


def compile_command(crate: str, strategy: Strategy, target_folder: str, vendored: str = "") -> str:
    """What compiles a crate as Bareboat does; `vendored` is cargo's configuration of crates that were fetched."""
    config = f"--config {vendored} " if vendored else ""
    return (
        f"RUSTFLAGS='{strategy.flags}' CARGO_TARGET_DIR={target_folder} "
        f"cargo {config}build --profile release --locked --offline --target {strategy.target} --bin {crate}"
    )


def write_containerfile(crate: str, cell: Cell, *, cache: str, needs_crates: bool = False) -> str:
    """A two-stage Containerfile; `cache` is what the folder of compiled objects is called."""
    strategy, environment = cell.strategy, [f'ENV {name}="{value}"' for name, value in cell.environment.items()]
    compiling = compile_command(crate, strategy, "/target", "/crates/vendor.toml" if needs_crates else "")
    lines = (
        f"FROM {CRATES_IMAGE if needs_crates else TOOLCHAIN} AS build",
        f"WORKDIR /src/{MARK}",
        "COPY . .",
        f"RUN --mount=type=cache,id={cache}-{strategy.kind},target=/target,sharing=locked \\",
        f"    {compiling} && \\",
        f"    cp /target/{strategy.target}/release/{crate} /{crate}",
        "",
        f"FROM {strategy.base}",
        *(f"COPY --from=build {path} {path}" for path in strategy.libraries),
        f"COPY --from=build /{crate} /{crate}",
        *environment,
        "USER 65532:65532",
        f'ENTRYPOINT ["/{crate}"]',
    )
    return "\n".join(lines) + "\n"
