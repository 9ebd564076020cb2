"""Known faults of compiles: what linkers, build scripts, pkg-config and cargo say where they lack something. Pure.

A crate of the user's own may have its toolchain extended: the cure is the line that does it.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_TOLD = 8  # of the symbols that a C library lacks, which may be hundreds
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
_UNDEFINED = re.compile(r"undefined (?:\w+ )?(?:symbol: |reference to .)(?P<name>\w+)")
# What cargo says before it compiles anything, since 1.78 and before.
_OLD_COMPILER = re.compile(
    r"rustc (?P<has>[\d.]+)\S* is not supported by the following packages?:\s+"
    r"(?P<package>\S+) requires rustc (?P<wants>[\d.]+)"
    r"|package `(?P<older>[^`\n]+)` cannot be built because it requires rustc (?P<least>[\d.]+) or newer, while the "
    r"currently active rustc version is (?P<active>[\d.]+)"
)
_OLD_CARGO = re.compile(
    r"this version of Cargo is older than the `\d+` edition|feature `edition\d+` is required|"
    r"lock file version `?\d+`? (?:was found, but this version of Cargo does not understand|requires `-Znext)"
)
# What cargo says where it fetches from what is not for everybody.
_NO_TOKEN = re.compile(r"no token found for `(?P<registry>[\w-]+)`")
_NO_INDEX = re.compile(r"registry index was not found in any configuration: `(?P<registry>[\w-]+)`")
_NO_PROVIDER = re.compile(
    r"Updating `(?P<registry>[\w-]+)` index\n(?s:.*?)authenticated registries require a credential-provider"
)
_REFUSED = re.compile(r"failed to get successful HTTP response from `(?P<url>[^`\s]+)`[^\n]*\bgot (?P<code>40[13])\b")
_NO_LOGIN = re.compile(
    r"[Uu]nable to update (?P<url>[a-z+]+://\S+?)(?:[?#]\S*)?\n(?s:.*?)"
    r"(?:failed to authenticate when downloading|no authentication methods succeeded|authentication required"
    r"|failed to receive HTTP 200 response: got 40[134])"
)
# What is said where a name is asked for and there is no network: by curl, git, wget, and the libraries of Rust, Python,
# Node and Go.
_BUILD_SCRIPT = re.compile(r"failed to run custom build command for `(?P<package>[^`\n]+?)(?: \([^`\n]*\))?`")
_NO_NETWORK = re.compile(
    r"[Cc]ould not resolve host|unable to resolve host|failed to lookup address information|[Dd]ns ?(?:error|Failed)"
    r"|Temporary failure in name resolution|Name or service not known|[Nn]etwork is unreachable|EAI_AGAIN"
    r"|error sending request for url|dial tcp: lookup "
)


# What is said of a source that is not there.
_UNREAD = re.compile(
    r"couldn't read `?([^`\n:]+)|to create the module `\w+`, create file \"([^\"\n]+)\""
    r"|failed to (?:read|open) `([^`\n]+)`|failed to read root of directory source: (\S+)"
)


def explain_compile(log: str, ignored: Collection[str] = (), sysroot: str = "") -> str:
    """What a failed compile lacked and what brings it, in a few lines; "" for a fault that is not known.

    `ignored` are places in the crate's folder that are no sources of it, `sysroot` is the folder of the C library of
    the user's own that it is linked with.
    """
    if sysroot and (names := dict.fromkeys(_UNDEFINED.findall(log))):
        few, more = list(names)[:_TOLD], len(names) - _TOLD
        rest = f" and {more} more" if more > 0 else ""
        return f"{sysroot} lacks what the program asks for: undefined symbol: {', '.join(few)}{rest}"
    lines = list(dict.fromkeys([*_explanations(log), *_ignored(log, ignored)]))
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
    yield from ((text, "") for text in (*_old_compiler(log), *_no_network(log), *_no_credentials(log)))
    if _LARGE_FILE.search(log):
        old = "the lock has a libc crate before 0.2.146, which asks for names that musl 1.2.4 dropped"
        yield f"{old}: `cargo update -p libc` mends it", ""


def _ignored(log: str, ignored: Collection[str]) -> Iterator[tuple[str, str]]:
    for found in _UNREAD.finditer(log):
        names = PurePosixPath(next(filter(None, found.groups()))).parts
        for place in sorted(place for place in ignored if PurePosixPath(place).name in names):
            yield f"git ignores {place}, which the compile needs: `git add --force {place}` makes it a source", ""


def _old_compiler(log: str) -> Iterator[str]:
    cure = "`cargo update` to an older release of it, or `invoke lock` for a newer toolchain"
    for found in _OLD_COMPILER.finditer(log):
        package, wants = found["package"] or found["older"], found["wants"] or found["least"]
        yield f"{package} requires rustc {wants}, and the toolchain has {found['has'] or found['active']}: {cure}"
    if _OLD_CARGO.search(log):
        yield f"the toolchain's cargo is too old for a manifest or the lock: {cure}"


def _no_network(log: str) -> Iterator[str]:
    script = _BUILD_SCRIPT.search(log)
    if script and _NO_NETWORK.search(log, script.start()):
        yield (
            f"the build script of {script['package']} asks for a network, and compiles have none: let the crate carry "
            "what it fetches (many have a feature or a variable that takes a local copy), or have it from a Debian "
            "package: toolchain-packages"
        )


def _no_credentials(log: str) -> Iterator[str]:
    for found in _NO_TOKEN.finditer(log):
        name = found["registry"]
        variable = f"CARGO_REGISTRIES_{name.upper().replace('-', '_')}_TOKEN"
        yield f"registry {name} wants a token: `cargo login --registry {name}` keeps one, or set {variable}"
    for found in _NO_INDEX.finditer(log):
        name = found["registry"]
        yield f"no registry {name} is known: set `registries.{name}.index` in the crate's own .cargo/config.toml"
    for found in _NO_PROVIDER.finditer(log):
        setting = f"registries.{found['registry']}.credential-provider"
        yield f'registry {found["registry"]} wants a token: set `{setting} = ["cargo:token"]` in .cargo/config.toml'
    for found in _REFUSED.finditer(log):
        yield f"{found['url']} answers {found['code']}: the token of its registry is absent or wrong (`cargo login`)"
    for found in _NO_LOGIN.finditer(log):
        asked = "git's credential helpers and the ssh-agent of SSH_AUTH_SOCK were asked"
        yield f"repository {found['url']} wants credentials; {asked}: `git ls-remote {found['url']}` tries them"
