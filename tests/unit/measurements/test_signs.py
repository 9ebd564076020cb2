"""The columns that tell libraries: each verdict by two signs, doubted with one, and not misled by words."""

from __future__ import annotations

import json
import shutil
import subprocess
import zlib

import pytest

from bareboat.archive import open_image
from bareboat.elf import read_elf
from bareboat.measurements import Subject, TimedSubject, measure_all, measure_timed
from bareboat.measurements.tls import lacks_locks
from bareboat.result.values import Probe
from tests.unit.elf_builder import GNU, MUSL_LOADER, build_elf
from tests.unit.image_builder import entry, make_layer, write_docker_archive

STATIC = {"interpreter": None, "flags_1": 0x08000001, "signs": GNU}
RUSTLS_PATHS = b"".join(b"/crates/vendor/rustls/src/client/%s.rs" % name for name in (b"hs", b"tls13", b"ech"))
RUSTLS_TEXTS = b"peer misbehaved: received corrupt message of type cannot decrypt peer's message"
RING_PATHS = b"".join(b"/crates/vendor/ring-0.17.14/src/%s.rs" % name for name in (b"hkdf", b"aead/quic", b"digest"))
AWS_LC_TEXTS = b"infallible AWS-LC function\0AWS-LC KEM method\0"
OPENSSL_PATHS = b"\0ssl/ssl_lib.c\0../ssl/statem/statem.c\0ssl/t1_lib.c\0"
OPENSSL_TEXTS = b"\0tls_process_server_hello\0\0tls_construct_client_hello\0"
OPENSSL_VERSION = b"\0OpenSSL 3.6.3 9 Jun 2026\0"
NO_LOCKS, LOCKS = b"\0crypto/threads_none.c\0", b"\0crypto/threads_pthread.c\0"
HICKORY_PATHS = b"hickory-net-0.26.3/src/udp.rs hickory-proto-0.26.3/src/error.rs hickory-resolver-0.26.3/src/hosts.rs"
HICKORY_TEXTS = b"name label data exceed 255: label bytes exceed 63: "
STD_TEXT = b"failed to lookup address information: "
MUSL_TEXT, GLIBC_TEXT = b"\0Name does not resolve\0", b"\0Temporary failure in name resolution\0"


@pytest.fixture
def subject_of(tmp_path):
    def make(program, crates=None, files=()):
        layer = make_layer(entry("app", program), *(entry(path, content) for path, content in files))
        image = open_image(write_docker_archive(tmp_path / "image.tar", layer))
        known = None if crates is None else frozenset(crates)
        return Subject(image=image, program_path="/app", program=program, elf=read_elf(program), crates=known)

    return make


def told(subject):
    values = {taken.column.name: taken.value for taken in measure_all(subject)}
    return values["tls"], values["dns"]


@pytest.mark.parametrize(
    ("more", "crates", "tls", "dns"),
    [
        (RUSTLS_PATHS + RUSTLS_TEXTS, None, "rustls (paths, texts)", None),
        (RUSTLS_PATHS, None, "rustls? (paths)", None),
        (RUSTLS_TEXTS, None, "rustls? (texts)", None),
        (b"", {"rustls", "ring"}, "rustls? (crates), ring? (crates)", None),
        (RUSTLS_PATHS + RING_PATHS, {"rustls", "ring"}, "rustls (paths, crates), ring (paths, crates)", None),
        # Another program's bytes may be in a program: what the build cannot have linked is doubted.
        (RUSTLS_PATHS + RUSTLS_TEXTS, {"serde"}, "rustls? (paths, texts, not crates)", None),
        (RING_PATHS, {"ring"}, None, None),
        (
            RUSTLS_TEXTS + AWS_LC_TEXTS + RUSTLS_PATHS,
            {"rustls", "aws-lc-rs"},
            "rustls (paths, texts, crates), aws-lc (texts, crates)",
            None,
        ),
        (
            RUSTLS_TEXTS + RING_PATHS + AWS_LC_TEXTS,
            {"rustls", "ring", "aws-lc-sys"},
            "rustls (texts, crates), ring (paths, crates) and aws-lc (texts, crates)",
            None,
        ),
        (OPENSSL_PATHS + OPENSSL_TEXTS, None, "OpenSSL, static (paths, texts)", None),
        (OPENSSL_PATHS + OPENSSL_TEXTS + OPENSSL_VERSION, None, "OpenSSL 3.6.3, static (paths, texts)", None),
        (OPENSSL_PATHS + NO_LOCKS, {"openssl-sys"}, "OpenSSL, static, no locks (paths, crates)", None),
        (OPENSSL_PATHS + NO_LOCKS + LOCKS, {"openssl-sys"}, "OpenSSL, static (paths, crates)", None),
        # libcrypto alone speaks no TLS.
        (OPENSSL_VERSION, None, None, None),
        (OPENSSL_VERSION, {"openssl-sys"}, "OpenSSL? (crates)", None),
        (HICKORY_PATHS + HICKORY_TEXTS, None, None, "hickory (paths, texts)"),
        (HICKORY_TEXTS, {"hickory-resolver"}, None, "hickory (texts, crates)"),
        (HICKORY_PATHS + HICKORY_TEXTS, {"hickory-proto"}, None, "hickory? (paths, texts, not crates)"),
        (HICKORY_PATHS, None, None, "hickory? (paths)"),
        (STD_TEXT + GLIBC_TEXT, None, None, "getaddrinfo (libc, std)"),
        (STD_TEXT + MUSL_TEXT, None, None, "getaddrinfo (libc, std)"),
        # Every program has std, and may have its text.
        (STD_TEXT, None, None, None),
        # OpenSSL calls getaddrinfo, in programs that look no name up by it.
        (STD_TEXT + GLIBC_TEXT + b"\0crypto/bio/bio_addr.c\0", None, None, "getaddrinfo? (libc)"),
        (MUSL_TEXT, None, None, "getaddrinfo? (libc)"),
        # OpenSSL calls getaddrinfo, too: it is not told of beside what is proven.
        (HICKORY_PATHS + HICKORY_TEXTS + GLIBC_TEXT, None, None, "hickory (paths, texts)"),
        (
            HICKORY_PATHS + HICKORY_TEXTS + GLIBC_TEXT + STD_TEXT,
            None,
            None,
            "hickory (paths, texts) and getaddrinfo (libc, std)",
        ),
    ],
)
def test_two_signs_are_a_verdict_and_one_is_a_doubt(subject_of, more, crates, tls, dns):
    assert told(subject_of(build_elf(**STATIC) + more, crates)) == (tls, dns)


@pytest.mark.parametrize(
    "words",
    [
        b"we do not use rustls here",
        b"hickory dickory dock",
        b"a ring, a string, AWS-LC, aws-lc-rs, getaddrinfo",
        b"see rustls/src/conn.rs and ring/src/hkdf.rs",
        b"OpenSSL 3.5.4 30 Sep 2025 is not in here",
        b"tokio-rustls/src/a.rs my-rustls/src/b.rs hyper-rustls-0.1.0/src/c.rs string/src/d.rs",
        b"it said: Name does not resolve, or crypto/threads_none.c, or tls_process_server_hello",
    ],
)
def test_words_are_no_sign(subject_of, words):
    assert told(subject_of(build_elf(**STATIC) + words, {"words"})) == (None, None)
    assert told(subject_of(build_elf(**STATIC) + words)) == (None, None)


@pytest.mark.parametrize(
    ("symbols", "tls", "dns"),
    [
        (("_ZN6rustls6client2hs5start17h0123456789abcdefE",), "rustls", None),
        (("_RNvMs_NtNtCs1aB2_6rustls6client2hsNtB4_5Start3run",), "rustls", None),
        (("_RNvCskZ0_16hickory_resolver3run",), None, "hickory"),
        (("_ZN16hickory_resolver3run17h0E",), None, "hickory"),
        (("ossl_statem_connect",), "OpenSSL, static", None),
        (("_ZN3app6rustls3run17h0E", "_RNvCs1_3app6rustls", "rustls", "ossl_statem", "6rustls"), None, None),
    ],
)
def test_symbols_are_a_sign_in_both_manglings(subject_of, symbols, tls, dns):
    expected = (tls and f"{tls}? (symbols)", dns and f"{dns}? (symbols)")
    assert told(subject_of(build_elf(**STATIC, symbols=symbols))) == expected


def test_ciphers_are_told_by_their_symbols(subject_of):
    for name, symbol in (("ring", "ring_core_0_17_14__x25519_ge"), ("aws-lc", "aws_lc_0_47_0_EVP_sha256")):
        program = build_elf(**STATIC, symbols=("_ZN6rustls3run17h0E", symbol))
        assert told(subject_of(program))[0] == f"rustls? (symbols), {name}? (symbols)"


def audited(*packages):
    return zlib.compress(json.dumps({"packages": packages}).encode())


def test_what_cargo_auditable_left_is_a_crate_graph(subject_of):
    left = audited({"name": "rustls", "version": "0.23.1"}, {"name": "ring", "version": "1.0.0", "kind": "build"})
    program = build_elf(**STATIC, contents=((".dep-v0", left),)) + RUSTLS_TEXTS
    assert told(subject_of(program))[0] == "rustls (texts, crates)"
    # What this very build resolved goes before what a program says of itself.
    assert told(subject_of(program, {"serde"}))[0] == "rustls? (texts, not crates)"


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b"no zlib",
        audited({"name": "rustls"})[:-5],
        zlib.compress(b"[]"),
        zlib.compress(b'{"packages": [{"name": 1}]}'),
        zlib.compress(b'{"packages": ' + b"[" * 100_000),
        zlib.compress(b'{"packages": [{"name": "rustls"}]}' + b" " * 2**24),
        zlib.compress(b"\xff"),
    ],
)
def test_a_crate_graph_that_cannot_be_read_is_none(subject_of, left):
    assert told(subject_of(build_elf(**STATIC, contents=((".dep-v0", left),)))) == (None, None)


def test_openssl_that_is_linked_to_is_known_by_the_loader_and_by_its_own_words(subject_of):
    linked = {"interpreter": MUSL_LOADER, "needed": ("libssl.so.3",)}
    calls = {"imports": ("SSL_new", "SSL_connect", "getaddrinfo", "freeaddrinfo")}
    library = (("usr/lib/libcrypto.so.3", b"\0OpenSSL 3.5.1 1 Jul 2025\0"),)
    values = told(subject_of(build_elf(**linked, **calls) + STD_TEXT, files=library))
    assert values == ("OpenSSL 3.5.1 (needed, imports)", "getaddrinfo (imports, std)")
    assert told(subject_of(build_elf(**linked), files=library)) == ("OpenSSL 3.5.1? (needed)", None)
    assert told(subject_of(build_elf(**linked, **calls))) == ("OpenSSL (needed, imports)", "getaddrinfo? (imports)")


def test_locks_are_lacking_in_the_program_or_in_the_library_that_it_loads(subject_of):
    linked = build_elf(needed=("libssl.so.3", "libcrypto.so.3"))
    library = "usr/lib/libcrypto.so.3"
    assert lacks_locks(subject_of(build_elf(**STATIC) + NO_LOCKS))
    assert not lacks_locks(subject_of(build_elf(**STATIC) + NO_LOCKS + LOCKS))
    assert not lacks_locks(subject_of(build_elf(**STATIC) + b"not crypto/threads_none.c"))
    assert lacks_locks(subject_of(linked, files=((library, NO_LOCKS),)))
    assert not lacks_locks(subject_of(linked, files=((library, LOCKS),)))
    assert not lacks_locks(subject_of(build_elf(**STATIC), files=((library, NO_LOCKS),))), "nobody loads it"


@pytest.mark.parametrize("passed", [True, False])
def test_a_run_that_spoke_tls_and_looked_names_up_confirms(subject_of, passed):
    taken = measure_all(subject_of(build_elf(**STATIC) + RUSTLS_PATHS + RUSTLS_TEXTS))
    probes = tuple(Probe(name=name, passed=passed, observed="") for name in ("tls13", "search"))
    timed = measure_timed(taken, TimedSubject(peak_bytes=4096, probes=probes))
    values = {measurement.column.name: measurement.value for measurement in timed}
    assert (values["peak"], values["size"]) == (4096, next(one.value for one in taken if one.column.name == "size"))
    assert values["tls"] == f"rustls (paths, texts){'; probed' if passed else ''}"
    assert values["dns"] == ("not recognised; probed" if passed else None)


# A crate by the name of the library with some of its messages and panics: what a compiler makes of those is real.
_LIBRARY = """
pub mod a; pub mod b; pub mod c;
#[inline(never)] pub fn say(n: usize) -> String {
    match n { 1 => format!("peer misbehaved: {n}"), 2 => format!("peer is incompatible: {n}"),
              _ => format!("received corrupt message of type {n}") }
}
"""
_MODULE = "#[inline(never)] pub fn pick(v: &[usize], n: usize) -> usize { v[n] + v[n + 1] }"
_USER = """
fn main() {
    let given: Vec<usize> = std::env::args().map(|word| word.len()).collect();
    let n = given.len();
    println!("{} {}", rustls::say(n), rustls::a::pick(&given, n) + rustls::b::pick(&given, n));
    println!("{}", rustls::c::pick(&given, n));
}
"""
_WORDS = """
fn main() {
    println!("we do not use rustls here, nor ring, and no OpenSSL 3.5.4 30 Sep 2025; see rustls/src/conn.rs");
    println!("hickory dickory dock; getaddrinfo; Name does not resolve; {}", std::env::args().len());
}
"""
_PLAIN = ("-Copt-level=1",)
_SMALL = ("-Copt-level=z", "-Clto=fat", "-Cpanic=abort", "-Cstrip=symbols", "-Ccodegen-units=1")
_V0 = ("-Copt-level=1", "-Csymbol-mangling-version=v0")


def _compile(folder, options, *, library):
    if shutil.which("rustc") is None:
        pytest.skip("rustc is absent; the same signs are tested from bytes above")
    (folder / "rustls/src").mkdir(parents=True)
    for name, text in {"lib": _LIBRARY, "a": _MODULE, "b": _MODULE, "c": _MODULE}.items():
        (folder / f"rustls/src/{name}.rs").write_text(text)
    (folder / "main.rs").write_text(_USER if library else _WORDS)
    own = [option for option in options if not option.startswith(("-Clto", "-Cstrip"))]
    make = ["rustc", "--edition=2021"]
    if library:
        subprocess.run(
            [*make, *own, "--crate-type=rlib", "rustls/src/lib.rs", "--crate-name=rustls"], cwd=folder, check=True
        )
    named = ["--extern=rustls=librustls.rlib"] if library else []
    subprocess.run([*make, *options, *named, "main.rs", "-o", "main"], cwd=folder, check=True)
    return (folder / "main").read_bytes()


@pytest.mark.starts_processes("the machine's own compiler makes the programs")
@pytest.mark.parametrize(
    ("options", "signs"),
    [(_PLAIN, "symbols, paths, texts"), (_V0, "symbols, paths, texts"), (_SMALL, "paths, texts")],
)
def test_what_the_compiler_makes_is_told_with_the_library_and_not_with_its_name(tmp_path, subject_of, options, signs):
    program = _compile(tmp_path / "with", options, library=True)
    assert told(subject_of(program))[0] == f"rustls ({signs})"
    assert told(subject_of(program, {"main", "rustls"}))[0] == f"rustls ({signs}, crates)"
    words = _compile(tmp_path / "without", options, library=False)
    assert told(subject_of(words)) == told(subject_of(words, {"main"})) == (None, None)
