"""What is generated from the types of what users write: the schemas, and the page that names every key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bareboat.inputs.reference import reference_page
from bareboat.inputs.schema import metadata_schema, recipe_schema
from bareboat.system.files import write_whole

_PACKAGE = Path(__file__).parents[1]


def write_reference() -> str:
    """Write all of it anew; returns the files, a line each. An installed package has no docs/."""
    texts = {path: text for path, text in reference_texts().items() if path.parent.is_dir()}
    for path, text in texts.items():
        write_whole(path, text.encode())
    return "\n".join(map(str, texts))


def reference_texts() -> dict[Path, str]:
    """What is committed, by its place in a checkout."""
    return {
        _PACKAGE / "recipe.schema.json": _json(recipe_schema()),
        _PACKAGE / "metadata.schema.json": _json(metadata_schema()),
        _PACKAGE.parent / "docs" / "reference.md": reference_page(),
    }


def _json(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2) + "\n"
