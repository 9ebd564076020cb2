"""Whether the program was predicted to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="predicted",
    heading="Predicted",
    unit="text",
    order=126,
    meaning="whether the program was predicted to start: interpreter, libraries and symbol versions are in the image",
)


def measure(subject: Subject) -> str | None:
    """`starts` or `fails`; None where nothing was predicted."""
    if subject.preflight is None:
        return None
    return "starts" if subject.preflight.predicted else "fails"
