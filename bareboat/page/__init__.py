"""Makes the page of results: one HTML file that opens from disk and asks for nothing; pure.

Others use `make_page` with a `PageInput` (its `history` has a `Point` for each commit), `front_chart` for the one chart
that stands alone, `choice_chart` for the chart of which base to take, `lead_of` for the host that charts are of,
`read_loads` for the tables of bench/load.md and `read_allocators` for the curves of bench/allocators.json. Charts and
templates need the extra `page`, so this room is imported where a page is made and nowhere else.
"""

from __future__ import annotations

from bareboat.page.bench import read_allocators, read_loads
from bareboat.page.build import front_chart, lead_of, make_page
from bareboat.page.choice import choice_chart
from bareboat.page.values import PageInput, Point

__all__ = [
    "PageInput",
    "Point",
    "choice_chart",
    "front_chart",
    "lead_of",
    "make_page",
    "read_allocators",
    "read_loads",
]
