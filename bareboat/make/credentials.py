"""The user's own credentials for private registries and repositories: for the step that fetches crates, and no other.

Files and the agent's socket are mounted as they are. What has no file goes through a pipe, so that no copy of it is on
any disk, whatever ends the run: variables of cargo, and what git's own helpers say of the repositories that are named.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from bareboat.errors import EngineError, HostError
from bareboat.make.fetch_secrets import cargo_home, fetch_mounts
from bareboat.plan.cargo_commands import AGENT_PLACE, CREDENTIALS_PLACE, FETCH_HOME, PASSWORDS_VARIABLE, VARIABLES_PLACE
from bareboat.system.folders import remove

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bareboat.system.process import Processes

# A repository as a lock names it, and as a manifest does; nothing that would be more than a URL in git's configuration.
_REPOSITORY = re.compile(r'(?:"git\+|\bgit\s*=\s*")(?P<url>[a-z]+://[^"?#;\s\\]+)(?=["?#])')
# Cargo's settings of its network and its registries, but for a file of this machine's, which is mounted.
_VARIABLE = re.compile(r"CARGO_(?:REGISTRY|REGISTRIES|NET|HTTP(?!_CAINFO$))_[A-Z0-9_]+")
# Nobody is asked for a password: neither on the terminal nor in a window.
_SILENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "GCM_INTERACTIVE": "never"}
# By what the git in cargo is told the password of a repository: `%b` of printf(1) makes lines of it.
_REWRITTEN = r'[url "{private}"]\n\tinsteadOf = {url}\n'
_XDG_CONFIG = ".config/git/config"


@contextlib.contextmanager
def fetch_with_credentials(
    processes: Processes, scratch: Path, named: str, environment: Mapping[str, str] = os.environ
) -> Iterator[dict[str, Path]]:
    """What is mounted for a fetch, while the block runs; `named` is the text of the lock or of the manifests."""
    variables = {name: value for name, value in environment.items() if _VARIABLE.fullmatch(name)}
    mounts = {**fetch_mounts(environment), **_cargo_credentials(processes, environment)}
    folder = scratch / f"fetch-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700, parents=True)
    try:
        if urls := sorted({found["url"] for found in _REPOSITORY.finditer(named)}):
            mounts |= _git_files(environment)
            private = {url: _ask_git(processes, url) for url in urls}
            lines = [_REWRITTEN.format(private=login, url=url) for url, login in private.items() if login]
            if lines:
                # What takes the place of the user's own configuration has it inside.
                own = rf"[include]\n\tpath = {FETCH_HOME}/{_XDG_CONFIG}\n"
                variables[PASSWORDS_VARIABLE] = "".join((own, *lines))
        with _pipe(folder / "variables", variables) as pipe:
            yield {**mounts, VARIABLES_PLACE: pipe}
    finally:
        remove(processes, folder)


def _cargo_credentials(processes: Processes, environment: Mapping[str, str]) -> dict[str, Path]:
    """Cargo's file of tokens, which no log shows."""
    # Where there are both, cargo reads the one without the ending.
    files = (cargo_home(environment) / name for name in ("credentials", "credentials.toml"))
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return {}
    with contextlib.suppress(OSError):
        processes.hide(file.read_text(encoding="utf-8", errors="replace"))
    return {CREDENTIALS_PLACE: file}


def _git_files(environment: Mapping[str, str]) -> dict[str, Path]:
    """What git and ssh have in the user's home, and the agent that signs with keys which stay where they are."""
    home = Path.home()
    files = {name: home / name for name in (".gitconfig", ".ssh/known_hosts")}
    files[_XDG_CONFIG] = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "git" / "config"
    mounts = {f"{FETCH_HOME}/{name}": file for name, file in files.items() if file.is_file()}
    agent = Path(environment.get("SSH_AUTH_SOCK", ""))
    with contextlib.suppress(OSError):
        if stat.S_ISSOCK(agent.stat().st_mode):
            mounts[AGENT_PLACE] = agent
    return mounts


def _ask_git(processes: Processes, url: str) -> str:
    """A repository's URL with the name and the password that git's helpers have for it; "" where they have none."""
    scheme, _, rest = url.partition("://")
    if scheme not in {"https", "http"}:
        return ""
    try:
        said = processes.run(["git", "credential", "fill"], env=_SILENT, stdin=f"url={url}\n\n".encode())
    except (EngineError, HostError):
        return ""  # no helper has it, or there is no git
    found = dict(line.partition("=")[::2] for line in said.splitlines())
    if not found.get("password"):
        return ""
    name, password = (quote(found.get(word, ""), safe="") for word in ("username", "password"))
    private = f"{scheme}://{name}:{password}@{rest.rpartition('@')[2]}"
    processes.hide(private)
    return private


@contextlib.contextmanager
def _pipe(path: Path, variables: Mapping[str, str]) -> Iterator[Path]:
    """A pipe out of which the variables can be read once."""
    os.mkfifo(path, 0o600)
    # Open for both, it is written to before there is a reader, and has an end though no writer closes it.
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        lines = [f"{name}={value}\n" for name, value in sorted(variables.items()) if "\n" not in value]
        os.write(descriptor, "".join((*lines, "\n")).encode(errors="surrogateescape"))
        yield path
    finally:
        os.close(descriptor)
