"""Files that a program loads or opens while it runs: each kind is found by its evidence, and none is required."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.closure import FolderRoot, find_closure
from bareboat.closure.glibc import read_loader
from bareboat.closure.runtime_files import PATHS, find_paths
from tests.unit.closure.test_closure import MULTIARCH, PROGRAM, lay, library, paths, walk
from tests.unit.elf_builder import ET_EXEC, GLIBC_LOADER, GNU, MUSL, NO_LIBC, Signs, build_elf

LIBC = f"{MULTIARCH}/libc.so.6"
NEW_LIBC = library("libc.so.6", defined=("libc.so.6", "GLIBC_2.34"))
OLD_LIBC = library("libc.so.6", defined=("libc.so.6", "GLIBC_2.2.5"))


def run(root, program, files, *, libc=NEW_LIBC):
    return walk(root, {"needed": ("libc.so.6",), **program}, {LIBC: libc} | files)


def of_way(closure, way):
    found = [(file.path, file.required) for file in closure.files if file.way == way]
    return found, [(missing.name, missing.required) for missing in closure.missing if missing.way == way]


def note(*entries):
    return json.dumps(
        [{"soname": list(names), "priority": "suggested", "feature": "fun"} for names in entries]
    ).encode()


def static(signs, *messages):
    made = Signs(start=signs.start, code=signs.code, notes=signs.notes, messages=(*signs.messages, *messages))
    return build_elf(kind=ET_EXEC, interpreter=None, has_dynamic=False, signs=made)


def test_a_dlopen_note_brings_the_first_alternative_and_what_it_needs(tmp_path):
    files = {
        "/lib/libb.so": library("libb.so", needed=("libd.so", "libgone.so"), dlopens=note(("libe.so",))),
        "/lib/libc.so": library("libc.so"),
        "/lib/libd.so": library("libd.so"),
        "/lib/libe.so": library("libe.so"),
    }
    closure = run(tmp_path, {"dlopens": note(("liba.so", "libb.so", "libc.so"), ("libno.so", "libno2.so"))}, files)
    assert of_way(closure, "dlopen-note") == (
        [("/lib/libb.so", False), ("/lib/libe.so", False)],
        [("libno.so", False)],
    )
    assert [(file.path, file.required) for file in closure.files if file.way == "needed"] == [
        (LIBC, True),
        ("/lib/libd.so", False),
    ]
    assert [missing.name for missing in closure.missing] == ["libno.so", "libgone.so"]
    assert closure.missing[0].note == "suggested, fun (libno.so or libno2.so)"
    assert closure.starts


def test_a_note_of_what_is_loaded_already_adds_nothing(tmp_path):
    closure = run(tmp_path, {"dlopens": note(("libnone.so", "libc.so.6"))}, {})
    assert of_way(closure, "dlopen-note") == ([], [])


NSS = (
    b"# passwd: bad\npasswd: files systemd [NOTFOUND=return] ldap # sss\nhosts:files mdns4 dns\ngroup: ../evil compat\n"
)


@pytest.mark.parametrize(
    ("imports", "names"),
    [
        (("getaddrinfo",), ["mdns4"]),
        (("gethostbyname_r",), ["mdns4"]),
        (("getpwuid_r",), ["systemd", "ldap"]),
        (("getgrnam", "getpwnam"), ["systemd", "ldap", "compat"]),
        (("getpid", "getgroups"), []),
    ],
)
def test_nss_modules_are_those_of_the_databases_that_the_program_asks(tmp_path, imports, names):
    closure = run(tmp_path, {"imports": imports}, {"/etc/nsswitch.conf": NSS})
    assert of_way(closure, "nss") == ([], [(f"libnss_{name}.so.2", False) for name in names])
    assert closure.starts


def test_an_nss_module_that_is_there_is_found_as_libc_finds_it(tmp_path):
    files = {"/etc/nsswitch.conf": NSS, "/lib/libnss_mdns4.so.2": library("libnss_mdns4.so.2")}
    closure = run(tmp_path, {"imports": ("getaddrinfo",)}, files)
    (module,) = [file for file in closure.files if file.way == "nss"]
    assert (module.path, module.needed_by, module.required) == ("/lib/libnss_mdns4.so.2", LIBC, False)
    assert {"/etc/hosts", "/etc/resolv.conf"} == {missing.name for missing in closure.missing}
    assert "/etc/nsswitch.conf" in paths(closure, way="path")


def test_a_modules_own_note_is_followed_too(tmp_path):
    module = library("libnss_mdns4.so.2", dlopens=note(("libdbus.so",)))
    files = {"/etc/nsswitch.conf": NSS, "/lib/libnss_mdns4.so.2": module}
    closure = run(tmp_path, {"imports": ("getaddrinfo",)}, files)
    assert of_way(closure, "dlopen-note") == ([], [("libdbus.so", False)])


@pytest.mark.parametrize(("libc", "count"), [(OLD_LIBC, 2), (NEW_LIBC, 0)])
def test_files_and_dns_are_modules_before_glibc_2_34_even_without_a_configuration(tmp_path, libc, count):
    closure = run(tmp_path, {"imports": ("getaddrinfo",)}, {}, libc=libc)
    names = [missing.name for missing in closure.missing if missing.way == "nss"]
    assert names == ["libnss_files.so.2", "libnss_dns.so.2"][:count]


def test_a_static_glibc_program_has_the_evidence_inside(tmp_path):
    made = static(GNU, b"libnss_%s.so%s", b"/etc/nsswitch.conf", b"libgcc_s.so.1", b"x", b"/opt/lib/", b"/lib/")
    files = {PROGRAM: made, "/etc/nsswitch.conf": b"hosts: mdns4\n", "/opt/lib/libgcc_s.so.1": library("libgcc_s.so.1")}
    closure = find_closure(lay(tmp_path, files), PROGRAM)
    assert of_way(closure, "libgcc") == ([("/opt/lib/libgcc_s.so.1", False)], [])
    assert of_way(closure, "nss") == ([], [("libnss_mdns4.so.2", False)])
    assert closure.starts


@pytest.mark.parametrize("signs", [MUSL, NO_LIBC])
def test_another_static_program_loads_nothing(tmp_path, signs):
    made = static(signs, b"libnss_%s.so%s", b"libgcc_s.so.1")
    closure = find_closure(lay(tmp_path, {PROGRAM: made}), PROGRAM)
    assert (len(closure.files), closure.missing) == (1, ())


@pytest.mark.parametrize("name", ["pthread_cancel", "pthread_exit", "backtrace"])
def test_libgcc_is_loaded_to_unwind(tmp_path, name):
    files = {"/lib/liba.so": library("liba.so", imports=(name,))}
    closure = run(tmp_path / "1", {"needed": ("liba.so", "libc.so.6")}, files)
    assert of_way(closure, "libgcc") == ([], [("libgcc_s.so.1", False)])
    files["/lib/libgcc_s.so.1"] = library("libgcc_s.so.1")
    closure = run(tmp_path / "2", {"needed": ("liba.so", "libc.so.6")}, files)
    assert of_way(closure, "libgcc") == ([("/lib/libgcc_s.so.1", False)], [])
    closure = run(tmp_path / "3", {"needed": ("liba.so", "libc.so.6", "libgcc_s.so.1")}, files)
    assert of_way(closure, "libgcc") == ([], [])
    assert of_way(run(tmp_path / "4", {"imports": ("pthread_create",)}, {}), "libgcc") == ([], [])


@pytest.mark.parametrize(
    ("messages", "folder"),
    [((b"/opt/lib/gconv",), "/opt/lib/gconv"), ((), "/usr/lib/x86_64-linux-gnu/gconv")],
)
def test_iconv_needs_its_modules(tmp_path, messages, folder):
    libc = library("libc.so.6", signs=Signs(messages=messages))
    files = {f"{folder}/gconv-modules": b"12345"}
    closure = run(tmp_path / "1", {"imports": ("iconv_open",)}, files, libc=libc)
    found, missing = of_way(closure, "gconv")
    assert found == [(folder, False), (f"{folder}/gconv-modules", False)]
    assert [file.size_bytes for file in closure.files if file.way == "gconv"] == [0, 5]
    assert [name for name, _ in missing] == [
        f"{folder}/gconv-modules.cache",
        f"{folder}/gconv-modules.d/gconv-modules-extra.conf",
    ]
    assert of_way(run(tmp_path / "2", {"imports": ("iconv",)}, files, libc=libc), "gconv") == ([], [])


OPENSSL = (b'OPENSSLDIR: "/opt/ssl"', b'MODULESDIR: "/opt/modules"')


def test_openssl_reads_its_configuration_and_modules_where_its_bytes_say(tmp_path):
    files = {
        "/lib/libcrypto.so.3": library("libcrypto.so.3", signs=Signs(messages=OPENSSL)),
        "/opt/ssl/openssl.cnf": b"x",
    }
    closure = run(tmp_path, {"needed": ("libcrypto.so.3",)}, files)
    assert of_way(closure, "openssl") == ([("/opt/ssl/openssl.cnf", False)], [("/opt/modules", False)])


@pytest.mark.parametrize(("version", "count"), [(b"OpenSSL 3.0.17 1 Jul 2025", 2), (b"OpenSSL 1.1.1", 0)])
def test_so_does_an_openssl_inside_a_static_program(tmp_path, version, count):
    closure = find_closure(lay(tmp_path, {PROGRAM: static(MUSL, version, *OPENSSL)}), PROGRAM)
    assert of_way(closure, "openssl") == ([], [("/opt/ssl/openssl.cnf", False), ("/opt/modules", False)][:count])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt"),
        (b"a/etc/hostsFailed", "/etc/hosts"),  # Rust's strings stand wall to wall
        (b"/etc/hosts.allow", None),
        (b"/etc/passwd-", None),
        (b"/usr/share/zoneinfo/", "/usr/share/zoneinfo"),
        (b"/tmp", "/tmp"),
        (b"/tmp/x", "/tmp"),
        (b"/var/tmp", None),
        (b"/tmpfs", None),
        (b"/etc/localtime", "/etc/localtime"),
        (b"/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/certs/ca-bundle.crt"),
    ],
)
def test_well_known_paths_are_read_from_the_programs_bytes(tmp_path, text, path):
    laid = lay(tmp_path, {PROGRAM: static(MUSL, text)})
    closure = find_closure(laid, PROGRAM)
    assert of_way(closure, "path") == ([], [(path, False)] if path else [])
    if path:
        lay(tmp_path, {path: None if path == "/tmp" else b"12"})
        assert of_way(find_closure(laid, PROGRAM), "path") == ([(path, False)], [])
        assert find_closure(laid, PROGRAM).files[-1].size_bytes == (0 if path == "/tmp" else 2)


def test_what_the_loader_demands_of_an_optional_library_is_optional_too(tmp_path):
    needy = library("liba.so", needed=("libc.so.6",), versions=(("libc.so.6", ("GLIBC_9.9",)),))
    closure = run(tmp_path, {"dlopens": note(("liba.so",))}, {"/lib/liba.so": needy})
    assert [(missing.versions, missing.required) for missing in closure.missing] == [(("GLIBC_9.9",), False)]
    assert (closure.starts, closure.reason) == (True, "")


def test_this_machines_curl_has_all_that_it_may_load():
    program = Path("/usr/bin/curl")
    if not program.exists() or not Path(GLIBC_LOADER).exists():
        pytest.skip("there is no curl here")
    closure = find_closure(FolderRoot(Path("/")), str(program))
    assert any(name.endswith("openssl.cnf") for name in paths(closure, way="openssl"))
    assert "/etc/hosts" in {file.path for file in closure.files} | {missing.name for missing in closure.missing}


PIECES = [
    *(path.encode() for path in PATHS),
    b"/var",
    b"/usr",
    b"/lib/",
    b".",
    b"-",
    b"_",
    b"a",
    b"A",
    b"/",
    b"\0",
    b" ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))
def test_all_well_known_paths_are_found_at_once_as_each_is_alone(code):
    def stands(path):
        after = rb"(?![._a-z0-9-])" if path == "/tmp" else rb"(?![._-])"
        return re.search(rb"(?<!/var)(?<!/usr)" + re.escape(path.encode()) + after, code)

    assert [found.path for found in find_paths(code)] == [path for path in PATHS if stands(path)]


FOLDERS = [b"/lib/\0", b"/usr/lib/x86_64-linux-gnu/\0", b"/lib64/\0", b"/opt/\0", b"/", b"\0", b"a", b" "]


@given(st.lists(st.sampled_from(FOLDERS), max_size=30).map(b"".join))
def test_a_loaders_folders_are_the_longest_list_that_follows_no_printable_character(code):
    lists = re.compile(rb"(?<![\x21-\x7e])(?:/(?:[\x21-\x2e\x30-\x7e]{1,255}/){1,16}\0){1,16}")
    library = re.compile(rb"/lib[^/]*/(?:[^/]*-linux-gnu[^/]*/)?$")
    found = [match[0].split(b"\0")[:-1] for match in lists.finditer(code)]
    longest = max((one for one in found if all(map(library.search, one))), key=len, default=[])
    assert read_loader(code).folders == tuple(folder.decode().rstrip("/") for folder in longest)
