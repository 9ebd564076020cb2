"""A cell's Containerfile for the user's own repository, which stands on public images alone. Pure.

The public toolchains are others than those that we make: rust:1-slim has Debian's libraries, where ours has them, too;
rust:1-alpine has none of Debian's. What cannot be had there is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bareboat.errors import SelectionError
from bareboat.inputs.base import Debian, Distroless
from bareboat.inputs.lock import pinned_reference
from bareboat.plan.containerfile import CA_SECRET, CARGO_SECRET, SYSROOT_CONTEXT, render_stages

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from bareboat.inputs.lock import Lock
    from bareboat.inputs.recipe import RecipeBook, Toolchain
    from bareboat.plan.eject import Service
    from bareboat.plan.jobs import Cell, PlannedCopy, RootJob

_TOOLCHAIN_STAGE = "toolchain"
# What our own toolchain has and a public one has not, by the crate that is built with it or links to it.
_BUILT_WITH = {
    "jemalloc-sys": ("make",),
    "openssl-sys": ("libssl-dev", "make", "perl", "pkgconf"),
    "tikv-jemalloc-sys": ("make",),
}
_DEBIANS_ALONE = frozenset({"libssl-dev"})
_APT = (
    "apt-get update",
    "apt-get install --yes --no-install-recommends {}",
    "rm -rf /var/lib/apt/lists/*",
)
_APK = ("apk add --no-cache {}",)
# Debian's update-ca-certificates writes it with 0644, and the build of Google's images with 0555.
_BUNDLE, _BUNDLE_MODE = "/etc/ssl/certs/ca-certificates.crt", "0644"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a cell besides its plan."""

    crates: Collection[str] = ()  # that it may be linked with, by name
    service: Service | None = None  # what its last run was; None where it ended by itself, or did not run
    # Whether all that it needs in a registry's toolchain is known: the last run was on one, and the cell has it all.
    measured: bool = False
    # The names of large-file functions that musl dropped and our own toolchain brought.
    large_file_names: Collection[str] = ()


def render_public(cell: Cell, book: RecipeBook, lock: Lock, known: Known, tag: str) -> str:
    """The whole Containerfile, whose header says how it is built as `tag`.

    `cell` is planned with bases of registries. Raises SelectionError where it needs what no public image has.
    """
    toolchain = book.toolchain(cell.recipe.compile.toolchain)
    _refuse(cell, toolchain, known)
    public = {job: _public_image(cell, job, book) for job in (cell.program.toolchain, *cell.roots)}
    named = {job: pinned_reference(image, lock.registry.get(image)) for job, image in public.items()}
    digest = lock.registry.get(public[cell.program.toolchain], "")
    packages = _packages(cell, toolchain, known)
    made: tuple[str, ...] = ()
    if packages:
        made = (_toolchain_stage(named[cell.program.toolchain], toolchain, packages),)
        named[cell.program.toolchain] = _TOOLCHAIN_STAGE
    shipped = replace(cell, copies=tuple(map(_as_debian_has_it, cell.copies)))
    stages = "\n".join((*made, *render_stages(shipped, named, digest)))
    header = _header(cell, dict.fromkeys(public.values()), lock, known, tag)
    return "".join((*(f"# {line}".rstrip() + "\n" for line in header), stages, *_run_lines(cell, known)))


def _refuse(cell: Cell, toolchain: Toolchain, known: Known) -> None:
    """Raise SelectionError where a public toolchain is known not to do what ours does."""
    image = toolchain.base.image
    if known.large_file_names:
        names = ", ".join(sorted(known.large_file_names))
        raise SelectionError(
            f"{cell.id} asks for {names}: musl has dropped them, and only our own toolchain brings them\n"
            "  `cargo update -p libc` to 0.2.146 or newer, then `invoke build-matrix`"
        )
    if cell.sample.toolchain_packages and not _is_debian(toolchain):
        packages = ", ".join(cell.sample.toolchain_packages)
        raise SelectionError(
            f"{cell.id} is compiled with {packages} of Debian, and {image} is Alpine's: try another base"
        )
    ours = isinstance(toolchain.base.bootstrap, Debian) or cell.program.toolchain.source == "bootstrap"
    if cell.program.crt == "dynamic" and not ours and not known.measured:
        again = f"`invoke build-matrix --recipe {cell.recipe.name} --bases registry`"
        raise SelectionError(
            f"{cell.id} is dynamic, and which libraries of {image} it needs is not known: ours has others\n"
            f"  where registries answer, {again} finds out; a static program needs none"
        )


def _public_image(cell: Cell, job: RootJob, book: RecipeBook) -> str:
    """The registry image that is, or has, what the job makes; not pinned."""
    if job.source == "registry":
        return job.reference
    if job.role != "package":
        raise SelectionError(f'{cell.id} needs {job.id}, which no registry has: give it `image = "..."` under [base]')
    if image := _holder(job, book):
        return image
    raise SelectionError(
        f"{cell.id} takes Debian's package '{job.name}', and no recipe names a registry image that has it"
    )


def _holder(job: RootJob, book: RecipeBook) -> str | None:
    """The smallest registry image that is made of the files of a few packages, of which one is this."""
    wanted = job.bootstrap
    made = ((recipe.base.image, book.bootstrap_of(recipe)[1]) for recipe in book.recipes)
    found = [
        (len(bootstrap.packages), image)
        for image, bootstrap in made
        if isinstance(bootstrap, Distroless) and isinstance(wanted, Distroless)
        if image and bootstrap.suite == wanted.suite and job.name in bootstrap.packages
    ]
    return min(found)[1] if found else None


def _is_debian(toolchain: Toolchain) -> bool:
    # Rust's own images are Debian's, or Alpine's for musl.
    return toolchain.libc == "gnu"


def _packages(cell: Cell, toolchain: Toolchain, known: Known) -> tuple[str, ...]:
    """What the public toolchain needs besides, sorted, as its distribution calls it."""
    built = {package for crate in known.crates for package in _BUILT_WITH.get(crate, ())}
    if not _is_debian(toolchain):
        return tuple(sorted(built - _DEBIANS_ALONE))
    asked = {*cell.sample.toolchain_packages, "pkgconf"} if cell.sample.toolchain_packages else set[str]()
    return tuple(sorted(built | asked))


def _toolchain_stage(image: str, toolchain: Toolchain, packages: Collection[str]) -> str:
    commands = _APT if _is_debian(toolchain) else _APK
    run = " && \\\n    ".join(commands).format(" ".join(packages))
    return f"FROM {image} AS {_TOOLCHAIN_STAGE}\nRUN {run}\n"


def _as_debian_has_it(planned: PlannedCopy) -> PlannedCopy:
    if planned.copy.path != _BUNDLE or planned.copy.mode:
        return planned
    return replace(planned, copy=replace(planned.copy, mode=_BUNDLE_MODE))


def _header(cell: Cell, images: Mapping[str, None], lock: Lock, known: Known, tag: str) -> Iterator[str]:
    yield f"{cell.id}: {' '.join(cell.recipe.summary.split())}"
    yield ""
    yield "Built from public images in the folder that has Cargo.lock, by either of"
    # OCI's format, which is Podman's own, has no place for a health check.
    form = "--format docker " if cell.healthcheck else ""
    yield f"  podman build {form}--tag {tag} --file Containerfile ."
    yield f"  docker build --tag {tag} --file Containerfile ."
    yield "Name target and .git in .dockerignore: the build needs neither."
    if cell.sample.needs_crates:
        yield "Behind a mirror or a proxy, these options hand cargo what it needs, and leave it in no layer:"
        yield f"  --secret id={CARGO_SECRET},src=$HOME/.cargo/config.toml"
        yield f"  --secret id={CA_SECRET},src=/etc/ssl/certs/ca-certificates.crt"
    if sysroot := cell.recipe.compile.sysroot:
        yield f"This option hands on its C library, the folder that {cell.recipe.name}.toml calls {sysroot}:"
        yield f"  --build-context {SYSROOT_CONTEXT}=FOLDER"
    pinned = [image for image in images if image in lock.registry]
    loose = [image for image in images if image not in lock.registry and "@" not in image]
    yield from (f"{image} is pinned to {lock.registry[image]}." for image in pinned)
    yield from (f"{image} is a tag: it may come to mean another image." for image in loose)
    if known.service and not known.service.heeds:
        yield "As a container's first process it does not heed SIGTERM: run it with --init."


def _run_lines(cell: Cell, known: Known) -> Iterator[str]:
    """What the shipped stage says besides of how it runs."""
    ports = known.service.ports if known.service else ()
    yield from (f"EXPOSE {port}\n" for port in ports)
    plain = cell.sample.expectations[0]
    if plain.arguments and plain.is_open:  # others are those of a test
        yield f"CMD {json.dumps(list(plain.arguments))}\n"
