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
