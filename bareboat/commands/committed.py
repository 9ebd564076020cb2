"""What git has of the results that were committed: `results/<host>/<cell>.json` of a revision, and each file's text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bareboat.errors import EngineError, ResultError, SelectionError
from bareboat.result.store import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from bareboat.result.values import Result
    from bareboat.system.process import Processes

# Without locks nobody's own git of that moment is in the way, and a repository's settings start no program.
GIT = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
RESULTS = "results"
_MODES = frozenset({"100644", "100755"})  # of files: a link is none
# What `git cat-file --batch` says before each text. No JSON has a line like it.
_HEAD = re.compile(r"^([0-9a-f]{40,64}) (?:blob \d+|missing)\n", re.MULTILINE)
_DIGITS = 12
_DEPTH = 2  # of a cell's file below the results: its host's folder and itself


def find_revision(processes: Processes, folder: Path, revision: str) -> str:
    """The commit that a revision names in the repository of a folder; SelectionError where there is none."""
    words = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    try:
        return processes.run([*GIT, *words], cwd=folder).strip()
    except EngineError as error:
        # Silent where the revision is unknown; else it is no repository, or one of another user's.
        said = "; ".join(line.strip() for line in error.log_tail if line.strip())
        raise SelectionError(
            f"no file, folder or git revision: '{revision}'" + (f"\n  git in {folder}: {said}" if said else "")
        ) from error


def committed_results(
    processes: Processes, root: Path, revision: str, results: Path | None, tell: Callable[[str], None]
) -> tuple[dict[str, tuple[Result, ...]], str]:
    """The results that a revision has in a folder, by host, and what the revision is called.

    They are looked for where `results` are now, if that is in `root`, and in `root/results`; `tell` hears how many
    cannot be read. Raises SelectionError where there is no such revision, or it has none.
    """
    commit, places = find_revision(processes, root, revision), _places(root, results)
    files = next(filter(None, (_files_in(processes, root, commit, place) for place in places)), {})
    found, faults = dict[str, list["Result"]](), list[str]()
    for (host, name), text in files.items():
        try:
            result = parse(text.encode(), f"{revision}:{host}/{name}")
        except ResultError as error:
            faults.append(error.summary)
        else:
            found.setdefault(host, []).append(result)
    if faults:
        tell(f"left out, for they cannot be read: {len(faults)} of {len(files)} results; the first: {faults[0]}")
    if not found:
        raise SelectionError(
            f"revision '{revision}' has no results in {' nor '.join(f'{root}/{place}' for place in places)}\n"
            "  name a FILE of `invoke report --format json`, or a FOLDER of `invoke build-matrix --results`"
        )
    name = commit[:_DIGITS] if commit.startswith(revision) else f"{revision} ({commit[:_DIGITS]})"
    return {host: tuple(of_host) for host, of_host in found.items()}, name


def _places(root: Path, results: Path | None) -> tuple[str, ...]:
    """Where a commit may have its results, as paths in `root`, the likeliest first."""
    if results and (below := results.resolve()).is_relative_to(root.resolve()):
        return tuple(dict.fromkeys((below.relative_to(root.resolve()).as_posix(), RESULTS)))
    return (RESULTS,)


def _files_in(processes: Processes, root: Path, commit: str, results: str) -> dict[tuple[str, str], str]:
    """The text of each result that a commit has in `root/results`, by its host and its file's name."""
    said = processes.run([*GIT, "ls-tree", "-r", "-z", commit, "--", f"{results}/"], cwd=root)
    found = {}
    for line in said.split("\0")[:-1]:
        about, _, path = line.partition("\t")
        mode, _, blob = about.split(" ")
        if mode in _MODES and (place := place_of(path, results)):
            found[place] = blob
    texts = read_blobs(processes, root, found.values())
    return {place: texts[blob] for place, blob in found.items() if blob in texts}


def place_of(path: str, results: str) -> tuple[str, str] | None:
    """The host and the file's name of a cell's result; None of another file, such as the results' page."""
    below = path.removeprefix(f"{results}/").split("/")
    return (below[0], below[1]) if len(below) == _DEPTH and below[1].endswith(".json") else None


def read_blobs(processes: Processes, folder: Path, blobs: Iterable[str]) -> dict[str, str]:
    """The text of each blob that there is, by its id; one command reads them all."""
    wanted = sorted(set(blobs))
    if not wanted:
        return {}
    said = processes.run(
        [*GIT, "cat-file", "--batch"], cwd=folder, stdin="".join(f"{one}\n" for one in wanted).encode()
    )
    # The texts stand between the heads: what comes before the first is empty.
    _, *parts = _HEAD.split(said)
    return {blob: text for blob, text in zip(parts[::2], parts[1::2], strict=True) if text}
