"""Tasks that keep the house: the machine, what Bareboat left on it, and its own code."""

import os
import sys
from pathlib import Path

from invoke import task

from bareboat import commands
from bareboat.tasks.order import PROJECT, answer


@task(help={"quick": "ask no registry, and take what an earlier trial found of the runtimes"})
def doctor(_c, quick=False):
    """Find out by trying what this machine lacks for rootless builds; exit code 3 when builds cannot work.

    For example:

        bareboat doctor                          # what stands below a finding mends it; `setup` makes a script of it
        bareboat doctor --quick && bareboat build-matrix
    """
    answer(lambda processes: commands.doctor.examine_host(PROJECT, processes, quick=quick))


@task(help={"dry_run": "only say what would go"})
def clean(_c, dry_run=False):
    """Remove Bareboat's containers, images and caches, and nothing else; results stay.

    For example:

        bareboat clean --dry-run                 # what would go, and how much that is
    """
    answer(lambda processes: commands.clean.clean(processes, sys.stderr, dry_run=dry_run))


@task(help={"fast": "only the tests that need neither Podman nor the network"})
def test(_c, fast=False):
    """Run the tests.

    For example:

        invoke test --fast                       # seconds
    """
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *(["-m", "not podman and not network"] if fast else [])])


@task(iterable=["work"], help={"work": "a pattern; repeatable", "rounds": "of each work", "write": "keep the figures"})
def bench(_c, work, rounds="0", quick=False, write=False):
    """Time Bareboat side by side with podman build, BuildKit and cargo alone; --quick sees that all works.

    For example:

        invoke bench --quick                     # does all of it still work?
        invoke bench --work 'hello*' --rounds 5
    """
    words = [f"--work={one}" for one in work] + [f"--rounds={rounds}"] + ["--quick"] * quick + ["--write"] * write
    os.execv(sys.executable, [sys.executable, str(Path(__file__).parents[2] / "bench" / "side_by_side.py"), *words])


@task
def check(c):
    """Run ruff and mypy over everything.

    For example:

        invoke check && invoke test --fast       # before a commit
    """
    c.run(" && ".join(f"{sys.executable} -m {words}" for words in ("ruff check .", "ruff format --check .", "mypy")))
