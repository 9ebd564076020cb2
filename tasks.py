"""Bareboat's tasks: `invoke --list` names them, `invoke --help TASK` tells of one."""

import os
import sys
from pathlib import Path

from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.program import Program
from invoke.tasks import task

from bareboat import __version__, commands
from bareboat.console import choose, run
from bareboat.matrix import Bases
from bareboat.report import Format

PROJECT = commands.find_project(Path(__file__).parent)
BASES = "where bases come from: auto (registries when they answer), registry, bootstrap (packages)"
FORMAT = "text, markdown, csv or json; with csv and json only data goes to stdout"
SAMPLE = "only samples that match this pattern, e.g. 'hello*'; repeatable"
RECIPE = "only recipes that match this pattern, e.g. 'scratch-*'; repeatable"
SELECT = {"sample": SAMPLE, "recipe": RECIPE, "bases": BASES}


def answer(action):
    """Do what was asked, print the answer, end with its exit code."""
    if code := run(action):
        raise Exit(code=code)


@task(
    iterable=["sample", "recipe"],
    help={
        **SELECT,
        "jobs": "how many jobs run side by side (default: the cores)",
        "crate": "the folder of a crate of your own, to use in place of the samples",
        "force": "compile, ship, run and measure again what is unchanged",
        "locked": "fail when a package is not of the version in recipes/recipes.lock",
        "keep_going": "go on past a failed cell (the default); --no-keep-going stops at the first",
        "format": FORMAT,
        "results": "a folder to keep the results in, in place of results/",
    },
)
def build_matrix(
    _c,
    sample,
    recipe,
    jobs=0,
    bases="auto",
    crate="",
    force=False,
    locked=False,
    keep_going=True,
    format="text",
    results="",
):
    """Build every sample on every recipe, run each image, measure it and tabulate; exit code 1 when a cell failed."""
    answer(
        lambda processes: commands.build_matrix(
            PROJECT,
            commands.MatrixOptions(
                samples=tuple(sample),
                recipes=tuple(recipe),
                crate=Path(crate) if crate else None,
                jobs=jobs,
                bases=choose("bases", bases, Bases),
                force=force,
                locked=locked,
                keep_going=keep_going,
                format=choose("format", format, Format),
                results=Path(results) if results else None,
            ),
            processes,
            sys.stderr,
        )
    )


@task(iterable=["sample", "recipe"], help=SELECT)
def plan(_c, sample, recipe, bases="auto"):
    """Print the jobs that build-matrix would run, each after what it needs; nothing is built."""
    answer(lambda processes: commands.print_plan(PROJECT, sample, recipe, choose("bases", bases, Bases), processes))


@task(help={"schema": "write the JSON schema of recipe files instead"})
def recipes(_c, schema=False):
    """List the recipes and toolchains."""
    answer(lambda _: commands.write_schema() if schema else commands.print_recipes(PROJECT))


@task
def samples(_c):
    """List the samples."""
    answer(lambda _: commands.print_samples(PROJECT))


@task(help={"source": BASES})
def bases(_c, source="auto"):
    """Make or pull every base and toolchain image that the recipes name."""
    answer(lambda run: commands.make_roots(PROJECT, choose("source", source, Bases), run, sys.stderr, renew=False))


@task(help={"source": BASES})
def lock(_c, source="auto"):
    """Make or pull every base and toolchain anew, and pin what came in recipes/recipes.lock."""
    answer(lambda run: commands.make_roots(PROJECT, choose("source", source, Bases), run, sys.stderr, renew=True))


@task(help={"quick": "ask no registry, and take what an earlier trial found of the runtimes"})
def doctor(_c, quick=False):
    """Find out by trying what this machine lacks for rootless builds; exit code 3 when builds cannot work."""
    answer(lambda processes: commands.examine_host(PROJECT, processes, quick=quick))


@task(positional=["cell"], help={"cell": "SAMPLE@RECIPE, e.g. hello-world@scratch-musl", "bases": BASES})
def containerfile(_c, cell, bases="auto"):
    """Print a cell as one whole Containerfile, for `podman build -f - FOLDER` or `docker build -f - FOLDER`."""
    answer(lambda run: commands.print_containerfile(PROJECT, cell, choose("bases", bases, Bases), run, sys.stderr))


@task(help={"format": FORMAT, "host": "a folder of results/ (default: every one)"})
def report(_c, format="text", host=""):
    """Print what was measured, and write results/README.md and the README's table anew."""
    answer(lambda _: commands.print_report(PROJECT, choose("format", format, Format), host))


@task
def clean(_c):
    """Remove Bareboat's containers, images and caches, and nothing else; results stay."""
    answer(lambda processes: commands.clean(processes, sys.stderr))


@task(help={"fast": "only the tests that need neither Podman nor the network"})
def test(_c, fast=False):
    """Run the tests."""
    chosen = ["-m", "not podman and not network"] if fast else []
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *chosen])


@task
def check(c):
    """Run ruff and mypy over everything."""
    c.run(" && ".join(f"{sys.executable} -m {words}" for words in ("ruff check .", "ruff format --check .", "mypy")))


program = Program(namespace=Collection.from_module(sys.modules[__name__]), name="bareboat", version=__version__)
