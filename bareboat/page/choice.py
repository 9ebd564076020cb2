"""Says by what a program needs which base is the smallest that it works on, as the measurements have it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bareboat.report.figures import size_text, value_text
from bareboat.report.table import measurement_of, size_of
from bareboat.result.values import Passed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bareboat.result.values import Result

# What is asked of a program, in this order: `Choice` has an answer to each.
QUESTIONS = ("Linked dynamically?", "Speaks TLS?", "Looks names up?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a program needs, and the smallest image that it works in."""

    answers: tuple[bool, ...]  # to QUESTIONS
    result: Result
    second: Result | None  # the smallest on a base that others maintain; None where there is none

    @property
    def words(self) -> str:
        """`static`, `dynamic, with TLS and names`."""
        linked, tls, names = self.answers
        more = " and ".join(word for word, has in (("TLS", tls), ("names", names)) if has)
        return f"{'dynamic' if linked else 'static'}{f', with {more}' if more else ''}"


def find_choices(results: Iterable[Result]) -> tuple[Choice, ...]:
    """For each set of answers that a measured program gives, the smallest image of such a program that passed."""
    found: dict[tuple[bool, ...], list[Result]] = {}
    for result in results:
        if isinstance(result.outcome, Passed) and size_of(result) is not None:
            found.setdefault(_answers(result), []).append(result)
    return tuple(_choose(answers, group) for answers, group in sorted(found.items()))


def _choose(answers: tuple[bool, ...], group: Sequence[Result]) -> Choice:
    ordered = sorted(group, key=lambda one: (size_of(one) or 0, one.cell))
    kept = (one for one in ordered if one.provenance and one.provenance.base.kind != "scratch")
    return Choice(answers=answers, result=ordered[0], second=next(kept, None))


def _answers(result: Result) -> tuple[bool, ...]:
    def text(name: str) -> str:
        taken = measurement_of(result, name)
        return value_text(taken) if taken else ""

    return text("crt") == "dynamic", bool(text("tls")), bool(text("dns"))


def choice_chart(results: Iterable[Result]) -> str:
    """The choices as a flow chart in a Markdown fence: a question a node, an answer an arrow, a base a leaf."""
    lines: list[str] = []
    _draw(find_choices(results), 0, lines)
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```", ""])


def _draw(choices: Sequence[Choice], question: int, lines: list[str]) -> str:
    """Adds the nodes of these choices, and returns the first one's name."""
    if question == len(QUESTIONS) or len(choices) == 1:
        return _leaf(choices[0], lines)
    sides = [[one for one in choices if one.answers[question] is answer] for answer in (False, True)]
    if not all(sides):
        return _draw(choices, question + 1, lines)
    name = f"n{len(lines)}"
    lines.append(f'    {name}{{"{QUESTIONS[question]}"}}')
    for word, side in zip(("no", "yes"), sides, strict=True):
        below = _draw(side, question + 1, lines)
        lines.append(f"    {name} -->|{word}| {below}")
    return name


def _leaf(choice: Choice, lines: list[str]) -> str:
    name = f"n{len(lines)}"
    shown = [f"{one.recipe}, {size_text(size_of(one))}" for one in (choice.result, choice.second) if one]
    lines.append(f'    {name}["{"<br>or ".join(shown)}"]')
    return name
