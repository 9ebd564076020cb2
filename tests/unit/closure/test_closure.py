"""The walk of a glibc program, rule by rule, in folders made by hand; and held against this machine's own ld.so."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from bareboat.archive import open_image
from bareboat.closure import FolderRoot, find_closure
from bareboat.errors import BareboatError
from tests.unit.elf_builder import ET_EXEC, GLIBC_LOADER, NO_LIBC, Signs, build_elf
from tests.unit.image_builder import entry, make_layer, symlink, write_docker_archive

MULTIARCH = "/lib/x86_64-linux-gnu"
SYSTEM = (MULTIARCH, "/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib")
PROGRAM = "/app/program"


def library(soname=None, **options):
    return build_elf(**({"interpreter": None, "has_entry": False, "soname": soname or "libnone.so"} | options))


def make_loader(*folders):
    messages = (b"before", b"", *(f"{folder}/".encode() for folder in folders), b"", b"after")
    return library("ld-linux-x86-64.so.2", signs=Signs(messages=messages))


LOADER = make_loader(*SYSTEM)
X = library("libx.so.1")


def lay(root, files):
    """Puts files into a folder: bytes are content, a text is a link's target, None a folder."""
    for path, content in files.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            place.mkdir()
        elif isinstance(content, str):
            place.symlink_to(content)
        else:
            place.write_bytes(content)
    return FolderRoot(root)


def walk(root, program, files, environment=None):
    laid = lay(root, {PROGRAM: build_elf(**program), GLIBC_LOADER: LOADER} | files)
    return find_closure(laid, PROGRAM, environment or {})


def paths(closure, *, way="needed"):
    return [file.path for file in closure.files if file.way == way]


def needs_x(**options):
    return {"needed": ("libx.so.1",)} | options


def make_cache(*entries, order="<", flags=0x303, says=None):
    """A cache of the newer format; entries are (name, path, hwcap)."""
    head, strings = 48 + 24 * len(entries), b""
    table = b"glibc-ld.so.cache1.1" + struct.pack(f"{order}II", len(entries), 0)
    table += bytes([says or (2 if order == "<" else 3)]) + bytes(19)
    for name, path, processor in entries:
        at = head + len(strings)
        strings += f"{name}\0{path}\0".encode()
        table += struct.pack(f"{order}iIIIQ", flags, at, at + len(name) + 1, 0, processor)
    return table + strings


def test_libraries_are_found_breadth_first_each_name_once(tmp_path):
    closure = walk(
        tmp_path,
        {"needed": ("liba.so", "libb.so")},
        {
            f"{MULTIARCH}/liba.so": library("liba.so", needed=("libc.so.6", "libb.so")),
            f"{MULTIARCH}/libb.so": library("libb.so", needed=("libb.so", "liba.so", "libd.so")),
            f"{MULTIARCH}/libc.so.6": library("libc.so.6", needed=("ld-linux-x86-64.so.2",)),
            f"{MULTIARCH}/libd.so": library("libd.so"),
        },
    )
    assert [(file.name, file.needed_by, file.way) for file in closure.files] == [
        ("program", "", "program"),
        (GLIBC_LOADER, PROGRAM, "interpreter"),
        ("liba.so", PROGRAM, "needed"),
        ("libb.so", PROGRAM, "needed"),
        ("libc.so.6", f"{MULTIARCH}/liba.so", "needed"),
        ("libd.so", f"{MULTIARCH}/libb.so", "needed"),
    ]
    assert (closure.starts, closure.reason, closure.missing) == (True, "", ())
    assert all(file.required for file in closure.files)


def test_a_file_is_known_by_the_path_that_opens_it_and_by_its_real_one(tmp_path):
    files = {"/lib": "usr/lib", "/usr/lib/libx.so.1": "libx.so.1.2", "/usr/lib/libx.so.1.2": X}
    closure = walk(tmp_path, needs_x(), files)
    found = closure.files[-1]
    assert (found.path, found.real_path, found.size_bytes) == ("/lib/libx.so.1", "/usr/lib/libx.so.1.2", len(X))


def test_an_image_is_a_root_too_and_a_hard_link_has_its_contents_size(tmp_path):
    layer = make_layer(
        entry("app/program", build_elf(**needs_x(signs=Signs(messages=(b"/etc/localtime",))))),
        entry("zone", b"UTC"),
        entry("etc/localtime", kind=b"1", link="zone"),
        entry("usr/lib64/ld", LOADER),
        symlink("lib64", "/usr/lib64"),
        entry("usr/lib64/ld-linux-x86-64.so.2", kind=b"1", link="usr/lib64/ld"),
        entry("lib/libx.so.1", X),
    )
    closure = find_closure(open_image(write_docker_archive(tmp_path / "image.tar", layer)), "app/program")
    assert closure.starts
    assert [file.real_path for file in closure.files] == [
        PROGRAM,
        "/usr/lib64/ld-linux-x86-64.so.2",
        "/lib/libx.so.1",
        "/etc/localtime",
    ]
    assert [file.size_bytes for file in closure.files[1:]] == [len(LOADER), len(X), 3]


@pytest.mark.parametrize(
    ("program", "environment", "folder"),
    [
        ({"rpath": "/r"}, "/env", "/r"),
        ({"rpath": "/none"}, "/env", "/env"),
        ({"runpath": "/r"}, "/env", "/env"),
        ({"runpath": "/r"}, "", "/r"),
        ({"runpath": "/none", "rpath": "/r"}, "", "/cached"),  # RUNPATH makes RPATH void
        ({}, "/none:/env", "/env"),
        ({}, "/none;/env", "/env"),
        ({}, "", "/cached"),
    ],
)
def test_the_order_of_the_folders(tmp_path, program, environment, folder):
    places = {f"{folder}/libx.so.1": X for folder in ("/r", "/env", "/cached", MULTIARCH)}
    cache = {"/etc/ld.so.cache": make_cache(("libx.so.1", "/cached/libx.so.1", 0))}
    closure = walk(tmp_path, needs_x(**program), places | cache, {"LD_LIBRARY_PATH": environment})
    assert paths(closure) == [f"{folder}/libx.so.1"]


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ({"rpath": "/r"}, {}, True),  # RPATH holds for what a library needs, too
        ({"runpath": "/r"}, {}, False),  # RUNPATH does not
        ({"rpath": "/r"}, {"runpath": "/none"}, False),
        ({"rpath": "/r", "runpath": "/lib"}, {}, False),
        ({}, {"runpath": "/r"}, True),
    ],
)
def test_what_the_paths_of_a_program_mean_for_its_libraries(tmp_path, first, second, found):
    files = {"/lib/liba.so": library("liba.so", **needs_x(**second)), "/r/libx.so.1": X}
    closure = walk(tmp_path, {"needed": ("liba.so",), **first}, files)
    assert (paths(closure)[1:] == ["/r/libx.so.1"], closure.starts) == (found, found)


@pytest.mark.parametrize(
    ("runpath", "folder"),
    [
        ("$ORIGIN/../l", "/app/../l"),
        ("${ORIGIN}/../l", "/app/../l"),
        ("/$LIB/deep", "/lib/x86_64-linux-gnu/deep"),
        ("/${PLATFORM}", "/x86_64"),
        ("$ORIGINAL", "/$ORIGINAL"),  # another word
        ("here", "/here"),  # from the working folder
    ],
)
def test_tokens_in_a_path_are_expanded(tmp_path, runpath, folder):
    closure = walk(tmp_path, needs_x(runpath=runpath), {f"{folder.replace('/app/..', '')}/libx.so.1": X})
    assert paths(closure) == [f"{folder}/libx.so.1"]


def test_the_origin_of_a_program_is_its_real_folder_and_that_of_a_library_the_one_it_was_found_in(tmp_path):
    files = {
        "/bin/start": PROGRAM,
        "/app/liba.so": "../store/liba.so",
        "/store/liba.so": library("liba.so", **needs_x(runpath="$ORIGIN/l")),
        GLIBC_LOADER: LOADER,
        PROGRAM: build_elf(needed=("liba.so",), runpath="$ORIGIN"),
        "/app/l/libx.so.1": X,
    }
    assert paths(find_closure(lay(tmp_path, files), "/bin/start")) == ["/app/liba.so", "/app/l/libx.so.1"]


def test_the_system_folders_are_the_loaders_own(tmp_path):
    files = {GLIBC_LOADER: make_loader("/opt/lib", "/lib64"), "/lib64/libx.so.1": X, f"{MULTIARCH}/libx.so.1": X}
    assert paths(walk(tmp_path, needs_x(), files)) == ["/lib64/libx.so.1"]


@pytest.mark.parametrize("folder", [*SYSTEM, "/lib64", "/usr/lib64"])
def test_without_a_readable_loader_the_usual_folders_are_searched(tmp_path, folder):
    closure = walk(tmp_path, needs_x(), {GLIBC_LOADER: library("ld"), f"{folder}/libx.so.1": X})
    assert paths(closure) == [f"{folder}/libx.so.1"]


def test_a_missing_library_says_where_it_was_looked_for(tmp_path):
    closure = walk(tmp_path, needs_x(runpath="/r:$ORIGIN"), {}, {"LD_LIBRARY_PATH": "/env"})
    (missing,) = closure.missing
    assert (missing.name, missing.needed_by, missing.way, missing.required) == (
        "libx.so.1",
        PROGRAM,
        "needed",
        True,
    )
    assert missing.searched == ("/env", "/r", "/app", *SYSTEM)
    assert (missing.versions, missing.found) == ((), "")
    assert closure.reason == "libx.so.1 is not in the image; /app/program needs it"


def test_a_missing_interpreter_ends_the_start(tmp_path):
    files = {PROGRAM: build_elf(**needs_x()), "/lib/libx.so.1": X}
    closure = find_closure(lay(tmp_path, files), PROGRAM)
    assert closure.reason == f"the interpreter {GLIBC_LOADER} is not in the image"
    assert (closure.missing[0].way, paths(closure)) == ("interpreter", ["/lib/libx.so.1"])


@pytest.mark.parametrize("content", [b"#!/bin/sh\n", library("ld", is_64bit=False, machine=3), None])
def test_an_interpreter_that_is_none_ends_it_too(tmp_path, content):
    closure = walk(tmp_path, {}, {GLIBC_LOADER: content})
    assert closure.reason == f"{GLIBC_LOADER} is nothing that this program can load"


@pytest.mark.parametrize("other", [{"machine": 183}, {"machine": 3, "is_64bit": False}])
def test_a_library_for_another_machine_is_passed_over(tmp_path, other):
    files = {"/r/libx.so.1": library("libx.so.1", **other), "/lib/libx.so.1": X}
    assert paths(walk(tmp_path, needs_x(runpath="/r"), files)) == ["/lib/libx.so.1"]


@pytest.mark.parametrize("content", [b"text", b"", None])
def test_what_is_no_library_at_all_is_not(tmp_path, content):
    closure = walk(tmp_path, needs_x(runpath="/r"), {"/r/libx.so.1": content, "/lib/libx.so.1": X})
    assert closure.reason == "/r/libx.so.1 is nothing that this program can load; /app/program needs it"


def test_a_name_that_a_loaded_library_has_of_itself_is_not_searched_again(tmp_path):
    files = {
        "/lib/libreal.so": library("libx.so.1"),
        "/r/libx.so.1": X,
        "/lib/libsame.so": "libreal.so",
    }
    closure = walk(tmp_path, {"needed": ("libreal.so", "libx.so.1", "libsame.so"), "runpath": "/r"}, files)
    assert (paths(closure), closure.starts) == (["/lib/libreal.so"], True)


@pytest.mark.parametrize("name", ["/opt/libx.so.1", "$ORIGIN/../opt/libx.so.1"])
def test_a_name_with_a_slash_is_a_path(tmp_path, name):
    closure = walk(tmp_path, {"needed": (name,)}, {"/opt/libx.so.1": X, "/lib/libx.so.1": X})
    assert closure.files[-1].real_path == "/opt/libx.so.1"
    assert closure.starts


def test_a_path_to_another_machines_library_is_not_passed_over(tmp_path):
    closure = walk(tmp_path, {"needed": ("/opt/libx.so.1",)}, {"/opt/libx.so.1": library("libx.so.1", machine=183)})
    assert closure.reason == "/opt/libx.so.1 is nothing that this program can load; /app/program needs it"


def test_variants_for_newer_processors_are_told_but_not_required(tmp_path):
    variant = f"{MULTIARCH}/glibc-hwcaps/x86-64-v3/libx.so.1"
    late = "/usr/lib/glibc-hwcaps/x86-64-v2/libx.so.1"  # in a folder that comes after the one that has it
    closure = walk(tmp_path, needs_x(), {variant: X, f"{MULTIARCH}/libx.so.1": X, late: X})
    plain, other = closure.files[-2:]
    assert (plain.path, plain.required) == (f"{MULTIARCH}/libx.so.1", True)
    assert (other.path, other.required, other.note) == (variant, False, "for processors of x86-64-v3")


def test_a_variant_alone_does_not_do(tmp_path):
    assert not walk(tmp_path, needs_x(), {f"{MULTIARCH}/glibc-hwcaps/x86-64-v2/libx.so.1": X}).starts


@pytest.mark.parametrize(
    ("cache", "found"),
    [
        (make_cache(("libx.so.1", "/c/libx.so.1", 0)), True),
        (
            b"ld.so-1.7.0\0"
            + struct.pack("<I", 1)
            + bytes(12)
            + bytes(4)
            + make_cache(("libx.so.1", "/c/libx.so.1", 0)),
            True,
        ),
        (make_cache(("libx.so.1", "/c/libx.so.1", 0), flags=3), False),  # a library of 32 bits
        (make_cache(("libx.so.1", "/c/libx.so.1", 0), order=">"), False),
        (make_cache(("libx.so.1", "/c/libx.so.1", 0), says=3), False),
        (make_cache(("liby.so.1", "/c/libx.so.1", 0)), False),
        (make_cache(("libx.so.1", "c/libx.so.1", 0)), False),
        (make_cache(("libx.so.1", "/c/libx.so.1", 0))[:60], False),
        (b"glibc-ld.so.cache1.1" + b"\xff" * 400, False),
        (b"ld.so-1.7.0\0\xff\xff\xff\xff", False),
        (b"", False),
    ],
)
def test_the_cache_is_read_where_ld_so_would_take_it(tmp_path, cache, found):
    closure = walk(tmp_path, needs_x(), {"/c/libx.so.1": X, "/etc/ld.so.cache": cache})
    assert (paths(closure) == ["/c/libx.so.1"], closure.starts) == (found, found)


def test_the_caches_variants_are_optional_and_a_stale_entry_leaves_the_system_folders(tmp_path):
    cache = make_cache(("libx.so.1", "/c/v3/libx.so.1", 1 << 62), ("libx.so.1", "/c/gone/libx.so.1", 0))
    closure = walk(tmp_path, needs_x(), {"/c/v3/libx.so.1": X, "/lib/libx.so.1": X, "/etc/ld.so.cache": cache})
    assert [(file.path, file.required) for file in closure.files[2:]] == [
        ("/lib/libx.so.1", True),
        ("/c/v3/libx.so.1", False),
    ]


@pytest.mark.parametrize(
    "configuration",
    [
        {"/etc/ld.so.conf": b"# mine\n/c # here\n"},
        {"/etc/ld.so.conf": b"include /etc/ld.so.conf.d/*.conf\n", "/etc/ld.so.conf.d/libc.conf": b"/c\n"},
        {"/etc/ld.so.conf": b"include ld.so.conf other.conf\n", "/etc/other.conf": b"/c\n"},
    ],
)
def test_ld_so_conf_finds_nothing_but_advice(tmp_path, configuration):
    closure = walk(tmp_path, needs_x(), {"/c/libx.so.1": X} | configuration)
    assert not closure.starts
    assert closure.missing[0].note.startswith("/c has it, but ld.so reads /etc/ld.so.cache")


VERSIONS = (("libc.so.6", ("GLIBC_2.34", "GLIBC_2.38")),)
OLD = {"defined": ("libc.so.6", "GLIBC_2.2.5", "GLIBC_2.34")}


@pytest.mark.parametrize(
    ("libc", "program", "versions"),
    [
        (OLD, {}, ("GLIBC_2.38",)),
        (OLD, {"weak": ("GLIBC_2.38",)}, ()),
        ({"defined": ("GLIBC_2.34", "GLIBC_2.38")}, {}, ()),
        ({}, {}, ()),  # a library that defines none
    ],
)
def test_symbol_versions_are_compared_with_what_was_found(tmp_path, libc, program, versions):
    files = {f"{MULTIARCH}/libc.so.6": library("libc.so.6", **libc)}
    closure = walk(tmp_path, {"needed": ("libc.so.6",), "versions": VERSIONS, **program}, files)
    assert closure.starts is not bool(versions)
    for missing in closure.missing:
        assert (missing.versions, missing.found, missing.required) == (versions, f"{MULTIARCH}/libc.so.6", True)
        assert closure.reason == f"{MULTIARCH}/libc.so.6 has no GLIBC_2.38; /app/program needs it"


def test_the_versions_that_a_library_needs_are_compared_too(tmp_path):
    files = {
        "/lib/liba.so": library("liba.so", needed=("libc.so.6",), versions=VERSIONS),
        "/lib/libc.so.6": library("libc.so.6", **OLD),
    }
    closure = walk(tmp_path, {"needed": ("liba.so",)}, files)
    assert closure.reason == "/lib/libc.so.6 has no GLIBC_2.38; /lib/liba.so needs it"


def test_a_static_program_needs_itself(tmp_path):
    made = build_elf(kind=ET_EXEC, interpreter=None, has_dynamic=False)
    closure = find_closure(lay(tmp_path, {PROGRAM: made}), PROGRAM)
    assert [(file.way, file.real_path) for file in closure.files] == [("program", PROGRAM)]
    assert (closure.starts, closure.missing) == (True, ())


def test_no_program_or_none_that_is_sound_is_one_error(tmp_path):
    root = lay(tmp_path, {"/script": b"#!/bin/sh\n", "/folder": None, "/loop": "loop"})
    for path, why in (
        ("/none", "no program /none"),
        ("/script", "/script: not a sound"),
        ("/folder", "folder"),
        ("/loop", "40"),
    ):
        with pytest.raises(BareboatError, match=why):
            find_closure(root, path)


def test_thousands_of_names_end_and_so_do_hundreds_of_folders_for_each(tmp_path):
    names = tuple(f"l{number}.so" for number in range(4000))
    assert len(walk(tmp_path / "1", {"needed": names}, {}).missing) == len(names)
    with pytest.raises(BareboatError, match="more than 100000 paths"):
        walk(tmp_path / "2", {"needed": names, "runpath": ":".join(f"/{number}" for number in range(800))}, {})
    with pytest.raises(BareboatError, match="not a sound ELF file"):
        walk(tmp_path / "3", {"needed": (*names, *names, *names)}, {})


def test_a_reason_is_safe_to_print(tmp_path):
    assert (
        walk(tmp_path, {"needed": ("lib\n\x1b[2J.so",)}, {}).reason
        == "lib??[2J.so is not in the image; /app/program needs it"
    )


MACHINES_LOADER = Path(GLIBC_LOADER)
TRIED = ["bash", "cat", "curl", "gdb", "git", "gpg", "perl", "python3", "ssh", "strace", "tar", "xz"]


@pytest.mark.skipif(not MACHINES_LOADER.exists(), reason="this machine has another loader")
@pytest.mark.parametrize("name", TRIED)
@pytest.mark.starts_processes("the machine's own loader is asked")
def test_this_machines_ld_so_loads_the_same_in_the_same_order(name):
    program = Path("/usr/bin", name).resolve()
    if not program.exists() or program.read_bytes()[:4] != b"\x7fELF":
        pytest.skip(f"there is no program {program}")
    said = subprocess.run([MACHINES_LOADER, "--list", program], capture_output=True, text=True, check=True, env={})
    lines = [line.partition(" => ")[2].rpartition(" (")[0] for line in said.stdout.splitlines() if " => " in line]
    closure = find_closure(FolderRoot(Path("/")), str(program))
    found = [file.path for file in closure.files if file.way == "needed" and file.required]
    assert closure.starts, closure.reason
    assert found == [line for line in lines if not line.endswith(MACHINES_LOADER.name)]


def test_the_programs_of_this_suite_have_no_libc_inside():
    assert NO_LIBC.messages == ()  # else evidence of glibc would turn up in every closure above
