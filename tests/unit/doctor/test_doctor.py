"""The findings of the doctor, and how it prints them."""

from __future__ import annotations

import io
import os
import platform
import subprocess
from typing import TYPE_CHECKING

import pytest
from elftools.elf.elffile import ELFFile

from bareboat.doctor import host, observation
from bareboat.doctor.ask import ask, reason
from bareboat.doctor.check import Check, can_build, table
from bareboat.doctor.examine import check_network, check_runtime
from bareboat.doctor.firewall import firewall_command
from bareboat.doctor.install_commands import install, install_with
from bareboat.doctor.try_runtimes import RuntimesTried, _recall, _remember, exit_program
from bareboat.errors import EngineError
from bareboat.system.process import Processes

if TYPE_CHECKING:
    from pathlib import Path


def _check(**changes: str) -> Check:
    return Check(**{"name": "x", "finding": "y", "status": "good", "cure": "", **changes})


def test_only_a_bad_finding_stops_builds() -> None:
    assert can_build((_check(), _check(status="warning")))
    assert not can_build((_check(), _check(status="bad")))


def test_a_cure_stays_on_one_line_and_no_escape_sequence_reaches_the_terminal() -> None:
    cure = "sudo apt-get install " + " ".join(f"package-{number}" for number in range(20))
    text = table((_check(finding="said \x1b[31mred\u202e\r\n" + "word " * 40, status="bad", cure=cure),), 80)
    lines = text.splitlines()
    assert f"    {cure}" in lines
    assert max(len(line) for line in lines if cure not in line) <= 80
    assert text.split().count("word") == 40
    assert all(character.isprintable() for character in text.replace("\n", ""))
    assert "BAD" in text
    assert "[31mred" in text


@pytest.mark.parametrize(
    ("manager", "tools", "command"),
    [
        ("apt-get", ["newuidmap", "qemu-img"], "apt-get install -y --no-install-recommends uidmap qemu-utils"),
        ("apt-get", ["iptables", "nft"], "apt-get install -y --no-install-recommends iptables nftables"),
        ("dnf", ["newuidmap", "debian keyring"], "dnf install -y shadow-utils debian-keyring"),
        ("pacman", ["debugfs"], "pacman -S --needed --noconfirm e2fsprogs"),
        ("brew", ["podman", "setpriv"], "brew install podman"),
        ("brew", ["newuidmap"], ""),
    ],
)
def test_each_package_manager_has_its_own_words(monkeypatch, manager, tools, command) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert install_with(manager, tools) == command
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    expected = f"sudo {command}" if command and manager != "brew" else command
    assert install_with(manager, tools) == expected


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        ((), 100_000),
        (("anne:100000:65536\n", "anne:100000:65536\n"), 165_536),
        (("anne:100000:65536\n", "bob:300000:1000\n"), 301_000),
        (("# none\nnonsense\nanne:one:two\n",), 100_000),
    ],
)
def test_new_ids_lie_above_everybody_elses(texts, first) -> None:
    assert host.first_free_id(*texts) == first


def test_too_few_ids_come_with_a_range_to_add() -> None:
    assert host.check_ids(65_536).status == "good"
    found = host.check_ids(1)
    assert found.status == "bad"
    assert "usermod --add-subuids" in found.cure


@pytest.mark.skipif(platform.system() != "Linux", reason="a Linux program")
@pytest.mark.starts_processes("the program is our own machine code")
def test_the_trial_program_ends_with_exit_code_0(tmp_path: Path) -> None:
    image = exit_program(platform.machine())
    if image is None:
        pytest.skip(f"no trial program for {platform.machine()}")
    program = tmp_path / "exit"
    program.write_bytes(image)
    program.chmod(0o755)
    assert subprocess.run([program], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(("machine", "named"), [("x86_64", "EM_X86_64"), ("arm64", "EM_AARCH64")])
def test_the_trial_program_is_one_executable_segment_that_holds_its_entry(machine, named) -> None:
    image = exit_program(machine)
    elf = ELFFile(io.BytesIO(image))
    (segment,) = elf.iter_segments()
    assert elf["e_machine"] == named
    assert segment["p_filesz"] == len(image)
    assert segment["p_vaddr"] <= elf["e_entry"] < segment["p_vaddr"] + segment["p_memsz"]
    assert exit_program("riscv64") is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["noise", "Error: runc: no", "more"], "runc: no"),
        (['Error: helper failed: "denied\\nWARNING: x"'], 'helper failed: "denied'),
        (["only this", " "], "only this"),
    ],
)
def test_a_reason_is_one_line(lines, expected) -> None:
    assert reason(EngineError("podman run", 125, lines)) == expected


def test_a_long_reason_keeps_both_its_ends() -> None:
    said = reason(EngineError("podman run", 125, ["Error: first" + "x" * 900 + "last"]))
    assert said.startswith("first")
    assert said.endswith("last")
    assert len(said) < 220


@pytest.mark.skipif(platform.system() != "Linux", reason="timeout(1)")
@pytest.mark.starts_processes("timeout(1) ends the command")
def test_a_command_that_does_not_answer_is_ended() -> None:
    with pytest.raises(EngineError) as caught:
        ask(Processes(), ("sleep", "60"), {}, seconds=1)
    assert reason(caught.value) == "no answer in time"


def test_the_runtime_that_will_be_used_must_start() -> None:
    tried = RuntimesTried(starting=("runc",), refused={"crun": "unknown cgroups"})
    found = check_runtime(tried, "runc")
    assert (found.status, found.finding) == ("good", "runc starts containers; crun does not: unknown cgroups")
    found = check_runtime(tried, "crun")
    assert found.status == "bad"
    assert 'runtime = "runc"' in found.cure
    assert check_runtime(RuntimesTried(refused={"crun": "no"}), "crun").status == "bad"
    assert check_runtime(RuntimesTried(refused={}, fault="no space"), "").status == "bad"


def test_the_default_network_must_work() -> None:
    assert check_network(RuntimesTried(starting=("runc",), refused={}), "netavark", "iptables").status == "good"
    assert check_network(RuntimesTried(starting=("runc",), refused={}), "cni", "iptables").status == "warning"
    assert (
        check_network(RuntimesTried(starting=("runc",), refused={}, network="denied"), "netavark", "nft").status
        == "bad"
    )
    assert check_network(RuntimesTried(refused={"runc": "no"}), "netavark", "nft").status == "warning"


@pytest.mark.parametrize("firewall", ["nft", "iptables"])
def test_the_cure_of_the_network_is_what_netavark_calls(monkeypatch, firewall) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    tried = RuntimesTried(starting=("runc",), refused={}, network="netavark: unable to execute nft: No such file")
    assert check_network(tried, "netavark", firewall).cure == install(["netavark", firewall])


# What 1.14 of Debian 13 and 1.4 of Debian 12 answer, and one that cannot answer.
SAYS_NFTABLES = '{"version": "1.14.0", "commit": "", "default_fw_driver": "nftables"}'
SAYS_NOTHING = '{"version": "1.4.0", "commit": ""}'


@pytest.mark.starts_processes("netavark is asked by its command line")
@pytest.mark.parametrize(
    ("said", "command"), [(SAYS_NFTABLES, "nft"), (SAYS_NOTHING, "iptables"), ("no such command", "iptables")]
)
def test_netavark_is_asked_what_it_calls(tmp_path: Path, said, command) -> None:
    netavark = tmp_path / "netavark"
    netavark.write_text(f"#!/bin/sh\necho '{said}'\n", encoding="utf-8")
    netavark.chmod(0o755)
    assert firewall_command(Processes(), {}, (5, 4), path=str(tmp_path)) == command


@pytest.mark.parametrize(("podman", "command"), [((4, 9), "iptables"), ((5, 4), "nft")])
def test_an_absent_netavark_would_be_of_podmans_age(tmp_path: Path, podman, command) -> None:
    assert firewall_command(Processes(), {}, podman, path=str(tmp_path)) == command


def test_missing_package_tools_are_bad_only_where_no_registry_answers(monkeypatch) -> None:
    monkeypatch.setattr(host, "search_path", lambda _environment: "/nowhere")
    for needed, status in ((False, "warning"), (True, "bad")):
        found = host.check_package_tools(needed=needed)
        assert found.status == status
        assert "mmdebstrap" in found.finding


def test_without_strace_nothing_is_observed_and_the_cure_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = observation.check_strace(Processes(), {})
    assert (found.status, "is not observed" in found.finding) == ("warning", True)
    assert found.cure.endswith(install(["strace"]).rpartition(" ")[2])
    assert "strace" in install_with("apt-get", ["strace"])
    (tmp_path / "strace").touch(mode=0o755)
    scope = tmp_path / "scope"
    scope.write_text("3\n", encoding="ascii")
    found = observation.check_strace(Processes(), {}, scope)
    assert found.finding.startswith("the kernel lets nobody trace (kernel.yama.ptrace_scope is 3): ")
    assert found.cure.endswith("sysctl -w kernel.yama.ptrace_scope=1")


@pytest.mark.starts_processes("whether strace may trace is found out by trying")
@pytest.mark.parametrize(("script", "status"), [("exit 0", "good"), ("echo not permitted >&2; exit 1", "warning")])
def test_whether_strace_may_trace_is_tried(tmp_path: Path, monkeypatch, script, status) -> None:
    (tmp_path / "strace").write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    (tmp_path / "strace").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    found = observation.check_strace(Processes(), {"PATH": path}, tmp_path / "scope")
    assert found.status == status
    assert ("not permitted" in found.finding) == (status == "warning")


def test_a_device_that_is_absent_or_closed_is_bad(tmp_path: Path, monkeypatch) -> None:
    device = tmp_path / "tun"
    assert host.check_tun(device).cure.endswith("modprobe tun")
    device.touch()
    assert host.check_tun(device).status == "good"
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert host.check_tun(device).cure.endswith(f"chmod 0666 {device}")


def test_anothers_cache_folder_matters_to_old_buildah_only(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: tmp_path.stat().st_uid + 1000)
    assert host.check_cache_mounts((1, 28), tmp_path).status == "warning"
    assert host.check_cache_mounts((1, 30), tmp_path) is None
    assert host.check_cache_mounts((1, 28), tmp_path / "absent") is None
    monkeypatch.setattr("os.geteuid", lambda: tmp_path.stat().st_uid)
    assert host.check_cache_mounts((1, 28), tmp_path) is None


def test_space_is_that_of_the_nearest_folder_there_is(tmp_path: Path) -> None:
    assert "GB free at" in host.check_space(tmp_path / "not/yet").finding


def test_only_a_trial_that_worked_is_remembered(tmp_path: Path) -> None:
    worked = RuntimesTried(starting=("runc",), refused={"crun": "no"})
    _remember(tmp_path, "key", worked)
    assert _recall(tmp_path, "key") == worked
    assert _recall(tmp_path, "another") is None
    _remember(tmp_path, "key", RuntimesTried(starting=("runc",), refused={}, network="denied"))
    assert _recall(tmp_path, "key") is None
    (tmp_path / "runtimes.json").write_text('{"key": "key"', encoding="utf-8")
    assert _recall(tmp_path, "key") is None
