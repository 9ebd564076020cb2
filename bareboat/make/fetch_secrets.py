"""The host's own configuration that a fetch from a registry needs behind a mirror or proxy: found, never copied."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bareboat.plan.containerfile import CA_SECRET, CARGO_SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping

_CA_VARIABLES = ("CARGO_HTTP_CAINFO", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
# Where the distributions keep the bundle: Debian and Arch, Fedora, openSUSE and macOS.
_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)

_PLACES = {CARGO_SECRET: "/run/cargo-config.toml", CA_SECRET: "/run/ca-bundle.crt"}


def fetch_mounts(environment: Mapping[str, str]) -> dict[str, Path]:
    """The same files by the places where the commands of a fetch look for them in a container."""
    return {_PLACES[name]: path for name, path in fetch_secrets(environment).items()}


def fetch_secrets(environment: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """The files to mount for the fetching step alone: mount name -> file; only those that the host has."""
    named = [environment[name] for name in _CA_VARIABLES if environment.get(name)]
    cargo = cargo_home(environment)
    candidates = {
        CA_SECRET: [Path(path) for path in (*named, *_CA_FILES)],
        # Where there are both, cargo reads the one without the ending.
        CARGO_SECRET: [cargo / "config", cargo / "config.toml"],
    }
    found = {name: next((path for path in paths if path.is_file()), None) for name, paths in candidates.items()}
    return {name: path for name, path in found.items() if path is not None}


def cargo_home(environment: Mapping[str, str]) -> Path:
    """Where the user's own cargo keeps its files."""
    return Path(environment.get("CARGO_HOME") or Path.home() / ".cargo")
