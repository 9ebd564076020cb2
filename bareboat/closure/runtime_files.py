"""What programs are known to load or open while they run, though no loader is told: read from imports and strings.

Evidence is no proof: a string may stand in code that never runs. So nothing here is ever required.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bareboat.closure.closure import Way

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A library that glibc may load by its name."""

    name: str
    way: Way
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file or folder that may be opened by its path."""

    path: str
    way: Way
    note: str


def name_unwinder(imports: frozenset[str], code: bytes) -> Iterator[Library]:
    """libgcc, which glibc loads to unwind a thread's stack; `code` is a static program's, else empty."""
    users = sorted(_UNWINDERS & imports)
    if users or LIBGCC.encode() + b"\0" in code:
        by = ", ".join(users) or "a string in the program says"
        yield Library(name=LIBGCC, way="libgcc", note=f"glibc loads it to unwind a thread's stack ({by})")


def name_databases(imports: frozenset[str], code: bytes) -> frozenset[str]:
    """The databases of nsswitch.conf that a program asks; a static one, whose imports are inside it, any of them."""
    if b"libnss_" in code and NSS_PATH.encode() in code:
        return frozenset(_DATABASES)
    return frozenset(
        database
        for pattern, databases in _LOOKUPS
        if any(pattern.fullmatch(name) for name in imports)
        for database in databases
    )


def name_modules(text: str | None, databases: frozenset[str], *, built_in: frozenset[str]) -> Iterator[Library]:
    """The modules that an nsswitch.conf names for some databases; without the file, glibc asks files and dns."""
    lines = text.splitlines()[:_LINE_LIMIT] if text is not None else [f"{name}: files dns" for name in _DATABASES]
    for line in lines:
        database, colon, services = line.partition("#")[0].partition(":")
        if not colon or database.strip() not in databases:
            continue
        for service in services.split():
            # What stands in brackets is an action, and has signs in it that no module's name has.
            if service not in built_in and _MODULE.fullmatch(service):
                note = f"{NSS_PATH} names {service} for {database.strip()}"
                yield Library(name=f"libnss_{service}.so.2", way="nss", note=note)


def name_resolver_paths(databases: frozenset[str]) -> Iterator[Place]:
    """The files that glibc itself reads to look a host up."""
    if "hosts" in databases:
        yield from (Place(path=path, way="path", note=PATHS[path]) for path in _RESOLVER_PATHS)


def name_converters(folder: str) -> Iterator[Place]:
    """The folder of iconv's modules and the files that list them."""
    note = "iconv_open converts by the modules in it"
    names = ("", "/gconv-modules", "/gconv-modules.cache", "/gconv-modules.d/gconv-modules-extra.conf")
    yield from (Place(path=f"{folder}{name}", way="gconv", note=note) for name in names)


def name_openssl(code: bytes) -> Iterator[Place]:
    """The configuration and the modules of an OpenSSL 3, as the library's or program's own bytes name them."""
    found = {match[1]: match[2].decode() for match in _OPENSSL_FOLDER.finditer(code)}
    if folder := found.get(b"OPENSSLDIR"):
        yield Place(path=f"{folder.rstrip('/')}/openssl.cnf", way="openssl", note="OpenSSL reads it as it starts")
    if folder := found.get(b"MODULESDIR"):
        yield Place(path=folder, way="openssl", note="OpenSSL's providers legacy and fips are in it")


def name_paths(code: bytes) -> Iterator[Place]:
    """The well-known paths that stand in a program's bytes."""
    for path, note in PATHS.items():
        # Rust's strings have no end of their own, so a letter may follow that belongs to the next one; only a longer
        # name is told apart: /etc/hosts.allow, /etc/passwd-, /var/tmp, /tmpfs.
        after = rb"(?![._a-z0-9-])" if len(path) < len("/etc/") else rb"(?![._-])"
        name = path.encode()
        if name in code and re.search(rb"(?<!/var)(?<!/usr)" + re.escape(name) + after, code):
            yield Place(path=path, way="path", note=note)
