"""Says what every byte of an image is: layer, package or copy, file, section, crate, symbol. Pure; nothing is lost.

Others use `break_down`, which makes a tree of `Row`s of an image and its `Origins`, in which `find_file` finds one;
`divide_program` for the rows of a program; `read_twin` for its `Symbols`, out of its twin, of what tools `Listed` of
that and of the crates that `crates_of` tells, and for how far the two are the same; and `find_stowaways` for what is
aboard and need not be, a `Stowaway` a kind. A whole answer is a `Breakdown`.
"""

from bareboat.breakdown.crates import crates_of
from bareboat.breakdown.image import Origins, break_down
from bareboat.breakdown.program import divide_program
from bareboat.breakdown.rows import Breakdown, Row, Stowaway, find_file
from bareboat.breakdown.stowaways import find_stowaways
from bareboat.breakdown.twin import Listed, Symbols, read_twin

__all__ = [
    "Breakdown",
    "Listed",
    "Origins",
    "Row",
    "Stowaway",
    "Symbols",
    "break_down",
    "crates_of",
    "divide_program",
    "find_file",
    "find_stowaways",
    "read_twin",
]
