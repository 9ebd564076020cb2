"""Tasks for what a cell is taken away by."""

from invoke import task

from bareboat import commands
from bareboat.tasks.order import CELL, OWN, order


@task(positional=["cell"], help={"cell": CELL, **OWN})
def containerfile(_c, cell, crate="", package="", bin="", bases="auto"):
    """Print a cell as one whole Containerfile, for `podman build -f - FOLDER` or `docker build -f - FOLDER`."""
    order(commands.ask.print_containerfile, commands.ask.ContainerfileOptions, locals())


@task(positional=["cell"], help={"cell": CELL, "image": "what the image is called where it will run", **OWN})
def eject(_c, cell, run=False, compose=False, kube=False, quadlet=False, image="", crate="", package="", bin="",
          bases="auto"):  # fmt: skip
    """Print how a cell's image is run, confined as here: by podman run, Compose or Kubernetes, or as a quadlet."""
    order(commands.ask.print_ejected, commands.ask.EjectOptions, locals())
