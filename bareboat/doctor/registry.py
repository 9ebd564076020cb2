"""Finds out which image registries answer, by asking Podman, so that mirrors and proxies count as in a run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bareboat.doctor.ask import ask, reason
from bareboat.doctor.check import Check
from bareboat.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bareboat.system.process import Processes

ANSWER_SECONDS = 5
REFERENCES = ("docker.io/library/debian:trixie-slim", "gcr.io/distroless/static-debian13:nonroot")
# Podman 4 ends with this error when it has fetched the manifest of an image for one platform only: it was reached.
_ONE_PLATFORM = "Treating single images as manifest lists is not implemented"
_CURE = (
    "none needed: bases are made from packages instead; behind a proxy: export https_proxy=...; "
    "behind a mirror: name it in ~/.config/containers/registries.conf"
)


def registry_of(reference: str) -> str:
    """The registry's host in a whole image reference, with its port if there is one."""
    return reference.partition("/")[0]


def ask_registries(processes: Processes, environment: Mapping[str, str], references: Sequence[str]) -> dict[str, str]:
    """For each reference, why Podman cannot fetch its manifest within five seconds, "" if it can.

    All are asked at the same time, so name one image of each registry.
    """
    with ThreadPoolExecutor(max_workers=max(len(references), 1)) as pool:
        reasons = pool.map(lambda reference: _ask(processes, environment, reference), references)
        return dict(zip(references, reasons, strict=True))


def check_registries(
    processes: Processes, environment: Mapping[str, str], references: Sequence[str]
) -> tuple[Check, ...]:
    """A check of each reference's registry."""
    return tuple(_check(*answer) for answer in ask_registries(processes, environment, references).items())


def _ask(processes: Processes, environment: Mapping[str, str], reference: str) -> str:
    argv = ("podman", "manifest", "inspect", reference)
    try:
        ask(processes, argv, environment, seconds=ANSWER_SECONDS)
    except EngineError as error:
        why = reason(error)
        return "" if why.endswith(_ONE_PLATFORM) else why.rsplit(": ", maxsplit=1)[-1]
    return ""


def _check(reference: str, why: str) -> Check:
    name = f"registry {registry_of(reference)}"
    if why:
        return Check(name=name, finding=f"does not answer: {why}", status="warning", cure=_CURE)
    return Check(name=name, finding=f"answers for {reference}", status="good", cure="")
