"""Programs of a few bytes for the tests' containers, so that no test needs a compiler."""

from __future__ import annotations

import platform
import struct

import pytest

from bareboat.doctor.try_runtimes import exit_program

# In the place of exit(0) at the program's end: exit(7) and a loop without end, by the kernel's calling convention.
EXIT_7 = {"x86_64": bytes.fromhex("6a075f 6a3c58 0f05 90"), "aarch64": bytes.fromhex("e00080d2 a80b80d2 010000d4")}
FOREVER = {"x86_64": bytes.fromhex("ebfe") + b"\x90" * 7, "aarch64": bytes.fromhex("00000014") * 3}

# write(1, "out\n", 4); write(2, "err\n", 4); exit(argc), and below it the two words.
_SPEAK = bytes.fromhex(
    "b801000000 bf01000000 488d3529000000 ba04000000 0f05"
    "b801000000 bf02000000 488d3515000000 ba04000000 0f05"
    "8b3c24 b83c000000 0f05"
)
# Block SIGTERM by rt_sigprocmask; write both words as above; wait for SIGTERM by rt_sigtimedwait; exit(7). Below it lie
# the set of signals and the two words.
_AWAIT = bytes.fromhex(
    "31ff 488d3563000000 31d2 41ba08000000 b80e000000 0f05"
    "b801000000 bf01000000 488d354b000000 ba04000000 0f05"
    "b801000000 bf02000000 488d3537000000 ba04000000 0f05"
    "488d3d1d000000 31f6 31d2 41ba08000000 b880000000 0f05"
    "bf07000000 b83c000000 0f05"
    "0040000000000000"
)
LINE = b"a" * 4095 + b"\n"
# write(1, line, 4096), again and again.
_FLOOD = bytes.fromhex("b801000000 bf01000000 488d3509000000 ba00100000 0f05 ebe6")
# mmap() a GiB (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE); write to each page; exit(0).
_DEVOUR = bytes.fromhex(
    "31ff be00000040 ba03000000 41ba22400000 49c7c0ffffffff 4531c9 b809000000 0f05"
    "b900000400 c60001 480500100000 ffc9 75f3 31ff b83c000000 0f05"
)
# fork() until it fails, while each child is in pause(); write(2, words, 39); exit(11).
_MULTIPLY = bytes.fromhex(
    "b839000000 0f05 85c0 7ff5 7809 b822000000 0f05 ebf7"
    "bf02000000 488d3518000000 ba27000000 b801000000 0f05 bf0b000000 b83c000000 0f05"
)


def program(code=None):
    """A static program: it ends with 0, or does what `code` says."""
    whole = exit_program(platform.machine())
    if whole is None:
        pytest.skip(f"no program for {platform.machine()}")
    return whole if code is None else whole[: -len(code[platform.machine()])] + code[platform.machine()]


def speaking():
    """Says a word on each output and ends with the number of its arguments, itself counted."""
    return _with_code(_SPEAK + b"out\nerr\n")


def awaiting():
    """Says a word on each output, waits for SIGTERM, and ends with 7."""
    return _with_code(_AWAIT + b"out\nerr\n")


def flooding():
    """Writes lines until it is killed."""
    return _with_code(_FLOOD + LINE)


def devouring():
    """Takes a GiB of memory."""
    return _with_code(_DEVOUR)


def multiplying():
    """Makes processes until it cannot, says so, and ends with 11."""
    return _with_code(_MULTIPLY + b"fork: Resource temporarily unavailable\n")


def _with_code(code):
    if platform.machine() != "x86_64":
        pytest.skip("a program of x86_64")
    head = bytearray(program()[:120])
    head[96:112] = struct.pack("<QQ", 120 + len(code), 120 + len(code))
    return bytes(head) + code
