"""The walk of a musl program, rule by rule; and held against this machine's own musl, where it has one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bareboat.closure import FolderRoot, find_closure
from tests.unit.closure.test_closure import PROGRAM, lay, library, paths
from tests.unit.elf_builder import MUSL_LOADER, build_elf

X = library("libx.so.1")


def walk(root, program, files, environment=None):
    made = build_elf(interpreter=MUSL_LOADER, **program)
    laid = lay(root, {PROGRAM: made, MUSL_LOADER: library("libc.so")} | files)
    return find_closure(laid, PROGRAM, environment or {})


@pytest.mark.parametrize(
    "name",
    ["libc.so", "libc.so.6", "libc.musl-x86_64.so.1", "libpthread.so.0", "libm.so.6", "libdl.so.2", "librt.so.1",
     "libutil.so.1", "libxnet.so", MUSL_LOADER],
)  # fmt: skip
def test_the_loader_answers_for_the_c_library(tmp_path, name):
    closure = walk(tmp_path, {"needed": (name,)}, {f"/lib/{name}": X} if "/" not in name else {})
    assert (closure.starts, [file.way for file in closure.files]) == (True, ["program", "interpreter"])


@pytest.mark.parametrize("name", ["libcrypt.so.1", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "libmvec.so.1"])
def test_it_does_not_for_others(tmp_path, name):
    closure = walk(tmp_path, {"needed": (name,)}, {})
    assert closure.missing[0].searched == ("/lib", "/usr/local/lib", "/usr/lib")
    assert closure.reason == f"{name} is not in the image; /app/program needs it"


@pytest.mark.parametrize(
    ("program", "environment", "configuration", "folder"),
    [
        ({"runpath": "/r"}, "/env", None, "/env"),
        ({"rpath": "/r"}, "/env", None, "/env"),
        ({"rpath": "/r"}, "", None, "/r"),
        ({"runpath": "/r", "rpath": "/none"}, "", None, "/r"),
        ({"runpath": "/none", "rpath": "/r"}, "", None, "/lib"),
        ({"runpath": "$ORIGIN/../r"}, "", None, "/app/../r"),
        ({"runpath": "/r:$LIB"}, "", None, "/lib"),  # an unknown token makes the whole path void
        ({}, "", b"/etc\n/c\n", "/c"),
        ({}, "", b"/etc:/c", "/c"),
        ({}, "", None, "/lib"),
    ],
)
def test_the_order_of_the_folders(tmp_path, program, environment, configuration, folder):
    places = {f"{folder}/libx.so.1": X for folder in ("/r", "/env", "/c", "/lib", "/usr/lib")}
    file = {} if configuration is None else {"/etc/ld-musl-x86_64.path": configuration}
    closure = walk(tmp_path, {"needed": ("libx.so.1",), **program}, places | file, {"LD_LIBRARY_PATH": environment})
    assert paths(closure) == [f"{folder}/libx.so.1"]


def test_an_empty_path_file_leaves_no_folder(tmp_path):
    assert not walk(tmp_path, {"needed": ("libx.so.1",)}, {"/lib/libx.so.1": X, "/etc/ld-musl-x86_64.path": b""}).starts


def test_a_loader_elsewhere_has_its_path_file_beside_it(tmp_path):
    files = {
        PROGRAM: build_elf(interpreter="/opt/lib/ld-musl-x86_64.so.1", needed=("libx.so.1",)),
        "/opt/lib/ld-musl-x86_64.so.1": library("libc.so"),
        "/opt/etc/ld-musl-x86_64.path": b"/opt/l\n",
        "/opt/l/libx.so.1": X,
    }
    assert paths(find_closure(lay(tmp_path, files), PROGRAM)) == ["/opt/l/libx.so.1"]


@pytest.mark.parametrize("path", ["rpath", "runpath"])
def test_a_programs_path_holds_for_what_its_libraries_need(tmp_path, path):
    files = {"/r/liba.so": library("liba.so", needed=("libx.so.1",)), "/r/libx.so.1": X}
    assert paths(walk(tmp_path, {"needed": ("liba.so",), path: "/r"}, files)) == ["/r/liba.so", "/r/libx.so.1"]


def test_a_library_for_another_machine_is_not_passed_over(tmp_path):
    files = {"/r/libx.so.1": library("libx.so.1", machine=183), "/lib/libx.so.1": X}
    closure = walk(tmp_path, {"needed": ("libx.so.1",), "runpath": "/r"}, files)
    assert closure.reason.startswith("/r/libx.so.1 is nothing that this program can load")


def test_a_name_with_a_slash_is_a_path_and_one_that_is_too_long_is_nowhere(tmp_path):
    closure = walk(tmp_path, {"needed": ("opt/libx.so.1", "l" * 256)}, {"/opt/libx.so.1": X, "/lib/libx.so.1": X})
    assert paths(closure) == ["/opt/libx.so.1"]
    assert [missing.searched for missing in closure.missing] == [()]


def test_sonames_and_symbol_versions_count_for_nothing(tmp_path):
    files = {"/lib/liba.so": library("libx.so.1", defined=("V1",)), "/lib/libx.so.1": X}
    program = {"needed": ("liba.so", "libx.so.1"), "versions": (("liba.so", ("V2",)),)}
    closure = walk(tmp_path, program, files)
    assert (paths(closure), closure.starts) == (["/lib/liba.so", "/lib/libx.so.1"], True)


def test_what_glibc_loads_later_is_nothing_to_musl(tmp_path):
    closure = walk(tmp_path, {"imports": ("getaddrinfo", "pthread_exit", "iconv_open")}, {})
    assert (len(closure.files), closure.missing) == (2, ())


@pytest.mark.starts_processes("the machine's own compiler and loader are asked")
def test_this_machines_musl_finds_the_same(tmp_path):
    compiler = shutil.which("musl-gcc")
    if compiler is None:
        pytest.skip("there is no musl-gcc; the same rules are tested from bytes above")
    (tmp_path / "r").mkdir()
    source, program = tmp_path / "a.c", tmp_path / "program"
    source.write_text("int one(void) { return 1; }\nint main(void) { return 0; }\n")
    shared = [compiler, "-shared", "-fPIC", "-Wl,--no-as-needed", source]
    subprocess.run([*shared, "-o", tmp_path / "r/libx.so"], check=True)
    subprocess.run([*shared, "-o", tmp_path / "r/liba.so", f"-L{tmp_path}/r", "-lx"], check=True)
    linked = ["-Wl,--no-as-needed,-rpath,$ORIGIN/r", f"-L{tmp_path}/r", f"-Wl,-rpath-link,{tmp_path}/r", "-la"]
    subprocess.run([compiler, source, "-o", program, *linked], check=True)
    said = subprocess.run([MUSL_LOADER, "--list", program], capture_output=True, text=True, check=True)
    lines = [line.partition(" => ")[2].rpartition(" (")[0] for line in said.stdout.splitlines() if " => " in line]
    closure = find_closure(FolderRoot(Path("/")), str(program))
    assert closure.starts, closure.reason
    assert paths(closure) == [f"{tmp_path}/r/liba.so", f"{tmp_path}/r/libx.so"]
    assert [line for line in lines if line != MUSL_LOADER] == paths(closure)
