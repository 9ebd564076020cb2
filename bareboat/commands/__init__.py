"""What the tasks do: from the words of a command line to the text and exit code that answer it.

`commands.ask` and its neighbours are imported when they are first named: a task waits for no more than it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from bareboat.commands import (
        ask,
        ask_cargo,
        breakdown,
        build,
        clean,
        closure,
        compare,
        doctor,
        eject,
        explain,
        init,
        ladder,
        pages,
        project,
        push,
        recommend,
        reference,
        scratch,
        session_run,
        setup,
        start,
        stored_image,
    )

__all__ = [
    "ask",
    "ask_cargo",
    "breakdown",
    "build",
    "clean",
    "closure",
    "compare",
    "doctor",
    "eject",
    "explain",
    "init",
    "ladder",
    "pages",
    "project",
    "push",
    "recommend",
    "reference",
    "scratch",
    "session_run",
    "setup",
    "start",
    "stored_image",
]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return import_module(f"{__name__}.{name}")
