"""`bareboat init`: what it proposes, asks, writes, and leaves alone."""

from __future__ import annotations

import io

import pytest

from bareboat.commands.init import InitOptions, write_init
from bareboat.commands.plan_inputs import kept_results
from bareboat.commands.project import Project
from bareboat.commands.propose import propose
from bareboat.errors import BareboatError, InputError, SampleError
from bareboat.inputs.mend import Mend
from bareboat.result.store import save
from bareboat.result.values import Failed, Passed, Ran, Result
from bareboat.system.process import Processes
from tests.unit.project import BOOK, ROOT

WHY = "it lacks the time zones' data"
MANIFEST = '[package]\nname = "Sloop" # a ship\nversion = "0.1.0"\nedition = "2024"\n'
BLOCK = f'[package.metadata.bareboat]\nwith = {{ "scratch-*" = ["tz"] }} # tz: else {WHY}\n'


@pytest.fixture
def crate(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "folder of mine"
    folder.mkdir()
    (folder / "Cargo.toml").write_text(MANIFEST)
    return folder


def result(recipe, *, outcome=None, sample="sloop", **fields):
    plain = {"cell": f"{sample}@{recipe}", "sample": sample, "recipe": recipe, "platform": "linux/amd64", "key": ""}
    return Result(**plain, outcome=outcome or Passed(), **fields)


def mended(recipe, *provisions):
    return result(recipe, mended=tuple(Mend(recipe=recipe, provision=one, why=WHY) for one in provisions))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def init(crate, *, answers="", terminal=False, **options):
    """What the command answers, what it says, and what is in the file then."""
    kind = Terminal if terminal else io.StringIO
    view = kind()
    answer = write_init(Project(root=ROOT), InitOptions(crate=crate, **options), Processes(), view, kind(answers))
    return answer, view.getvalue(), (crate / "Cargo.toml").read_text()


def test_what_the_last_run_saw_is_written_with_the_reason(crate):
    for recipe in ("scratch-musl", "scratch-glibc"):
        save(mended(recipe, "tz"), kept_results(Project(root=ROOT), crate) / "host")
    save(result("scratch-musl", sample="another", lacks="certs"), kept_results(Project(root=ROOT), crate) / "host")
    answer, said, text = init(crate)
    assert answer == BLOCK
    assert text == f"{MANIFEST}\n{BLOCK}"
    assert "Cargo.toml: [package.metadata.bareboat] has more keys now\n" in said
    answer, said, again = init(crate)
    assert (answer, again) == ("", text)
    assert "nothing to add" in said


def test_a_dry_run_prints_the_block_and_writes_nothing(crate):
    answer, _, text = init(crate, env=["PORT=8080", "LIST=a,b"], arguments="--root '/sr v'", dry_run=True)
    assert answer == (
        '[package.metadata.bareboat]\narguments = ["--root", "/sr v"]\nenv = { PORT = "8080", LIST = "a,b" }\n'
    )
    assert text == MANIFEST


def test_what_is_there_stays_and_is_told(crate):
    (crate / "Cargo.toml").write_text(f'{MANIFEST}\n[package.metadata.bareboat]\nenv = {{ PORT = "1" }}\n')
    _, said, text = init(crate, env=["PORT=8080", "A=2"])
    assert "env.PORT is there already, and stays as it is" in said
    assert 'env = { PORT = "1", A = "2" }' in text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"with_": ("tzz",)}, r"with: no such provision: 'tzz' \(did you mean 'tz'\?\)"),
        ({"env": ["PORT"]}, r"--env PORT: it takes NAME=VALUE, such as PORT=8080"),
        ({"env": ["port=1"]}, r"env\.port.*does not have the form"),
        ({"arguments": "'"}, r"--arguments ': No closing quotation"),
        ({"toolchain_package": ("Libpq",)}, r"toolchain-packages\.0: 'Libpq' does not have the form"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_no_run_would_take_is_not_written(crate, options, says):
    with pytest.raises(InputError, match=says):
        init(crate, **options)
    assert (crate / "Cargo.toml").read_text() == MANIFEST


def test_who_names_no_crate_is_told_to(tmp_path):
    with pytest.raises(SampleError, match="which crate"):
        init(None)
    with pytest.raises(SampleError, match="there is no such file"):
        init(tmp_path)


def test_a_file_that_cannot_be_written_stays(crate, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bareboat.system.files.os.fsync", full)
    with pytest.raises(BareboatError, match="cannot be written: No space left"):
        init(crate, env=["A=1"])
    assert (crate / "Cargo.toml").read_text() == MANIFEST
    assert [path.name for path in crate.iterdir()] == ["Cargo.toml"]


def test_mode_and_link_of_the_file_stay(crate):
    real = crate / "real.toml"
    (crate / "Cargo.toml").rename(real)
    real.chmod(0o640)
    (crate / "Cargo.toml").symlink_to("real.toml")
    init(crate, env=["A=1"])
    assert (crate / "Cargo.toml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert 'A = "1"' in real.read_text()


def test_a_terminal_is_asked_for_what_no_option_says(crate):
    ran = Ran(exit_code=2, said="usage: sloop FILE")
    save(
        result("scratch-musl", mended=mended("scratch-musl", "tz").mended, ran=ran),
        kept_results(Project(root=ROOT), crate) / "host",
    )
    answers = "'a file' -v\nPORT=80 NAME='x y'\n\n-\n\n"
    answer, said, text = init(crate, answers=answers, terminal=True)
    assert answer == ""
    assert "It ended with exit code 2, and said: usage: sloop FILE" in said
    assert "NAME=VALUE" in said
    assert "provisions in images from scratch, of certs, init, libm, nss, openssl, probe, tmp, tz, user [tz]:" in said
    written = text.partition("[package.metadata.bareboat]\n")[2]
    assert written.startswith('arguments = ["a file", "-v"]\nenv = { PORT = "80", NAME = "x y" }\nwith = {')
    assert "toolchain-packages" not in text


@pytest.mark.parametrize("last", ["no\n", ""], ids=["refused", "left"])
def test_who_does_not_say_yes_gets_nothing_written(crate, last):
    with pytest.raises(InputError, match="nothing is written"):
        init(crate, answers=f"-v\n\n\n\n{last}", terminal=True)
    assert (crate / "Cargo.toml").read_text() == MANIFEST


def test_who_says_yes_beforehand_is_asked_nothing(crate):
    answer, _, text = init(crate, terminal=True, yes=True, env=["A=1"])
    assert answer in text


def test_a_pattern_stands_for_images_from_scratch_only_where_all_that_ran_want_the_same():
    every = [mended("scratch-musl", "tz"), result("scratch-musl-net"), result("debian-slim")]
    assert propose(every, BOOK).keys == {"with": {"scratch-*": ["tz"]}}
    some = [mended("scratch-musl", "tz"), result("scratch-glibc")]
    assert propose(some, BOOK).keys == {"with": {"scratch-musl": ["tz"]}}
    assert propose([result("scratch-musl")], BOOK).keys == {}


def test_what_a_base_lacks_and_what_a_compile_lacked_is_proposed_too():
    lacks = Failed(stage="run", reason=f"{WHY}; provision 'tz' brings it aboard")
    compiled = Failed(
        stage="compile", reason="x", detail='add to Cargo.toml:\n    toolchain-packages = ["libpq-dev", "cmake"]\n\nx'
    )
    proposal = propose([result("debian-slim", outcome=lacks, lacks="tz"), result("alpine", outcome=compiled)], BOOK)
    assert proposal.keys == {"with": {"debian-slim": ["tz"]}, "toolchain-packages": ["cmake", "libpq-dev"]}
    assert proposal.notes == {"with": f"tz: else {WHY}"}


def test_a_service_is_proposed_with_its_port_and_takes_the_arguments(crate):
    ran = Ran(running=True, ports=(8080,), answers=("HTTP 404",), stop_seconds=0.1, exit_code=0)
    save(result("scratch-musl", ran=ran), kept_results(Project(root=ROOT), crate) / "host")
    answer, _, _ = init(crate, arguments="serve")
    assert answer == '[package.metadata.bareboat]\nservice = { port = 8080, ready = "", arguments = ["serve"] }\n'
    (crate / "Cargo.toml").write_text(f"{MANIFEST}\n[package.metadata.bareboat.expect]\nexit_code = 0\n")
    assert init(crate)[0] == ""


def test_a_service_that_does_not_heed_sigterm_is_not_held_to_it():
    ran = Ran(running=True, ports=(8080,), answers=("HTTP 200",))
    assert propose([result("scratch-musl", ran=ran)], BOOK).keys == {}
