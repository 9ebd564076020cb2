"""Says in plain words whether an image's program would start, and if not why, and what mends it. Pure."""

from __future__ import annotations

import json
import posixpath
import re
from typing import TYPE_CHECKING

from bareboat.report.listed import listed
from bareboat.report.packages import say_package
from bareboat.system.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bareboat.closure.startup import Fault, FaultKind, Startup

# Debian's releases by their glibc, oldest first.
_GLIBC_OF = (((2, 31), "Debian 11"), ((2, 36), "Debian 12"), ((2, 41), "Debian 13"))
_OCI = {"x86_64": "linux/amd64", "aarch64": "linux/arm64", "arm": "linux/arm/v7", "riscv64": "linux/riscv64"}
_ABSENT = '"no such file or directory"'
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})*")
_TOLD = 2
_FOLDERS = 4


def explain_start(name: str, start: Startup) -> str:
    """In a paragraph what an image would start and whether that would come to anything."""
    sentences = _why_not(name, start) if start.faults else _would(name, start)
    return printable(" ".join(sentences))


def _would(name: str, start: Startup) -> Iterator[str]:
    *before, program = start.way
    way = f", by way of {listed(tuple(before))}" if before else ""
    yield f"{name} would start: it runs {program}{_linked(start)}, as {_user(start)}{way}."
    if start.open_end:
        yield f"What {_short(start.open_end)} starts besides was not looked into."
    if start.user.uid == 0:
        yield "It runs as root: `USER 65532:65532` in its Containerfile has it run as nobody in particular."
    if start.certificates is False:
        yield (
            "The program names places where certificates of authorities lie, and none of them is in the image: "
            "if it speaks TLS to others, copy /etc/ssl/certs/ca-certificates.crt aboard."
        )


def _why_not(name: str, start: Startup) -> Iterator[str]:
    first, *others = start.faults
    yield f"{name} would not start: {_SAYS[first.kind](first, start)}"
    alone = any(fault.kind == "loader" for fault in start.faults)
    same = [fault for fault in others if _is_library(fault) and (alone or _is_library(first))]
    own = [fault for fault in others if fault not in same]
    yield from (f"Besides: {_SAYS[fault.kind](fault, start)}" for fault in own[:_TOLD])
    if len(own) > _TOLD:
        yield f"So it is with {len(own) - _TOLD} more."
    told = {posixpath.basename(fault.name) for fault in (first, *own)}
    if names := tuple(dict.fromkeys(fault.name for fault in same if fault.name not in told)):
        yield f"{listed(names)} {'is' if len(names) == 1 else 'are'} not there either."


def _is_library(fault: Fault) -> bool:
    """Whether it is one more library that is not there: without its loader a program finds none."""
    return fault.kind == "library" and not fault.found


def _linked(start: Startup) -> str:
    facts = start.program
    if facts is None or start.open_end:
        return ""
    libc = {"gnu": "glibc", "musl": "musl"}.get(facts.libc or "", "")
    with_libc = f" with {libc}" if libc else ""
    return f", linked statically{with_libc}" if facts.crt == "static" else f", linked dynamically{with_libc}"


def _user(start: Startup) -> str:
    return "root" if start.user.uid == 0 else f"user {start.user.uid}"


def _by(fault: Fault) -> str:
    return f"{fault.needed_by} starts" if fault.needed_by else "it runs"


def _nothing(_: Fault, __: Startup) -> str:
    return 'it names no program. Say which: `ENTRYPOINT ["/app"]` in its Containerfile, or `podman run IMAGE /app`.'


def _user_fault(fault: Fault, _: Startup) -> str:
    return (
        f"it is to run as {fault.name}, which no line of its /etc/passwd or /etc/group names. "
        "Numbers need no such file: `USER 65532:65532`."
    )


def _absent(fault: Fault, start: Startup) -> str:
    whole = fault.name.split()
    if len(whole) > 1 and fault.name == start.command[0]:
        return (
            f"{json.dumps(fault.name)} is taken for the name of one file, for it is one word of ENTRYPOINT or CMD. "
            f"Each word stands by itself: {json.dumps(whole)}."
        )
    mend = f"There is {fault.found}: name that" if fault.found else "Copy it there, or name the path where it is"
    return f"{_by(fault)} {fault.name}, and the image has nothing of that name ({_ABSENT}). {mend}."


def _path(fault: Fault, start: Startup) -> str:
    if " " in fault.name:
        return _absent(fault, start)
    mend = f"Name the path: {json.dumps([fault.found])}" if fault.found else "The image has no file of that name"
    return (
        f"{_by(fault)} {fault.name}, which no folder of PATH has as a program ({':'.join(fault.searched)}): "
        f'"executable file not found in $PATH". {mend}.'
    )


def _link(fault: Fault, _: Startup) -> str:
    return (
        f"{_by(fault)} {fault.name}, a link to {fault.instead}, where there is nothing ({_ABSENT}). "
        "Copy what it leads to, too."
    )


def _folder(fault: Fault, _: Startup) -> str:
    return f'{_by(fault)} {fault.name}, which is a {fault.instead} ("permission denied"). Name the file in it.'


def _permission(fault: Fault, start: Startup) -> str:
    user, mode = _user(start), f'whose mode is {fault.instead} ("permission denied")'
    if fault.found != fault.name and fault.name.startswith(f"{fault.found}/"):
        return f"{fault.name} is there, and {user} may not walk through {fault.found}, {mode}. `chmod 755` lets it."
    return f"{user} may not execute {fault.name}, {mode}. `COPY --chmod=0755` lets it, or `COPY --chown` gives it away."


def _format(fault: Fault, _: Startup) -> str:
    if fault.instead.startswith("a text without"):
        mend = "Begin it with #!/bin/sh, where the image has a shell"
    else:
        mend = "Build it for Linux, and copy the program itself"
    return f'{fault.name} is nothing that a kernel starts: it is {fault.instead} ("exec format error"). {mend}.'


def _machine(fault: Fault, _: Startup) -> str:
    wanted = _OCI.get(fault.found, fault.found)
    return (
        f"{fault.name} is a program for {fault.instead}, and this machine is {fault.found} "
        f'("exec format error"). Build it with `--platform {wanted}`, or run it where it belongs.'
    )


def _damaged(fault: Fault, _: Startup) -> str:
    return f"{fault.name} begins as a program does and is none: {fault.instead}. Copy it again."


def _carriage_return(fault: Fault, _: Startup) -> str:
    return (
        f"{fault.name} is there, but its lines end as on Windows: the kernel looks for a file named "
        f"{json.dumps(fault.instead + chr(13))} and says {_ABSENT}. "
        f"`sed -i 's/\\r$//' {posixpath.basename(fault.name)}` mends it, `*.sh text eol=lf` in .gitattributes for good."
    )


def _interpreter(fault: Fault, start: Startup) -> str:
    if fault.found:
        mend = f"There is {fault.found}: name that behind its #!"
    elif "alpine" in start.system.id and fault.name.endswith("bash"):
        mend = "Begin it with #!/bin/sh, or `apk add bash`"
    else:
        mend = "Take a base with a shell, or have ENTRYPOINT name the program that the script starts"
    return (
        f"{fault.needed_by} is there, but it is a script for {fault.name}, which is not: "
        f"the kernel says {_ABSENT} of the script. {mend}."
    )


def _loader(fault: Fault, start: Startup) -> str:
    wants = "musl" if "musl" in fault.name else "glibc"
    libcs = [{"gnu": "glibc", "musl": "musl"}[libc] for libc in start.system.libcs]
    has = f"has {' and '.join(libcs)}" if libcs else "has no C library"
    system = f" ({start.system.name})" if start.system.name else ""
    said = f"{fault.needed_by} is there, but the loader that it names is not: {fault.name}, which is {wants}'s"
    return (
        f"{said}. The kernel says {_ABSENT} of the program. "
        f"The program is linked dynamically with {wants}, and this image{system} {has}. {_loader_mend(wants, start)}"
    )


def _loader_mend(wants: str, start: Startup) -> str:
    if wants == "musl":
        return (
            "Link it statically (`-C target-feature=+crt-static`), which for musl is rustc's default, or copy the "
            "loader aboard: it is the whole C library."
        )
    if "musl" in start.system.libcs:
        return (
            "Compile it for musl (`--target x86_64-unknown-linux-musl`), or take a base with glibc, such as "
            "debian:trixie-slim."
        )
    return (
        "Link it statically (`-C target-feature=+crt-static` with an explicit --target), or take a base with glibc: "
        "gcr.io/distroless/cc-debian13 is a small one."
    )


def _library(fault: Fault, start: Startup) -> str:
    folders = ", ".join(fault.searched[:_FOLDERS]) + (", ..." if len(fault.searched) > _FOLDERS else "")
    where = f" It was looked for in {folders}." if folders else ""
    if fault.instead:
        mend = f"{fault.instead}."
    elif fault.found:
        folder = posixpath.dirname(fault.found)
        mend = f"{fault.found} is there, where no loader looks: `ENV LD_LIBRARY_PATH={folder}`, or move it."
    else:
        package = say_package(posixpath.basename(fault.name), start.system.id)
        mend = f"{package[:1].upper()}{package[1:]}; or copy it from the stage that the program was linked in."
    return f'{fault.needed_by} needs {fault.name}, which is not there ("cannot open shared object file").{where} {mend}'


def _unloadable(fault: Fault, _: Startup) -> str:
    return (
        f"{fault.needed_by} needs {fault.name}, and {fault.found} is nothing that it can load: it is for another "
        "machine, is a text, or is damaged. Copy the library of the stage that the program was linked in."
    )


def _version(fault: Fault, _: Startup) -> str:
    wanted = fault.lacks[-1]
    has = f"has {fault.instead} at most" if fault.instead else "has none of these"
    older = f"The {fault.name} of this image is older than the one that {fault.needed_by} was linked with"
    said = f"{fault.needed_by} needs {listed(fault.lacks)} of {fault.name}, and {fault.found} {has}"
    return f'{said} ("version `{wanted}\' not found"). {older}. {_version_mend(wanted)}'


def _version_mend(wanted: str) -> str:
    family, _, number = wanted.rpartition("_")
    if family != "GLIBC" or not _NUMBER.fullmatch(number):
        return "Take a base at least as new as the one that it is compiled on."
    least = tuple(map(int, number.split(".")))
    base = next((base for version, base in _GLIBC_OF if version >= least), "")
    known = f", {base} for one" if base else ""
    return (
        f"Take a base with glibc {number} or newer{known}, compile it on a base as old as this one, or link it "
        "statically, so that it needs none."
    )


def _symbols(fault: Fault, _: Startup) -> str:
    old = any(name.endswith("64") for name in fault.lacks)
    why = (
        "musl 1.2.4 dropped the names of large-file functions, which the libc crate asked for before 0.2.146: "
        "`cargo update -p libc`, and compile it anew."
        if old
        else "It was linked with another musl, or with a library that this image has in another version: compile it on "
        "the base that it runs on, or link it statically."
    )
    loader = fault.found or "the loader"
    return (
        f"{fault.needed_by} asks for {listed(fault.lacks)}, which neither {loader} nor another library of the image "
        f'has ("Error relocating: symbol not found"). {why}'
    )


def _short(text: str) -> str:
    return text if text.startswith("/") else f"`{text.split(maxsplit=1)[0] if text.strip() else text} ...`"


_SAYS: Mapping[FaultKind, Callable[[Fault, Startup], str]] = {
    "nothing": _nothing,
    "user": _user_fault,
    "absent": _absent,
    "PATH": _path,
    "link": _link,
    "folder": _folder,
    "permission": _permission,
    "format": _format,
    "machine": _machine,
    "damaged": _damaged,
    "carriage return": _carriage_return,
    "interpreter": _interpreter,
    "loader": _loader,
    "library": _library,
    "unloadable": _unloadable,
    "version": _version,
    "symbols": _symbols,
}
