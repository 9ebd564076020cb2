"""The schemas of others' formats, as check-jsonschema carries them."""

from __future__ import annotations

import json
from importlib.metadata import files

from jsonschema.validators import validator_for
from ruamel.yaml import YAML


def read_yaml(text):
    """YAML 1.2, in which `on` is a word."""
    return YAML(typ="safe", pure=True).load(text)


def faults(name, text):
    """What the schema of that name finds wrong with a YAML file."""
    (schema,) = [file for file in files("check-jsonschema") if file.match(f"builtin_schemas/vendor/{name}.json")]
    read = json.loads(schema.read_text(encoding="utf-8"))
    return [f"{error.json_path}: {error.message}" for error in validator_for(read)(read).iter_errors(read_yaml(text))]
