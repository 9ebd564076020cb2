"""Tables and pages made of results; pure.

render(results, "text" | "markdown" | "csv" | "json") -> str
rows(results) -> Table
join_published(results, sizes) -> results
results_page(hosts), readme_table(results), replace_block(text, name, block) -> str
"""

from __future__ import annotations

from bareboat.report.conformance import conformance_tables
from bareboat.report.page import readme_table, replace_block, results_page, service_table
from bareboat.report.predictions import predictions_page
from bareboat.report.published import join_published
from bareboat.report.render import Format, render
from bareboat.report.table import Table, rows

__all__ = [
    "Format",
    "Table",
    "conformance_tables",
    "join_published",
    "predictions_page",
    "readme_table",
    "render",
    "replace_block",
    "results_page",
    "rows",
    "service_table",
]
