"""Finds what programs load or open while they run, though no header tells the loader: by their imports and strings.

None of it is ever required, because a string may stand in code that never runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bareboat.closure.closure import LoadWay

NSS_PATH = "/etc/nsswitch.conf"
LIBGCC = "libgcc_s.so.1"

BUNDLE = "certificates of authorities; one such file is enough"
PODMAN = "Podman puts one into every container"
PATHS: Mapping[str, str] = {
    "/etc/ssl/certs/ca-certificates.crt": BUNDLE,
    "/etc/ssl/cert.pem": BUNDLE,
    "/etc/ssl/ca-bundle.pem": BUNDLE,
    "/etc/pki/tls/certs/ca-bundle.crt": BUNDLE,
    "/etc/pki/tls/cacert.pem": BUNDLE,
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem": BUNDLE,
    "/usr/share/zoneinfo": "rules of time zones",
    "/etc/localtime": "the local time zone; UTC without it",
    "/etc/resolv.conf": PODMAN,
    "/etc/hosts": PODMAN,
    NSS_PATH: "which modules look names up",
    "/etc/passwd": "names of users",
    "/etc/group": "names of groups",
    "/etc/services": "names of ports",
    "/etc/protocols": "names of protocols",
    "/tmp": "files for a while",  # noqa: S108 -- it is looked for, not written to
}

# A function that looks names up -> the databases of nsswitch.conf that it reads.
_LOOKUPS = (
    (re.compile(r"getaddrinfo|getnameinfo|gethostby\w+"), ("hosts",)),
    (re.compile(r"getpw\w+"), ("passwd",)),
    (re.compile(r"getgr(nam|gid|ent)\w*|getgrouplist|initgroups"), ("group", "initgroups")),
    (re.compile(r"getserv\w+"), ("services",)),
)
_DATABASES = ("hosts", "passwd", "group", "initgroups", "services")
_RESOLVER_PATHS = (NSS_PATH, "/etc/hosts", "/etc/resolv.conf")
_UNWINDERS = frozenset({"pthread_cancel", "pthread_exit", "backtrace"})
_MODULE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OPENSSL_FOLDER = re.compile(rb'(OPENSSLDIR|MODULESDIR): "(/[\x21\x23-\x7e]{1,255})"')
_LINE_LIMIT = 1000


def _name(path: str) -> bytes:
    # Rust's strings have no NUL at their end, so the next string may follow at once: a letter after the path does not
    # make it another path. What does is told apart here and below: /etc/hosts.allow, /etc/passwd-, /tmpfs, /var/tmp.
    after = rb"(?![._a-z0-9-])" if len(path) < len("/etc/") else rb"(?![._-])"
    return re.escape(path.removeprefix("/").encode()) + after


# A plain slash stands first, which `re` looks for a hundred times as quickly as for what may not stand before it.
_NAMED = re.compile(rb"/(?<!/var/)(?<!/usr/)(?:" + b"|".join(map(_name, PATHS)) + rb")")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeLibrary:
    """A library that glibc may load by its name."""

    name: str
    way: LoadWay
    # Why it may be loaded.
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimePath:
    """A file or folder that may be opened by its path."""

    path: str
    way: LoadWay
    # Why it may be opened.
    note: str


def find_unwinder(imports: frozenset[str], code: bytes) -> Iterator[RuntimeLibrary]:
    """libgcc, if the program may unwind a thread's stack; `code` is a static program's content, else empty."""
    users = sorted(_UNWINDERS & imports)
    if users or LIBGCC.encode() + b"\0" in code:
        by = ", ".join(users) or "a string in the program says"
        yield RuntimeLibrary(name=LIBGCC, way="libgcc", note=f"glibc loads it to unwind a thread's stack ({by})")


def find_databases(imports: frozenset[str], code: bytes) -> frozenset[str]:
    """The databases of nsswitch.conf that a program may read.

    A static program has no imports to tell which: if it contains glibc's lookup code, it may read any.
    """
    if b"libnss_" in code and NSS_PATH.encode() in code:
        return frozenset(_DATABASES)
    return frozenset(
        database
        for pattern, databases in _LOOKUPS
        if any(pattern.fullmatch(name) for name in imports)
        for database in databases
    )


def read_nss_modules(
    text: str | None, databases: frozenset[str], *, built_in: frozenset[str]
) -> Iterator[RuntimeLibrary]:
    """The modules that the text of an nsswitch.conf names for some databases; without the file, files and dns.

    Those in `built_in` are inside the libc, and no library is loaded for them.
    """
    lines = text.splitlines()[:_LINE_LIMIT] if text is not None else [f"{name}: files dns" for name in _DATABASES]
    for line in lines:
        database, colon, services = line.partition("#")[0].partition(":")
        if not colon or database.strip() not in databases:
            continue
        for service in services.split():
            # An action, such as [NOTFOUND=return], has characters that no module's name has.
            if service not in built_in and _MODULE.fullmatch(service):
                note = f"{NSS_PATH} names {service} for {database.strip()}"
                yield RuntimeLibrary(name=f"libnss_{service}.so.2", way="nss", note=note)


def list_resolver_paths(databases: frozenset[str]) -> Iterator[RuntimePath]:
    """The files that glibc itself reads to look up a host."""
    if "hosts" in databases:
        yield from (RuntimePath(path=path, way="path", note=PATHS[path]) for path in _RESOLVER_PATHS)


def list_converter_paths(folder: str) -> Iterator[RuntimePath]:
    """The folder of iconv's modules and the files that list them."""
    note = "iconv_open converts by the modules in it"
    names = ("", "/gconv-modules", "/gconv-modules.cache", "/gconv-modules.d/gconv-modules-extra.conf")
    yield from (RuntimePath(path=f"{folder}{name}", way="gconv", note=note) for name in names)


def find_openssl_paths(code: bytes) -> tuple[RuntimePath, ...]:
    """The configuration and the module folder of an OpenSSL 3, named in the bytes of its library or of a program."""
    found = {match[1]: match[2].decode() for match in _OPENSSL_FOLDER.finditer(code)}
    paths = []
    if folder := found.get(b"OPENSSLDIR"):
        note = "OpenSSL reads it as it starts"
        paths.append(RuntimePath(path=f"{folder.rstrip('/')}/openssl.cnf", way="openssl", note=note))
    if folder := found.get(b"MODULESDIR"):
        note = "OpenSSL's providers legacy and fips are in it"
        paths.append(RuntimePath(path=folder, way="openssl", note=note))
    return tuple(paths)


def find_paths(code: bytes) -> Iterator[RuntimePath]:
    """Those of the paths in PATHS that stand in a program's bytes."""
    found = {name.decode() for name in _NAMED.findall(code)}
    yield from (RuntimePath(path=path, way="path", note=note) for path, note in PATHS.items() if path in found)
