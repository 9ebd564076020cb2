"""Whether the program was observed to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="observed",
    heading="Observed",
    unit="text",
    order=127,
    meaning="whether the program came to its own first instruction; what is predicted not to start is run too",
    version=2,
)


def measure(subject: Subject) -> str | None:
    """`starts` or `fails`; None where nothing was predicted."""
    if subject.preflight is None:
        return None
    return "starts" if subject.preflight.observed else "fails"
