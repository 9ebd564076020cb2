"""Tasks that tell what there is, and build nothing."""

import sys

from invoke import task

from bareboat import commands
from bareboat.tasks.order import CELL, FORMAT, OWN, PROJECT, RECIPE, SELECT, answer, order


@task(iterable=["sample", "recipe"], help=SELECT)
def plan(_c, sample, recipe, crate="", package="", bin="", all_bins=False, bases="auto"):
    """Print the jobs that build-matrix would run, each after what it needs; nothing is built.

    For example:

        bareboat plan                            # of the crate in this folder, on every base
        bareboat plan --recipe 'scratch-*' --all-bins
    """
    order(commands.ask.print_plan, commands.ask.PlanOptions, locals())


@task(help={"schema": "write the JSON schemas and docs/reference.md, which names every key"})
def recipes(_c, schema=False):
    """List the recipes and toolchains.

    For example:

        bareboat recipes                         # what --recipe and CELL may name
    """
    answer(lambda _: commands.reference.write_reference() if schema else commands.ask.print_recipes(PROJECT))


@task
def samples(_c):
    """List the samples, or the programs of the crate in this folder.

    For example:

        bareboat samples                         # what --bin may name
    """
    answer(lambda processes: commands.ask.print_samples(PROJECT, processes, sys.stderr))


@task(positional=["what"], help={"what": f"{CELL}; or the FILE of a program", "recipe": RECIPE, **OWN})
def closure(_c, what, recipe="", crate="", package="", bin="", bases="auto"):
    """Print every file that a program needs and which way found it; of a FILE, the bases that it would start on.

    For example:

        bareboat closure scratch-glibc-dynamic   # an image of the crate in this folder, as a tree
        bareboat closure target/release/app      # a program that is compiled already
    """
    order(commands.closure.print_closure, commands.closure.ClosureOptions, locals())


@task(help={"format": FORMAT, "host": "a folder of results/ (default: every one)", "all": "those made to fail, too"})
def report(_c, format="text", host="", all=False):
    """Print what was measured, and write results/README.md, docs/ and the README's tables anew.

    For example:

        invoke report --host debian-12-amd64-rootless
        invoke report --format csv > results.csv
    """
    order(commands.pages.print_report, commands.pages.ReportOptions, locals())
