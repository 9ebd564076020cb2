"""How far the program of an image would come, in images made by hand; and the words that say so."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bareboat.archive import open_image
from bareboat.closure.start import find_start
from bareboat.errors import BareboatError
from bareboat.report import explain_start
from tests.unit.elf_builder import ET_EXEC, GLIBC_LOADER, MUSL, MUSL_LOADER, NO_LIBC, build_elf
from tests.unit.image_builder import entry, folder, make_config, make_layer, symlink, write_docker_archive

STATIC = build_elf(kind=ET_EXEC, interpreter=None, has_dynamic=False, signs=MUSL)
LIBC = "lib/x86_64-linux-gnu/libc.so.6"
GNU = {
    GLIBC_LOADER.lstrip("/"): build_elf(interpreter=None, has_entry=False, soname="ld-linux-x86-64.so.2"),
    LIBC: build_elf(
        interpreter=None, has_entry=False, soname="libc.so.6", defined=("libc.so.6", "GLIBC_2.9", "GLIBC_2.36")
    ),
}
LDSO = build_elf(interpreter=None, has_entry=False, soname="libc.musl-x86_64.so.1", exports=("printf", "open"))
BUSYBOX = {"bin/busybox": STATIC, "bin/sh": "busybox", "usr/bin/env": "../../bin/busybox"}


@pytest.fixture
def started(tmp_path):
    """Makes an image of files, each with its content, its content and mode, or a link's target; says how it starts."""

    def make(files=None, *, machine="x86_64", **run):
        members = [member for path, content in (files or {}).items() for member in _member(path, content)]
        layer = make_layer(*members)
        config = make_config([layer], config={"User": "65532:65532", **run})
        return find_start(open_image(write_docker_archive(tmp_path / "image.tar", layer, config=config)), machine)

    return make


def _member(path, content):
    if isinstance(content, str):
        return [symlink(path, content)]
    content, mode = content if isinstance(content, tuple) else (content, 0o755)
    return [folder(path, mode=mode)] if content is None else [entry(path, content, mode=mode)]


def kinds(start):
    return [fault.kind for fault in start.faults]


def text(start):
    return explain_start("app:1", start)


def test_a_static_program_starts(started):
    start = started({"app": STATIC}, Entrypoint=["/app"], Cmd=["--serve"])
    assert (start.starts, start.way) == (True, ("/app",))
    assert text(start) == "app:1 would start: it runs /app, linked statically with musl, as user 65532."


def test_root_and_missing_certificates_are_told_and_no_fault(started):
    content = STATIC.replace(b"No error information", b"/etc/ssl/cert.pem\0\0\0")
    start = started({"app": content}, Entrypoint=["/app"], User="")
    assert start.starts
    assert "as root." in text(start)
    assert "It runs as root" in text(start)
    assert "certificates of authorities lie, and none of them" in text(start)
    there = started({"app": content, "etc/ssl/cert.pem": b"x"}, Entrypoint=["/app"])
    assert "certificates" not in text(there)
    assert "root" not in text(there)


@pytest.mark.parametrize(
    ("files", "run", "kind", "words"),
    [
        ({}, {}, "nothing", "it names no program"),
        ({}, {"Entrypoint": [""]}, "nothing", "it names no program"),
        ({"app": STATIC}, {"Entrypoint": ["/app"], "User": "app"}, "user", "as app, which no line of its /etc/passwd"),
        ({"app": STATIC}, {"Entrypoint": ["/app"], "User": "1:app"}, "user", "as app, which no line"),
        ({}, {"Entrypoint": ["/app"]}, "absent", 'nothing of that name ("no such file or directory"). Copy it there'),
        ({"srv/app": STATIC}, {"Entrypoint": ["/app"]}, "absent", "There is /srv/app: name that."),
        ({"app": STATIC}, {"Entrypoint": ["./app"], "WorkingDir": "/srv"}, "absent", "There is /app"),
        ({"app": STATIC}, {"Entrypoint": ["/app --serve"]}, "absent", 'itself: ["/app", "--serve"]'),
        ({"app": STATIC}, {"Entrypoint": ["app"]}, "PATH", 'not found in $PATH". Name the path: ["/app"].'),
        ({"app": STATIC}, {"Entrypoint": ["app -x"]}, "PATH", 'itself: ["app", "-x"]'),
        ({}, {"Cmd": ["app"], "Env": ["PATH=/x"]}, "PATH", "has as a program (/x): "),
        ({"app": "opt/gone"}, {"Cmd": ["/app"]}, "link", "a link to opt/gone, where there is nothing"),
        ({"app": (None, 0o755)}, {"Cmd": ["/app"]}, "folder", "which is a directory"),
        ({"app": (STATIC, 0o644)}, {"Cmd": ["/app"]}, "permission", '/app, whose mode is 0644 ("permission denied")'),
        ({"app": (STATIC, 0o700)}, {"Cmd": ["/app"]}, "permission", "user 65532 may not execute /app, whose"),
        ({"x": (None, 0o700), "x/app": STATIC}, {"Cmd": ["/x/app"]}, "permission", "through /x, whose mode is 0700"),
        ({"app": b""}, {"Cmd": ["/app"]}, "format", 'it is empty ("exec format error")'),
        ({"app": b"echo hello\n"}, {"Cmd": ["/app"]}, "format", "without #! in its first line"),
        ({"app": b"MZ\x90\0"}, {"Cmd": ["/app"]}, "format", "a program for Windows"),
        ({"app": b"\0\1\2"}, {"Cmd": ["/app"]}, "format", "no program that Linux knows"),
        ({"app": b"\xef\xbb\xbf#!/bin/sh\n"}, {"Cmd": ["/app"]}, "format", "byte order mark"),
        ({"app": b"#!\nx"}, {"Cmd": ["/app"]}, "format", "whose #! names nothing"),
        ({"app": b"#!/app\n"}, {"Cmd": ["/app"]}, "format", "too many others"),
        ({"app": STATIC[:200]}, {"Cmd": ["/app"]}, "damaged", "begins as a program does and is none"),
        (
            {"app": build_elf(machine=183, kind=ET_EXEC, interpreter=None, has_dynamic=False)},
            {"Cmd": ["/app"]},
            "machine",
            'for aarch64, and this machine is x86_64 ("exec format error"). Build it with `--platform linux/amd64`',
        ),
    ],
)  # fmt: skip
def test_what_is_no_program_that_can_be_started_is_told_with_what_mends_it(started, files, run, kind, words):
    start = started(files, **run)
    assert kinds(start) == [kind]
    assert text(start).startswith("app:1 would not start: ")
    assert words in text(start)


def test_the_folders_of_path_are_searched_as_the_image_sets_them(started):
    assert started({"usr/bin/app": STATIC}, Entrypoint=["app"]).way == ("/usr/bin/app",)
    assert started({"opt/app": STATIC}, Entrypoint=["app"], Env=["PATH=/usr/bin:/opt"]).way == ("/opt/app",)
    # What may not be executed is passed over.
    assert kinds(started({"bin/app": (STATIC, 0o644)}, Entrypoint=["app"])) == ["PATH"]
    assert started({"srv/app": STATIC}, Entrypoint=["./app"], WorkingDir="/srv").way == ("/srv/app",)


def test_a_user_is_looked_up_by_name_and_may_execute_what_is_its_own(started):
    passwd = b"root:x:0:0::/:\napp:x:7:8::/:\n"
    run = {"Entrypoint": ["/app"], "User": "app"}
    start = started({"app": (STATIC, 0o711), "etc/passwd": passwd}, **run)
    assert (start.user.uid, start.user.gid, start.starts) == (7, 8, True)
    assert kinds(started({"app": (STATIC, 0o700), "etc/passwd": passwd}, **run)) == ["permission"]
    assert started({"app": (STATIC, 0o100)}, Entrypoint=["/app"], User="0").starts


@pytest.mark.parametrize("mode", [0o755, 0o555])
def test_a_script_starts_by_its_interpreter_and_what_it_starts_is_not_known(started, mode):
    start = started({**BUSYBOX, "run.sh": (b"#!/bin/sh -e\n/nowhere\n", mode)}, Entrypoint=["/run.sh"])
    assert (start.starts, start.way) == (True, ("/run.sh", "/bin/sh"))
    assert "it runs /bin/sh, as user 65532, by way of /run.sh. What /run.sh starts besides was not" in text(start)


def test_a_script_without_its_shell_is_there_and_not_found(started):
    start = started({"run.sh": b"#!/bin/bash\n", "usr/bin/bash": STATIC}, Entrypoint=["/run.sh"])
    assert kinds(start) == ["interpreter"]
    assert "/run.sh is there, but it is a script for /bin/bash, which is not" in text(start)
    assert "There is /usr/bin/bash: name that" in text(start)
    bare = text(started({"run.sh": b"#!/bin/bash\n"}, Entrypoint=["/run.sh"]))
    assert "Take a base with a shell, or have ENTRYPOINT name the program" in bare
    alpine = {**BUSYBOX, "run.sh": b"#!/bin/bash\n", "etc/os-release": b'ID=alpine\nPRETTY_NAME="Alpine"\n'}
    assert "or `apk add bash`" in text(started(alpine, Entrypoint=["/run.sh"]))


@pytest.mark.parametrize("line", [b"#!/bin/sh\r\n", b"#!/usr/bin/env bash\r\n"])
def test_a_script_with_lines_of_windows_is_there_and_not_found(started, line):
    start = started({**BUSYBOX, "run.sh": line}, Entrypoint=["/run.sh"])
    assert kinds(start) == ["carriage return"]
    assert "its lines end as on Windows" in text(start)
    assert "\r" not in text(start)


def test_what_starts_others_is_followed_as_far_as_words_tell(started):
    files = {**BUSYBOX, "app": STATIC, "usr/bin/tini": STATIC}
    assert started(files, Entrypoint=["/bin/sh", "-c", "exec /app --x"]).way == ("/bin/sh", "/app")
    assert started(files, Entrypoint=["/bin/sh", "-c", "A=1 /app"]).open_end == ""
    assert started(files, Entrypoint=["/bin/sh", "-ec", "/app; /other"]).open_end == "/app; /other"
    assert started(files, Entrypoint=["tini", "-g", "--"], Cmd=["/app"]).way == ("/usr/bin/tini", "/app")
    assert started({**files, "x": b"#!/usr/bin/env -S A=1 /app -y\n"}, Cmd=["/x"]).way[-1] == "/app"
    missing = started(files, Entrypoint=["/bin/sh", "-c", "/gone"])
    assert kinds(missing) == ["absent"]
    assert "/bin/sh starts /gone, and the image has nothing of that name" in text(missing)
    untold = started(files, Entrypoint=["/bin/sh", "-c", "for x in $A; do $x; done"])
    assert (untold.starts, untold.open_end[:3]) == (True, "for")


def test_a_script_that_hands_on_to_the_command_is_followed(started):
    files = {**BUSYBOX, "run.sh": b'#!/bin/sh\nexec "$@"\n', "app": (STATIC, 0o644)}
    start = started(files, Entrypoint=["/run.sh"], Cmd=["/app"])
    assert kinds(start) == ["permission"]
    assert start.way == ("/run.sh", "/bin/sh")


def dynamic(**options):
    return build_elf(**({"needed": ("libc.so.6",), "signs": NO_LIBC} | options))


def test_a_program_without_its_loader_is_there_and_not_found(started):
    needed = ("libc.so.6", "ld-linux-x86-64.so.2")
    bare = text(started({"app": dynamic(needed=needed)}, Entrypoint=["/app"]))
    assert f"/app is there, but the loader that it names is not: {GLIBC_LOADER}, which is glibc's." in bare
    assert "and this image has no C library. Link it statically" in bare
    assert bare.endswith(" libc.so.6 is not there either.")
    nobody = text(started({"app": dynamic(needed=needed)}, Entrypoint=["/app"], User="app"))
    assert nobody.count("Besides: ") == 1
    assert nobody.endswith(" libc.so.6 is not there either.")
    release = b'ID=alpine\nPRETTY_NAME="Alpine Linux v3.23"\n'
    alpine = {"app": dynamic(), MUSL_LOADER.lstrip("/"): LDSO, "etc/os-release": release}
    assert "this image (Alpine Linux v3.23) has musl. Compile it for musl" in text(started(alpine, Cmd=["/app"]))
    musl = text(started({**GNU, "app": dynamic(interpreter=MUSL_LOADER, needed=())}, Cmd=["/app"]))
    assert f"{MUSL_LOADER}, which is musl's" in musl
    assert "has glibc. Link it statically" in musl


def test_a_loader_that_may_not_be_executed_is_a_fault(started):
    path = GLIBC_LOADER.lstrip("/")
    start = started({**GNU, path: (GNU[path], 0o644), "app": dynamic()}, Cmd=["/app"])
    assert [(fault.kind, fault.name) for fault in start.faults] == [("permission", GLIBC_LOADER)]


def test_a_libc_that_is_too_old_is_told_with_both_versions(started):
    wants = (("libc.so.6", ("GLIBC_2.9", "GLIBC_2.38", "GLIBC_2.34")),)
    start = started({**GNU, "app": dynamic(versions=wants)}, Entrypoint=["/app"])
    assert kinds(start) == ["version"]
    assert (start.faults[0].lacks, start.faults[0].instead) == (("GLIBC_2.34", "GLIBC_2.38"), "GLIBC_2.36")
    said = text(start)
    assert f'of libc.so.6, and /{LIBC} has GLIBC_2.36 at most ("version `GLIBC_2.38\' not found")' in said
    assert "Take a base with glibc 2.38 or newer, Debian 13 for one" in said


@pytest.mark.parametrize(
    ("system", "words"),
    [
        ("debian", "Package libpq5 of Debian has it; or copy it"),
        ("alpine", "`apk add so:libpq.so.5` brings it; or copy it"),
        ("fedora", "`dnf install 'libpq.so.5()(64bit)'` brings it; or copy it"),
        ("", "Package libpq5 of Debian has it; or copy it"),
    ],
)
def test_a_missing_library_is_told_with_what_has_it(started, system, words):
    release = {"etc/os-release": f"ID={system}\n".encode()} if system else {}
    start = started({**GNU, **release, "app": dynamic(needed=("libc.so.6", "libpq.so.5"))}, Entrypoint=["/app"])
    assert kinds(start) == ["library"]
    assert '/app needs libpq.so.5, which is not there ("cannot open shared object file")' in text(start)
    assert words in text(start)


def test_a_library_that_lies_elsewhere_is_told_of(started):
    library = build_elf(interpreter=None, has_entry=False, soname="libx.so.1")
    start = started({**GNU, "opt/libx.so.1": library, "app": dynamic(needed=("libx.so.1",))}, Entrypoint=["/app"])
    assert "/opt/libx.so.1 is there, where no loader looks: `ENV LD_LIBRARY_PATH=/opt`" in text(start)
    told = {"Entrypoint": ["/app"], "Env": ["LD_LIBRARY_PATH=/opt"]}
    assert started({**GNU, "opt/libx.so.1": library, "app": dynamic(needed=("libx.so.1",))}, **told).starts
    broken = started({**GNU, "lib/libx.so.1": b"x", "app": dynamic(needed=("libx.so.1",))}, Entrypoint=["/app"])
    assert kinds(broken) == ["unloadable"]
    assert "/lib/libx.so.1 is nothing that it can load" in text(broken)


def test_symbols_that_musl_has_not_are_told(started):
    files = {MUSL_LOADER.lstrip("/"): LDSO, "app": dynamic(interpreter=MUSL_LOADER, needed=(), imports=("printf",))}
    assert started(files, Entrypoint=["/app"]).starts
    old = {**files, "app": dynamic(interpreter=MUSL_LOADER, needed=(), imports=("printf", "open64"))}
    start = started(old, Entrypoint=["/app"])
    assert [(fault.kind, fault.lacks) for fault in start.faults] == [("symbols", ("open64",))]
    assert "/app asks for open64, which neither /lib/ld-musl-x86_64.so.1 nor another" in text(start)
    assert "`cargo update -p libc`" in text(start)
    other = {**files, "app": dynamic(interpreter=MUSL_LOADER, needed=(), imports=("qsort_r",))}
    assert "It was linked with another musl" in text(started(other, Entrypoint=["/app"]))


def test_of_many_faults_a_few_are_told_and_the_rest_counted(started):
    wants = (("libc.so.6", ("GLIBC_2.38",)),)
    names = tuple(f"lib{name}.so" for name in "abcd")
    libraries = {
        f"lib/{name}": build_elf(interpreter=None, has_entry=False, soname=name, needed=("libc.so.6",), versions=wants)
        for name in names
    }
    start = started({**GNU, **libraries, "app": dynamic(needed=names)}, Entrypoint=["/app"])
    assert kinds(start) == ["version"] * 4
    assert text(start).count("Besides: ") == 2
    assert text(start).endswith("So it is with 1 more.")


WORDS = st.text(alphabet="/.ab1 -=$\"'\\;\r\n\0ü", max_size=12) | st.sampled_from(
    ["/a", "/b", "sh", "-c", "env", "tini"]
)
CONTENTS = st.sampled_from(
    [STATIC, STATIC[:300], dynamic(), GNU[LIBC], b"", b"#!/a\n", b"#!/b -S x\n", b'#!/a\nexec "$@"']
)


@settings(derandomize=True, deadline=None, database=None, max_examples=300)
@given(
    command=st.lists(WORDS, max_size=4),
    user=WORDS | st.sampled_from(["9" * 5000, "a", "1:a", "٣"]),
    files=st.dictionaries(st.sampled_from(["a", "b", "bin/sh", "etc/passwd", "etc/os-release"]), CONTENTS),
    versions=st.lists(st.sampled_from(["GLIBC_2..3", "GLIBC_2.٣", f"GLIBC_{'9' * 3000}", "GLIBC_PRIVATE", "X"])),
)
def test_whatever_an_image_says_is_told_in_one_line_or_is_an_error(tmp_path_factory, command, user, files, versions):
    wants = {"bin/b": dynamic(versions=(("libc.so.6", tuple(versions)),))} if versions else {}
    layer = make_layer(*(entry(path, content, mode=0o755) for path, content in {**GNU, **wants, **files}.items()))
    archive = tmp_path_factory.mktemp("image") / "image.tar"
    run = {"Entrypoint": ["b"] if versions else command, "User": user, "Env": ["PATH=/bin:", "x"]}
    write_docker_archive(archive, layer, config=make_config([layer], config=run))
    try:
        said = text(find_start(open_image(archive), "x86_64"))
    except BareboatError:
        return
    assert said.isprintable()
    assert said.startswith("app:1 would ")
