"""Where `invoke` looks for Bareboat's tasks; they are in bareboat/tasks.py, so that an installed wheel has them."""

from bareboat.tasks import program

namespace = program.namespace
