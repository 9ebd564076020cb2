"""Which TLS library a program uses, told by signs of two kinds in the program, its build and what it links to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bareboat.measurements._signs import Library, crate_paths, crate_symbols, find_library, tell
from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements._signs import Finding
    from bareboat.measurements.subject import Subject, TimedSubject

COLUMN = Column(
    name="tls",
    heading="TLS",
    unit="text",
    order=74,
    meaning=(
        "the TLS library in the program or among those that it links to, and whose ciphers it has; behind it, by which "
        "signs: *symbols*, source *paths* and *texts* in the program, the *crates* of its build, *needed* and "
        "*imports* for the loader; a question mark where fewer than two kinds speak for it; *probed* where a run spoke "
        "TLS; *no locks* is an OpenSSL compiled without threads, with which a service fails"
    ),
    version=2,
)
_RUSTLS = Library(
    name="rustls",
    crates=frozenset({"rustls"}),
    is_crate=True,
    symbols=crate_symbols("rustls"),
    paths=crate_paths("rustls"),
    texts=(
        b"peer misbehaved: ",
        b"peer is incompatible: ",
        b"received corrupt message of type ",
        b"received unexpected handshake message: got ",
        b"presented server name type wasn't supported",
        b"peer sent excess record size",
        b"cannot decrypt peer's message",
    ),
)
_CIPHERS = (
    Library(
        name="ring",
        crates=frozenset({"ring"}),
        is_crate=True,
        symbols=re.compile(rb"\0ring_core_\d+_\d+_\d+_|" + crate_symbols("ring").pattern),
        paths=crate_paths("ring"),
    ),
    Library(
        name="aws-lc",
        crates=frozenset({"aws-lc-rs", "aws-lc-sys", "aws-lc-fips-sys"}),
        is_crate=True,
        symbols=re.compile(rb"\0aws_lc_(?:fips_)?\d+_\d+_\d+_|" + crate_symbols("aws-lc-rs").pattern),
        paths=crate_paths("aws-lc-rs"),
        texts=(
            b"infallible AWS-LC function",
            b"non-null AWS-LC EVP_PKEY pointer",
            b"\0AWS-LC KEM method\0",
            b"\0AWS-LC PQ DSA method\0",
        ),
    ),
)
# Of libssl: a program may have libcrypto for its hashes alone. On Linux, native-tls calls nothing else.
_STATIC_OPENSSL = Library(
    name="OpenSSL",
    crates=frozenset({"openssl-sys"}),
    symbols=re.compile(rb"\0ossl_statem_[a-z_]+\0"),
    # OpenSSL's allocations and errors record the file that they are made in.
    paths=(re.compile(rb"ssl/(?:(?<=\0ssl/)|(?<=\.\./ssl/))[0-9a-z_/]+\.c\0"),),
    texts=(
        b"\0tls_process_server_hello\0",
        b"\0tls_process_server_certificate\0",
        b"\0tls_construct_client_hello\0",
        b"\0tls_post_process_client_hello\0",
        b"\0ssl_choose_client_version\0",
    ),
)
_DYNAMIC_OPENSSL = Library(
    name="OpenSSL",
    crates=frozenset({"openssl-sys"}),
    needed="libssl.so",
    imports=frozenset({"TLS_method", "TLS_client_method", "SSL_CTX_new", "SSL_new", "SSL_connect", "SSL_do_handshake"}),
)
_VERSION = re.compile(rb"\0OpenSSL (\d+\.\d+\.\d+[a-z]?)(?:-[0-9a-z.]+)? +\d{1,2} [A-Z][a-z]{2} \d{4}\0")
_LIBCRYPTO = re.compile(r"(?:^|/)libcrypto\.so\.[0-9.]+$")
# OpenSSL configured without threads has the first source file in place of the second.
_NO_LOCKS, _LOCKS = b"\0crypto/threads_none.c\0", b"crypto/threads_pthread.c\0"
_SPOKEN = frozenset({"tls12", "tls13"})


def measure(subject: Subject) -> str | None:
    """`rustls (paths, texts), ring (paths, crates)`, `OpenSSL 3.5.4 (needed, imports)`; None without any sign."""
    findings = [find_library(_RUSTLS, subject), _find_openssl(subject)]
    told = tell(findings)
    ciphers = tell(find_library(library, subject) for library in _CIPHERS)
    return f"{told}, {ciphers}" if told and findings[0].signs and ciphers else told


def confirm(text: str | None, subject: TimedSubject) -> str | None:
    """What was measured, and whether the run spoke TLS."""
    spoken = any(probe.passed and probe.name in _SPOKEN for probe in subject.probes)
    return f"{text or 'not recognised'}; probed" if spoken else text


def lacks_locks(subject: Subject) -> bool:
    """Whether the OpenSSL that is in the program, or that it loads from the image, was compiled without threads."""
    return any(code.lacks_locks for code in (_read_code(subject.program), *_libcryptos(subject)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    """What is read from a program or library that has OpenSSL in it."""

    version: str
    lacks_locks: bool


def _read_code(content: bytes) -> _Code:
    version = _VERSION.search(content)
    lacks_locks = _NO_LOCKS in content and _LOCKS not in content
    return _Code(version=f" {version[1].decode()}" if version else "", lacks_locks=lacks_locks)


def _libcryptos(subject: Subject) -> list[_Code]:
    """The libraries of ciphers in the image, where the program asks its loader for OpenSSL."""
    if not any(name.startswith(_DYNAMIC_OPENSSL.needed) for name in subject.elf.needed):
        return []
    files = subject.image.files()
    paths = [path for path, file in files.items() if file.kind == "file" and _LIBCRYPTO.search(path)]
    return [subject.image.read_as(path, _read_code) for path in paths]


def _find_openssl(subject: Subject) -> Finding:
    loaded = find_library(_DYNAMIC_OPENSSL, subject)
    if set(loaded.signs) - {"crates"}:
        version = next((code.version for code in _libcryptos(subject) if code.version), "")
        return replace(loaded, name=f"OpenSSL{version}")
    inside = find_library(_STATIC_OPENSSL, subject)
    if not set(inside.signs) - {"crates"}:
        return inside
    code = _read_code(subject.program)
    return replace(inside, name=f"OpenSSL{code.version}, static{', no locks' if code.lacks_locks else ''}")
