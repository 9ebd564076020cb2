"""A recommendation for who needs this and that, from results and from what bases have; no engine is asked."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.commands.last_results import last_results
from bareboat.commands.project import Project
from bareboat.commands.recommend import RecommendOptions, print_recommendation, read_size
from bareboat.errors import InputError, SelectionError
from bareboat.result.store import save
from bareboat.result.values import Failed, ManifestRow
from bareboat.system.folders import find_folders
from bareboat.system.process import Processes
from tests.unit.project import ROOT
from tests.unit.report.example_results import result

DIGITS = "0123456789abcdef"
SHELL = Entry(path="bin/sh", content=b"x", mode=0o755)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def kept(tmp_path):
    """Results on four bases, and the archives of two of these bases: alpine has a shell, debian zones as well."""
    zones = ManifestRow(
        path="/usr/share/zoneinfo/",
        kind="directory",
        size_bytes=1_200_000,
        mode="0755",
        source="package:tzdata",
        package="",
        version="",
        why="",
    )
    failed = Failed(stage="run", reason="it lacks everything")
    results = (
        result("scratch-musl", base="scratch", size=400_000),
        replace(result("scratch-musl-net", base="scratch", size=1_700_000), manifest=(zones,)),
        result("alpine", size=9_000_000),
        result("debian", size=124_000_000),
        result("distroless-static", size=10, outcome=failed),
    )
    for one in results:
        save(one, tmp_path / "results" / "host")
    folder = find_folders().roots / "bases"
    folder.mkdir(parents=True)
    for name, entries in {"alpine": [SHELL], "debian": [SHELL, Entry(path="usr/share/zoneinfo/UTC")]}.items():
        write_image(entries, ImageConfig(), reference=name, to=folder / f"{name}@{DIGITS}.tar")
    return tmp_path / "results"


def ask(kept, *needs, **more):
    options = RecommendOptions(need=needs, sample=("hello-world",), results=kept, **more)
    view = io.StringIO()
    text, code = print_recommendation(Project(root=ROOT), options, Processes(), view)
    assert "were not measured here: `invoke build-matrix` measures them" in view.getvalue()
    return text.splitlines(), code


def test_without_a_need_the_smallest_is_taken(kept):
    lines, code = ask(kept)
    assert lines[0].startswith("Take scratch-musl (400 kB), the smallest of the 4 bases that it works on")
    assert (lines[-1], code) == ("Not on distroless-static: it lacks everything.", 0)


def test_what_lacks_something_is_left_out_with_the_reason(kept):
    lines, code = ask(kept, "shell")
    assert lines[0].startswith("Take alpine (9 MB), the smallest of the 2 bases that have what is needed")
    assert lines[1].startswith("Next best is debian (124 MB)")
    assert "Left out: scratch-musl, scratch-musl-net: no shell (/bin/sh)." in lines
    assert code == 0


def test_a_limit_of_size_leaves_out_what_is_larger(kept):
    assert ask(kept, "tz")[0][0].startswith("Take scratch-musl-net (1.7 MB)")
    lines, _ = ask(kept, "shell", max_size="10MB")
    assert lines[0].startswith("Take alpine (9 MB): ")
    assert "Left out: debian: more than 10 MB." in lines


def test_where_nothing_fits_the_nearest_is_told_with_what_brings_the_rest(kept):
    lines, code = ask(kept, "shell", "tz", max_size="20MB")
    assert code == 1
    assert lines[0] == "Nothing that was measured has all that is needed."
    assert lines[1].startswith("Nearest is alpine (9 MB), which has no /usr/share/zoneinfo: ")
    assert "Left out: debian: more than 20 MB." in lines
    assert "Left out: scratch-musl-net: no shell (/bin/sh)." in lines
    assert lines[-4:] == [
        "Provision 'tz' brings it aboard, about 1.2 MB: add to Cargo.toml what stands below.",
        "",
        "    [package.metadata.bareboat]",
        '    with = { alpine = ["tz"] }',
    ]


def test_what_provisions_would_bring_counts_in_the_size(kept):
    lines, code = ask(kept, "shell", "tz", max_size="10MB")
    assert code == 1
    assert lines[1].startswith("Nearest is scratch-musl-net (1.7 MB), which has no shell (/bin/sh): ")
    assert "Left out: alpine: no /usr/share/zoneinfo and more than 10 MB with that aboard." in lines
    assert not any("Cargo.toml" in line for line in lines)


def test_a_base_on_which_the_program_itself_lacks_a_provision_may_be_the_nearest(kept):
    failed = Failed(stage="run", reason="it lacks the time zones' data; provision 'tz' brings it aboard")
    save(replace(result("alpine", outcome=failed, size=9_000_000), lacks="tz"), kept / "host")
    lines, code = ask(kept, "shell", max_size="20MB")
    assert code == 1
    assert lines[1].startswith("Nearest is alpine (9 MB), which has no /usr/share/zoneinfo: ")
    assert lines[-1] == '    with = { alpine = ["tz"] }'


def test_an_unknown_need_and_size_and_a_sample_without_results_are_told(kept, tmp_path):
    with pytest.raises(SelectionError, match=r"--need tls2: no such need \(did you mean 'tls'\?\)"):
        ask(kept, "tls2")
    with pytest.raises(InputError, match="--max-size 10MiB: it takes a size in powers of ten"):
        ask(kept, max_size="10MiB")
    with pytest.raises(SelectionError, match="nothing of hello-world was measured here yet: `invoke build-matrix`"):
        ask(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "size"),
    [("", None), ("10MB", 10e6), ("1.5 GB", 1.5e9), ("500k", 5e5), ("500kB", 5e5), ("12", 12), ("7 b", 7)],
)
def test_sizes_are_read_as_the_table_prints_them(text, size):
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["MB", "-1MB", "10 TB", "1e9", "ten", "10 MB or so"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(InputError, match="--max-size"):
        read_size(text)


def test_of_several_hosts_the_one_that_measured_last_is_taken(tmp_path):
    old, new = result("debian"), result("alpine")
    new = replace(new, provenance=replace(new.provenance, measured_at="2026-12-02T03:04:05Z"))
    for host, one in (("a", new), ("b", old)):
        save(one, tmp_path / "results" / host)
    (last,) = last_results(Project(root=ROOT), None, tmp_path / "results")
    assert last.recipe == "alpine"
    assert last_results(Project(root=ROOT), None, tmp_path / "none") == ()
