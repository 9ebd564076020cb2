"""Tasks for what a cell is taken away by."""

from invoke import task

from bareboat import commands
from bareboat.tasks.order import CELL, OWN, order


@task(positional=["cell"], help={"cell": CELL, **OWN})
def containerfile(_c, cell, crate="", package="", bin="", bases="auto"):
    """Print a cell as one whole Containerfile, for `podman build -f - FOLDER` or `docker build -f - FOLDER`.

    For example:

        bareboat containerfile scratch-musl > Containerfile
        bareboat containerfile scratch-musl | podman build -f - -t app .
    """
    order(commands.ask.print_containerfile, commands.ask.ContainerfileOptions, locals())


@task(positional=["cell"], help={"cell": CELL, "image": "what the image is called where it will run", **OWN})
def eject(_c, cell, run=False, compose=False, kube=False, quadlet=False, image="", crate="", package="", bin="",
          bases="auto"):  # fmt: skip
    """Print how a cell's image is run, confined as here: by podman run, Compose or Kubernetes, or as a quadlet.

    For example:

        bareboat eject scratch-musl --run        # what podman run needs to be told
        bareboat eject scratch-musl --quadlet --image ghcr.io/me/app:1 > app.container
    """
    order(commands.ask.print_ejected, commands.ask.EjectOptions, locals())
