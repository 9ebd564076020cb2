"""The doctor's cures as a script that a shell can be given as it is."""

from __future__ import annotations

import os
import subprocess

import pytest

from bareboat.commands.setup import next_step
from bareboat.doctor import host
from bareboat.doctor.check import Check, Command
from bareboat.doctor.examine import name_overlay
from bareboat.doctor.install_commands import install_with
from bareboat.doctor.script import cure_script


def check(cure, *, name="x", finding="y", status="bad"):
    return Check(name=name, finding=finding, status=status, cure=cure)


def run(script, folder, **environment):
    variables = {"PATH": f"{folder}:{os.environ['PATH']}", **environment}
    return subprocess.run(
        ["sh"], input=script, env=variables, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def test_only_what_may_be_run_unasked_is_run_and_the_rest_is_a_comment():
    script = cure_script(
        [
            check(Command("one"), name="a", finding="lacks it"),
            check("podman system reset --force  # removes ALL", name="storage", finding="vfs"),
            check(Command("one"), name="b", status="warning"),
            check("", name="no cure"),
            check(Command("never"), status="good"),
        ]
    )
    assert script == (
        "{\n# a: lacks it\n# b: y\none\n}\n"
        "# to be decided by you: storage: vfs\n#   podman system reset --force  # removes ALL\n"
    )


def test_where_nothing_is_to_be_done_there_is_no_script():
    assert cure_script([check("", status="good"), check("")]) == ""
    assert cure_script([check("by hand")]).startswith("# to be decided by you: x: y\n")


@pytest.mark.starts_processes("what a shell makes of a script is the shell's to say")
def test_no_word_of_a_finding_is_ever_a_command(tmp_path):
    hostile = "said\ntouch broken\r\ntouch broken\x0btouch broken\u2028touch broken"
    checks = [check(Command("touch mended"), finding=hostile, name=hostile), check(f"do\n{hostile}", finding=hostile)]
    assert run(cure_script(checks), tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mended"]


@pytest.mark.starts_processes("what a shell makes of a script is the shell's to say")
def test_a_command_that_reads_or_fails_keeps_no_other_from_being_run(tmp_path):
    checks = [check(Command("cat > read")), check(Command("false")), check(Command("touch mended"))]
    run(cure_script(checks), tmp_path)
    assert (tmp_path / "read").read_text() == ""
    assert (tmp_path / "mended").exists()


@pytest.mark.parametrize(("user", "sudo"), [(0, ""), (1000, "sudo ")])
def test_package_lists_are_fetched_once_before_the_first_package(monkeypatch, user, sudo):
    monkeypatch.setattr("os.geteuid", lambda: user)
    script = cure_script([check(install_with("apt-get", [tool]), name=tool) for tool in ("git", "strace")])
    install = f"{sudo}apt-get install -y --no-install-recommends"
    assert script.splitlines() == [
        "{",
        f"{sudo}apt-get update",
        "# git: y",
        f"{install} git",
        "# strace: y",
        f"{install} strace",
        "}",
    ]
    assert "update" not in cure_script([check(install_with("dnf", ["git"]))])


def test_what_may_be_run_unasked_gives_ids_and_devices_and_asks_no_reboot(monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("getpass.getuser", lambda: "two words")
    ids = host.check_ids(1)
    assert isinstance(ids.cure, Command)
    assert ids.cure.endswith("'two words' && podman system migrate")
    assert isinstance(host.check_tun(tmp_path / "tun").cure, Command)
    monkeypatch.setattr("bareboat.doctor.host.cgroups", lambda: "hybrid")
    assert host.check_cgroups().status == "warning"
    assert not isinstance(host.check_cgroups().cure, Command)


@pytest.mark.starts_processes("what a shell makes of a script is the shell's to say")
def test_the_stores_driver_is_named_once_and_never_in_a_file_that_is_there(tmp_path):
    file = tmp_path / "a folder" / "storage.conf"
    for _ in range(2):
        assert run(cure_script([check(name_overlay(file))]), tmp_path).stderr == ""
        assert file.read_text() == '[storage]\ndriver = "overlay"\n'
    file.write_text("mine")
    run(name_overlay(file), tmp_path)
    assert file.read_text() == "mine"


@pytest.mark.starts_processes("what a shell makes of a script is the shell's to say")
@pytest.mark.parametrize(
    ("podman", "installed", "words"), [("bad", True, "--yes"), ("bad", False, ""), ("good", True, "")]
)
def test_the_machine_is_looked_at_again_and_mended_further_once_there_is_a_podman(tmp_path, podman, installed, words):
    for name in ("again", "podman") if installed else ("again",):
        (tmp_path / name).write_text('#!/bin/sh\nprintf %s "$*"\n')
        (tmp_path / name).chmod(0o755)
    script = next_step([check("", name="podman", status=podman)], (str(tmp_path / "again"),))
    done = subprocess.run(
        ["/bin/sh", "-c", script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == (words, "")
