"""Which TLS library a program uses, recognised by its bytes and the libraries that it is linked with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bareboat.result.values import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="tls",
    heading="TLS",
    unit="text",
    order=74,
    meaning=(
        "the TLS library found in the program or among the libraries that it links to, and whose ciphers it has; "
        "*no locks* is an OpenSSL compiled without threads, which a program of several threads must not use"
    ),
)
_RUSTLS = b"rustls"
_AWS_LC = b"AWS-LC"
_OPENSSL = re.compile(rb"OpenSSL (\d+\.\d+\.\d+[a-z]?)[ +-]")
# OpenSSL configured without threads uses this source file in place of locks. Its name is in the binary, because
# OpenSSL's allocations record the file that they are made in.
_NO_LOCKS = b"crypto/threads_none.c"
_LIBCRYPTO = re.compile(r"(?:^|/)libcrypto\.so\.[0-9.]+$")


def measure(subject: Subject) -> str | None:
    """`rustls, ring`, `rustls, aws-lc`, `OpenSSL 3.5.4`, `OpenSSL 3.5.4, static[, no locks]`; None without TLS."""
    if _RUSTLS in subject.program:
        return f"rustls, {'aws-lc' if _AWS_LC in subject.program else 'ring'}"
    if version := _OPENSSL.search(subject.program):
        return f"OpenSSL {version[1].decode()}, static{', no locks' if _NO_LOCKS in subject.program else ''}"
    if any(name.startswith("libssl.so") for name in subject.elf.needed):
        return f"OpenSSL {_version_in(subject)}".rstrip()
    return None


def _version_in(subject: Subject) -> str:
    for path, file in subject.image.files().items():
        if file.kind == "file" and _LIBCRYPTO.search(path):
            return subject.image.read_as(path, _read_version)
    return ""


def _read_version(code: bytes) -> str:
    version = _OPENSSL.search(code)
    return version[1].decode() if version else ""
