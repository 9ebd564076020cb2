"""Known faults of compiles: what linkers, build scripts and pkg-config say where the toolchain lacks something. Pure.

A crate of the user's own may have its toolchain extended: the cure is the line that does it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The Debian package by what pkg-config, or the linker after -l, calls a library.
_LIBRARIES = {
    "alsa": "libasound2-dev",
    "asound": "libasound2-dev",
    "cairo": "libcairo2-dev",
    "curl": "libcurl4-openssl-dev",
    "dbus-1": "libdbus-1-dev",
    "fontconfig": "libfontconfig-dev",
    "freetype": "libfreetype-dev",
    "freetype2": "libfreetype-dev",
    "git2": "libgit2-dev",
    "glib-2.0": "libglib2.0-dev",
    "jpeg": "libjpeg-dev",
    "libcurl": "libcurl4-openssl-dev",
    "libgit2": "libgit2-dev",
    "liblzma": "liblzma-dev",
    "libpng": "libpng-dev",
    "libpq": "libpq-dev",
    "libsodium": "libsodium-dev",
    "libssh2": "libssh2-1-dev",
    "libudev": "libudev-dev",
    "libusb-1.0": "libusb-1.0-0-dev",
    "libzstd": "libzstd-dev",
    "lz4": "liblz4-dev",
    "lzma": "liblzma-dev",
    "mysqlclient": "libmariadb-dev",
    "ncursesw": "libncurses-dev",
    "openssl": "libssl-dev",
    "pq": "libpq-dev",
    "sodium": "libsodium-dev",
    "sqlite3": "libsqlite3-dev",
    "ssh2": "libssh2-1-dev",
    "stdc++": "g++",
    "udev": "libudev-dev",
    "usb-1.0": "libusb-1.0-0-dev",
    "wayland-client": "libwayland-dev",
    "x11": "libx11-dev",
    "X11": "libx11-dev",
    "xcb": "libxcb1-dev",
    "xkbcommon": "libxkbcommon-dev",
    "xml2": "libxml2-dev",
    "libxml-2.0": "libxml2-dev",
    "z": "zlib1g-dev",
    "zlib": "zlib1g-dev",
    "zstd": "libzstd-dev",
}
_LIBRARY = re.compile(
    r"The system library `(?P<config>[^`\n]+)` required by crate `(?P<crate>[^`\n]+)` was not found"
    r"|(?:cannot find|unable to find library) -l(?P<linked>[\w.+-]+)"
)
# A program that a build script calls, by what is said where it is absent.
_PROGRAMS = (
    (re.compile(r"is `cmake` not installed\?|failed to spawn [^\n]*cmake|cmake: (?:command )?not found"), "cmake"),
    (re.compile(r"Could not find `protoc`|protoc[^\n]*(?:not found|No such file)"), "protobuf-compiler"),
    (
        re.compile(r"Unable to find libclang|couldn't find any valid shared libraries matching: \['libclang"),
        "libclang-dev",
    ),
    (re.compile(r"failed to find tool \"(?:[\w-]*-)?(?:c|g|clang)\+\+\"|(?:c|g)\+\+: (?:command )?not found"), "g++"),
    (re.compile(r"[Nn][Aa][Ss][Mm][^\n]{0,40}(?:not found|No such file|is required|not installed)"), "nasm"),
)
_HEADER = re.compile(r"fatal error: (?P<header>[\w./+-]+\.h(?:pp)?): No such file")
# musl 1.2.4 dropped the names of large-file functions that the libc crate asked for before 0.2.146.
_LARGE_FILE = re.compile(
    r"undefined (?:symbol|reference to)[: `']*\b(?:open|openat|creat|l?stat|fstat|fstatat|lseek|ftruncate|truncate|mmap"
    r"|p?readv?|p?writev?|readdir|fallocate|posix_fadvise|posix_fallocate|sendfile|fopen|statfs|fstatfs|getrlimit"
    r"|setrlimit|prlimit|fseeko|ftello|tmpfile|mkstemp|scandir|aio_read)64\b"
)
# What a library asks for that was compiled for glibc, of a newer one or with _FORTIFY_SOURCE, when it meets musl; and
# what pkg-config says of one before that.
_FOR_GLIBC = re.compile(
    r"undefined (?:symbol: |reference to .)(?:__isoc23_\w+|__cxa_thread_atexit_impl|__\w+_chk)\b"
    r"|(?:cannot find|unable to find library) -lgcc_s\b"
    r"|pkg-config has not been configured to support cross-compilation"
)


def explain_compile(log: str) -> str:
    """What a failed compile lacked and what brings it, in a few lines; "" for a fault that is not known."""
    lines = list(dict.fromkeys(_explanations(log)))
    packages = sorted({package for _, package in lines if package})
    words = [text for text, _ in lines]
    if packages:
        named = ", ".join(f'"{package}"' for package in packages)
        words += ["add to Cargo.toml:", "    [package.metadata.bareboat]", f"    toolchain-packages = [{named}]"]
    return "\n".join(words)


def _explanations(log: str) -> Iterator[tuple[str, str]]:
    """Pairs of what is lacked and the package that has it, "" where there is none."""
    for found in _LIBRARY.finditer(log):
        name, crate = found["config"] or found["linked"], found["crate"]
        if name == "gcc_s":
            continue
        package = _LIBRARIES.get(name, "")
        by = f", which crate {crate} needs" if crate else ""
        had = (
            f"package {package} has it" if package else f"`apt-file search {name}.pc` or lib{name}.so finds its package"
        )
        yield f"the toolchain lacks library {name}{by}: {had}", package
    for pattern, package in _PROGRAMS:
        if pattern.search(log):
            yield f"a build script calls what the toolchain lacks: package {package} has it", package
    for found in _HEADER.finditer(log):
        yield f"the toolchain lacks {found['header']}: `apt-file search {found['header']}` finds its package", ""
    if _FOR_GLIBC.search(log):
        own = "where the crate can compile its own (a feature such as `vendored` or `bundled`), enable it"
        yield f"a C library of the toolchain is for glibc, and this is musl: {own}; else take recipes with glibc", ""
    if _LARGE_FILE.search(log):
        old = "the lock has a libc crate before 0.2.146, which asks for names that musl 1.2.4 dropped"
        yield f"{old}: `cargo update -p libc` mends it", ""
