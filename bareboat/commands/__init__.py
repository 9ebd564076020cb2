"""What the tasks do: from the words of a command line to the text and exit code that answer it."""

from bareboat.commands.ask import (
    examine_host,
    print_containerfile,
    print_plan,
    print_recipes,
    print_report,
    print_samples,
    schema_text,
    write_schema,
)
from bareboat.commands.build import MatrixOptions, build_matrix, clean, make_roots
from bareboat.commands.closure import ClosureOptions, print_closure
from bareboat.commands.pages import write_pages
from bareboat.commands.project import Project, find_project
from bareboat.commands.scratch import ScratchOptions, build_scratch

__all__ = [
    "ClosureOptions",
    "MatrixOptions",
    "Project",
    "ScratchOptions",
    "build_matrix",
    "build_scratch",
    "clean",
    "examine_host",
    "find_project",
    "make_roots",
    "print_closure",
    "print_containerfile",
    "print_plan",
    "print_recipes",
    "print_report",
    "print_samples",
    "schema_text",
    "write_pages",
    "write_schema",
]
