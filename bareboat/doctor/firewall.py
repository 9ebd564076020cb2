"""By which command netavark sets its rules: without it, no container has a network."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter, ValidationError

from bareboat.doctor.ask import ask
from bareboat.errors import EngineError, HostError
from bareboat.podman_engine.settings import HELPERS, search_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bareboat.system.process import Processes

Firewall = Literal["iptables", "nft"]
_FIRST_PODMAN_WITH_NFT = (5, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    # One that is older than the choice knows iptables only.
    default_fw_driver: str = "iptables"


def firewall_command(
    processes: Processes, environment: Mapping[str, str], podman: tuple[int, int], *, path: str | None = None
) -> Firewall:
    """What this machine's netavark calls, by its own word; where it is absent, what one of Podman's age calls.

    `podman` is the version (major, minor); netavark is looked for in `path`, by default where Podman looks for it.
    """
    folders = ":".join((*HELPERS, search_path(os.environ))) if path is None else path
    netavark = shutil.which("netavark", path=folders)
    if netavark is None:
        return "nft" if podman >= _FIRST_PODMAN_WITH_NFT else "iptables"
    try:
        said = TypeAdapter(_Said).validate_json(ask(processes, (netavark, "version"), environment))
    except (EngineError, HostError, ValidationError):
        return "iptables"
    return "nft" if said.default_fw_driver == "nftables" else "iptables"
