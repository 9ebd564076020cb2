"""Where `invoke` looks for Bareboat's tasks; they are in bareboat/tasks/, so that an installed wheel has them."""

from invoke import main

from bareboat.command_line import CommandLine
from bareboat.tasks import program

namespace = program.namespace
# `invoke` reads this file before it reads the words of the command line: from here on it reads them as we do.
main.program.__class__ = CommandLine
