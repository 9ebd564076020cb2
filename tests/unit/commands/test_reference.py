"""The schemas and the page of every key are those of the code."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest
import tomli

from bareboat.commands.reference import reference_texts
from bareboat.inputs.base import Alpine, Base, Debian, Distroless, SameAs
from bareboat.inputs.cargo import Cargo
from bareboat.inputs.expectation import Expectation
from bareboat.inputs.recipe import Compile, Copy, Published, Recipe, Runtime
from bareboat.inputs.sample import Metadata, Variant
from bareboat.inputs.schema import _explanations, metadata_schema
from tests.unit.project import ROOT

TEXTS = reference_texts()
PAGE = TEXTS[ROOT / "docs" / "reference.md"]
KINDS = (
    *(Alpine, Base, Debian, Distroless, SameAs, Compile, Copy, Published, Recipe, Runtime),
    *(Cargo, Expectation, Metadata, Variant),
)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_what_is_committed_is_what_the_code_says(path):
    # `invoke recipes --schema` writes them.
    assert path.read_text(encoding="utf-8") == TEXTS[path]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_page_has_a_row_for_every_key(kind):
    written = {"copies": "copy", "provisions": "with", "source": "from", "excuses": "excuse"}
    written["toolchain_packages"] = "toolchain-packages"
    for name in {field.name for field in fields(kind)} - ({"name"} if kind is Recipe else set()):
        assert f"\n| `{written.get(name, name)}` |" in PAGE


def test_a_row_says_value_default_and_meaning():
    assert "| `writable` | `true` or `false` | `false` | Whether the run may write to the image's own root" in PAGE
    assert '| `crt` | `"static"` or `"dynamic"` | required | How libc is linked' in PAGE
    assert "| `with` | table of list of text |  | By pattern of recipe, provisions" in PAGE
    assert "| `toolchain-packages` | list of text |  | Debian packages" in PAGE


def test_every_row_of_the_page_is_explained():
    unexplained = [line for line in PAGE.splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert {line.split("`")[1] for line in unexplained} <= {"kind"}


def test_each_table_has_one_section():
    headings = [line for line in PAGE.splitlines() if line.startswith("#")]
    assert len(headings) == len(set(headings))
    assert "### `[[copy]]`" in headings


def test_the_schema_of_the_table_knows_the_keys_of_every_sample():
    known = set(metadata_schema()["properties"])
    for manifest in (ROOT / "rust-samples").glob("*/Cargo.toml"):
        assert set(tomli.loads(manifest.read_text())["package"]["metadata"]["bareboat"]) <= known


@dataclass
class Explained:
    # Above it,
    # in two lines.
    above: int
    behind: int = 0  # behind it
    below: str = "#"
    """Below it."""
    none: int = 0


def test_a_field_is_explained_above_behind_or_below_it():
    assert dict(_explanations(Explained)) == {
        "above": "Above it,\nin two lines.",
        "behind": "behind it",
        "below": "Below it.",
    }
