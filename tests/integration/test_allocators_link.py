"""Allocators beside and in the place of the C library's own: what they add, and that a library given one uses no other.

The variants that take long are no part of it: jemalloc compiles for almost a minute.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bareboat.elf import read_symbols
from tests.integration.harbour import ONCE, ROOT, Project, podman, saved

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.podman, pytest.mark.network, ONCE]

SAMPLE = "smallest-allocator"
VARIANTS = (SAMPLE, f"{SAMPLE}+malloc-mimalloc", f"{SAMPLE}+rpmalloc", f"{SAMPLE}+talc")
IMAGE = "localhost/bareboat/calls-c:scratch-musl"
# What musl's malloc and free call of each other.
OWN = {"__libc_malloc_impl", "__malloc_alloc_meta"}
CARGO_TOML = """
[package]
name = "calls-c"
version = "0.1.0"
edition = "2024"

[dependencies]
libmimalloc-sys = { version = "0.1", default-features = false, features = ["override"] }

[package.metadata.bareboat]
cargo.link_rustflags = ["-lstatic:+whole-archive=mimalloc"]
expect.stdout = "21 blocks, of musl's own malloc: []\\n"
"""
CARGO_LOCK = """
version = 4

[[package]]
name = "calls-c"
version = "0.1.0"
dependencies = ["libmimalloc-sys"]

[[package]]
name = "cc"
version = "1.11.3"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "02f0e023adb368345ce0ca6cdfc0f24a06554468d0e8503e14a0841de79bfa69"
dependencies = [
 "find-msvc-tools",
 "shlex",
]

[[package]]
name = "find-msvc-tools"
version = "0.1.15"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "1c66915cc5391097de7a2b0b972e8505aa33c0df401fd3a6811dbdb32881ba48"

[[package]]
name = "libmimalloc-sys"
version = "0.1.49"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "6a45a52f43e1c16f667ccfe4dd8c85b7f7c204fd5e3bf46c5b0db9a5c3c0b8e9"
dependencies = [
 "cc",
]

[[package]]
name = "shlex"
version = "2.0.1"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "f8fadd59c855ef2080decdef8ff161eb6661b86933c9d82e5ba29dc602a55aba"
"""
# Functions of the C library that hand out memory are asked for some, and mimalloc whether it knows it. What is freed or
# grown was allocated by another function, on another thread or in another process.
MAIN_RS = r"""
use std::ffi::{c_char, c_int, c_void};
use std::{ptr, thread};

type Block = *mut c_void;

unsafe extern "C" {
    fn mi_is_in_heap_region(block: *const c_void) -> bool;
    fn aligned_alloc(alignment: usize, size: usize) -> Block;
    fn asprintf(text: *mut Block, format: *const c_char, ...) -> c_int;
    fn calloc(count: usize, size: usize) -> Block;
    fn fclose(file: Block) -> c_int;
    fn fmemopen(buffer: *const c_char, size: usize, mode: *const c_char) -> Block;
    fn fork() -> c_int;
    fn fputs(text: *const c_char, file: Block) -> c_int;
    fn free(block: Block);
    fn freeaddrinfo(found: Block);
    fn getaddrinfo(host: *const c_char, port: *const c_char, hints: *const c_void, found: *mut Block) -> c_int;
    fn getcwd(buffer: *mut c_char, size: usize) -> Block;
    fn getdelim(line: *mut Block, size: *mut usize, delimiter: c_int, file: Block) -> isize;
    fn getline(line: *mut Block, size: *mut usize, file: Block) -> isize;
    fn malloc(size: usize) -> Block;
    fn malloc_usable_size(block: Block) -> usize;
    fn memalign(alignment: usize, size: usize) -> Block;
    fn open_memstream(text: *mut Block, size: *mut usize) -> Block;
    fn posix_memalign(block: *mut Block, alignment: usize, size: usize) -> c_int;
    fn realloc(block: Block, size: usize) -> Block;
    fn reallocarray(block: Block, count: usize, size: usize) -> Block;
    fn realpath(path: *const c_char, resolved: *mut c_char) -> Block;
    fn regcomp(expression: *mut Block, text: *const c_char, flags: c_int) -> c_int;
    fn regfree(expression: *mut Block);
    fn scandir(folder: *const c_char, names: *mut *mut Block, filter: *const c_void, order: *const c_void) -> c_int;
    fn strdup(text: *const c_char) -> Block;
    fn strndup(text: *const c_char, most: usize) -> Block;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(code: c_int) -> !;
}

#[derive(Default)]
struct Seen {
    blocks: usize,
    strange: Vec<&'static str>,
}

impl Seen {
    fn look(&mut self, name: &'static str, block: Block) -> Block {
        self.blocks += 1;
        if block.is_null() || unsafe { !mi_is_in_heap_region(block) } {
            self.strange.push(name);
        }
        block
    }
}

unsafe fn made(make: impl FnOnce(*mut Block)) -> Block {
    let mut block = ptr::null_mut();
    make(&raw mut block);
    block
}

unsafe fn blocks_of_memory(seen: &mut Seen) { unsafe {
    free(seen.look("malloc", malloc(1)));
    let zeroed = seen.look("calloc", calloc(1000, 1000));
    assert!((0..1_000_000).all(|at| *zeroed.cast::<u8>().add(at) == 0));
    let grown = seen.look("realloc", realloc(zeroed, 3_000_000));
    assert!(malloc_usable_size(grown) >= 3_000_000);
    free(seen.look("reallocarray", reallocarray(grown, 10, 10)));
    for (name, block) in [
        ("aligned_alloc", aligned_alloc(4096, 8192)),
        ("memalign", memalign(256, 100)),
        ("posix_memalign", made(|block| assert_eq!(posix_memalign(block, 1 << 16, 100), 0))),
    ] {
        assert_eq!(seen.look(name, block) as usize % 256, 0);
        free(block);
    }
    free(seen.look("realloc(null)", realloc(ptr::null_mut(), 1)));
} }

unsafe fn texts(seen: &mut Seen) { unsafe {
    let grown = realloc(seen.look("strdup", strdup(c"a text".as_ptr())), 100_000);
    free(seen.look("realloc(strdup)", grown));
    free(seen.look("strndup", strndup(c"a text".as_ptr(), 3)));
    free(seen.look("asprintf", made(|text| assert_eq!(asprintf(text, c"%0999d".as_ptr(), 1 as c_int), 999))));
    free(seen.look("realpath", realpath(c"/proc/self".as_ptr(), ptr::null_mut())));
    free(seen.look("getcwd", getcwd(ptr::null_mut(), 0)));
    let text = "one\ntwo".repeat(1000);
    let file = seen.look("fmemopen", fmemopen(text.as_ptr().cast(), text.len(), c"r".as_ptr()));
    let (mut line, mut size) = (ptr::null_mut(), 0);
    assert_eq!(getline(&mut line, &mut size, file), 4);
    seen.look("getline", line);
    assert_eq!(getdelim(&mut line, &mut size, 0, file), text.len() as isize - 4);
    free(seen.look("getdelim", line));
    fclose(file);
    let (mut text, mut size) = (ptr::null_mut(), 0);
    let file = open_memstream(&mut text, &mut size);
    (0..10_000).for_each(|_| assert!(fputs(c"0123456789".as_ptr(), file) >= 0));
    fclose(file);
    assert_eq!(size, 100_000);
    free(seen.look("open_memstream", text));
} }

unsafe fn structures(seen: &mut Seen) { unsafe {
    let found = made(|found| {
        assert_eq!(getaddrinfo(c"127.0.0.1".as_ptr(), c"80".as_ptr(), ptr::null(), found), 0);
    });
    freeaddrinfo(seen.look("getaddrinfo", found));
    let mut names = ptr::null_mut();
    let count = scandir(c"/proc/self".as_ptr(), &mut names, ptr::null(), ptr::null());
    assert!(count > 10);
    (0..count as usize).for_each(|at| free(*names.add(at)));
    free(seen.look("scandir", names.cast()));
    // A regex_t is 64 bytes, of which the second word points to what was allocated.
    let mut expression = [ptr::null_mut(); 16];
    assert_eq!(regcomp(expression.as_mut_ptr(), c"(a|b)*c{2,9}".as_ptr(), 1), 0);
    seen.look("regcomp", expression[1]);
    regfree(expression.as_mut_ptr());
} }

unsafe fn threads_and_processes() { unsafe {
    let threads: Vec<_> = (0..8)
        .map(|_| thread::spawn(|| (0..10_000).map(|_| strdup(c"a text".as_ptr()) as usize).collect::<Vec<_>>()))
        .collect();
    let child = fork();
    if child == 0 {
        let blocks: Vec<_> = (1..1000).map(|size| malloc(size)).collect();
        blocks.into_iter().for_each(|block| free(block));
        _exit(7);
    }
    for thread in threads {
        thread.join().unwrap().into_iter().for_each(|block| free(block as Block));
    }
    let mut status = 0;
    assert_eq!((waitpid(child, &mut status, 0), status), (child, 7 << 8));
} }

fn main() {
    let mut seen = Seen::default();
    unsafe {
        assert!(!mi_is_in_heap_region((&raw const seen).cast()), "it knows what is on the stack");
        blocks_of_memory(&mut seen);
        texts(&mut seen);
        structures(&mut seen);
        threads_and_processes();
    }
    println!("{} blocks, of musl's own malloc: {:?}", seen.blocks, seen.strange);
}
"""


def test_an_allocator_adds_what_it_weighs_and_one_that_crashes_is_known_to(tmp_path: Path) -> None:
    samples = [f"--sample={name}" for name in VARIANTS]
    words = ("build-matrix", *samples, "--recipe=scratch-musl", "--all", "--bases=bootstrap", "--format=json")
    answer = Project(root=ROOT).invoke(*words, f"--results={tmp_path}")
    assert answer.returncode == 0, answer.stderr + answer.stdout
    found = {row["sample"]: row for row in json.loads(answer.stdout)}
    outcomes = {name.rpartition("+")[2]: row["outcome"] for name, row in found.items()}
    assert outcomes == {SAMPLE: "passed", "malloc-mimalloc": "passed", "talc": "passed", "rpmalloc": "failed"}
    own = found[SAMPLE]["program_size_bytes"]
    weighed = {name: row["program_size_bytes"] for name, row in found.items() if row["outcome"] == "passed"}
    added = {name.rpartition("+")[2]: size - own for name, size in weighed.items()}
    assert 2_000 < added["talc"] < 20_000
    assert 100_000 < added["malloc-mimalloc"] < 200_000


def test_all_of_the_c_library_allocates_by_the_malloc_that_is_linked_before_it(tmp_path: Path) -> None:
    crate = tmp_path / "calls-c"
    (crate / "src").mkdir(parents=True)
    for name, content in {"Cargo.toml": CARGO_TOML, "Cargo.lock": CARGO_LOCK, "src/main.rs": MAIN_RS}.items():
        (crate / name).write_text(content, encoding="utf-8")
    words = ("build-matrix", f"--crate={crate}", "--recipe=scratch-musl", "--bases=bootstrap", "--format=json")
    try:
        answer = Project(root=ROOT).invoke(*words, f"--results={tmp_path / 'results'}")
        assert answer.returncode == 0, answer.stderr + answer.stdout
        with saved(IMAGE, tmp_path) as image:
            places = {symbol.name: symbol.address for symbol in image.read_as("calls-c", read_symbols)}
    finally:
        podman("rmi", "--force", IMAGE)
    assert places["malloc"] == places["__libc_malloc"] == places["mi_malloc"]
    assert not OWN & set(places), "nothing of musl's own allocator is in the program"
