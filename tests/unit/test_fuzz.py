"""Hostile ELF files and archives: each gives what it holds or one BareboatError, for work in proportion to its size."""

from __future__ import annotations

import random
import shutil
import struct
import tracemalloc
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.archive import manifest, open_image
from bareboat.elf import ElfFacts
from bareboat.errors import BareboatError
from tests.fuzz import fuzz_archive, fuzz_elf, harness

INPUTS = 10_000
SETTINGS = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
SEGMENT, DYNAMIC, NOTE = 1, 2, 4
DT_HASH, DT_GNU_HASH, DT_VERNEED, DT_VERDEF = 4, 0x6FFFFEF5, 0x6FFFFFFE, 0x6FFFFFFC
# What a chain's link may say to come back: a negative step, if one took it for signed or for 32 bits wide.
BACK = [2**32 - step for step in (1, 4, 8, 16, 20, 28, 32, 64)]
NUMBERS = st.sampled_from([*harness.LIES, *BACK, 16, 64, 4096]) | st.integers(0, 2**64 - 1) | st.integers(0, 4096)


def find_places(data):
    """The numbers in an undamaged little-endian 64-bit ELF file, each as (offset, struct form)."""
    yield from [(16, "H"), (24, "Q"), (32, "Q"), (40, "Q"), *((offset, "H") for offset in range(52, 64, 2))]
    segments_at, sections_at = struct.unpack_from("<QQ", data, 32)
    _, segments, _, sections = struct.unpack_from("<HHHH", data, 54)
    for start in range(segments_at, segments_at + 56 * segments, 56):
        yield from [(start, "I"), (start + 4, "I"), *((start + field, "Q") for field in (8, 16, 32, 40))]
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, start)
        if kind == DYNAMIC:
            yield from find_dynamic_places(data, offset, size)
        if kind == NOTE:
            yield from ((offset + field, "I") for field in (0, 4, 8))
    for start in range(sections_at, sections_at + 64 * sections, 64):
        yield from [(start + 4, "I"), (start + 24, "Q"), (start + 32, "Q")]


def find_dynamic_places(data, offset, size):
    for start in range(offset, offset + size, 16):
        tag, value = struct.unpack_from("<QQ", data, start)
        if tag == 0:
            break
        yield from [(start, "Q"), (start + 8, "Q")]
        if tag in {DT_HASH, DT_GNU_HASH}:
            yield from ((value + field, "I") for field in range(0, 40, 4))
        if tag in {DT_VERNEED, DT_VERDEF}:
            yield from find_version_places(data, value, is_needed=tag == DT_VERNEED)


def find_version_places(data, start, *, is_needed):
    """Every field of the chain's records, and of the chain that hangs on each; the tables are loaded where they lie."""
    first_field, following_field, link = (8, 12, 12) if is_needed else (12, 16, 4)
    while True:
        yield from [(start, "H"), (start + 2, "H"), *((start + field, "I") for field in (4, 8, 12, 16))]
        first, following = (
            struct.unpack_from("<I", data, start + field)[0] for field in (first_field, following_field)
        )
        yield from [(start + first + link - 4, "I"), (start + first + link, "I")]
        if not following:
            return
        start += following


def real_programs():
    paths = [Path(found) for found in map(shutil.which, ("true", "env")) if found]
    return tuple(data for data in (path.read_bytes() for path in paths) if data[:6] == b"\x7fELF\x02\x01")


PROGRAMS = (*fuzz_elf.SEEDS[:6], *real_programs())
PLACES = tuple(tuple(find_places(data)) for data in PROGRAMS)


@settings(SETTINGS, max_examples=1500)
@given(
    which=st.integers(0, len(PROGRAMS) - 1),
    lies=st.lists(st.tuples(st.integers(0, 10_000), NUMBERS), min_size=1, max_size=5),
)
def test_numbers_that_lie_bring_facts_or_one_error(which, lies):
    data, places = bytearray(PROGRAMS[which]), PLACES[which]
    for place, number in lies:
        offset, form = places[place % len(places)]
        struct.pack_into(f"<{form}", data, offset, number & (256 ** struct.calcsize(form) - 1))
    assert isinstance(fuzz_elf.check(bytes(data)), ElfFacts | BareboatError)


@settings(SETTINGS, max_examples=500)
@given(
    head=st.sampled_from([b"", b"\x7fELF\x02\x01\x01", b"\x7fELF\x01\x02\x01", PROGRAMS[0][:64], PROGRAMS[0][:400]]),
    rest=st.binary(max_size=600),
)
def test_random_bytes_bring_facts_or_one_error(head, rest):
    assert isinstance(fuzz_elf.check(head + rest), ElfFacts | BareboatError)


@pytest.mark.parametrize("data", PROGRAMS, ids=len)
def test_what_is_changed_here_is_sound_before(data):
    assert isinstance(fuzz_elf.check(data), ElfFacts)


def test_a_program_cut_off_anywhere_brings_facts_or_one_error():
    found = Counter(type(fuzz_elf.check(PROGRAMS[0][:kept])).__name__ for kept in range(len(PROGRAMS[0])))
    assert found == {"BareboatError": len(PROGRAMS[0])}


def count_answers(check, seeds):
    chance = random.Random(20)
    return Counter(type(check(harness.mutate(chance, seeds))).__name__ for _ in range(INPUTS))


def test_ten_thousand_changed_programs():
    found = count_answers(fuzz_elf.check, [*fuzz_elf.SEEDS, *real_programs()])
    assert found.keys() == {"ElfFacts", "BareboatError"}
    assert min(found.values()) > INPUTS // 10, "the changes are too coarse, or too fine, to test anything"


def test_ten_thousand_changed_archives(monkeypatch):
    # Half of the time would go into pydantic's making of the same four validators.
    monkeypatch.setattr(manifest, "TypeAdapter", cache(manifest.TypeAdapter))
    found = count_answers(fuzz_archive.check, fuzz_archive.make_seeds())
    assert found.keys() == {"dict", "BareboatError"}
    assert min(found.values()) > INPUTS // 10, "the changes are too coarse, or too fine, to test anything"


@pytest.mark.parametrize("number", range(len(fuzz_archive.make_seeds())))
def test_the_archives_changed_here_are_sound_before(number):
    assert len(fuzz_archive.check(fuzz_archive.make_seeds()[number])) > 1


def test_more_work_than_is_due_is_a_failure(monkeypatch):
    monkeypatch.setattr(harness, "STEPS_AT_LEAST", 100)
    monkeypatch.setattr(harness, "STEPS_PER_BYTE", 0)
    with pytest.raises(harness.TooMuchWorkError):
        fuzz_elf.check(PROGRAMS[0])


def test_another_exception_is_a_failure(monkeypatch):
    monkeypatch.setattr(fuzz_elf, "read_elf", lambda data: data[10**9])
    with pytest.raises(IndexError):
        fuzz_elf.check(b"")
    monkeypatch.setattr(fuzz_archive, "open_image", lambda path: open_image(path / "below"))
    monkeypatch.setattr("bareboat.archive.image._list_members", lambda path: path.name.index("!"))
    with pytest.raises(ValueError, match="substring"):
        fuzz_archive.check(b"")


def make_file(segments, body, *, kind=3):
    """An ELF file of these segments, (kind, address, size) with offsets from the body's start, and the body's start."""
    at = 64 + 56 * len(segments)
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHHHHH", kind, 62, 1, 0, 64, 0, 0, 64, 56, len(segments), 64, 0, 0)
    rows = (
        struct.pack("<IIQQQQQQ", kind, 4, at + start, start, start, size, size, 1) for kind, start, size in segments
    )
    return head + b"".join(rows) + body


def pack_tags(*tags):
    return b"".join(struct.pack("<QQ", *tag) for tag in tags)


def make_needing(count):
    """An ELF file in which each dynamic entry needs a library, and the last gives the table of names."""
    tags = pack_tags(*[(1, 0)] * count, (5, 0), (10, 16))
    return make_file([(SEGMENT, 0, 16 + len(tags)), (DYNAMIC, 16, len(tags))], b"lib.so".ljust(16, b"\0") + tags)


def make_versions(count, segments=0):
    """An ELF file that needs the same `count` versions of `count` libraries, with `segments` empty segments first."""
    needs = b"".join(
        struct.pack("<HHIII", 1, count, 0, 16 * (count - number), 16 * (number + 1 < count)) for number in range(count)
    )
    versions = b"".join(struct.pack("<IHHII", 0, 0, 2, 0, 16 * (number + 1 < count)) for number in range(count))
    body = b"lib.so".ljust(16, b"\0") + needs + versions
    tags = pack_tags((5, 0), (10, 16), (DT_VERNEED, 16), (DT_VERNEED + 1, count), (0, 0))
    parts = [(SEGMENT, 0, 0)] * segments + [(SEGMENT, 0, len(body + tags)), (DYNAMIC, len(body), len(tags))]
    return make_file(parts, body + tags)


def make_notes(count, size):
    """An ELF file whose segments of notes all are the same long note."""
    note = struct.pack("<III", 0, size, 1) + bytes(size)
    return make_file([(NOTE, 0, len(note))] * count, note, kind=2)


@pytest.mark.parametrize(
    "data",
    [make_needing(4000), make_versions(600), make_versions(60, segments=2000)],
    ids=["needed", "versions", "segments"],
)
def test_tables_that_point_to_one_another_take_work_in_proportion(data):
    assert isinstance(fuzz_elf.check(data), ElfFacts | BareboatError)


def test_notes_that_share_their_bytes_take_memory_in_proportion():
    data = make_notes(500, 100_000)
    tracemalloc.start()
    try:
        assert isinstance(fuzz_elf.check(data), ElfFacts | BareboatError)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(data)
