"""Tasks for what a cell is taken away by."""

from invoke import task

from bareboat import commands
from bareboat.tasks.order import CELL, OWN, order


@task(positional=["cell"], help={"cell": CELL, **OWN})
def containerfile(_c, cell, crate="", package="", bin="", features="", bases="auto"):
    """Print a cell as one whole Containerfile, for `podman build -f - FOLDER` or `docker build -f - FOLDER`.

    It stands on the images that are here; `eject --containerfile` stands on public ones.

    For example:

        bareboat containerfile scratch-musl > Containerfile
        bareboat containerfile scratch-musl | podman build -f - -t app .
    """
    order(commands.ask.print_containerfile, commands.ask.ContainerfileOptions, locals())


@task(positional=["cell"], help={
    "cell": CELL,
    "run": "by one `podman run`", "compose": "a file of the Compose specification", "kube": "a pod of Kubernetes",
    "quadlet": "a unit of systemd, started by Podman",
    "containerfile": "of public images alone, to be built without Bareboat, by podman or docker",
    "github": "a workflow of GitHub Actions that tries the program on every base",
    "image": "what the image is called where it will run, e.g. ghcr.io/me/app:1", **OWN,
})  # fmt: skip
def eject(_c, cell, run=False, compose=False, kube=False, quadlet=False, containerfile=False, github=False, image="",
          crate="", package="", bin="", features="", bases="auto"):  # fmt: skip
    """Print what is taken home of a cell: how it is built or run elsewhere, confined as here, or tried in CI.

    For example:

        bareboat eject scratch-musl --containerfile >Containerfile    # podman or docker builds it, of public images
        bareboat eject scratch-musl --quadlet --image ghcr.io/me/app:1 >app.container
        bareboat eject scratch-musl --github >.github/workflows/bareboat.yml
    """
    order(commands.eject.print_ejected, commands.eject.EjectOptions, locals())


@task(positional=["cell"], optional=["cell"], iterable=["publish"], help={
    "cell": f"{CELL}; left out, the recommended one", **OWN,
    "publish": "a port of the program, 8080, or one of this machine and it, 18080:8080, from this machine alone; "
    "repeatable (default: the ports that a service was seen to listen on)",
    "network": "give it a network, which only what is published has otherwise",
})  # fmt: skip
def run(c, cell, package="", bin="", crate="", features="", publish=None, network=False, bases="auto"):
    """Run a cell in the foreground, confined as it was verified; its exit code is the program's.

    For example:

        bareboat run                             # the crate in this folder, on the base that suits it best
        bareboat run scratch-musl -- --verbose input.txt
        bareboat run debian-slim --publish 18080:8080
    """
    words = {**locals(), "arguments": c.remainder}
    order(commands.start.run_cell, commands.start.RunOptions, words)


@task(positional=["cell", "ref"], optional=["cell", "ref"], iterable=["tag"], help={
    "cell": f"{CELL}; left out, the recommended one", **OWN,
    "ref": "its name there, registry and all: ghcr.io/me/app:1.2.0", "tag": "one more tag there; repeatable",
    "failed": "push it though it does not do what it should",
})  # fmt: skip
def push(_c, cell, ref, tag, failed=False, crate="", package="", bin="", features="", bases="auto"):
    """Push a cell's image to a registry by your own credentials, and print its name there with its digest.

    For example:

        bareboat push ghcr.io/me/app:1.2.0       # on the base that suits it best
        bareboat push scratch-musl ghcr.io/me/app --tag 1.2 --tag latest
    """
    order(commands.push.push_cell, commands.push.PushOptions, locals())
