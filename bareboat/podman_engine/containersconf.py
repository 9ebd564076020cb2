"""The files of containers.conf(5) and storage.conf(5): read as tables, and laid over each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import tomli
import tomli_w

from bareboat.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Mapping

# There are no dates in these files.
Value: TypeAlias = "str | bool | int | float | list[Value] | dict[str, Value]"
Table: TypeAlias = "dict[str, Value]"

VENDOR_FOLDER = Path("/usr/share/containers")
SYSTEM_FOLDER = Path("/etc/containers")


def overlay(below: Table, above: Table) -> Table:
    """Both tables as one: `above` wins key by key; a list that ends in `{append = true}` is added to the one below."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, dict):
            merged[key] = overlay(under if isinstance(under, dict) else {}, value)
        elif isinstance(value, list):
            # The attribute is new in Podman 4.8 and an error to older ones, so it is carried out here.
            plain: list[Value] = [item for item in value if not isinstance(item, dict)]
            if {"append": True} in value and isinstance(under, list):
                plain = [*under, *plain]
            merged[key] = plain
        else:
            merged[key] = value
    return merged


def user_folder(environment: Mapping[str, str]) -> Path:
    """Where this user keeps files for Podman."""
    home = environment.get("HOME") or str(Path.home())
    return Path(environment.get("XDG_CONFIG_HOME") or f"{home}/.config") / "containers"


def read_settings(path: Path) -> Table:
    """The file's settings, none when it is absent or not ours to read. Raises HostError when it is not TOML."""
    try:
        settings: Table = tomli.loads(path.read_text(encoding="utf-8"))
        # They are written again: a number of very many hex digits is one that can be read, and no other is.
        tomli_w.dumps(settings)
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return {}
    except (ValueError, RecursionError) as error:  # no TOML, no text, or nested too deeply
        raise HostError(f"{path}: {error}; Podman does not read it either: mend it or move it away") from error
    return settings
