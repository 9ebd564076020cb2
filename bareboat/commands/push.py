"""`invoke push`: a cell's image into a registry, by the user's own credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

from bareboat.commands.one_cell import CellOptions, make_one_cell
from bareboat.commands.plan_inputs import teller
from bareboat.errors import BareboatError, EngineError, InputError
from bareboat.podman_engine.session import session
from bareboat.system.folders import find_folders
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from bareboat.commands.one_cell import MadeCell
    from bareboat.commands.project import Project
    from bareboat.system.process import Processes

# https://github.com/distribution/reference/blob/main/regexp.go; the registry must be named, and no digest.
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_REPOSITORY = (
    r"(?P<host>localhost|\[[0-9a-fA-F:]+\]|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:[0-9]))(?::[0-9]+)?"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)+"
)
_REFERENCE = re.compile(rf"(?P<repository>{_REPOSITORY})(?::(?P<tag>{_TAG}))?")
# What of Podman's words tells the reader nothing: what it was about, and which layer.
_NOISE = re.compile(r"^Error: (?:.* at destination: )?|\bsha256:[0-9a-f]{64} ")
# What Podman and registries say of what is amiss, and what mends it.
_CURES = (
    (r"unauthorized|authentication required|denied: |access denied|forbidden|invalid username|no basic auth|\b40[13]\b",
     "`podman login {host}`, as somebody who may write there"),
    (r"server gave HTTP response to HTTPS client",
     "it speaks no TLS: say `insecure = true` of it in ~/.config/containers/registries.conf: `man registries.conf`"),
    (r"x509|certificate",
     "who signed its certificate is said in ~/.config/containers/certs.d/{host}/ca.crt: `man containers-certs.d`"),
    (r"connection refused|no such host|no route|network is unreachable|timeout|deadline exceeded|\bEOF\b|reset by peer",
     "`podman login {host}` asks whether there is a registry"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions(CellOptions):
    """The words of push."""

    ref: str = ""
    tag: tuple[str, ...] = ()
    failed: bool = False


def push_cell(project: Project, options: PushOptions, processes: Processes, view: TextIO) -> str:
    """Make a cell as far as it does not stand, and push it; a line `REFERENCE@sha256:...` for each name of it there."""
    if not options.ref:
        # Of two words the second may be the only one: without a cell it is the recommended one.
        options = replace(options, cell="", ref=options.cell)
    references = parse_references(options.ref, options.tag)
    made, tell = make_one_cell(project, options, processes, view), teller(view)
    _refuse_failed(made, allowed=options.failed)
    pushed = []
    with session(processes, find_folders(), tell) as running:
        for reference in references:
            tell(f"pushing {made.cell.id} to {reference}")
            try:
                digest = running.engine.push(
                    made.image_id, reference, running.folders.logs / f"push-{made.cell.id}.log"
                )
            except EngineError as error:
                raise explain_push(reference, error) from error
            if not digest:
                raise BareboatError(f"{reference} is pushed, and this Podman does not tell by which digest")
            pushed.append(f"{reference}@{digest}")
    return "\n".join(pushed)


def parse_references(reference: str, tags: tuple[str, ...]) -> tuple[str, ...]:
    """The whole names that the image is to have in its registry; raises InputError for what is none.

    Without a tag it is `latest`, unless other tags are asked for.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise InputError(
            f"'{reference}' is no name of an image in a registry: say the registry, a path in small letters and "
            "a tag, such as ghcr.io/me/app:1.2"
        )
    for tag in tags:
        if not re.fullmatch(_TAG, tag):
            raise InputError(f"--tag {tag}: it takes a tag alone, such as 1.2")
    wanted = ([found["tag"]] if found["tag"] else []) + list(tags)
    return tuple(f"{found['repository']}:{tag}" for tag in dict.fromkeys(wanted or ["latest"]))


def explain_push(reference: str, error: EngineError) -> BareboatError:
    """Why an image did not come to a registry, in a line with what mends it; the error itself where that is unknown."""
    words = printable(" ".join(error.log_tail))
    host = reference.partition("/")[0]
    for pattern, cure in _CURES:
        if found := re.search(pattern, words, re.IGNORECASE):
            said = _NOISE.sub("", error.summary)
            reason = said if found[0] in said else found[0]
            return BareboatError(f"{reference}: {reason}\n  {cure.format(host=host)}")
    return error


def _refuse_failed(made: MadeCell, *, allowed: bool) -> None:
    if made.failed and not allowed:
        why = f"{made.cell.id} failed at {made.failed.stage}: {printable(made.failed.reason)}"
        raise BareboatError(f"{why}\n  --failed pushes it all the same")
