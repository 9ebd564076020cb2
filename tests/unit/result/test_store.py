from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.errors import BareboatError, ResultError
from bareboat.result import store as resultfile
from bareboat.result.measurement import Column, Measurement
from bareboat.result.values import SCHEMA, Failed, Host, Passed, Provenance, Result, Skipped, Source

REPOSITORY = Path(__file__).parents[3]

HOST = Host(
    name="trixie",
    system="Debian GNU/Linux 13",
    kernel="6.12.0",
    architecture="x86_64",
    podman="5.4.2",
    buildah="1.39.3",
    runtime="crun 1.21",
    storage_driver="overlay",
    rootless=True,
    bareboat="0.1.0",
)
BASE = Source(kind="bootstrap", reference="debian", digest="sha256:" + "a" * 64, packages=("libc6=2.36", "bash=5.2"))
PROVENANCE = Provenance(
    host=HOST, base=BASE, toolchain=BASE, image_id="sha256:1", commit="abc", measured_at="2026-01-02T03:04:05Z"
)
RESULT = Result(
    cell="hello-world@scratch-musl",
    sample="hello-world",
    recipe="scratch-musl",
    platform="linux/amd64",
    key="k",
    outcome=Passed(),
    measurements=(
        Measurement(column=Column(name="size", heading="Size", unit="bytes", order=10), value=416_000),
        Measurement(column=Column(name="pie", heading="PIE", unit="flag", order=5), value=True),
        Measurement(column=Column(name="start", heading="Start", unit="seconds", order=7), value=1.0),
        Measurement(column=Column(name="tls", heading="TLS", unit="text", order=8), value=None),
    ),
    provenance=PROVENANCE,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
columns = st.builds(
    Column,
    name=texts,
    heading=texts,
    unit=st.sampled_from(["bytes", "seconds", "count", "text", "flag"]),
    order=st.integers(-5, 500),
)
values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
outcomes = (
    st.just(Passed())
    | st.builds(Failed, stage=st.sampled_from(["base", "run"]), reason=texts, detail=texts)
    | st.builds(Skipped, reason=texts)
)
results = st.builds(
    Result,
    schema_version=st.just(SCHEMA),
    cell=st.from_regex(r"[a-z][a-z0-9-]{0,20}@[a-z0-9.+-]{1,20}", fullmatch=True),
    sample=texts,
    recipe=texts,
    platform=texts,
    key=texts,
    outcome=outcomes,
    measurements=st.lists(st.builds(Measurement, column=columns, value=values), max_size=4).map(tuple),
    published_bytes=st.none(),
    provenance=st.none() | st.just(PROVENANCE),
)


def typed(result: Result) -> list[tuple[type, object]]:
    """1, 1.0 and True are equal in Python and not in a table."""
    return [(type(measurement.value), measurement.value) for measurement in result.measurements]


@settings(deadline=None, max_examples=50)  # each example waits for the disk
@given(result=results)
def test_what_was_saved_is_what_is_loaded(result: Result, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("host")
    loaded = resultfile.load(resultfile.save(result, folder))
    assert loaded == result
    assert typed(loaded) == typed(result)
    shutil.rmtree(folder)


def test_a_file_is_pretty_sorted_stable_and_alone(tmp_path: Path) -> None:
    path = resultfile.save(RESULT, tmp_path / "results" / "trixie")
    first = path.read_bytes()
    assert path == tmp_path / "results" / "trixie" / "hello-world@scratch-musl.json"
    assert first.endswith(b"}\n")
    assert first.decode() == json.dumps(json.loads(first), indent=2, sort_keys=True) + "\n"
    resultfile.save(resultfile.load(path), path.parent)
    assert path.read_bytes() == first
    assert list(path.parent.iterdir()) == [path]


def test_a_result_is_readable_by_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        assert resultfile.save(RESULT, tmp_path).stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)


def test_raw_output_that_utf8_cannot_hold_does_not_lose_the_result(tmp_path: Path) -> None:
    raw = b"panic \xff!".decode("utf-8", errors="surrogateescape")
    saved = resultfile.save(replace(RESULT, outcome=Failed(stage="run", reason=raw)), tmp_path)
    assert resultfile.load(saved).outcome == Failed(stage="run", reason="panic ?!")


@pytest.mark.parametrize("cell", ["../x", "a/b", "/etc/passwd", "", ".hidden", "..", "a\0b", "a\nb", "a\n", "a b"])
def test_a_cell_that_is_no_safe_file_name_is_refused(cell: str, tmp_path: Path) -> None:
    with pytest.raises(BareboatError, match="cannot name a result file"):
        resultfile.save(replace(RESULT, cell=cell), tmp_path / "inside")
    assert list(tmp_path.iterdir()) == []


def broken(change: dict[str, object]) -> bytes:
    whole = json.loads(resultfile._to_json(RESULT))
    return json.dumps(whole | change).encode()


COLUMN = {"name": "x", "heading": "X", "unit": "seconds", "order": 1, "meaning": "", "version": 1}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (resultfile._to_json(RESULT)[:-100], "is cut short"),
        (b"", "is cut short"),
        (b"<html>", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "the whole file: "),
        (b"{}", "outcome: is missing"),
        (broken({"colour": "red"}), "colour: is no key of a result"),
        (broken({"col\nour\x1b[2J": "red"}), "col\\nour\\x1b[2J: is no key of a result"),
        (broken({"published_bytes": "416000"}), "published_bytes: Input should be a valid integer"),
        (broken({"outcome": {"kind": "sunk"}}), "outcome: Input tag 'sunk'"),
        (broken({"outcome": {"kind": "failed", "stage": "run"}}), "outcome.failed.reason: is missing"),
        (
            broken({"measurements": [{"column": COLUMN, "value": float("nan")}]}),
            "measurements.0.value.bool: Input should be",
        ),
        (broken({"schema_version": "1"}), "schema_version: Input should be a valid integer"),
    ],
)
def test_each_fault_of_a_file_is_named_with_the_command_that_mends_it(
    content: bytes, what: str, tmp_path: Path
) -> None:
    path = tmp_path / "hello-world@alpine.json"
    path.write_bytes(content)
    with pytest.raises(ResultError) as caught:
        resultfile.load(path)
    assert f"{path}: {what}" in str(caught.value)
    assert str(caught.value).endswith("invoke build-matrix --force")


def test_a_figure_that_is_no_number_is_told_and_not_saved(tmp_path: Path) -> None:
    odd = replace(RESULT, measurements=(Measurement(column=Column(**COLUMN), value=float("inf")),))
    with pytest.raises(BareboatError, match=f"^{RESULT.cell}: a figure is no number that can be saved"):
        resultfile.save(odd, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_newer_schema_asks_for_an_upgrade_and_not_for_its_unknown_keys(tmp_path: Path) -> None:
    path = tmp_path / "hello-world@alpine.json"
    path.write_bytes(broken({"schema_version": SCHEMA + 1, "invented_later": 1}))
    with pytest.raises(ResultError) as caught:
        resultfile.load(path)
    assert f"schema_version: {SCHEMA + 1} is newer than {SCHEMA}" in str(caught.value)
    assert "upgrade Bareboat" in str(caught.value)
    assert "invented_later" not in str(caught.value)


def test_a_result_of_schema_2_is_read_and_says_neither_its_compiler_nor_what_it_was_made_of(tmp_path: Path) -> None:
    path = resultfile.save(RESULT, tmp_path)
    values = json.loads(path.read_bytes())
    values["schema_version"] = 2
    del values["unobserved"], values["provenance"]["made"], values["provenance"]["compiler"]
    del values["provenance"]["host"]["machine"]
    path.write_text(json.dumps(values), encoding="utf-8")
    old = resultfile.load(path)
    assert old.provenance
    assert (old.schema_version, old.provenance.made, old.provenance.compiler) == (2, None, "")
    assert replace(old, schema_version=SCHEMA) == RESULT


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"none\.json: cannot be read: No such file"):
        resultfile.load(tmp_path / "none.json")


def test_load_all_sorts_by_cell_and_leaves_temporaries_alone(tmp_path: Path) -> None:
    for cell in ("web@debian", "hello@scratch", "hello@alpine"):
        resultfile.save(replace(RESULT, cell=cell), tmp_path)
    (tmp_path / ".web@debian.json.tmp-1").write_text("{")
    (tmp_path / "README.md").write_text("")
    assert [result.cell for result in resultfile.load_all(tmp_path)] == ["hello@alpine", "hello@scratch", "web@debian"]
    assert resultfile.load_all(tmp_path / "absent") == ()


def test_load_all_tells_the_faults_of_every_file(tmp_path: Path) -> None:
    for name in ("a@x", "b@x"):
        (tmp_path / f"{name}.json").write_text("{")
    with pytest.raises(ResultError, match=r"(?s)a@x\.json.*b@x\.json"):
        resultfile.load_all(tmp_path)


def test_hosts_are_the_folders_that_hold_a_result(tmp_path: Path) -> None:
    for host in ("trixie", "bookworm"):
        resultfile.save(RESULT, tmp_path / host)
    (tmp_path / "empty").mkdir()
    (tmp_path / "README.md").write_text("")
    assert resultfile.hosts(tmp_path) == ("bookworm", "trixie")
    assert resultfile.hosts(tmp_path / "absent") == ()


SAVE_TOO_MUCH = """
import sys
from dataclasses import replace
from pathlib import Path
from bareboat.result import store as resultfile
from bareboat.errors import BareboatError
from bareboat.result.values import Failed
path = Path(sys.argv[1])
result = replace(resultfile.load(path), outcome=Failed(stage="run", reason="long", detail="x" * 300_000))
try:
    resultfile.save(result, path.parent)
except BareboatError as error:
    print(error)
"""


def refused_save(path: Path, **options: object) -> str:
    command = [sys.executable, "-c", SAVE_TOO_MUCH, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY, **options).stdout


@pytest.mark.starts_processes("limits and mounts are set for a process of their own")
def test_a_write_that_fails_half_way_leaves_the_old_result_and_no_temporary(tmp_path: Path) -> None:
    path = resultfile.save(RESULT, tmp_path)

    def limit_files_to_64_kib() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))

    said = refused_save(path, preexec_fn=limit_files_to_64_kib)
    assert f"{path}: cannot be written: File too large; the old result, if there was one, is untouched" in said
    assert resultfile.load(path) == RESULT
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.starts_processes("limits and mounts are set for a process of their own")
def test_a_full_disk_leaves_the_old_result_and_no_temporary(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=128k none {tmp_path}"
    unshare = ["unshare", "--mount", "sh", "-ec"]
    if subprocess.run([*unshare, mount], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a tmpfs")
    original = resultfile.save(RESULT, tmp_path.with_name("original"))
    run = f'"$@"; cmp {original} {tmp_path}/{original.name}; ls -A {tmp_path}'
    script = f"{mount}; cp {original} {tmp_path}; {run}"
    command = [*unshare, script, "sh", sys.executable, "-c", SAVE_TOO_MUCH, str(tmp_path / original.name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert f"{tmp_path / original.name}: cannot be written: No space left on device; the old result" in done.stdout
    assert done.stdout.splitlines()[-1] == original.name
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "trixie").write_text("")
    with pytest.raises(BareboatError, match="cannot be written: File exists"):
        resultfile.save(RESULT, tmp_path / "trixie")
