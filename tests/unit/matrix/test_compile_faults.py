"""What compiles say that fail for what the toolchain lacks: words of pkg-config, of linkers and of build scripts."""

from __future__ import annotations

import pytest

from bareboat.matrix.compile_faults import explain_compile

PKG_CONFIG = """\
  pkg-config exited with status code 1
  > PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config --libs --cflags libpq
  The system library `libpq` required by crate `pq-sys` was not found.
  The file `libpq.pc` needs to be installed and the PKG_CONFIG_PATH environment variable must contain its folder.
"""
ACTIVE = "while the currently active rustc version is 1.63.0\n"


def packages_in(said):
    (line,) = [line for line in said.splitlines() if line.strip().startswith("toolchain-packages")] or [""]
    return line.partition("= ")[2]


@pytest.mark.parametrize(
    ("log", "package", "words"),
    [
        (PKG_CONFIG, "libpq-dev", "library libpq, which crate pq-sys needs: package libpq-dev has it"),
        ("/usr/bin/ld: cannot find -lz: No such file or directory", "zlib1g-dev", "library z: package"),
        ("ld.lld: error: unable to find library -lsqlite3", "libsqlite3-dev", "library sqlite3"),
        ("/usr/bin/ld: cannot find -lstdc++", "g++", "library stdc++"),
        ("failed to execute command: No such file or directory (os error 2)\nis `cmake` not installed?", "cmake", ""),
        ("Error: Could not find `protoc`. If `protoc` is installed, try setting", "protobuf-compiler", ""),
        (
            "Unable to find libclang: \"couldn't find any valid shared libraries matching: ['libclang.so']",
            "libclang-dev",
            "",
        ),
        ('error occurred: failed to find tool "c++": No such file or directory (os error 2)', "g++", ""),
        ("nasm: command not found", "nasm", ""),
    ],
)
def test_what_is_lacked_is_told_with_the_package_that_has_it(log, package, words):
    said = explain_compile(f"   Compiling x v0.1.0\n{log}\nerror: could not compile\n")
    assert packages_in(said) == f'["{package}"]'
    assert words in said
    assert "[package.metadata.bareboat]" in said


def test_several_are_one_line_to_add_and_each_is_told_once():
    said = explain_compile(f"{PKG_CONFIG}{PKG_CONFIG}ld: cannot find -lz\n")
    assert packages_in(said) == '["libpq-dev", "zlib1g-dev"]'
    assert said.count("which crate pq-sys needs") == 1


def test_where_no_package_is_known_the_way_to_find_it_is_told():
    said = explain_compile("The system library `foo-2.0` required by crate `foo-sys` was not found.\n")
    assert "apt-file search foo-2.0" in said
    assert "toolchain-packages" not in said
    assert "apt-file search ev.h" in explain_compile("src/x.c:1:10: fatal error: ev.h: No such file or directory\n")


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (
            "error: rustc 1.95.0 is not supported by the following package:\n  app@0.1.0 requires rustc 1.999\n",
            "app@0.1.0 requires rustc 1.999, and the toolchain has 1.95.0: ",
        ),
        (
            f"error: package `app v0.1.0 (/src)` cannot be built because it requires rustc 1.99 or newer, {ACTIVE}",
            "app v0.1.0 (/src) requires rustc 1.99, and the toolchain has 1.63.0: ",
        ),
        (
            "  this version of Cargo is older than the `2030` edition, and only supports `2015`",
            "the toolchain's cargo is too old",
        ),
        ("feature `edition2024` is required", "the toolchain's cargo is too old"),
        (
            "  lock file version `5` was found, but this version of Cargo does not understand this lock file, perhaps",
            "the toolchain's cargo is too old",
        ),
    ],
)
def test_a_compiler_that_is_too_old_is_told_with_both_versions(log, words):
    assert words in explain_compile(log).partition("\n")[0]


NO_LOGIN = """\
error: failed to get `lib` as a dependency of package `app v0.1.0 (/src)`

Caused by:
  Unable to update https://git.example.com/lib.git?branch=main#0123abc

Caused by:
  failed to clone into: /cargo/git/db/lib-0123

Caused by:
  failed to authenticate when downloading repository

  * attempted ssh-agent authentication, but no usernames succeeded: `git`
"""


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (
            "error: no token found for `my-own`, please run `cargo login --registry my-own`\n",
            "my-own wants a token: `cargo login --registry my-own` keeps one, or set CARGO_REGISTRIES_MY_OWN_TOKEN",
        ),
        (
            "  registry index was not found in any configuration: `my-own`\n",
            "no registry my-own is known: set `registries.my-own.index` in the crate's own .cargo/config.toml",
        ),
        (
            "  failed to get successful HTTP response from `https://r.example.com/dl/x` (192.0.2.1), got 401\n",
            "https://r.example.com/dl/x answers 401: the token of its registry is absent or wrong (`cargo login`)",
        ),
        (
            "    Updating `my-own` index\n  authenticated registries require a credential-provider to be configured\n",
            'registry my-own wants a token: set `registries.my-own.credential-provider = ["cargo:token"]` in ',
        ),
        (NO_LOGIN, "repository https://git.example.com/lib.git wants credentials; "),
        (NO_LOGIN, "`git ls-remote https://git.example.com/lib.git` tries them"),
    ],
)
def test_what_is_not_for_everybody_is_named_with_the_setting(log, words):
    (line,) = explain_compile(log).splitlines()
    assert words in line


@pytest.mark.parametrize(
    "log",
    [
        "error: couldn't read `src/gen/built.rs`: No such file or directory (os error 2)",
        "error: couldn't read src/gen/built.rs: No such file or directory (os error 2)",
        '= help: to create the module `built`, create file "src/gen/built.rs" or "src/gen/built/mod.rs"',
        "error: failed to open `gen/built.rs`",
        "  failed to read root of directory source: /src/src/gen/built.rs\n",
    ],
)
@pytest.mark.parametrize("place", ["src/gen", "src/gen/built.rs"])
def test_a_source_that_git_ignores_is_named_where_it_is_missed(log, place):
    said = explain_compile(log, {place, "other.rs", "node_modules"})
    assert said == f"git ignores {place}, which the compile needs: `git add --force {place}` makes it a source"
    assert explain_compile(log, {"other.rs"}) == ""


@pytest.mark.parametrize(
    "said",
    [
        "curl: (6) Could not resolve host: github.com",
        "fatal: unable to access 'https://github.com/x/y/': Could not resolve host: github.com",
        "wget: unable to resolve host address 'github.com'",
        "error sending request for url (https://github.com/x)",
        "dns error: failed to lookup address information: Temporary failure in name resolution",
        "https://x/: Dns Failed: resolve dns name 'x:443'",
        "urllib.error.URLError: <urlopen error [Errno -2] Name or service not known>",
        "connect: Network is unreachable (os error 101)",
        "npm ERR! request failed, reason: getaddrinfo EAI_AGAIN registry.npmjs.org",
    ],
)
def test_a_build_script_that_wants_a_network_is_told_that_there_is_none(said):
    failed = "error: failed to run custom build command for `fetcher v0.1.0 (/src)`\n"
    told = explain_compile(f"{failed}\n  --- stderr\n  {said}\n")
    assert told.startswith("the build script of fetcher v0.1.0 asks for a network, and compiles have none: ")
    # Where cargo itself finds no registry, no build script is to blame; nor where a script fails for something else.
    assert explain_compile(f"{said}\n") == ""
    assert explain_compile(failed) == ""


@pytest.mark.parametrize(
    "log",
    [
        "rust-lld: error: undefined symbol: open64\n>>> referenced by sys.rs",
        "/usr/bin/ld: x.o: undefined reference to `lseek64'",
        "undefined reference to `fstat64'",
    ],
)
def test_an_old_libc_crate_on_musl_is_known(log):
    assert "cargo update -p libc" in explain_compile(log)


@pytest.mark.parametrize(
    "log",
    [
        "ld.lld: error: undefined symbol: __isoc23_strtol\n>>> referenced by fe-connect.o",
        "/usr/bin/ld: x.o: undefined reference to `__cxa_thread_atexit_impl'",
        "undefined reference to `__memcpy_chk'",
        "/usr/bin/ld: cannot find -lgcc_s: No such file or directory",
        "pkg-config has not been configured to support cross-compilation.\n",
    ],
)
def test_a_library_for_glibc_that_meets_musl_is_known(log):
    said = explain_compile(log)
    assert "is for glibc, and this is musl: where the crate can compile its own" in said
    assert "toolchain-packages" not in said


@pytest.mark.parametrize(
    "log",
    [
        "",
        "error[E0425]: cannot find value `x` in this scope",
        "undefined symbol: my_open64_thing",
        "undefined reference to `foo'",
        "warning: unused: cmake",
        "error: linking with `cc` failed: exit status: 1",
    ],
)
def test_nothing_is_made_up_of_another_fault(log):
    assert explain_compile(log) == ""


def test_what_a_c_library_of_ones_own_lacks_is_told_by_its_symbols_alone():
    lld = "ld.lld: error: undefined symbol: {0}\n>>> referenced by x.rs\n>>>     x.o:(std::x) in archive libstd.rlib\n"
    gnu = "/usr/bin/ld: x.o: undefined reference to `{0}'\n"
    said = explain_compile(lld.format("write") + gnu.format("open64") + lld.format("write"), sysroot="~/own")
    assert said == "~/own lacks what the program asks for: undefined symbol: write, open64"
    many = explain_compile("".join(lld.format(f"f{number}") for number in range(10)), sysroot="own")
    assert many.endswith(": f0, f1, f2, f3, f4, f5, f6, f7 and 2 more")
    # Another fault is what it is with every C library.
    assert "package zlib1g-dev has it" in explain_compile("ld: cannot find -lz\n", sysroot="own")
