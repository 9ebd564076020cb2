"""Bareboat's tasks: `invoke --list` names them, `invoke --help TASK` tells of one."""

import os
import sys
from pathlib import Path

from invoke import Collection, Exit, task

from bareboat import __version__, commands
from bareboat.command_line import CommandLine, keep_bytecode
from bareboat.console import fill, run

keep_bytecode()
PROJECT = commands.project.find_project(Path(__file__).parent)
BASES = "where bases come from: auto (registries when they answer), registry, bootstrap (packages)"
FORMAT = "text, markdown, csv or json; with csv and json only data goes to stdout"
RECIPE = "only recipes that match this pattern, e.g. 'scratch-*'; repeatable"
CELL = "SAMPLE@RECIPE, e.g. hello-world@scratch-musl; with --crate, RECIPE alone will do"
OWN = {"crate": "a crate of your own, in place of the samples (default: the one in this folder)",
       "package": "which package of its workspace", "bin": "which program of the package", "bases": BASES}  # fmt: skip
SELECT = {"sample": "only samples of this pattern; repeatable", "recipe": RECIPE, "all_bins": "all its programs", **OWN}


def answer(action):
    """Do what was asked, print the answer, end with its exit code."""
    if code := run(action):
        raise Exit(code=code)


def order(action, kind, words):
    """Answer with an action that takes its options as a `kind`, filled with the words of a task's parameters."""
    answer(lambda run: action(PROJECT, fill(kind, PROJECT.complete(words)), run, sys.stderr))


@task(iterable=["sample", "recipe"], help={
    **SELECT, "format": FORMAT,
    "jobs": "how many compile side by side (default: the cores, more of those that take a moment); twice as many run",
    "force": "compile, ship, run and measure again what is unchanged",
    "locked": "fail when a package is not of the version in recipes/recipes.lock",
    "keep_going": "go on past a failed cell (the default); --no-keep-going stops at the first",
    "results": "a folder for the results", "all": "print the cells too that are made to fail, as tests of predictions",
})  # fmt: skip
def build_matrix(_c, sample, recipe, jobs="", bases="auto", crate="", package="", bin="", all_bins=False, force=False,
                 locked=False, keep_going=True, format="text", results="", all=False):  # fmt: skip
    """Build every sample on every recipe, run each image, measure it and tabulate; exit code 1 when a cell failed."""
    order(commands.build.build_matrix, commands.build.MatrixOptions, locals())


@task(iterable=["with_"], help={
    "libc": "musl or gnu", "crt": "static (the default) or dynamic",
    "sample": "the sample to put in it (default: hello-world)",
    "with_": "what else comes aboard: certs, nss, tmp, tz, user; repeatable, or with commas",
    "tag": "one more name for the image, NAME:TAG", "output": "oci-archive:FILE writes the image there, too",
    "quiet": "print the image's id alone: podman run --rm $(invoke scratch --libc musl --quiet)",
    "prove": "leave out each file in turn and run all that the sample expects: is it needed, or idle?",
    "force": "do again what is unchanged", **OWN,
})  # fmt: skip
def scratch(_c, libc, with_, crt="static", sample="hello-world", crate="", package="", bin="", tag="", output="",
            quiet=False, prove=False, force=False, bases="auto"):  # fmt: skip
    """Make one image from scratch, file by file: assemble it, run it, and print what is aboard and why."""
    order(commands.scratch.build_scratch, commands.scratch.ScratchOptions, locals())


@task(positional=["what"], help={"what": f"{CELL}; or the FILE of a program", "recipe": RECIPE, **OWN})
def closure(_c, what, recipe="", crate="", package="", bin="", bases="auto"):
    """Print every file that a program needs and which way found it; of a FILE, the bases that it would start on."""
    order(commands.closure.print_closure, commands.closure.ClosureOptions, locals())


@task(iterable=["sample", "recipe"], help=SELECT)
def plan(_c, sample, recipe, crate="", package="", bin="", all_bins=False, bases="auto"):
    """Print the jobs that build-matrix would run, each after what it needs; nothing is built."""
    order(commands.ask.print_plan, commands.ask.PlanOptions, locals())


@task(help={"schema": "write the JSON schema of recipe files"})
def recipes(_c, schema=False):
    """List the recipes and toolchains."""
    answer(lambda _: commands.ask.write_schema() if schema else commands.ask.print_recipes(PROJECT))


@task
def samples(_c):
    """List the samples, or the programs of the crate in this folder."""
    answer(lambda processes: commands.ask.print_samples(PROJECT, processes, sys.stderr))


@task(help={"source": BASES})
def bases(_c, source="auto"):
    """Make or pull every base and toolchain image that the recipes name."""
    order(commands.build.make_roots, commands.build.RootOptions, locals())


@task(help={"source": BASES})
def lock(_c, source="auto"):
    """Make or pull every base and toolchain anew, and pin what came in recipes/recipes.lock."""
    order(commands.build.renew_roots, commands.build.RootOptions, locals())


@task(help={"quick": "ask no registry, and take what an earlier trial found of the runtimes"})
def doctor(_c, quick=False):
    """Find out by trying what this machine lacks for rootless builds; exit code 3 when builds cannot work."""
    answer(lambda processes: commands.doctor.examine_host(PROJECT, processes, quick=quick))


@task(positional=["cell"], help={"cell": CELL, **OWN})
def containerfile(_c, cell, crate="", package="", bin="", bases="auto"):
    """Print a cell as one whole Containerfile, for `podman build -f - FOLDER` or `docker build -f - FOLDER`."""
    order(commands.ask.print_containerfile, commands.ask.ContainerfileOptions, locals())


@task(positional=["cell"], help={"cell": CELL, "image": "what the image is called where it will run", **OWN})
def eject(_c, cell, run=False, compose=False, kube=False, quadlet=False, image="", crate="", package="", bin="",
          bases="auto"):  # fmt: skip
    """Print how a cell's image is run, confined as here: by podman run, Compose or Kubernetes, or as a quadlet."""
    order(commands.ask.print_ejected, commands.ask.EjectOptions, locals())


@task(help={"format": FORMAT, "host": "a folder of results/ (default: every one)", "all": "those made to fail, too"})
def report(_c, format="text", host="", all=False):
    """Print what was measured, and write results/README.md, docs/ and the README's tables anew."""
    order(commands.pages.print_report, commands.pages.ReportOptions, locals())


@task(help={"dry_run": "only say what would go"})
def clean(_c, dry_run=False):
    """Remove Bareboat's containers, images and caches, and nothing else; results stay."""
    answer(lambda processes: commands.clean.clean(processes, sys.stderr, dry_run=dry_run))


@task(help={"fast": "only the tests that need neither Podman nor the network"})
def test(_c, fast=False):
    """Run the tests."""
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *(["-m", "not podman and not network"] if fast else [])])


@task(iterable=["work"], help={"work": "a pattern; repeatable", "rounds": "of each work", "write": "keep the figures"})
def bench(_c, work, rounds="0", quick=False, write=False):
    """Time Bareboat side by side with podman build, BuildKit and cargo alone; --quick sees that all works."""
    words = [f"--work={one}" for one in work] + [f"--rounds={rounds}"] + ["--quick"] * quick + ["--write"] * write
    os.execv(sys.executable, [sys.executable, str(Path(__file__).parents[1] / "bench" / "side_by_side.py"), *words])


@task
def check(c):
    """Run ruff and mypy over everything."""
    c.run(" && ".join(f"{sys.executable} -m {words}" for words in ("ruff check .", "ruff format --check .", "mypy")))


program = CommandLine(namespace=Collection.from_module(sys.modules[__name__]), name="bareboat", version=__version__)
