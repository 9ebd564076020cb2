"""The page that names every key that a user may write, made of the JSON schemas. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bareboat.inputs.schema import metadata_schema, provision_schema, recipe_schema, toolchain_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTRODUCTION = """\
# Every key

Of `Cargo.toml` and of recipe files. A key that is not here is an error, which says what was probably meant. How recipes
and samples are made is in [CONTRIBUTING.md](../CONTRIBUTING.md); an editor checks a recipe while you write it where its
first line names [the schema](../bareboat/recipe.schema.json). `invoke recipes --schema` writes this page anew.
"""
_TABLE = "package.metadata.bareboat"
_PLAIN = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
_REF = "$ref"


def reference_page() -> str:
    """The page, in Markdown."""
    files = (
        (f"`Cargo.toml`: `[{_TABLE}]`", _TABLE, metadata_schema()),
        ("A recipe: `recipes/NAME.toml`", "", recipe_schema()),
        ("A provision: `recipes/provisions/NAME.toml`", "", provision_schema()),
        ("A toolchain: `recipes/toolchains/NAME.toml`", "", toolchain_schema()),
    )
    told: dict[str, str] = {}
    sections = [line for title, path, schema in files for line in _File(schema, told).sections(title, path)]
    return "\n".join([_INTRODUCTION, *sections])


@dataclass(frozen=True, slots=True)
class _File:
    """What a file may hold."""

    schema: dict[str, Any]
    # By a table's place in the schemas, the heading below which its keys are.
    told: dict[str, str]
    # The tables that came up in a section and have none yet: heading, dotted path, and place in the schema.
    found: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def sections(self, title: str, path: str) -> Iterator[str]:
        """A section for the file's own keys, then one for each table in it."""
        waiting = [(f"## {title}", path, self.schema)]
        while waiting:
            heading, path, node = waiting.pop(0)
            needed = node.get("required", ())
            rows = [self._row(key, path, one, needed=key in needed) for key, one in node["properties"].items()]
            yield f"{heading}\n\n{_line(node.get('description', ''))}\n"
            yield "| Key | Value | Default | Meaning |\n|:---|:---|:---|:---|"
            yield "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"
            waiting = [*self.found, *waiting]
            self.found.clear()

    def _row(self, key: str, path: str, node: dict[str, Any], *, needed: bool) -> tuple[str, str, str, str]:
        value = self._value(node, f"{path}.{key}" if path else key)
        meaning = node.get("description") or self._resolve(node).get("description", "")
        return f"`{key}`", value, "required" if needed else _default(node), _line(meaning)

    def _value(self, node: dict[str, Any], place: str) -> str:
        """What may be written; tables with keys of their own are noted, unless there is a section of them."""
        options = [one for one in (*node.get("anyOf", ()), *node.get("oneOf", ())) if one.get("type") != "null"]
        if options:
            return " or ".join(self._value(option, place) for option in options)
        if _REF in node:
            return self._table(node[_REF], f"[{place}]", place)
        if "const" in node or "enum" in node:
            return " or ".join(f"`{json.dumps(word)}`" for word in node.get("enum", [node.get("const")]))
        return self._plain(node, place)

    def _plain(self, node: dict[str, Any], place: str) -> str:
        match node["type"]:
            case "array" if _REF in node["items"]:
                return self._table(node["items"][_REF], f"[[{place}]]", place)
            case "array":
                return f"list of {self._value(node['items'], place)}"
            case "object":
                inner = next(iter(node.get("patternProperties", {}).values()), node.get("additionalProperties", {}))
                return f"table of {self._value(inner, f'{place}.NAME')}"
            case kind:
                return _PLAIN[kind]

    def _table(self, reference: str, name: str, path: str) -> str:
        if reference in self.told:
            return f"`{name}`, as {self.told[reference]}".replace(f"`{name}`, as `{name}`", f"`{name}`, as above")
        node = self._resolve({_REF: reference})
        kind = node["properties"].get("kind", {}).get("const", "")
        heading = f"`{name}`" + (f' with `kind = "{kind}"`' if kind else "")
        self.told[reference] = heading
        self.found.append((f"### {heading}", path, node))
        return heading

    def _resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.schema["$defs"][node[_REF].rsplit("/", 1)[-1]] if _REF in node else node
        return found


def _default(node: dict[str, Any]) -> str:
    value = node.get("default")
    return "" if value in (None, "", []) else f"`{json.dumps(value)}`"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
