"""What a fetch gets of the user's own credentials, and that none of it is written anywhere."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
from urllib.parse import quote

import pytest

from bareboat.make import fetch_secrets as hostfiles
from bareboat.make.credentials import fetch_with_credentials
from bareboat.plan.cargo_commands import vendor_commands
from bareboat.system.process import Processes
from tests.unit.inputs.crates import write
from tests.unit.project import HELLO

LOCK = '[[package]]\nname = "lib"\nsource = "git+https://git.example.com/lib.git?branch=main#0123"\n'
PASSWORD = "correct horse=battery 'staple'"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """The home of a user who has nothing."""
    for name in ("CARGO_HOME", "SSH_AUTH_SOCK", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hostfiles, "_CA_FILES", ())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return tmp_path / "home"


@pytest.fixture
def scratch(tmp_path):
    return tmp_path / "scratch"


def fetch(scratch, named="", environment=None, processes=None):
    return fetch_with_credentials(processes or Processes(), scratch, named, environment or {})


def test_who_has_nothing_gives_nothing(scratch):
    with fetch(scratch) as mounts:
        assert set(mounts) == {"/run/fetch-variables"}
    assert list(scratch.iterdir()) == []


def test_cargos_own_files_are_mounted_as_they_are_and_its_tokens_hidden(home, scratch):
    write(home / ".cargo", {"config.toml": "", "credentials.toml": '[registries.own]\ntoken = "0123456789abcdef"\n'})
    processes = Processes()
    with fetch(scratch, processes=processes) as mounts:
        assert mounts["/run/cargo-credentials.toml"] == home / ".cargo" / "credentials.toml"
        assert mounts["/run/cargo-config.toml"] == home / ".cargo" / "config.toml"
    assert processes.clean("the token 0123456789abcdef") == "the token ***"


@pytest.mark.starts_processes("a socket is bound to a name, to which nobody connects; git is asked for a password")
def test_what_is_gits_and_sshs_is_mounted_only_where_a_repository_is_named(home, scratch):
    write(home, {".gitconfig": "", ".config/git/config": "", ".ssh/known_hosts": "", ".ssh/id_ed25519": "secret"})
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(home / "agent"))
        environment = {"SSH_AUTH_SOCK": str(home / "agent")}
        with fetch(scratch, environment=environment) as mounts:
            assert set(mounts) == {"/run/fetch-variables"}
        with fetch(scratch, LOCK, environment) as mounts:
            assert mounts["/run/ssh-agent"] == home / "agent"
            assert mounts["/run/home/.ssh/known_hosts"] == home / ".ssh" / "known_hosts"
            assert {"/run/home/.gitconfig", "/run/home/.config/git/config"} <= set(mounts)
            assert not [place for place, path in mounts.items() if "id_ed25519" in place + str(path)]


def heard(mounts, tmp_path):
    """What a container's shell comes to know, with the places of this machine in the place of its own."""
    commands = " && ".join(vendor_commands(HELLO, credentials=True))
    for place, there in {"/crates/vendor.toml": "out", "/dev/shm/bareboat": "memory"}.items():
        commands = commands.replace(place, str(tmp_path / there))
    for place in sorted(mounts, reverse=True):
        commands = commands.replace(place, str(mounts[place]))
    function = "cargo() { env; printf '%s\\n' \"$@\"; }"
    environment = {"PATH": os.environ["PATH"]}
    subprocess.run(["/bin/sh", "-c", f"{function}; {commands}"], env=environment, check=True, timeout=60)
    return (tmp_path / "out").read_text(encoding="utf-8").splitlines()


@pytest.mark.starts_processes("a shell reads what a container's would")
def test_variables_of_registries_go_through_a_pipe_and_no_other_does(scratch, tmp_path):
    environment = {
        "CARGO_REGISTRIES_MY_OWN_TOKEN": "Bearer a 'b' \"c\" $d",
        "CARGO_REGISTRY_TOKEN": "x=y",
        "CARGO_NET_RETRY": "0",
        "CARGO_HTTP_CAINFO": "/a/file/of/this/machine",
        "CARGO_REGISTRIES_OTHER_TOKEN": "two\nlines",
        "AWS_SECRET_ACCESS_KEY": "no",
    }
    with fetch(scratch, environment=environment) as mounts:
        lines = heard(mounts, tmp_path)
        (file,) = [path for path in scratch.rglob("*") if not path.is_dir()]
        assert file.is_fifo()
        assert file.stat().st_mode & 0o777 == 0o600
    assert "CARGO_REGISTRIES_MY_OWN_TOKEN=Bearer a 'b' \"c\" $d" in lines
    assert "CARGO_REGISTRY_TOKEN=x=y" in lines
    assert "CARGO_NET_RETRY=0" in lines
    assert not [line for line in lines if "AWS" in line or "OTHER" in line or "CAINFO" in line]


@pytest.mark.starts_processes("git is asked for a password, and what its configuration says")
@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_what_gits_helpers_say_reaches_the_git_in_cargo_and_no_file(home, scratch, tmp_path):
    helper = f'!f() {{ cat > /dev/null; echo username=me; echo \\"password={PASSWORD}\\"; }}; f'
    write(home, {".gitconfig": f'[credential "https://git.example.com"]\n\thelper = "{helper}"\n'})
    others = [LOCK.replace("git.example.com", name) for name in ("other.example", "x\\\\ny.example", "x;y.example")]
    processes = Processes()
    with fetch(scratch, "".join((LOCK, *others)), processes=processes) as mounts:
        lines = heard(mounts, tmp_path)
        assert f"XDG_CONFIG_HOME={tmp_path / 'memory'}" in lines
        assert not [path for path in scratch.rglob("*") if path.is_file()]
    private = f"https://me:{quote(PASSWORD, safe='')}@git.example.com/lib.git"
    listed = ["git", "config", f"--file={tmp_path / 'memory' / 'git' / 'config'}", "--list"]
    said = subprocess.run(listed, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    assert said == [
        "include.path=/run/home/.config/git/config",
        f"url.{private}.insteadof=https://git.example.com/lib.git",
    ]
    assert processes.clean(f"{PASSWORD} {private}") == "*** https://***@git.example.com/lib.git"
    assert list(scratch.iterdir()) == []


def test_a_pipe_that_nobody_reads_holds_up_nobody(scratch):
    variable = {"CARGO_REGISTRY_TOKEN": "x"}
    with fetch(scratch, environment=variable) as mounts, mounts["/run/fetch-variables"].open("rb") as reader:
        assert select.select([reader], [], [], 60)[0]
