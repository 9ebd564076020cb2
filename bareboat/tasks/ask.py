"""Tasks that tell what there is, and build nothing."""

import sys

from invoke import task

from bareboat import commands
from bareboat.tasks.order import CELL, COLUMNS, FORMAT, OWN, PROJECT, RECIPE, RESULTS, SELECT, answer, order


@task(iterable=["sample", "recipe"], help={**SELECT, "format": "text, or github: the cells as a job matrix of Actions"})
def plan(_c, sample, recipe, crate="", package="", bin="", features="", all_bins=False, bases="auto", format="text"):
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
def closure(_c, what, recipe="", crate="", package="", bin="", features="", bases="auto"):
    """Print every file that a program needs and which way found it; of a FILE, the bases that it would start on.

    For example:

        bareboat closure scratch-glibc-dynamic   # an image of the crate in this folder, as a tree
        bareboat closure target/release/app      # a program that is compiled already
    """
    order(commands.closure.print_closure, commands.closure.ClosureOptions, locals())


@task(name="bytes", positional=["cell"], help={
    "cell": CELL, "top": "how many rows of each level (default: 5)", "format": "text, or json: every row", **RESULTS,
    **OWN,
})  # fmt: skip
def what_bytes_are(_c, cell, top="5", format="text", results="", crate="", package="", bin="", features="",
                   bases="auto"):  # fmt: skip
    """Print what every byte of an image is: layer, package, file, section, crate, symbol; and what need not be there.

    For example:

        bareboat bytes scratch-musl              # of the crate in this folder
        invoke bytes hello-world@debian --top 10
    """
    order(commands.breakdown.print_bytes, commands.breakdown.BytesOptions, locals())


@task(
    positional=["what"], help={"what": f"{CELL}; an image, e.g. localhost/app:1; or oci-archive:FILE", **RESULTS, **OWN}
)
def explain(_c, what, results="", crate="", package="", bin="", features="", bases="auto"):
    """Say why a cell failed and what mends it; or of any image whether its program would start, else exit code 1.

    For example:

        bareboat explain alpine                  # the last run of the crate in this folder on alpine
        bareboat explain docker.io/me/app:1      # whoever built it
        bareboat explain oci-archive:app.tar
    """
    order(commands.explain.print_explanation, commands.explain.ExplainOptions, locals())


@task(iterable=["need", "sample"], help={
    "need": "what must be aboard: shell, tz, tls, certs, user, tmp, dns or /A/PATH; repeatable, or with commas",
    "max_size": "the most that the image may weigh, e.g. 10MB", "sample": SELECT["sample"],
    "all_bins": SELECT["all_bins"], **RESULTS, **OWN,
})  # fmt: skip
def recommend(_c, need, sample, max_size="", results="", crate="", package="", bin="", features="", all_bins=False,
              bases="auto"):  # fmt: skip
    """Say which base to take of those that were measured; exit code 1 if none fits.

    For example:

        bareboat recommend --need shell,tz --max-size 10MB
    """
    order(commands.recommend.print_recommendation, commands.recommend.RecommendOptions, locals())


@task(iterable=["columns"], optional=["html"], help={
    "html": "write a page to look at, into this file (default bareboat.html), which asks for nothing from anywhere",
    "format": FORMAT, "columns": COLUMNS, "host": "one of the hosts that there are results of",
    "all": "those made to fail, too", "crate": OWN["crate"],
    "write": "publish what was measured of the samples: results/, docs/, the README's tables",
})  # fmt: skip
def report(_c, format="text", host="", all=False, crate="", write=False, html="", columns=None):
    """Print what was measured last, of the samples or of the crate in this folder; nothing is built.

    For example:

        bareboat report --columns size,libc,tls
        bareboat report --format csv > results.csv
        bareboat report --html results.html      # charts, a table to sort, all that is known of each image
        invoke report --host debian-12-amd64-rootless
    """
    order(commands.pages.print_report, commands.pages.ReportOptions, locals())


@task(positional=["what"], optional=["what"], help={
    "what": "a git REVISION with results/, a FILE of --format json, a FOLDER of results, cheat-sheet (default: HEAD)",
    "threshold": "per cent by which a figure may become worse (default: 1)",
    "format": "text, markdown or json", "host": "one of the hosts that there are results of",
    "all": "the figures too that are the same or not judged", "crate": OWN["crate"], **RESULTS,
})  # fmt: skip
def compare(_c, what, threshold="1", format="text", host="", all=False, results="", crate=""):
    """Say what became larger or slower since, or no longer works; exit code 1 where something became worse.

    A figure that is taken from several runs is worse only where nine tenths of them lie apart from those before.

    For example:

        bareboat compare before.json             # which `bareboat report --format json >before.json` wrote
        bareboat compare v1.2 --results results  # results/ as committed then, and as it is
        invoke compare HEAD~1 --threshold 0.5 --format markdown
        invoke compare cheat-sheet
    """
    order(commands.compare.print_comparison, commands.compare.CompareOptions, locals())
