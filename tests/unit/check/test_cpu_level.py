"""Which level of processor a program is said to need, by what came of it on each."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.check import cpu_level
from bareboat.check.cpu_level import MODELS, find_qemu, judge_levels, look_for_end, read_cpu_level
from bareboat.engine.fake import FakeEngine, Script
from bareboat.inputs.expectation import Expectation
from bareboat.inputs.limits import Limits
from bareboat.result.values import Failed
from bareboat.system.process import Processes
from tests.unit.elf_builder import MUSL_LOADER, build_elf

IMAGE = "localhost/program:x"
LEVELS = {model: level for level, model in MODELS.items()}
ILLEGAL = Failed(stage="run", reason="exit code 132, not 0", detail="qemu: uncaught target signal 4 (Illegal ...")
OTHER = Failed(stage="run", reason="exit code 1, not 0")


def faults(**by_level):
    """What comes of each level, `v1` to `v3` and `max`; nothing where none is named."""
    names = dict(zip(MODELS.values(), ("v1", "v2", "v3", "max"), strict=True))
    return lambda model: by_level.get(names[model])


@pytest.mark.parametrize(
    ("came", "text"),
    [
        ({}, "x86-64-v1 (qemu-user 7.2)"),
        ({"v1": ILLEGAL}, "x86-64-v2 (qemu-user 7.2)"),
        ({"v1": OTHER}, "x86-64-v2 (qemu-user 7.2)"),
        ({"v1": ILLEGAL, "v2": ILLEGAL}, "x86-64-v3 (qemu-user 7.2)"),
        ({"v1": ILLEGAL, "v2": ILLEGAL, "v3": ILLEGAL}, "x86-64-v3 and extensions (qemu-user 7.2)"),
        (dict.fromkeys(("v1", "v2", "v3", "max"), ILLEGAL), "above x86-64-v3 (qemu-user 7.2)"),
    ],
)
def test_the_lowest_level_without_fault_is_the_one(came, text):
    assert judge_levels(faults(**came), "7.2").value == text


def test_what_fails_otherwise_on_all_has_a_reason_and_no_level():
    found = judge_levels(lambda _model: OTHER, "7.2")
    assert found.value is None
    assert found.why == "under qemu-user 7.2 it does otherwise: exit code 1, not 0"


def test_what_fails_otherwise_is_asked_twice_before_the_next_level():
    asked = []

    def fault(model):
        asked.append(model)
        return OTHER if len(asked) == 1 else None

    assert judge_levels(fault, "7.2").value == "x86-64-v1 (qemu-user 7.2)"
    assert len(asked) == 2


def test_a_static_qemu_is_found_and_another_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_qemu() is None
    plain = tmp_path / "qemu-x86_64"
    plain.write_bytes(build_elf(interpreter=MUSL_LOADER))
    plain.chmod(0o755)
    assert find_qemu() is None
    plain.write_bytes(build_elf(interpreter=None))
    assert find_qemu() == plain


@pytest.mark.parametrize(
    ("blocked", "waits"),
    [
        ("fffffffe7ffbfef7", True),  # as seen of QEMU 7.2 in sigsuspend
        ("fffffffe7ffbfeff", False),
        ("0000000000000000", False),
        ("0000000000000008", False),
    ],
)
def test_a_qemu_that_waits_for_sigill_alone_is_seen(tmp_path, monkeypatch, blocked, waits):
    thread = tmp_path / "proc" / "7" / "task" / "8"
    thread.mkdir(parents=True)
    (thread / "status").write_text(f"Name:\tqemu\nSigBlk:\t{blocked}\nSigIgn:\t0\n", encoding="ascii")
    monkeypatch.setattr(cpu_level, "Path", lambda text: Path(f"{tmp_path}{text}"))
    if waits:
        with pytest.raises(cpu_level._IllegalError):
            look_for_end(7)
    else:
        look_for_end(7)
    look_for_end(6)  # it has ended


@pytest.fixture
def read(tmp_path, monkeypatch):
    """The level of a program that does as `script` says, by the model that it runs on; None where it runs natively."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "qemu-x86_64-static").write_bytes(build_elf(interpreter=None))
    (tools / "qemu-x86_64-static").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setattr(cpu_level, "_version", lambda _context, _qemu: "7.2")
    (tmp_path / "store").mkdir()

    def ask(script, *, architecture="amd64", remote=False):
        engine = FakeEngine(folder=tmp_path / "store", script=lambda _image, words: script(words[2]))
        write_image([Entry(path="program")], ImageConfig(), reference=IMAGE, to=tmp_path / "program.tar")
        engine.load(tmp_path / "program.tar")
        context = SimpleNamespace(engine=engine, processes=Processes(), remote=remote, limits=lambda _cell: Limits())
        cell = SimpleNamespace(
            program=SimpleNamespace(platform=SimpleNamespace(architecture=architecture)),
            sample=SimpleNamespace(expectations=(Expectation(arguments=("a",), stdout="72\n"),)),
            program_path="/program",
        )
        return engine, read_cpu_level(context, cell, IMAGE, None)

    return ask


def test_the_program_is_run_by_qemu_as_its_sample_runs_it(read, tmp_path):
    dies = Script(exit_code=132, stderr=ILLEGAL.detail.encode())
    engine, found = read(lambda model: Script(stdout=b"72\n") if "avx2" in model else dies)
    assert found.value == "x86-64-v3 (qemu-user 7.2)"
    starts = list(engine.started.values())
    assert [LEVELS[start.entrypoint[2]] for start in starts] == ["x86-64-v1", "x86-64-v2", "x86-64-v3"]
    assert {start.entrypoint[-1] for start in starts} == {"/program"}
    assert {start.command for start in starts} == {("a",)}
    assert {tuple(start.mounts.values()) for start in starts} == {(tmp_path / "tools" / "qemu-x86_64-static",)}
    assert engine.containers == ()


def test_another_output_than_expected_is_not_as_before(read):
    _, found = read(lambda _model: Script(stdout=b"71\n"))
    assert (found.value, "its output differs" in found.why) == (None, True)


def test_what_cannot_be_taken_here_has_a_reason(read, monkeypatch):
    assert read(lambda _model: Script(), architecture="arm64")[1].why.startswith("not applicable")
    assert "another machine" in read(lambda _model: Script(), remote=True)[1].why
    monkeypatch.setenv("PATH", "")
    assert "is not installed" in read(lambda _model: Script())[1].why
