"""Turns the host's APT configuration into options of mmdebstrap, and reads what APT prints about packages.

Sources, proxies and certificates of the host pass through, so that a machine behind a mirror needs no second setting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from debian.deb822 import Deb822

from bareboat.bootstrap.host import TOOL_PATH
from bareboat.errors import BareboatError, HostError
from bareboat.inputs.lock import Pinned
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from bareboat.system.process import Processes

SOURCE = "Debian's package archive"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

_TARGETS = ("apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI) $(RELEASE)", "Created-By: Packages")
_OPTIONS = ("apt-config", "dump", "--format", "%f %v%n")
# Options about dates are passed on too: an offline site may have a mirror so old that APT refuses it without them.
_PASSED_ON = re.compile(r"Acquire::(https?::.+|Check-Valid-Until|Check-Date|Retries) (.+)", re.IGNORECASE)
_SECURITY = "-security"
_COMPANIONS = ("", "-updates", _SECURITY)
_WITHOUT_COMPANIONS = ("sid", "unstable", "experimental")


def apt_environment(folder: Path) -> dict[str, str]:
    """The environment for mmdebstrap: temporary files in `folder`, every file's time 0, messages in English."""
    return {"TMPDIR": str(folder), "SOURCE_DATE_EPOCH": "0", "LC_ALL": "C.UTF-8", "PATH": TOOL_PATH}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostApt:
    """The host's own APT configuration, as mmdebstrap takes it; no password in it is on the command line."""

    # Options: the trusted keys, and a file that has the host's settings.
    options: tuple[str, ...]
    # What follows suite and target: that sources come by standard input, or nothing, as mmdebstrap has a default.
    mirrors: tuple[str, ...]
    # The sources: the host's Debian mirror as `deb` lines.
    stdin: bytes


def host_apt(suite: str, folder: Path, processes: Processes) -> HostApt:
    """The host's APT configuration for `suite`; its settings are written to a file in `folder` for the owner alone.

    Raises HostError when Debian's keys are not installed.
    """
    if not KEYRING.exists():
        raise HostError(f"{KEYRING} is missing, so no package can be verified; `invoke setup` says what installs it")
    configuration, targets = processes.run(_OPTIONS), processes.run(_TARGETS)
    for text in (configuration, targets):
        processes.hide(text)
    settings, sources = passed_on_settings(configuration), sources_of_suite(suite, targets)
    file = folder / "apt.conf"
    write_whole(file, "".join(f"{setting};\n" for setting in settings).encode(), mode=0o600)
    return HostApt(
        options=(f"--keyring={KEYRING}", f"--aptopt={file}"),
        # Of a file mmdebstrap would make one of the same name in the image, of standard input the plain sources.list.
        mirrors=("-",) if sources else (),
        stdin="".join(f"{source}\n" for source in sources).encode(),
    )


def sources_of_suite(suite: str, index_targets: str) -> tuple[str, ...]:
    """Rewrite the host's sources, lines `ORIGIN URI RELEASE`, for another suite, as lines `deb URI SUITE main`.

    Empty when they name no web mirror of Debian's main archive. APT knows the origin only after `apt-get update`.
    """
    uris: dict[str, str] = {}
    for line in index_targets.splitlines():
        origin, _, rest = line.partition(" ")
        uri, _, release = rest.rpartition(" ")
        if origin == "Debian" and re.match(r"https?://", uri):
            uris.setdefault(_companion(release), uri.rstrip("/"))
    if "" not in uris:
        return ()
    return tuple(f"deb {uris[name]} {suite}{name} main" for name in _companions_of(suite) if name in uris)


def debian_sources(suite: str) -> str:
    """Debian's own addresses as the file debian.sources of Debian's official images has them, whatever the host's."""
    stanzas = [("debian", [f"{suite}{name}" for name in _companions_of(suite) if name != _SECURITY])]
    if _SECURITY in _companions_of(suite):
        stanzas.append(("debian-security", [f"{suite}{_SECURITY}"]))
    return "\n".join(
        f"Types: deb\nURIs: http://deb.debian.org/{archive}\nSuites: {' '.join(suites)}\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        for archive, suites in stanzas
    )


def passed_on_settings(configuration: str) -> tuple[str, ...]:
    """The lines of `apt-config dump` (`NAME VALUE`) that say how to reach a mirror, as lines of apt.conf."""
    found = (_PASSED_ON.fullmatch(line) for line in configuration.splitlines())
    return tuple(f'Acquire::{match[1]} "{match[2]}"' for match in found if match)


def parse_stanzas(text: str) -> tuple[Deb822, ...]:
    """The stanzas of Debian's control format. Raises BareboatError for text in another format."""
    try:
        # As bytes, because a text without a line end would be taken for the name of a file to open.
        return tuple(Deb822.iter_paragraphs(text.encode()))
    except ValueError as error:
        raise BareboatError(f"a text that should be Debian's control format is not: {error}") from error


def parse_pins(index: str) -> tuple[Pinned, ...]:
    """The packages that `apt-cache show` prints, sorted by name.

    Raises BareboatError when it prints none, or when a field is missing.
    """
    stanzas = parse_stanzas(index)
    if not stanzas:
        raise BareboatError("APT's index names no package")
    try:
        pins = {
            Pinned(name=stanza["Package"], version=stanza["Version"], sha256=stanza["SHA256"]) for stanza in stanzas
        }
    except KeyError as error:
        raise BareboatError(f"APT's index names a package without {error.args[0]}") from None
    return tuple(sorted(pins, key=lambda pin: (pin.name, pin.version)))


def _companions_of(suite: str) -> tuple[str, ...]:
    return _COMPANIONS[:1] if suite in _WITHOUT_COMPANIONS else _COMPANIONS


def _companion(release: str) -> str:
    suite, dash, companion = release.partition("-")
    return dash + companion if suite else release
