"""Which code looks host names up for a program, recognised by its bytes and the symbols that it imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.values import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="dns",
    heading="DNS",
    unit="text",
    order=76,
    meaning="who looks names up: hickory, found in the program, or libc's getaddrinfo, which it calls or holds",
)
_HICKORY = b"hickory"
# Messages of gai_strerror in glibc (EAI_AGAIN) and in musl (EAI_NONAME): a static program that uses getaddrinfo
# contains one of them.
_MESSAGES = (b"\0Temporary failure in name resolution\0", b"\0Name does not resolve\0")


def measure(subject: Subject) -> str | None:
    """`hickory` or `getaddrinfo`; None where neither is found."""
    if _HICKORY in subject.program:
        return "hickory"
    if "getaddrinfo" in subject.elf.imports or any(message in subject.program for message in _MESSAGES):
        return "getaddrinfo"
    return None
