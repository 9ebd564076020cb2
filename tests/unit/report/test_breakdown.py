"""What bytes are, as text of 80 columns whose per cents add up, and as JSON."""

from __future__ import annotations

import json

import pytest

from bareboat.breakdown import Breakdown, Row, Stowaway
from bareboat.report import breakdown_json, breakdown_text
from bareboat.report.breakdown import WIDTH, share

SYMBOLS = tuple(Row(kind="symbol", name=f"core::f{number}::<{'x' * 90}>", size_bytes=100) for number in range(40))
CRATE = Row(kind="crate", name="core", size_bytes=4000, rows=SYMBOLS)
OTHER = Row(kind="crate", name="std", size_bytes=500)
TEXT = Row(kind="section", name=".text", size_bytes=4500, rows=(CRATE, OTHER))
PROGRAM = Row(kind="file", name="/app", size_bytes=4500, rows=(TEXT,))
TAR = Row(kind="overhead", name="tar headers and padding", size_bytes=1500)
PACKAGE = Row(kind="package", name="the program", size_bytes=4500, rows=(PROGRAM,))
LAYER = Row(kind="layer", name="layer 1 of 1", size_bytes=6000, rows=(PACKAGE, TAR))
IMAGE = Row(kind="image", name="image", size_bytes=6000, rows=(LAYER,))
STOWAWAY = Stowaway(kind="files that are there twice", size_bytes=9, count=1, examples=("/a\x1b[31m = /b",))


def found(image=IMAGE, program=PROGRAM, stowaways=(STOWAWAY,)):
    return Breakdown(
        cell="app@scratch-musl",
        image_id="sha256:0123456789abcdef",
        image=image,
        program=program,
        same_twin=True,
        twin=".text is the same byte by byte",
        stowaways=stowaways,
    )


def test_a_tree_tells_the_biggest_first_and_how_many_more():
    text = breakdown_text(found(), 2)
    lines = text.splitlines()
    assert all(len(line) <= WIDTH for line in lines)
    assert lines[0] == "app@scratch-musl (0123456789ab): 6 kB (6000 bytes)"
    names = [line[28:].strip() for line in lines[2:] if " % " in line[:9]]
    assert names[:2] == ["image: layer 1 of 1", "the program: /app: .text"]
    assert names[-3:] == ["and 38 more", "std", "tar headers and padding"]
    assert " 63.3 %   3.8 kB" in text
    assert "…" in text
    assert "/a\\x1b[31m = /b" in text, "a terminal must obey no file name"


def test_per_cents_add_up_at_every_level():
    def check(row):
        rows = row.get("rows", [])
        if rows:
            assert sum(one["size_bytes"] for one in rows) == row["size_bytes"]
            assert round(sum(one["percent"] for one in rows), 6) == round(row["percent"], 6)
        for one in rows:
            check(one)

    told = json.loads(breakdown_json(found()))
    assert told["image"]["percent"] == 100.0
    check(told["image"])
    assert told["twin"] == {"same": True, "says": ".text is the same byte by byte"}
    assert told["stowaways"] == [
        {"kind": "files that are there twice", "size_bytes": 9, "count": 1, "examples": ["/a\x1b[31m = /b"]}
    ]
    by_depth = {0: 0.0, 2: 0.0}
    for line in breakdown_text(found(), 2).splitlines():
        if " % " in line[:9]:
            depth = len(line[28:]) - len(line[28:].lstrip())
            by_depth[depth] = by_depth.get(depth, 0.0) + float(line[:5])
    assert {depth: round(percent, 1) for depth, percent in by_depth.items()} == {0: 100.0, 2: 100.0, 4: 75.0, 6: 66.7}


@pytest.mark.parametrize("sizes", [[1, 1, 1], [7, 0, 2, 990], [5], [1] * 999, [0, 0]])
def test_shares_are_whole_and_lose_nothing(sizes):
    assert sum(share(1000, sizes)) == (1000 if sum(sizes) else 0)
    assert all(part >= 0 for part in share(1000, sizes))


def test_a_small_program_on_a_large_base_is_told_once_more():
    base = Row(kind="layer", name="layer 1 of 2, of the base", size_bytes=994_000)
    image = Row(kind="image", name="image", size_bytes=1_000_000, rows=(base, LAYER))
    text = breakdown_text(found(image, stowaways=()), 5)
    assert "the program alone, in per cent of it:" in text
    assert "no stowaways: " in text
    assert "the program alone" not in breakdown_text(found(), 5)
