"""What a cell came to, in a paragraph: what is missing, who asked for it, what mends it and what that costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.check.causes import _CAUSES
from bareboat.check.prediction import refuse
from bareboat.closure import Closure, Missing
from bareboat.closure.owners import read_owners
from bareboat.inputs.mend import Mend
from bareboat.report import Asked, Cure, explain_cell, find_cures
from bareboat.report.cures import give, provision_bytes
from bareboat.report.packages import debian_package
from bareboat.result.values import Completed, Failed, Ingredients, ManifestRow, Preflight, Ran, Skipped
from tests.unit.project import BOOK, plan_of
from tests.unit.report.example_results import result

LACKS = Failed(stage="run", reason="it lacks the time zones' data; provision 'tz' brings it aboard", detail="words")
OWNERS = read_owners(
    {
        "var/lib/dpkg/status": b"Package: libc6\nVersion: 2.41\n",
        "var/lib/dpkg/info/libc6.list": b"/usr/lib/ld.so\n",
    }
)
TZ = next(provision for provision in BOOK.provisions if provision.name == "tz")
NSS = next(provision for provision in BOOK.provisions if provision.name == "nss")


def aboard(path, size, **more):
    fields = {"kind": "file", "mode": "0644", "source": "toolchain", "package": "", "version": "", "why": "x"}
    return ManifestRow(path=path, size_bytes=size, **(fields | more))


def test_what_is_missing_who_asked_and_what_mends_it_is_one_paragraph():
    cell = result("alpine", outcome=LACKS, size=9_000_000)
    cures = find_cures(cell, [cell, result("scratch-musl", size=1_500_000)], BOOK, "tz", 1_200_000)
    asked = Asked(panic="at src/main.rs:3:5: cannot read zone", crate="")
    assert explain_cell(cell, cures, asked) == (
        "hello-world@alpine failed at run: it lacks the time zones' data. The program's own code asked for it: it "
        "panicked at src/main.rs:3:5: cannot read zone. Provision 'tz' brings it aboard, about 1.2 MB: add to "
        "Cargo.toml what stands below. The same program works on scratch-musl (1.5 MB, 7.5 MB less).\n"
        "\n"
        "    [package.metadata.bareboat]\n"
        '    with = { alpine = ["tz"] }\n'
    )


def test_a_crate_that_asked_is_named_and_a_place_told_once():
    panicked = Failed(stage="run", reason="it panicked at /crates/vendor/jiff/src/a.rs:1:2: no zone")
    said = explain_cell(result("alpine", outcome=panicked), (), Asked(panic=panicked.reason[12:], crate="jiff"))
    assert "Crate jiff asked for it." in said
    assert said.count("no zone") == 1


def lack(name, way):
    return Missing(
        name=name, needed_by="/app", way=way, searched=("/usr/lib",), versions=(), found="", required=True, note=""
    )


def test_a_file_that_the_toolchain_has_is_told_once_with_its_weight():
    # The interpreter is asked for by its path, and by its name as a library.
    missing = (lack("/lib64/ld.so", "interpreter"), lack("ld.so", "needed"))
    failed = refuse(
        plan_of("scratch-glibc-no-loader").cells[0], Closure(program="/app", files=(), missing=missing), OWNERS
    )
    cell = result("scratch-glibc-no-loader", outcome=failed, size=1000)
    works = replace(result("scratch-glibc-dynamic", size=3000), manifest=(aboard("/lib64/ld.so", 226_000),))
    small = result("scratch-musl", size=400)
    copy, same, other = find_cures(cell, [cell, works, small], BOOK, "", None)
    assert copy.says == "Package libc6 2.41 has it (226 kB): add to scratch-glibc-no-loader.toml what stands below."
    assert copy.lines[0] == "[[copy]]"
    assert 'to = "/lib64/ld.so"' in copy.lines
    assert same.says == "The same program works on scratch-glibc-dynamic (3 kB, 2 kB more)."
    assert other.says == "Smallest of all that work is scratch-musl (400 B, 600 B less)."


def test_what_works_nowhere_is_told_so():
    cell = result("alpine", outcome=Failed(stage="run", reason="SIGSEGV ended it"))
    other_sample = result("debian", sample="other", size=1)
    (cure,) = find_cures(cell, [cell, other_sample], BOOK, "", None)
    assert "No base that was measured has it work" in cure.says
    assert find_cures(result("debian", size=1), [cell], BOOK, "", None) == ()


@pytest.mark.parametrize("lacks", [cause.lacks for cause in _CAUSES if not cause.provision])
def test_what_a_run_has_not_no_base_mends(lacks):
    cell = result("alpine", outcome=Failed(stage="run", reason=f"it lacks {lacks} x"))
    (cure,) = find_cures(cell, [result("debian", size=1)], BOOK, "", None)
    assert cure.says.startswith("No base mends that")


def test_what_was_expected_and_what_was_said_is_told():
    failed = Failed(stage="preflight", reason="no loader", expected="the loader is left out")
    flight = Preflight(predicted=False, why="no loader", observed=False, said="exec /app: no such file or directory")
    said = explain_cell(replace(result("alpine", outcome=failed), preflight=flight))
    assert said.startswith(
        "hello-world@alpine fails, as is expected of it: the loader is left out. What was found: no loader. "
        'Started all the same, it said "exec /app: no such file or directory".'
    )
    wrong = replace(flight, observed=True, said="")
    assert "a fault of Bareboat's prediction" in explain_cell(
        replace(result("alpine", outcome=failed), preflight=wrong)
    )


def test_cargos_words_follow_a_compile_that_failed():
    failed = Failed(stage="compile", reason="the toolchain lacks library pq", detail="add to Cargo.toml:\n\n\terror: x")
    said = explain_cell(result("alpine", outcome=failed))
    assert said == (
        "hello-world@alpine failed at compile: the toolchain lacks library pq.\n\n"
        "    add to Cargo.toml:\n\n            error: x\n"
    )


def test_what_was_skipped_says_why():
    assert explain_cell(result("alpine", outcome=Skipped(reason="no base"))) == (
        "hello-world@alpine was not tried: no base.\n"
    )


def made_of(*crates):
    return Ingredients(
        roots={},
        program="",
        program_sha256="",
        crates=crates,
        harbor="",
        harbor_sha256="",
        sources="",
        image="",
        traced=True,
    )


def test_a_cell_that_works_tells_what_came_aboard_and_for_whom():
    libraries = (
        Completed(path="/usr/lib/libpq.so.5", to="/usr/lib/libpq.so.5", why="/app needs it"),
        Completed(path="/usr/lib/libm.so.6", to="/usr/lib/libm.so.6", why="/usr/lib/libpq.so.5 needs it"),
    )
    cell = result("scratch-glibc-dynamic", size=3_000_000)
    cell = replace(
        cell,
        provenance=replace(cell.provenance, made=made_of("pq-sys")),
        completed=libraries,
        mended=(Mend(recipe="x", provision="tz", why="it lacks the time zones' data"),),
        manifest=(
            aboard("/usr/lib/libpq.so.5", 300_000, ways=("static",)),
            aboard("/usr/lib/libm.so.6", 900_000, ways=("static",)),
            aboard("/etc/idle", 100, idle_files=1),
        ),
        ran=Ran(exit_code=0),
    )
    assert explain_cell(cell, costs={"tz": 1_200_000}) == (
        "hello-world@scratch-glibc-dynamic works, in 3 MB: it starts, and ends with exit code 0. From the toolchain "
        "came aboard libpq.so.5, which the program is linked to by way of crate pq-sys, and 1 library more that these "
        "need, 1.2 MB. Provision 'tz' came aboard (about 1.2 MB), without which it lacks the time zones' data. Nobody "
        "needs /etc/idle (100 B). Nothing is to be mended.\n"
    )


def test_a_service_is_told_with_how_it_begins_and_ends():
    serves = Ran(running=True, ports=(8080,), answers=("HTTP 200",), listen_seconds=0.03)
    said = explain_cell(replace(result("debian", size=1), ran=serves))
    assert "it starts. It listens on 8080 (HTTP 200) after 30 ms, and does not heed SIGTERM" in said


def test_the_crate_that_binds_a_missing_library_is_named():
    failed = Failed(stage="preflight", reason="libssl.so.3 is not in the image; /app needs it")
    cell = result("debian", outcome=failed)
    cell = replace(
        cell,
        provenance=replace(cell.provenance, made=made_of("openssl-sys", "libc")),
        preflight=Preflight(predicted=False, why=failed.reason, observed=False, said=""),
    )
    assert "Crate openssl-sys is what links to it." in explain_cell(cell)
    other = replace(cell, provenance=replace(cell.provenance, made=made_of("libc")))
    assert "links to it" not in explain_cell(other)


def test_what_provisions_weigh_is_known_of_images_that_have_their_files():
    zones = replace(result("scratch-musl-net"), manifest=(aboard("/usr/share/zoneinfo/", 600_000, files=500),))
    # Measured on Alpine, 600 kB in 500 files make an image 1 MB larger.
    assert provision_bytes(TZ, [result("debian"), zones]) == 600_000 + 500 * 1024
    assert provision_bytes(TZ, [result("debian")]) is None
    # What a recipe has the text of, it weighs.
    assert provision_bytes(NSS, []) == sum(1024 + len(copy.text) for copy in NSS.copies)


@pytest.mark.parametrize(("recipe", "key"), [("alpine", "alpine"), ("scratch-musl+tz", '"scratch-musl+tz"')])
def test_the_line_that_brings_provisions_is_toml(recipe, key):
    assert give(recipe, ["tz", "tmp"], None) == Cure(
        says="Provisions 'tz', 'tmp' bring it aboard: add to Cargo.toml what stands below.",
        lines=("[package.metadata.bareboat]", f'with = {{ {key} = ["tz", "tmp"] }}'),
    )


@pytest.mark.parametrize(
    ("library", "package"),
    [
        ("libpq.so.5", "libpq5"),
        ("libgcc_s.so.1", "libgcc-s1"),
        ("libsqlite3.so.0", "libsqlite3-0"),
        ("libstdc++.so.6", "libstdc++6"),
        ("libm.so.6", "libc6"),
        ("ld-linux-x86-64.so.2", "libc6"),
        ("libz.so.1", "zlib1g"),
        ("libcrypto.so.3", "libssl3"),
        ("plugin.so", ""),
    ],
)
def test_debians_packages_are_named_after_their_libraries(library, package):
    assert debian_package(library) == package


def test_nothing_that_a_program_said_reaches_the_terminal_as_it_is():
    naughty = Failed(stage="compile", reason="\x1b[31mred\nline", detail="\x1b]0;title\x07\n  more")
    said = explain_cell(result("alpine", outcome=naughty), (Cure(says="\x1b[0m"),))
    assert "\x1b" not in said
