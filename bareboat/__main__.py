"""`python -m bareboat`: the same tasks as the command."""

from bareboat.tasks import program

program.run()
