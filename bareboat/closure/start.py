"""Says how far the start of an image's program would come: by way of scripts and shells to a program and its loader.

Pure, as far as an image is: nothing is run. What a script does after its first line is not known.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bareboat.closure.find import find_closure
from bareboat.closure.program_file import (
    User,
    absolute,
    environment_of,
    find_elsewhere,
    find_forbidden,
    find_user,
    search_path,
)
from bareboat.closure.runtime_files import BUNDLE
from bareboat.closure.script import (
    ASSIGNMENT,
    FIRST_LINE_BYTES,
    HANDS_ON,
    SHELLS,
    STARTERS,
    describe,
    first_words,
    place_of_script,
)
from bareboat.closure.startup import Fault, FaultKind, Startup, System
from bareboat.elf import read_elf, read_linking
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.archive import Image
    from bareboat.closure.closure import Closure, Missing
    from bareboat.elf import ElfFacts

_STEPS = 8  # scripts by scripts by scripts: the kernel itself goes no further than five


def find_start(image: Image, machine: str) -> Startup:
    """How far an image's program would come on a machine, as uname names it. Raises BareboatError as images do."""
    command = (*image.config.entrypoint, *image.config.command)
    walk = _Way(image=image, machine=machine, user=find_user(image))
    if walk.user.unknown:
        walk.faults.append(Fault(kind="user", name=walk.user.unknown))
    if command and command[0]:
        walk.start(command)
    else:
        walk.faults.append(Fault(kind="nothing", name=""))
    return Startup(
        command=command,
        user=walk.user,
        way=tuple(walk.paths),
        faults=tuple(walk.faults),
        program=walk.program,
        open_end=walk.open_end,
        system=_read_system(image),
        certificates=walk.certificates,
    )


@dataclass(slots=True, kw_only=True)
class _Way:
    """Follows a start through an image."""

    image: Image
    machine: str
    user: User
    paths: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    program: ElfFacts | None = None
    open_end: str = ""
    certificates: bool | None = None

    def start(self, command: Sequence[str], needed_by: str = "", *, interpreter: bool = False) -> None:
        """Start a command that the image, a script or another program names."""
        if len(self.paths) >= _STEPS:
            self.faults.append(Fault(kind="format", name=command[0], instead="a script by way of too many others"))
            return
        path = self._locate(command[0], needed_by, interpreter=interpreter)
        if not path or not self._may_start(path, needed_by):
            return
        self.paths.append(path)
        content = self.image.read(path)
        if content.startswith(b"\x7fELF"):
            self._start_program(path, content)
            if not self.faults:
                self._follow(command)
        elif content.startswith(b"#!"):
            self._start_script(path, content, command)
        else:
            self.faults.append(Fault(kind="format", name=path, needed_by=needed_by, instead=describe(content)))

    def _locate(self, word: str, needed_by: str, *, interpreter: bool) -> str:
        kind: FaultKind = "interpreter" if interpreter else "absent"
        if "/" not in word and not interpreter:
            if path := search_path(self.image, word):
                return path
            kind, searched = "PATH", tuple(environment_of(self.image)["PATH"].split(":"))
        else:
            searched, path = (), absolute(self.image, word)
            if self.image.find(path) is not None:
                return path
            entry = self.image.files().get(path.strip("/"))
            if entry is not None and entry.kind == "symlink":
                self.faults.append(Fault(kind="link", name=path, needed_by=needed_by, instead=entry.target))
                return ""
        elsewhere = find_elsewhere(self.image, word.split(maxsplit=1)[0] if word.strip() else word)
        self.faults.append(Fault(kind=kind, name=word, needed_by=needed_by, found=elsewhere, searched=searched))
        return ""

    def _may_start(self, path: str, needed_by: str) -> bool:
        file = self.image.find(path)
        if file is None or file.kind not in {"file", "hardlink"}:
            self.faults.append(Fault(kind="folder", name=path, needed_by=needed_by, instead=file.kind if file else ""))
            return False
        forbidden = None if self.user.unknown else find_forbidden(self.image, file, self.user)
        if forbidden is None:
            return True
        mode = f"{forbidden.mode:04o}"
        self.faults.append(Fault(kind="permission", name=path, found=f"/{forbidden.path}", instead=mode))
        return False

    def _start_script(self, path: str, content: bytes, command: Sequence[str]) -> None:
        line = content[2:FIRST_LINE_BYTES].split(b"\n")[0].decode(errors="replace").strip(" \t")
        if "\r" in line:
            self.faults.append(Fault(kind="carriage return", name=path, instead=line.partition("\r")[0]))
            return
        words = re.split(r"[ \t]+", line, maxsplit=1)
        if not words[0]:
            self.faults.append(Fault(kind="format", name=path, instead="a script whose #! names nothing"))
            return
        arguments = words[1:]
        if arguments and arguments[0].startswith("-S"):  # env(1): one argument, to be split
            arguments = arguments[0].removeprefix("-S").split()
        self.open_end = path
        self.start([words[0], *arguments, path, *command[1:]], path, interpreter=True)
        if not self.faults and len(command) > 1 and HANDS_ON.search(content):
            self.open_end = ""
            self.start(command[1:], path)

    def _follow(self, command: Sequence[str]) -> None:
        """What a shell or another program that starts programs is told to start."""
        name, here = posixpath.basename(command[0]), self.paths[-1]
        if name in STARTERS:
            rest = [word for word in command[1:] if not ASSIGNMENT.match(word)]
            while rest and rest[0].startswith("-"):
                rest.pop(0)
            if rest:
                self.start(rest, here)
        elif name in SHELLS and len(command) > 1:
            place = place_of_script(command)
            self.open_end = self.open_end or command[place or 1]
            if place:
                self._follow_shell(command[place], here)

    def _follow_shell(self, text: str, shell: str) -> None:
        if words := first_words(text):
            # What follows the first command is not looked into.
            self.open_end = text if re.search(r"[;&|\n]", text) else ""
            self.start(words, shell)

    def _start_program(self, path: str, content: bytes) -> None:
        try:
            facts = read_elf(content)
            # On x86_64, Linux runs programs of 32 bits, too.
            if facts.machine != self.machine and (facts.machine, self.machine) != ("x86", "x86_64"):
                self.faults.append(Fault(kind="machine", name=path, found=self.machine, instead=facts.machine))
                return
            closure = find_closure(self.image, path, environment_of(self.image))
        except BareboatError as error:
            self.faults.append(Fault(kind="damaged", name=path, instead=error.summary))
            return
        self.program = facts
        self.faults += [self._missing(missing) for missing in closure.missing if missing.required]
        for loader in (needed.path for needed in closure.files if needed.way == "interpreter"):
            self._may_start(loader, path)
        if not self.faults and facts.libc == "musl" and facts.crt == "dynamic":
            self.faults += self._missing_symbols(closure)
        self.certificates = _has_certificates(closure)

    def _missing(self, missing: Missing) -> Fault:
        by, name = missing.needed_by, missing.name
        if missing.versions:
            offered = self.image.read_as(missing.found, read_elf).symbol_versions_defined
            newest = _newest(offered, missing.versions[0])
            lacks = tuple(sorted(missing.versions, key=_numbers))
            return Fault(kind="version", name=name, needed_by=by, found=missing.found, lacks=lacks, instead=newest)
        if missing.found:
            return Fault(kind="unloadable", name=name, needed_by=by, found=missing.found)
        if missing.way == "interpreter":
            return Fault(kind="loader", name=name, needed_by=by)
        elsewhere = find_elsewhere(self.image, name)
        return Fault(
            kind="library",
            name=name,
            needed_by=by,
            found=elsewhere,
            instead=missing.note,
            searched=missing.searched,
        )

    def _missing_symbols(self, closure: Closure) -> list[Fault]:
        """What musl's loader, which resolves all symbols before the start, would not find."""
        loaded = [needed for needed in closure.files if needed.way in {"program", "interpreter", "needed"}]
        linking = {needed.path: self.image.read_as(needed.path, read_linking) for needed in loaded}
        offered = frozenset[str]().union(*(one.offered for one in linking.values()))
        libc = next((needed.path for needed in loaded if needed.way == "interpreter"), "")
        return [
            Fault(kind="symbols", name=path, needed_by=path, found=libc, lacks=tuple(sorted(one.wanted - offered)))
            for path, one in linking.items()
            if one.wanted - offered
        ]


def _newest(versions: Sequence[str], like: str) -> str:
    """The newest of the versions that begin as one does: `GLIBC_2.36` of those like `GLIBC_2.38`."""
    family = like.rpartition("_")[0]
    return max((version for version in versions if version.rpartition("_")[0] == family), key=_numbers, default="")


def _numbers(version: str) -> tuple[int, ...]:
    """What a symbol version is compared by: (2, 38) of `GLIBC_2.38`."""
    number = version.rpartition("_")[2]
    return tuple(map(int, number.split("."))) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})*", number) else ()


def _has_certificates(closure: Closure) -> bool | None:
    """Whether one of the places is there where the program looks for certificates."""
    found = any(needed.note == BUNDLE for needed in closure.files)
    return found if found or any(missing.note == BUNDLE for missing in closure.missing) else None


def _read_system(image: Image) -> System:
    file = image.find("/etc/os-release")
    text = image.read("/etc/os-release").decode(errors="replace") if file and file.kind in {"file", "hardlink"} else ""
    said = dict(line.partition("=")[::2] for line in text.splitlines())
    loaders = {"gnu": r"ld-linux.*\.so\.\d+", "musl": r"ld-musl-.*\.so\.1"}
    names = {posixpath.basename(path) for path in image.files()}
    libcs = tuple(libc for libc, name in loaders.items() if any(re.fullmatch(name, one) for one in names))
    return System(id=said.get("ID", "").strip("\"'"), name=said.get("PRETTY_NAME", "").strip("\"'"), libcs=libcs)
