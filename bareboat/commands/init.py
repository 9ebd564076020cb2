"""`bareboat init`: writes what is to be known of a crate into its Cargo.toml, beginning with what the last run saw."""

from __future__ import annotations

import shlex
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 (the console reads the types of options)
from typing import TYPE_CHECKING, Any, TextIO

from bareboat import commands
from bareboat.commands.last_results import last_results
from bareboat.commands.plan_inputs import teller
from bareboat.commands.propose import FROM_SCRATCH, Proposal, propose
from bareboat.errors import InputError, SampleError
from bareboat.inputs.cargo_metadata import Choice, choose_programs, find_workspace
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.sample import METADATA
from bareboat.inputs.tomlfile import did_you_mean, read_toml, validate
from bareboat.inputs.write_metadata import merge, table_of, write_metadata
from bareboat.system.files import read_file, write_whole
from bareboat.system.printable import Exact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bareboat.commands.project import Project
    from bareboat.inputs.recipe import RecipeBook
    from bareboat.system.process import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOptions:
    """The options of init."""

    crate: Path | None = None
    package: str = ""
    arguments: str = ""  # as a shell takes them
    env: list[str] = field(default_factory=list)  # NAME=VALUE, each as it stands
    with_: tuple[str, ...] = ()
    toolchain_package: tuple[str, ...] = ()
    recipe: tuple[str, ...] = ()
    yes: bool = False
    dry_run: bool = False


def write_init(
    project: Project, options: InitOptions, processes: Processes, view: TextIO, answers: TextIO | None = None
) -> str:
    """Complete the table of a crate; what is new in it is the answer. A terminal is asked, by its lines `answers`."""
    if options.crate is None:
        raise SampleError("which crate? Go to the folder of one, where its Cargo.toml is, or name it: --crate FOLDER")
    tell, asked = teller(view), answers or sys.stdin
    path, names = _find_manifest(project, options, options.crate, processes, view)
    text = read_file(path).decode()
    there, book = table_of(read_toml(path, str(path)).value or {}), load_recipes(project.recipes)
    results = last_results(project, options.crate)
    proposal = propose([result for result in results if result.sample in names], book)
    wanted = {**proposal.keys, **_given(options)}
    asks = not options.yes and asked.isatty() and view.isatty()
    if asks:
        wanted = _Questions(tell=tell, answers=asked).ask(proposal, wanted, {*there, *_given(options)}, book)
    wanted = _as_service(wanted, there)
    _check(wanted, there, book, path)
    written = write_metadata(text, wanted, proposal.notes)
    for key in written.kept:
        tell(f"{path}: {key} is there already, and stays as it is")
    if not written.block:
        tell(f"{path}: nothing to add; `invoke --help init` names what can be")
        return ""
    if options.dry_run:
        return Exact(written.block)
    if asks:
        tell(f"\n{written.block}")
        if _read(tell, asked, f"write this into {path}?", "yes").lower() not in {"y", "yes"}:
            raise InputError("nothing is written")
    write_whole(path, written.text.encode(), mode=stat.S_IMODE(path.stat().st_mode))
    tell(f"{path}: [package.metadata.bareboat] has more keys now")
    return "" if asks else Exact(written.block)


def _find_manifest(
    project: Project, options: InitOptions, crate: Path, processes: Processes, view: TextIO
) -> tuple[Path, set[str]]:
    """The package's Cargo.toml, links to it followed, and how its samples may be called; cargo is asked if need be."""
    folder = crate.resolve()
    manifest = read_toml(folder / "Cargo.toml", f"{crate}/Cargo.toml")
    if manifest.value is None:
        raise SampleError("\n".join(map(str, manifest.problems)))
    package = manifest.value.get("package")
    name = package.get("name") if isinstance(package, dict) else None
    if isinstance(name, str) and options.package in {"", name}:
        return (folder / "Cargo.toml").resolve(), {name.lower()}
    cargo = commands.ask_cargo.Cargo(project, "auto", processes, view)
    said = cargo.tell(find_workspace(folder) or folder, folder)
    chosen = choose_programs(said, folder, Choice(package=options.package, all_binaries=True))
    return chosen[0].package.manifest_path.resolve(), {one.name.lower() for one in chosen}


def _given(options: InitOptions) -> dict[str, Any]:
    """The keys that the options give."""
    given = {
        "arguments": _words("--arguments", options.arguments),
        "env": _environment("--env", options.env),
        "toolchain-packages": list(options.toolchain_package),
        "recipes": list(options.recipe),
        "with": {FROM_SCRATCH: list(options.with_)} if options.with_ else {},
    }
    return {key: value for key, value in given.items() if value}


def _as_service(wanted: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """The wanted keys as a service has them: its arguments are its own. What is told of by `expect` is no service."""
    service, arguments = wanted.get("service"), wanted.get("arguments")
    if not service:
        return wanted
    if there.keys() & {"expect", "arguments"}:
        return {key: value for key, value in wanted.items() if key != "service"}
    rest = {key: value for key, value in wanted.items() if key != "arguments"}
    return {**rest, "service": {**service, **({"arguments": arguments} if arguments else {})}}


def _words(option: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InputError(f"{option} {text}: {error}") from error


def _environment(option: str, words: Sequence[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if wrong := [name for name, sign, _ in pairs if not name or not sign]:
        raise InputError(f"{option} {wrong[0]}: it takes NAME=VALUE, such as PORT=8080")
    return {name: value for name, _, value in pairs}


def _check(wanted: dict[str, Any], there: dict[str, Any], book: RecipeBook, path: Path) -> None:
    """Raise SampleError for a table that no run would take."""
    name = f"{path}: package.metadata.bareboat"
    known = [provision.name for provision in book.provisions]
    unknown = [one for names in wanted.get("with", {}).values() for one in names if one not in known]
    problems = [f"{name}.with: no such provision: '{one}'{did_you_mean(one, known)}" for one in unknown]
    problems += map(str, validate(merge(there, wanted), METADATA, name).problems)
    if problems:
        raise SampleError("\n".join(problems))


@dataclass(frozen=True, slots=True)
class _Questions:
    """What is asked on a terminal."""

    tell: Callable[[str], None]
    answers: TextIO

    def ask(self, proposal: Proposal, wanted: dict[str, Any], told: set[str], book: RecipeBook) -> dict[str, Any]:
        """The wanted keys, each as it is answered; those that were `told` already are not asked for."""
        for line in proposal.seen:
            self.tell(line)
        known = ", ".join(provision.name for provision in book.provisions)
        asked = self._asked(wanted, told, known)
        return {key: value for key, value in {**asked, **wanted, **asked}.items() if value}

    def _asked(self, wanted: dict[str, Any], told: set[str], known: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "arguments" not in told:
            found["arguments"] = _words("arguments", self._read("arguments of its run, as a shell takes them"))
        if "env" not in told:
            words = _words("environment", self._read("its environment, NAME=VALUE, with blanks between them"))
            found["env"] = _environment("environment", words)
        if "with" not in told:
            pairs = wanted.get("with", {})
            names = " ".join(dict.fromkeys(name for names in pairs.values() for name in names))
            answer = self._read(f"provisions in images from scratch, of {known}", names)
            found["with"] = pairs if answer == names else {FROM_SCRATCH: answer.replace(",", " ").split()}
        if "toolchain-packages" not in told:
            packages = " ".join(wanted.get("toolchain-packages", ()))
            answer = self._read("Debian packages that it links to or builds with", packages)
            found["toolchain-packages"] = answer.replace(",", " ").split()
        return {key: None if value == {FROM_SCRATCH: []} else value for key, value in found.items()}

    def _read(self, question: str, proposed: str = "") -> str:
        return _read(self.tell, self.answers, question, proposed)


def _read(tell: Callable[[str], None], answers: TextIO, question: str, proposed: str) -> str:
    """A line of the user's; an empty one is what was proposed, and a dash nothing."""
    tell(f"{question} [{proposed or 'none'}]:")
    line = answers.readline()
    if not line:
        raise InputError("nothing is written")
    answer = line.strip() or proposed
    return "" if answer == "-" else answer
