"""Makes tables and pages of results; pure.

Others use `join_published` to put published sizes beside the measured ones; `render` for a table of results as text,
Markdown, CSV or JSON, `terminal.show` for one that fits a terminal, with `table.ALL` and `table.field_names` for which
columns may be chosen, and `summarise`, with what is `Next`, for the few lines that a run ends with; `recommend` for
which base to take of them and why, of those that no `recommend.Unfit` forbids, `find_best` for the result on it, and
`recommend.nearest` for the one that lacks least; `run_sentences` for what is to be known of a run; `explain_cell` for
what one came to, with who `Asked` for it and each `Cure` that `find_cures` finds; `cures.give` and
`cures.provision_bytes` for what a provision takes; `explain_start` for whether an image's program would start;
`breakdown_text` and `breakdown_json` for what an image's bytes are; `results_page`, `predictions_page`,
`conformance_tables`, `readme_table` and `service_table` for the generated pages; `replace_block` to put a table into a
page; `results_table` for the table as a value; `compare` for what became of earlier results by `compare.Rules`,
`tell_comparison` for that in words and `tell_cheat_sheet` for published sizes beside ours, each in a `CompareFormat`;
`find_ladders` for the results of a program and of the ladder's steps as a `Ladder`, with `ladder_text`,
`ladder_markdown` and `ladder_rows` to tell it, and `advise` and `advice_lines` for the `Advice` which to take;
`read_records` for results that were written as JSON; `figures.size_text`, `table.outcome_text`, `table.size_of` and
`table.group_by_sample` for one figure, one outcome, one size and the results of each sample; `escape.markdown_text` and
`fit.fold_lines` for prose; for pages that are drawn, `figures.seconds_text`, `figures.value_text`, and of `table`
`AS_EXPECTED`, `column_name`, `columns`, `measurement_of` and `sort_results`.
"""

from __future__ import annotations

from bareboat.report.breakdown import breakdown_json, breakdown_text
from bareboat.report.conformance import conformance_tables
from bareboat.report.cures import find_cures
from bareboat.report.explain import Asked, Cure, explain_cell
from bareboat.report.ladder import Ladder, find_ladders, ladder_markdown, ladder_rows, ladder_text
from bareboat.report.ladder_advice import Advice, advice_lines, advise
from bareboat.report.page import readme_table, replace_block, results_page, service_table
from bareboat.report.predictions import predictions_page
from bareboat.report.published import join_published
from bareboat.report.ran import run_sentences
from bareboat.report.recommend import find_best, recommend
from bareboat.report.render import Format, render
from bareboat.report.start import explain_start
from bareboat.report.summary import Next, summarise
from bareboat.report.table import Table, results_table

__all__ = [
    "Advice",
    "Asked",
    "Cure",
    "Format",
    "Ladder",
    "Next",
    "Table",
    "advice_lines",
    "advise",
    "breakdown_json",
    "breakdown_text",
    "conformance_tables",
    "explain_cell",
    "explain_start",
    "find_best",
    "find_cures",
    "find_ladders",
    "join_published",
    "ladder_markdown",
    "ladder_rows",
    "ladder_text",
    "predictions_page",
    "readme_table",
    "recommend",
    "render",
    "replace_block",
    "results_page",
    "results_table",
    "run_sentences",
    "service_table",
    "summarise",
]
