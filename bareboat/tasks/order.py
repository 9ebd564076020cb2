"""What the tasks have in common: their words, and how one is answered."""

import sys
from pathlib import Path

from invoke import Exit

from bareboat import commands
from bareboat.console import fill, run

PROJECT = commands.project.find_project(Path(__file__).parents[1])
BASES = "where bases come from: auto (registries when they answer), registry, bootstrap (packages)"
FORMAT = "text, markdown, csv or json; with csv and json only data goes to stdout"
COLUMNS = "of a table: size,start_up,...; or all. Without, a terminal has those that fit, and the most important first"
LOUD = {"quiet": "of the work say only what fails", "verbose": "say of every job how it ended, and where its log is"}
RECIPE = "only recipes that match this pattern, e.g. 'scratch-*'; repeatable"
CELL = "SAMPLE@RECIPE, e.g. hello-world@scratch-musl; with --crate, RECIPE alone will do"
OWN = {"crate": "a crate of your own, in place of the samples (default: the one in this folder)",
       "package": "which package of its workspace", "bin": "which program of the package",
       "features": "of the package, to enable beside the default ones, e.g. tls,json", "bases": BASES}  # fmt: skip
RESULTS = {"results": "the folder that build-matrix was told to keep results in"}
SELECT = {"sample": "only samples of this pattern; repeatable", "recipe": RECIPE, "all_bins": "all its programs", **OWN}


def answer(action):
    """Do what was asked, print the answer, end with its exit code."""
    if code := run(action):
        raise Exit(code=code)


def order(action, kind, words):
    """Answer with an action that takes its options as a `kind`, filled with the words of a task's parameters."""
    answer(lambda run: action(PROJECT, fill(kind, PROJECT.complete(words)), run, sys.stderr))
