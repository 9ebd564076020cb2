"""The ladder: ways to compile any program smaller, each a step down from another, and what each costs.

The steps are in bareboat/ladder.toml. A variant of a sample may begin with the settings of a step, and a sample that
asks for the ladder has a variant for each.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import ConfigDict, Field, TypeAdapter

from bareboat.errors import RecipeError, SelectionError
from bareboat.inputs.base import Name  # noqa: TC001 -- pydantic reads the types of fields
from bareboat.inputs.cargo import Cargo
from bareboat.inputs.tomlfile import did_you_mean, read_toml, validate

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILE = Path(__file__).parents[1] / "ladder.toml"
_Line = Annotated[str, Field(pattern=r"^[^\n]+$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One way to compile a program smaller."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    name: Name
    # What is done, in one line.
    summary: _Line
    # What the program loses by it, in one line; "" where it loses nothing.
    costs: str = ""
    # The step that it is a step down from; "" is a plain `cargo build --release`.
    after: str = ""
    # Whether a program that others depend on may be compiled so. Not where it costs what no run shows, such as the
    # hardening that an attacker would meet: that is for records alone, and so is every step after it.
    production: bool = True
    # How cargo compiles, beside what it was told by the steps before.
    cargo: Cargo = field(default_factory=Cargo)


# What the first steps are a step down from.
PLAIN = Step(name="plain", summary="as its Cargo.toml says")


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The file of the steps."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    steps: Annotated[tuple[Step, ...], Field(alias="step")]

    def __post_init__(self) -> None:
        known = {""}
        for step in self.steps:
            if step.after not in known or step.name in {*known, PLAIN.name}:
                raise ValueError(f"step '{step.name}' has a name of its own, and comes after one that stands before it")
            known.add(step.name)


_STEPS = TypeAdapter(_File)


@cache
def read_ladder() -> tuple[Step, ...]:
    """The steps, each with all that cargo is told by then, and for records where one before it is.

    A step comes after the one that it is a step down from.
    """
    read = read_toml(_FILE, _FILE.name)
    loaded = validate(read.value, _STEPS, _FILE.name) if read.value is not None else None
    if loaded is None or loaded.value is None:
        raise RecipeError("\n".join(str(problem) for problem in (loaded or read).problems))
    whole: dict[str, Step] = {}
    for step in loaded.value.steps:
        first = whole[step.after] if step.after else PLAIN
        production = step.production and first.production
        whole[step.name] = replace(step, production=production, cargo=step.cargo.after(first.cargo))
    return tuple(whole.values())


def find_step(name: str) -> Step | None:
    """The step of that name, if there is one."""
    return next((step for step in read_ladder() if step.name == name), None)


def path_to(step: Step) -> tuple[Step, ...]:
    """The steps from the top of the ladder down to one, and that one."""
    above = find_step(step.after) or PLAIN
    return (step,) if step == PLAIN else (*path_to(above), step)


def choose_steps(patterns: Sequence[str], *, unstable: bool) -> tuple[Step, ...]:
    """The steps of which one of the patterns is, every one where there are none. Raises SelectionError.

    Unless `unstable`, there are those alone that a stable compiler takes.
    """
    names = [step.name for step in read_ladder()]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise SelectionError(f"the ladder has no step '{pattern}'{did_you_mean(pattern, names)}")
    chosen = (step for step in read_ladder() if unstable or step.cargo.is_stable)
    found = tuple(step for step in chosen if not patterns or any(fnmatchcase(step.name, one) for one in patterns))
    if not found:
        raise SelectionError(f"{', '.join(patterns)}: takes an unstable compiler, which --no-unstable leaves out")
    return found
