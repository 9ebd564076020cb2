"""Whether the program was observed to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.values import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="observed",
    heading="Observed",
    unit="text",
    order=127,
    meaning="whether the program came to its own first instruction; `not run` where it was known that it could not",
)


def measure(subject: Subject) -> str | None:
    """`starts`, `fails` or `not run`; None where nothing was predicted."""
    if subject.preflight is None:
        return None
    if subject.preflight.observed is None:
        return "not run"
    return "starts" if subject.preflight.observed else "fails"
