"""Makes tables and pages of results; pure.

Others use `join_published` to put published sizes beside the measured ones; `render` for a table of results as text,
Markdown, CSV or JSON; `recommend` for which base to take of them and why, `run_sentences` for what is to be known of a
run; `results_page`, `predictions_page`, `conformance_tables`, `readme_table` and `service_table` for the generated
pages; `replace_block` to put a table into a page; `results_table` for the table as a value; `figures.size_text` and
`table.outcome_text` for the words of one figure and of one outcome.
"""

from __future__ import annotations

from bareboat.report.conformance import conformance_tables
from bareboat.report.page import readme_table, replace_block, results_page, service_table
from bareboat.report.predictions import predictions_page
from bareboat.report.published import join_published
from bareboat.report.ran import run_sentences
from bareboat.report.recommend import recommend
from bareboat.report.render import Format, render
from bareboat.report.table import Table, results_table

__all__ = [
    "Format",
    "Table",
    "conformance_tables",
    "join_published",
    "predictions_page",
    "readme_table",
    "recommend",
    "render",
    "replace_block",
    "results_page",
    "results_table",
    "run_sentences",
    "service_table",
]
