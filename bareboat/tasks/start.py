"""Tasks for the first steps on a machine and with a crate."""

import sys

from invoke import task

from bareboat import commands
from bareboat.tasks.order import OWN, PROJECT, answer, order


@task(iterable=["env", "with_", "toolchain_package", "recipe"], help={
    "arguments": "of its run, as a shell takes them: --arguments='--root /srv'",
    "env": "NAME=VALUE, a variable of its images; repeatable",
    "with_": "what comes aboard in images from scratch: certs, nss, tmp, tz, user; repeatable, or with commas",
    "toolchain_package": "a Debian package that it links to or builds with, e.g. libpq-dev; repeatable",
    "recipe": "the recipes that it is put on, e.g. 'scratch-*' (default: all); repeatable",
    "yes": "ask nothing: write what the last run saw, and the options",
    "dry_run": "print what would be written, and write nothing", "crate": OWN["crate"], "package": OWN["package"],
})  # fmt: skip
def init(_c, env, with_, toolchain_package, recipe, arguments="", crate="", package="", yes=False, dry_run=False):
    """Write [package.metadata.bareboat] into Cargo.toml: what the last run saw, and what you say.

    What is there stays as it is: comments, order, and keys that have a value. On a terminal it asks.

    For example:

        bareboat init                            # after a first build-matrix: what that found lacking
        bareboat init --env PORT=8080 --yes      # one variable more, and no question
        bareboat init --arguments=--version --dry-run
    """
    order(commands.init.write_init, commands.init.InitOptions, locals())


@task(help={"yes": "run it, too; sudo asks for what only root may do"})
def setup(_c, yes=False):
    """Print the commands that make this machine fit for rootless builds; exit code 3 while they cannot work.

    What takes something away, or is a matter of taste, is a comment in it, and is not run.

    For example:

        bareboat setup                           # read it first
        bareboat setup | sh
        bareboat setup --yes                     # the same, and looks again afterwards
    """
    answer(lambda processes: commands.setup.set_up(PROJECT, processes, sys.stderr, yes=yes))
