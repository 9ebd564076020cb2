"""What is in which key: every field of every value that goes into a job is decided here, or the test fails.

A field changes the key that is named beside it and all that are made of it, and none before; or it has the reason why
it can change nothing.
"""

from __future__ import annotations

import subprocess
import sys
import types
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest

from bareboat.archive import Entry
from bareboat.engine import tracer
from bareboat.engine.fake import HOST
from bareboat.engine.tracer import Tracer
from bareboat.inputs import base, recipe, sample
from bareboat.inputs.base import Alpine, Base, Debian, Distroless, SameAs
from bareboat.inputs.cargo import Cargo
from bareboat.inputs.expectation import Expectation, Served, Serving
from bareboat.inputs.expected import ExpectedFailure
from bareboat.inputs.extent import Extent
from bareboat.inputs.limits import limits_of
from bareboat.inputs.mend import Mend
from bareboat.inputs.recipe import Compile, Copy, Provision, Published, Recipe, RecipeBook, Runtime, Toolchain
from bareboat.inputs.rustflags import RustFlags
from bareboat.inputs.sample import Sample
from bareboat.inputs.sysroot import Sysroot
from bareboat.plan import jobs, keys
from bareboat.plan.jobs import Cell, PlannedCopy, Platform, ProgramJob, RootJob
from bareboat.plan.planner import PlanInputs, plan_cell
from bareboat.result import values
from bareboat.result.measurement import Column
from bareboat.result.values import Host
from tests.unit.project import AMD, ARM, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

ORDER = ("root", "program", "image", "cell")
DEBIAN = Debian(kind="debian", suite="trixie", packages=("gcc",))
DISTROLESS = Distroless(kind="distroless", suite="trixie", packages=("libc6",))
ALPINE = Alpine(kind="alpine", project="a", version="1", sha256="0" * 64, image="i", packages=("musl",))
LIBC = Copy(source="toolchain", path="/libc.so.6", to="/libc.so.6", why="the C library")


RECIPE = Recipe(
    name="r",
    summary="a recipe",
    compile=Compile(toolchain="gnu", libc="gnu", crt="static"),
    base=Base(bootstrap=DISTROLESS, image="example.com/base:1"),
    copies=(LIBC,),
    provisions=("tmp",),
    runtime=Runtime(env={"A": "1"}),
    published=Published(size_bytes=1, source="elsewhere"),
)
TOOLCHAIN = Toolchain(
    name="gnu",
    summary="a toolchain",
    libc="gnu",
    std_source="rust-src",
    base=Base(bootstrap=DEBIAN, image="example.com/rust:1"),
)
PROVISION = Provision(name="tmp", summary="a folder", copies=(Copy(source="new", to="/tmp/", why="a place"),))
SAMPLE = Sample(
    name="s",
    crate="s",
    summary="a sample",
    folder=Path("s"),
    binary="s",
    needs_crates=True,
    expectations=(Expectation(),),
    digest="d",
    service=True,
)
HARBOR = Sample(
    name="h", crate="h", summary="", folder=Path("h"), binary="h", needs_crates=False, expectations=(), digest="h"
)
GAUGE = replace(HARBOR, name="g", digest="g")
COLUMN = Column(name="c", heading="C", unit="bytes", order=1)


@dataclass(frozen=True, kw_only=True)
class World:
    """All that one cell is made of, held to and measured by."""

    recipe: Recipe = RECIPE
    toolchain: Toolchain = TOOLCHAIN
    provision: Provision = PROVISION
    sample: Sample = SAMPLE
    harbor: Sample = HARBOR
    gauge: Sample = GAUGE
    crew: dict[str, Sample] = field(default_factory=dict)
    platform: Platform = AMD
    source: str = "bootstrap"
    host: Host = HOST
    column: Column = COLUMN
    tracer: Tracer | None = None
    crates: tuple[str, ...] | None = None
    script: str = ""
    change: Callable[[Cell], Cell] | None = None

    def cell(self) -> Cell:
        musl = replace(self.toolchain, name="musl", libc="musl", base=replace(self.toolchain.base, bootstrap=ALPINE))
        other = replace(self.recipe, name="other", base=Base(bootstrap=ALPINE, image="example.com/other:1"), copies=())
        book = RecipeBook(recipes=(self.recipe, other), toolchains=(self.toolchain, musl), provisions=(self.provision,))
        own = {"harbor": self.harbor, "gauge": self.gauge, "crew": self.crew}
        inputs = PlanInputs(book=book, source=self.source, platform=self.platform, **own)
        cell = plan_cell(self.sample, self.recipe, inputs)
        return self.change(cell) if self.change else cell

    def digest(self, job: RootJob) -> str:
        """What stands for the digest of the image that a job makes: two differ where what goes in does."""
        return keys.root_key(job.bootstrap, self.script) if job.bootstrap else job.reference

    def program(self, job: ProgramJob) -> str:
        return keys.program_key(job, job.toolchain.reference, self.digest(job.toolchain))

    def sources(self) -> str:
        """The key under which it is kept what the cell's image came to."""
        cell = self.cell()
        digests = {job: self.digest(job) for job in cell.roots}
        return keys.source_key(cell, self.program(cell.program), digests)

    def keys(self) -> dict[str, Any]:
        cell = self.cell()
        digests = {job: self.digest(job) for job in (*cell.roots, cell.program.toolchain)}
        image = keys.image_key(
            cell, self.program(cell.program), digests, [entry_of(each, digests) for each in cell.copies]
        )
        return {
            "root": sorted(digests.values()),
            "program": self.program(cell.program),
            "image": image,
            "cell": keys.cell_key(
                cell,
                image,
                crates=self.crates,
                harbor_sha256=self.program(cell.harbor) if cell.harbor else "",
                gauge_sha256=self.program(cell.gauge) if cell.gauge else "",
                host=self.host,
                limits=limits_of(cell.recipe.runtime, self.host.cores),
                traced=self.tracer is not None,
                columns=[self.column],
            ),
        }


def entry_of(planned: PlannedCopy, digests: dict[RootJob, str]) -> Entry:
    """What a copy brings, with content that is other where it is taken from elsewhere."""
    copy = planned.copy
    source = digests[planned.source] if planned.source else ""
    user, _, group = copy.owner.partition(":")
    content = b"" if copy.is_folder else f"{source} {copy.path} {copy.text}".encode()
    kind = "directory" if copy.is_folder else "file"
    mode = copy.permissions or 0o755
    return Entry(path=copy.to.strip("/"), kind=kind, mode=mode, uid=int(user), gid=int(group), content=content)


def in_recipe(**changes: Any) -> Callable[[World], World]:
    return lambda world: replace(world, recipe=replace(world.recipe, **changes))


def in_sample(**changes: Any) -> Callable[[World], World]:
    return lambda world: replace(world, sample=replace(world.sample, **changes))


def in_provision(**changes: Any) -> Callable[[World], World]:
    return lambda world: replace(world, provision=replace(world.provision, **changes))


def in_toolchain(**changes: Any) -> Callable[[World], World]:
    return lambda world: replace(world, toolchain=replace(world.toolchain, **changes))


def in_host(**changes: Any) -> Callable[[World], World]:
    return lambda world: replace(world, host=replace(world.host, **changes))


def in_column(**changes: Any) -> Callable[[World], World]:
    return lambda world: replace(world, column=replace(world.column, **changes))


def in_copy(start: Copy, **changes: Any) -> tuple[Callable[[World], World], Callable[[World], World]]:
    """A world with that copy, and the same with the copy changed."""
    return in_recipe(copies=(start,)), in_recipe(copies=(replace(start, **changes),))


def in_cell(**changes: Any) -> Callable[[World], World]:
    return lambda world: replace(world, change=lambda cell: replace(cell, **changes))


def in_program(**changes: Any) -> Callable[[World], World]:
    return lambda world: replace(world, change=lambda cell: replace(cell, program=replace(cell.program, **changes)))


def in_root(**changes: Any) -> Callable[[World], World]:
    def change(cell: Cell) -> Cell:
        toolchain = replace(cell.program.toolchain, **changes)
        copies = tuple(replace(each, source=toolchain if each.source else None) for each in cell.copies)
        return replace(cell, program=replace(cell.program, toolchain=toolchain), copies=copies)

    return lambda world: replace(world, change=change)


def bootstrapped(start: Any, **changes: Any) -> tuple[Callable[[World], World], Callable[[World], World]]:
    """A world on a base made in that way, and the same with the way changed."""
    return in_recipe(base=Base(bootstrap=start)), in_recipe(base=Base(bootstrap=replace(start, **changes)))


def pulled(image: str) -> Callable[[World], World]:
    return lambda world: replace(in_recipe(base=Base(image=image))(world), source="registry")


def same(world: World) -> World:
    return world


NAMED = "names the cell, its image and the file of its result: another name is another cell"
TOLD = "is told to people, and nothing reads it"
CHOOSES = "chooses which cells there are"
JOINED = "is joined when a table is made"
FIXED = "tells one class from the others, which are other values"
NESTED = "is a value of its own, whose fields are below"
CHOOSES_RECIPE = "chooses on which recipe the provision comes aboard, which is in the image's key"
MEND = Mend(recipe="r", provision="tmp", why="known")
RUN = Expectation(name="a", arguments=("x",))
SERVED = Served(serving=Serving())
SYSROOT = Sysroot(path="x", folder=Path("x"), digest="d", movable=True)
KNOWN = ExpectedFailure(why="known", says="no")
TEXT = Copy(source="recipe", text="a", to="/a", why="b")
ZONES = Copy(source="toolchain", path="/a", to="/a", why="b")

STD_THERE = in_sample(cargo=Cargo(build_std=("std",)))

# (class, field): the first key that it changes with the world before and the world after, or why it changes none.
DECIDED: dict[tuple[type, str], str | tuple[str, Any, Any]] = {
    (Cell, "sample"): NESTED,
    (Cell, "recipe"): NESTED,
    (Cell, "program"): NESTED,
    (Cell, "base"): ("image", same, in_cell(base=None)),
    (Cell, "copies"): ("image", same, in_cell(copies=())),
    (Cell, "harbor"): ("cell", same, in_cell(harbor=None)),
    (Cell, "gauge"): ("cell", same, in_cell(gauge=None)),
    (Cell, "starter"): ("image", same, in_cell(starter=("/init",))),
    (Cell, "healthcheck"): ("image", same, in_cell(healthcheck=("/probe",))),
    (PlannedCopy, "copy"): NESTED,
    (PlannedCopy, "source"): (
        "image",
        same,
        lambda world: replace(
            world,
            change=lambda cell: replace(
                cell, copies=tuple(replace(each, source=cell.base if each.source else None) for each in cell.copies)
            ),
        ),
    ),
    (PlannedCopy, "program"): "is in the image; that it is in the sources has a test",
    (ProgramJob, "sample"): NESTED,
    (ProgramJob, "toolchain"): NESTED,
    (ProgramJob, "libc"): ("program", same, in_program(libc="musl")),
    (ProgramJob, "crt"): ("program", same, in_program(crt="dynamic")),
    (ProgramJob, "platform"): NESTED,
    (ProgramJob, "std"): ("program", STD_THERE, lambda world: in_program(std=None)(STD_THERE(world))),
    (ProgramJob, "sysroot"): NESTED,
    (Sysroot, "path"): "is what recipes call it",
    (Sysroot, "folder"): "what is in it is the digest's",
    (Sysroot, "digest"): ("program", in_program(sysroot=SYSROOT), in_program(sysroot=replace(SYSROOT, digest="e"))),
    (Sysroot, "movable"): ("program", in_program(sysroot=SYSROOT), in_program(sysroot=replace(SYSROOT, movable=False))),
    (Platform, "architecture"): "goes with `rust`, which is in the target",
    (Platform, "rust"): ("program", same, lambda world: replace(world, platform=ARM)),
    (RootJob, "name"): ("program", same, in_root(name="other")),
    (RootJob, "role"): "says what for the image is made; what is in it is the bootstrap's or the digest's",
    (RootJob, "source"): "an image from elsewhere has another reference and another digest",
    (RootJob, "reference"): ("program", same, in_root(reference="localhost/other:1")),
    (RootJob, "bootstrap"): ("root", same, in_root(bootstrap=ALPINE)),
    (Recipe, "name"): NAMED,
    (Recipe, "summary"): TOLD,
    (Recipe, "compile"): NESTED,
    (Recipe, "base"): NESTED,
    (Recipe, "copies"): ("image", same, in_recipe(copies=())),
    (Recipe, "provisions"): ("image", same, in_recipe(provisions=())),
    (Recipe, "runtime"): NESTED,
    (Recipe, "published"): JOINED,
    (Recipe, "samples"): CHOOSES,
    (Recipe, "expect_failure"): ("cell", same, in_recipe(expect_failure=KNOWN)),
    (Compile, "toolchain"): ("root", same, in_recipe(compile=Compile(toolchain="musl", libc="gnu", crt="static"))),
    (Compile, "libc"): ("cell", same, in_recipe(compile=Compile(toolchain="gnu", libc="musl", crt="static"))),
    (Compile, "crt"): ("program", same, in_recipe(compile=Compile(toolchain="gnu", libc="gnu", crt="dynamic"))),
    (Compile, "sysroot"): "names a folder: what is in it is in the program's key",
    (Compile, "sysroot_absent"): "says why there is no cell",
    (Base, "scratch"): (
        "image",
        in_recipe(base=Base(scratch=True)),
        in_recipe(base=Base(bootstrap=DEBIAN)),
    ),
    (Base, "image"): ("root", pulled("example.com/base:1"), pulled("example.com/base:2")),
    (Base, "bootstrap"): NESTED,
    (Debian, "kind"): FIXED,
    (Debian, "suite"): ("root", *bootstrapped(DEBIAN, suite="sid")),
    (Debian, "variant"): ("root", *bootstrapped(DEBIAN, variant="apt")),
    (Debian, "packages"): ("root", *bootstrapped(DEBIAN, packages=())),
    (Debian, "slim"): ("root", *bootstrapped(DEBIAN, slim=True)),
    (Debian, "script"): ("root", *bootstrapped(DEBIAN, script="x.sh")),
    (Distroless, "kind"): FIXED,
    (Distroless, "suite"): ("root", *bootstrapped(DISTROLESS, suite="sid")),
    (Distroless, "packages"): ("root", *bootstrapped(DISTROLESS, packages=("zlib1g",))),
    (Alpine, "kind"): FIXED,
    (Alpine, "project"): ("root", *bootstrapped(ALPINE, project="b")),
    (Alpine, "version"): ("root", *bootstrapped(ALPINE, version="2")),
    (Alpine, "sha256"): ("root", *bootstrapped(ALPINE, sha256="1" * 64)),
    (Alpine, "image"): ("root", *bootstrapped(ALPINE, image="j")),
    (Alpine, "packages"): ("root", *bootstrapped(ALPINE, packages=("zlib",))),
    (SameAs, "kind"): FIXED,
    (SameAs, "of"): ("root", same, in_recipe(base=Base(bootstrap=SameAs(kind="same-as", of="other")))),
    (Runtime, "user"): ("image", same, in_recipe(runtime=Runtime(user="1:1", env={"A": "1"}))),
    (Runtime, "env"): ("image", same, in_recipe(runtime=Runtime(env={"A": "2"}))),
    (Runtime, "memory_mb"): ("cell", same, in_recipe(runtime=Runtime(env={"A": "1"}, memory_mb=99))),
    (Runtime, "processes"): ("cell", same, in_recipe(runtime=Runtime(env={"A": "1"}, processes=99))),
    (Published, "size_bytes"): JOINED,
    (Published, "source"): TOLD,
    (Published, "sample"): JOINED,
    (Copy, "source"): ("image", *in_copy(ZONES, source="base:r")),
    (Copy, "to"): ("image", *in_copy(ZONES, to="/b")),
    (Copy, "why"): ("cell", *in_copy(ZONES, why="another reason")),
    (Copy, "path"): ("image", *in_copy(ZONES, path="/b")),
    (Copy, "text"): ("image", *in_copy(TEXT, text="b")),
    (Copy, "mode"): ("image", *in_copy(ZONES, mode="0600")),
    (Copy, "owner"): ("image", *in_copy(ZONES, owner="1:1")),
    (Toolchain, "name"): ("program", same, lambda world: in_toolchain(name="new")(
        in_recipe(compile=Compile(toolchain="new", libc="gnu", crt="static"))(world)
    )),
    (Toolchain, "summary"): TOLD,
    (Toolchain, "libc"): ("program", same, in_toolchain(libc="musl")),
    (Toolchain, "std_source"): ("program", STD_THERE, lambda world: in_toolchain(std_source="a")(STD_THERE(world))),
    (Toolchain, "base"): ("root", same, in_toolchain(base=Base(bootstrap=ALPINE))),
    (Provision, "name"): "is what recipes call it by; its copies are what comes aboard",
    (Provision, "summary"): TOLD,
    (Provision, "entrypoint"): ("image", same, in_provision(entrypoint=("/init",))),
    (Provision, "healthcheck"): ("image", same, in_provision(healthcheck=("/probe",))),
    (Provision, "copies"): (
        "image",
        same,
        lambda world: replace(world, provision=replace(world.provision, copies=(TEXT,))),
    ),
    (Sample, "name"): ("program", same, in_sample(name="s+small")),
    (Sample, "crate"): ("program", same, in_sample(crate="t")),
    (Sample, "summary"): TOLD,
    (Sample, "folder"): "what is in it is the digest's",
    (Sample, "extent"): NESTED,
    (Extent, "beside"): ("program", same, in_sample(folder=Path("/a/s"), extent=Extent(beside=("../t",)))),
    (Extent, "ignored"): "is no source: the digest is of what is left",
    (Sample, "binary"): ("program", same, in_sample(binary="t")),
    (Sample, "package"): ("program", same, in_sample(package="p")),
    (Sample, "needs_crates"): ("program", same, in_sample(needs_crates=False)),
    (Sample, "expectations"): ("cell", same, in_sample(expectations=(Expectation(), RUN))),
    (Sample, "digest"): ("program", same, in_sample(digest="e")),
    (Sample, "texts"): ("program", in_sample(needs_crates=False), in_sample(needs_crates=False, texts=(("a", "b"),))),
    (Sample, "recipes"): CHOOSES,
    (Sample, "cargo"): NESTED,
    (Sample, "libc"): ("cell", same, in_sample(libc="none")),
    (Sample, "env"): ("image", same, in_sample(env=(("A", "2"),))),
    (Sample, "channel"): ("program", same, in_sample(channel="1.75")),
    (Sample, "toolchain_packages"): "are packages of its toolchain, which are in that one's key",
    (Sample, "own"): "brings libraries aboard, which are in the image's key; that of the sources has a test",
    (Sample, "mends"): ("image", in_recipe(provisions=()), lambda world: in_sample(mends=(MEND,))(
        in_recipe(provisions=())(world)
    )),
    (Mend, "recipe"): CHOOSES_RECIPE,
    (Mend, "provision"): "names what comes aboard, which is in the image's key",
    (Mend, "library"): "names what comes aboard, which is in the image's key; that of the sources has a test",
    (Mend, "why"): TOLD,
    (Sample, "rustflags"): NESTED,
    (RustFlags, "build"): ("program", same, in_sample(rustflags=RustFlags(build=("-O",)))),
    (RustFlags, "targets"): (
        "program",
        in_sample(rustflags=RustFlags(build=("-O",))),
        in_sample(rustflags=RustFlags(build=("-O",), targets=("cfg(unix)",))),
    ),
    (Sample, "stands_alone"): ("program", same, in_sample(stands_alone=False)),
    (Sample, "service"): ("cell", same, in_sample(service=False)),
    (Sample, "on_request"): CHOOSES,
    (Sample, "published"): JOINED,
    (Sample, "provisions"): ("image", in_recipe(provisions=()), lambda world: in_sample(provisions=(("*", ("tmp",)),))(
        in_recipe(provisions=())(world)
    )),
    (Sample, "expect_failure"): ("cell", same, in_sample(expect_failure=(("*", KNOWN),))),
    (ExpectedFailure, "why"): ("cell", in_recipe(expect_failure=KNOWN), in_recipe(
        expect_failure=replace(KNOWN, why="other")
    )),
    (ExpectedFailure, "says"): ("cell", in_recipe(expect_failure=KNOWN), in_recipe(
        expect_failure=replace(KNOWN, says="other")
    )),
    (Sample, "excuses"): ("cell", same, in_sample(excuses=(("*", (("a", "known"),)),))),
    **{
        (Expectation, name): (
            "cell",
            in_sample(expectations=(RUN,)),
            in_sample(expectations=(replace(RUN, **{name: value}),)),
        )
        for name, value in {
            "name": "b",
            "arguments": (),
            "stdout": "",
            "stderr_has": "panicked",
            "exit_code": 1,
            "timeout_seconds": 1.0,
            "writable": True,
            "network": True,
        }.items()
    },
    **{(Served, field.name): "is as that of every run" for field in fields(Expectation)},
    (Served, "serving"): NESTED,
    **{
        (Serving, name): (
            "cell",
            in_sample(expectations=(SERVED,)),
            in_sample(expectations=(replace(SERVED, serving=Serving(**{name: value})),)),
        )
        for name, value in {
            "port": 80,
            "ready": "/healthz",
            "environment": {"A": "1"},
            "arguments": ("a",),
            "stop_seconds": 1.0,
            "network": True,
        }.items()
    },
    (Cargo, "features"): ("program", same, in_sample(cargo=Cargo(features=("a",)))),
    (Cargo, "default_features"): ("program", same, in_sample(cargo=Cargo(default_features=False))),
    (Cargo, "profile"): ("program", same, in_sample(cargo=Cargo(profile="small"))),
    **{
        (Cargo, name): ("program", same, in_sample(cargo=Cargo(**{name: value})))
        for name, value in {
            "settings": {"lto": "fat"},
            "env": {"A": "1"},
            "rustflags": ("-O",),
            "link_rustflags": ("-Clink-arg=-s",),
            "linker_script": "SECTIONS {}",
            "build_std": ("std",),
            "objcopy": ("-S",),
        }.items()
    },
    (Cargo, "build_std_features"): ("program", in_sample(cargo=Cargo(build_std=("std",))), in_sample(
        cargo=Cargo(build_std=("std",), build_std_features=("a",))
    )),
    (Host, "name"): "is the folder in which the results lie",
    (Host, "system"): "is in the name; what runs is the kernel's, Podman's and the runtime's",
    (Host, "kernel"): ("cell", same, in_host(kernel="7.0")),
    (Host, "architecture"): "is in the name, and in the target of the program",
    (Host, "podman"): ("cell", same, in_host(podman="9")),
    (Host, "buildah"): ("cell", same, in_host(buildah="9")),
    (Host, "runtime"): ("cell", same, in_host(runtime="crun 9")),
    (Host, "storage_driver"): ("cell", same, in_host(storage_driver="vfs")),
    (Host, "rootless"): "is in the name",
    (Host, "cores"): ("cell", same, in_host(cores=64)),
    (Host, "machine"): "tells whose figures they are; what of a machine changes a run is in fields of its own",
    (Host, "bareboat"): "each kind of key and each column has a version of its own",
    (Column, "name"): ("cell", same, in_column(name="d")),
    (Column, "heading"): TOLD,
    (Column, "unit"): "another unit is another meaning, for which the version is raised",
    (Column, "order"): TOLD,
    (Column, "meaning"): TOLD,
    (Column, "better"): TOLD,
    (Column, "thorough"): "which figures are asked for is no fact of a cell: a run looks whether it has them",
    (Column, "version"): ("cell", same, in_column(version=2)),
    (Tracer, "tools"): "whichever strace it is, its log says the same; whether there is one is in the cell's key",
    (Tracer, "loader"): "likewise",
}  # fmt: skip
NAMES: dict[str, Any] = {}
for module in (base, recipe, sample, jobs, values, tracer):
    NAMES |= {name: value for name, value in vars(module).items() if isinstance(value, type)}
NAMES |= {"RootBootstrap": base.RootBootstrap, "Libc": recipe.Libc, "Crt": recipe.Crt, "Copy": Copy, "Recipe": Recipe}
NAMES |= {"Sample": Sample, "Extent": Extent, "Mend": Mend, "Path": Path, "Mapping": dict, "Callable": object}
NAMES |= {"Sysroot": Sysroot}


def classes_in(hint: Any) -> set[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        return {hint}
    return {found for argument in get_args(hint) for found in classes_in(argument)}


def walk(*roots: type) -> set[type]:
    """The dataclasses that values of these classes hold, and these."""
    found: set[type] = set()
    waiting = set(roots)
    while waiting:
        here = waiting.pop()
        found.add(here)
        hints = get_type_hints(here, localns=NAMES)
        waiting |= {each for hint in hints.values() for each in classes_in(hint)} - found
    return found


def test_every_field_of_every_value_that_goes_in_is_decided():
    classes = walk(Cell, Provision, Toolchain, Host, Column, Tracer, Served)
    assert classes >= {Expectation, Cargo, Runtime, Copy, Debian, Distroless, Alpine, SameAs, Platform}
    assert {(each, field.name) for each in classes for field in fields(each)} == set(DECIDED)
    nested = {decision for decision in DECIDED if DECIDED[decision] == NESTED}
    for each, name in nested:
        assert classes_in(get_type_hints(each, localns=NAMES)[name]) <= classes


@pytest.mark.parametrize(
    "decision",
    [each for each, decided in DECIDED.items() if isinstance(decided, tuple)],
    ids=lambda each: f"{each[0].__name__}.{each[1]}",
)
def test_a_field_changes_its_key_and_all_that_are_made_of_it_and_none_before(decision):
    first, before, after = DECIDED[decision]
    old, new = before(World()).keys(), after(World()).keys()
    changed = [kind for kind in ORDER if old[kind] != new[kind]]
    # A base that comes or goes takes its own key with it.
    changed = [kind for kind in changed if kind != "root" or first == "root" or len(old["root"]) == len(new["root"])]
    assert changed[:1] == [first]
    assert "cell" in changed
    if old["image"] != new["image"]:
        # What an image came to is looked up by this one: where it stood still, the older image would be believed.
        assert before(World()).sources() != after(World()).sources()


@pytest.mark.parametrize("base", [Base(scratch=True), Base(bootstrap=DEBIAN)])
def test_whether_a_crate_is_ones_own_is_in_the_sources(base):
    own, world = in_sample(own=True), in_recipe(base=base)(World())
    assert own(world).sources() != world.sources()
    # What is made to fail is left as it is.
    doomed = in_recipe(expect_failure=KNOWN)(world)
    assert own(doomed).sources() == doomed.sources()


def test_the_toolchain_that_is_searched_is_in_the_sources_though_nothing_is_copied_from_it():
    bare = in_sample(own=True)(in_recipe(base=Base(scratch=True), copies=(), provisions=())(World()))
    other = in_toolchain(base=Base(bootstrap=replace(DEBIAN, packages=())))(bare)
    cell = bare.cell()
    assert cell.roots == (cell.program.toolchain,)
    same_program = bare.program(cell.program)
    assert keys.source_key(cell, same_program, {job: bare.digest(job) for job in cell.roots}) != keys.source_key(
        other.cell(), same_program, {job: other.digest(job) for job in other.cell().roots}
    )


def test_the_text_of_a_script_is_in_the_key_of_its_root():
    assert keys.root_key(DEBIAN, "a") != keys.root_key(DEBIAN, "b")


def test_whether_a_tracer_is_there_is_in_the_cells_key():
    there = World(tracer=Tracer(tools=Path("x"), loader="")).keys()
    assert there["cell"] != World().keys()["cell"]
    assert there["image"] == World().keys()["image"]


def test_what_a_build_can_be_linked_with_is_in_the_cells_key():
    found = {World(crates=crates).keys()["cell"] for crates in (None, (), ("rustls",), ("rustls", "ring"))}
    assert len(found) == 4
    assert World(crates=("ring", "rustls")).keys()["cell"] in found


@pytest.mark.parametrize("instrument", ["harbor", "gauge"])
def test_another_instrument_asks_again_and_builds_nothing(instrument):
    other = World(**{instrument: replace(HARBOR, digest="other")}).keys()
    assert [kind for kind in ORDER if other[kind] != World().keys()[kind]] == ["cell"]


@pytest.mark.parametrize("base", [Base(scratch=True), Base(bootstrap=DEBIAN)])
def test_the_programs_of_our_own_are_in_the_sources(base):
    crew = (Copy(source="crew:init", to="/init", why="starts"),)
    manned = in_provision(copies=crew)(in_recipe(base=base)(World(crew={"init": GAUGE})))
    assert len({one.sources() for one in (manned, replace(manned, crew={"init": HARBOR}))}) == 2


@pytest.mark.parametrize(("version", "changed"), [
    ("ROOT_VERSION", ["root", "program", "image", "cell"]),
    ("PROGRAM_VERSION", ["program", "image", "cell"]),
    ("IMAGE_VERSION", ["image", "cell"]),
    ("CELL_VERSION", ["cell"]),
])  # fmt: skip
def test_each_kind_has_a_version_of_its_own(version, changed, monkeypatch):
    before = World().keys()
    monkeypatch.setattr(keys, version, "new")
    assert [kind for kind in ORDER if World().keys()[kind] != before[kind]] == changed


@pytest.mark.starts_processes("Python salts its hashes in each process anew")
def test_a_key_is_the_same_in_every_process():
    code = "from bareboat.inputs.base import Debian; from bareboat.plan.keys import root_key; "
    code += "print(root_key(Debian(kind='debian', suite='trixie', packages=('gcc',)), 'x'), end='')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == keys.root_key(DEBIAN, "x")


def test_parts_are_told_apart_however_they_are_cut():
    assert isinstance(keys._digest, types.FunctionType)
    assert len({keys._digest("1", "a", "b"), keys._digest("1", "ab"), keys._digest("1", "a", "b", "")}) == 3
