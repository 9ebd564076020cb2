"""Tasks that build."""

from invoke import task

from bareboat import commands
from bareboat.tasks.order import BASES, COLUMNS, FORMAT, LOUD, OWN, RECIPE, RESULTS, SELECT, order

OUTPUT = "oci-archive:FILE writes the image there, too"


@task(iterable=["sample", "recipe", "columns"], help={
    **SELECT, "format": FORMAT, "columns": COLUMNS, **LOUD,
    "jobs": "how many compile side by side (default: the cores, more of those that take a moment); twice as many run",
    "force": "compile, ship, run and measure again what is unchanged",
    "thorough": "take the figures too that take long: least memory, zstd -19, compile times, CPU level",
    "locked": "fail when a package is not of the version in recipes/recipes.lock",
    "complete": "give it the libraries and files that it turns out to lack (the default); --no-complete only says so",
    "network": "the runs of your program have a network, as Podman gives it by default; without, they have none",
    "keep_going": "go on past a failed cell (the default); --no-keep-going stops at the first",
    "results": "a folder for the results", "all": "print the cells too that are made to fail, as tests of predictions",
    "tag": "one more name, NAME:TAG, for the image of the one cell that is selected", "output": OUTPUT,
})  # fmt: skip
def build_matrix(_c, sample, recipe, jobs="", bases="auto", crate="", package="", bin="", features="", all_bins=False,
                 force=False, thorough=False, locked=False, keep_going=True, complete=True, network=False,
                 format="text", results="", all=False, tag="", output="", columns=None, quiet=False,
                 verbose=False):  # fmt: skip
    """Build every sample on every recipe, run each image and measure it; exit code 1 when a cell failed.

    On a terminal it ends with a few lines, and `report` has the table; elsewhere it ends with the table.

    For example:

        bareboat build-matrix                    # the crate in this folder, on every base: which to take?
        bareboat build-matrix --recipe 'scratch-*' --recipe alpine
        bareboat build-matrix --crate ../app --package server --bin server
        bareboat build-matrix --format json > results.json
    """
    order(commands.build.build_matrix, commands.build.MatrixOptions, locals())


@task(iterable=["with_"], help={
    "libc": "musl or gnu", "crt": "static (the default) or dynamic",
    "sample": "the sample to put in it (default: hello-world)",
    "with_": "what else comes aboard: certs, init, nss, probe, tmp, tz, user; repeatable, or with commas",
    "tag": "one more name for the image, NAME:TAG", "output": OUTPUT,
    **LOUD, "quiet": "print the image's id alone: podman run --rm $(invoke scratch --libc musl --quiet)",
    "prove": "leave out each file in turn and run all that the sample expects: is it needed, or idle?",
    "force": "do again what is unchanged", **OWN,
})  # fmt: skip
def scratch(_c, libc, with_, crt="static", sample="hello-world", crate="", package="", bin="", features="", tag="",
            output="", quiet=False, prove=False, force=False, bases="auto", verbose=False):  # fmt: skip
    """Make one image from scratch, file by file: assemble it, run it, and print what is aboard and why.

    For example:

        bareboat scratch --libc musl --with certs,tz --crate .
        podman run --rm $(bareboat scratch --libc musl --crate . --quiet)
        bareboat scratch --libc gnu --crt dynamic --crate . --output oci-archive:app.tar
    """
    order(commands.scratch.build_scratch, commands.scratch.ScratchOptions, locals())


@task(iterable=["recipe", "step"], help={
    "sample": "the sample to compile (default: smallest)",
    "recipe": f"{RECIPE} (default: scratch-glibc and scratch-musl)",
    "step": "only steps of this pattern, e.g. no-headers, and take them whatever they cost; repeatable",
    "unstable": "the steps too that compile std, half a minute each (the default); --no-unstable leaves them out",
    "format": "text, markdown or json", "jobs": "how many compile side by side (default: the cores)", **RESULTS, **LOUD,
    **OWN,
})  # fmt: skip
def ladder(_c, recipe, step, sample="smallest", unstable=True, format="text", jobs="", results="", crate="", package="",
           bin="", features="", bases="auto", quiet=False, verbose=False):  # fmt: skip
    """Compile a program smaller step by step, and say what each saves, what it costs and whether it still works.

    Of a crate of your own it ends with what to take: the block for Cargo.toml and .cargo/config.toml.

    For example:

        bareboat ladder                          # the crate in this folder
        bareboat ladder --no-unstable --recipe scratch-musl
        invoke ladder --step strip --step 'no-*' --format markdown
    """
    order(commands.ladder.print_ladder, commands.ladder.LadderOptions, locals())


@task(help={"source": BASES, **LOUD})
def bases(_c, source="auto", quiet=False, verbose=False):
    """Make or pull every base and toolchain image that the recipes name.

    For example:

        bareboat bases                           # beforehand, so that no build waits for it
        bareboat bases --source bootstrap        # from packages, whether or not a registry answers
    """
    order(commands.build.make_roots, commands.build.RootOptions, locals())


@task(help={"source": BASES, **LOUD})
def lock(_c, source="auto", quiet=False, verbose=False):
    """Make or pull every base and toolchain anew, and pin what came in recipes/recipes.lock.

    For example:

        invoke lock && git diff recipes/recipes.lock   # what has moved since
    """
    order(commands.build.renew_roots, commands.build.RootOptions, locals())
