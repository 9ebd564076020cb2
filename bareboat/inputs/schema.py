"""The JSON schemas of recipe files and of a crate's table, in which a field has the explanation that the code has.

That is the string below it, or the comment above it or behind it. A field that has none is explained by its type.
"""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from bareboat.inputs.recipe import Provision, Recipe, Toolchain
from bareboat.inputs.sample import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core.core_schema import DataclassSchema


def recipe_schema() -> dict[str, Any]:
    """The JSON schema of a recipe file, without `name`, which is the file's stem."""
    return _schema(TypeAdapter(Recipe))


def provision_schema() -> dict[str, Any]:
    """The same of a provision's file."""
    return _schema(TypeAdapter(Provision))


def toolchain_schema() -> dict[str, Any]:
    """The same of a toolchain's file."""
    return _schema(TypeAdapter(Toolchain))


def metadata_schema() -> dict[str, Any]:
    """The JSON schema of the table `[package.metadata.bareboat]`."""
    return _schema(METADATA)


def _schema(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    schema = adapter.json_schema(schema_generator=_Explained)
    if schema["properties"].pop("name", None):
        schema["required"].remove("name")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


class _Explained(GenerateJsonSchema):
    # pydantic's own `use_attribute_docstrings` would read the sources in every run, also where no schema is asked for.
    def dataclass_schema(self, schema: DataclassSchema) -> JsonSchemaValue:
        made, fields = super().dataclass_schema(schema), schema["schema"]
        if fields["type"] == "dataclass-args":
            keys = {field["name"]: field.get("validation_alias", field["name"]) for field in fields["fields"]}
            # A class may have fields of those that it is made of.
            for kind in reversed(schema["cls"].__mro__[:-1]):
                for name, text in _explanations(kind):
                    made["properties"][keys[name]]["description"] = text
        return made


def _explanations(kind: type) -> Iterator[tuple[str, str]]:
    """The fields of a class that are explained, and how."""
    source = inspect.getsource(kind)
    (written,) = ast.parse(source).body
    body = written.body if isinstance(written, ast.ClassDef) else []
    for field, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = _string(after) or _comment(source.splitlines(), field)
            if text:
                yield field.target.id, text


def _string(statement: ast.stmt | None) -> str:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return inspect.cleandoc(value.value) if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def _comment(lines: list[str], field: ast.AnnAssign) -> str:
    behind = lines[(field.end_lineno or field.lineno) - 1][field.end_col_offset :].strip()
    place = field.lineno - 1
    while lines[place - 1].strip().startswith("#"):
        place -= 1
    above = lines[place : field.lineno - 1]
    return "\n".join(line.strip().removeprefix("#").strip() for line in above or [behind])
