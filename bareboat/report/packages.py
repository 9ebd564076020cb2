"""Says which package of a distribution has a shared library, by the rules after which packages are named. Pure.

Sources: https://www.debian.org/doc/debian-policy/ch-sharedlibs.html; apk and RPM provide each library's own name.
"""

from __future__ import annotations

import re

_GLIBC = re.compile(r"(?:lib(?:c|m|dl|pthread|rt|resolv|util)\.so\.\d+|ld-linux.*\.so\.\d+)")
# Libraries of Debian's that the rule does not tell.
_DEBIAN = {
    "libz.so.1": "zlib1g",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "libcrypto.so.1.1": "libssl1.1",
}
_LIBRARY = re.compile(r"(lib[\w+.-]+?)\.so\.(\d[\w.]*)")
_RPM = {"fedora": "dnf", "rhel": "dnf", "centos": "dnf", "rocky": "dnf", "almalinux": "dnf", "amzn": "dnf"}


def debian_package(library: str) -> str:
    """The package of Debian that has a library, `libpq5` for `libpq.so.5`; "" where the name tells none."""
    if _GLIBC.fullmatch(library):
        return "libc6"
    found = _LIBRARY.fullmatch(library)
    if library in _DEBIAN or not found:
        return _DEBIAN.get(library, "")
    name, version = found[1].lower().replace("_", "-"), found[2]
    return f"{name}-{version}" if name[-1].isdecimal() else f"{name}{version}"


def say_package(library: str, system: str) -> str:
    """What brings a library into an image of a distribution, `ID` of os-release(5), in a clause."""
    if system == "alpine":
        return f"`apk add so:{library}` brings it"
    if system in _RPM:
        return f"`{_RPM[system]} install '{library}()(64bit)'` brings it"
    package = debian_package(library)
    return f"package {package} of Debian has it" if package else f"`apt-file search {library}` finds its package"
