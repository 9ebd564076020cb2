"""Bareboat's tasks, a file a group: `invoke --list` names them, `invoke --help TASK` tells of one.

`program` is the command line of them all.
"""

from invoke import Collection

from bareboat import __version__
from bareboat.command_line import CommandLine, keep_bytecode
from bareboat.tasks import ask, build, house, ship, start

keep_bytecode()


def _collect():
    namespace = Collection()
    for group in (ask, build, house, ship, start):
        for one in Collection.from_module(group).tasks.values():
            namespace.add_task(one)
    return namespace


program = CommandLine(
    namespace=_collect(), name="bareboat", binary="bareboat", binary_names=["bareboat"], version=__version__
)
