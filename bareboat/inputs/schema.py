"""The JSON schema of recipe files, in which a field has the explanation that stands below it in the code.

A field that has none is explained by its type.
"""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from bareboat.inputs.recipe import Recipe

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core.core_schema import DataclassSchema


def recipe_schema() -> dict[str, object]:
    """The JSON schema of a recipe file, without `name`, which is the file's stem."""
    schema: dict[str, object] = TypeAdapter(Recipe).json_schema(schema_generator=_Explained)
    properties, required = schema["properties"], schema["required"]
    if isinstance(properties, dict) and isinstance(required, list):
        properties.pop("name")
        required.remove("name")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


class _Explained(GenerateJsonSchema):
    # pydantic's own `use_attribute_docstrings` would read the sources in every run, also where no schema is asked for.
    def dataclass_schema(self, schema: DataclassSchema) -> JsonSchemaValue:
        made, texts, fields = super().dataclass_schema(schema), _explanations(schema["cls"]), schema["schema"]
        if fields["type"] == "dataclass-args":
            keys = {field["name"]: field.get("validation_alias", field["name"]) for field in fields["fields"]}
            for name, text in texts.items():
                made["properties"][keys[name]]["description"] = text
        return made


def _explanations(kind: type) -> dict[str, str]:
    """The string below each field of a class, by the field's name."""
    (written,) = ast.parse(inspect.getsource(kind)).body
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(written.body if isinstance(written, ast.ClassDef) else ())
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }
