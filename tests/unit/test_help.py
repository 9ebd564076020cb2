"""The help of every task teaches by an example, and each example is a command line that is understood."""

from __future__ import annotations

import inspect
import re
import shlex

import pytest

from bareboat.tasks import program

TASKS = program.namespace.tasks
# A command in a line: to the end of the line, or to what a shell would read as the command's end.
EXAMPLE = re.compile(r"(?:bareboat|invoke) ((?:'[^']*'|[^'|&>)#\n])*)")


def examples(name):
    _, _, below = inspect.getdoc(TASKS[name]).partition("\n\nFor example:\n\n")
    return [words for line in below.splitlines() if line.startswith("    ") for words in EXAMPLE.findall(line)]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_told_in_one_line_and_by_an_example(name):
    first, *_ = inspect.getdoc(TASKS[name]).splitlines()
    assert len(first) <= 120
    assert first.endswith(".")
    assert any(words.split()[0] == name for words in examples(name))


@pytest.mark.parametrize(("name", "words"), [(name, words) for name in TASKS for words in examples(name)])
def test_an_example_is_understood(name, words):
    del name
    program.create_config()
    program.parse_core(["bareboat", *shlex.split(words)])
    program.parse_collection()
    program.parse_tasks()
    assert [context.name for context in program.tasks] == [words.split()[0]]
