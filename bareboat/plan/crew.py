"""What the crew of an image, programs of our own beside the one that it is for, mean to its plan. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bareboat.inputs.recipe import Copy, Provision
    from bareboat.inputs.sample import Sample

_PORT, _PATH = "{port}", "{path}"


def entrypoint_of(provisions: Iterable[Provision]) -> tuple[str, ...]:
    """What comes before the program in the entry point of an image with those provisions."""
    return tuple(word for provision in provisions for word in provision.entrypoint)


def healthcheck_of(sample: Sample, provisions: Iterable[Provision]) -> tuple[str, ...]:
    """The command by which its image is asked whether it is well: that of the first provision that has one."""
    words = next((provision.healthcheck for provision in provisions if provision.healthcheck), ())
    port, path = sample.ready or ("", "")
    return tuple(word.replace(_PORT, str(port)).replace(_PATH, path) for word in words)


def crew_fault(sample: Sample, provisions: Iterable[Provision], copies: Iterable[Copy]) -> str:
    """Why an image with those provisions cannot be made; "" where it can be."""
    for provision in provisions:
        asks = any(_PORT in word or _PATH in word for word in provision.healthcheck)
        if asks and sample.ready is None:
            return (
                f"provision '{provision.name}' asks a service, and {sample.name} does not say where it answers HTTP: "
                f"`port` in [package.metadata.bareboat.service] says it"
            )
    place = f"/{sample.binary}"
    taken = next((copy for copy in copies if copy.to == place), None)
    return f"its program would lie at {place}, where something else is to come: {taken.why}" if taken else ""
