"""Whether cargo's target folder was empty when the compile began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.result.measurement import Column

if TYPE_CHECKING:
    from bareboat.measurements.subject import Subject

COLUMN = Column(
    name="target_folder",
    heading="Target folder",
    unit="text",
    order=119,
    meaning="whether cargo's target folder was empty when the compile began (*cold*) or held an earlier one's objects "
    "(*warm*), which it need not compile again",
)


def measure(subject: Subject) -> str | None:
    """`cold` or `warm`; None where it is not known."""
    if subject.warm_target is None:
        return None
    return "warm" if subject.warm_target else "cold"
