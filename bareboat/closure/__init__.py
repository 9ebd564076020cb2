"""Finds every file that a program needs at run time, in a root filesystem and as its loader would, without running it.

Others use `find_closure`, which searches an archive's `Image` or a `FolderRoot` and returns a `Closure`; and
`owners.read_owners`, which tells the package of each file as `Owners` and `Owner`, out of files that `DATABASES` and
`is_database` name, and which `dump_owners` and `load_owners` keep. `start.find_start` says as a `startup.Startup`, with
each `Fault` and its `FaultKind`, how far the program that an image names would come; `program_file.has_user` whether it
has a user.
"""

from bareboat.closure.closure import Closure, LoadWay, Missing, Needed
from bareboat.closure.find import find_closure
from bareboat.closure.root import FolderRoot, Root

__all__ = ["Closure", "FolderRoot", "LoadWay", "Missing", "Needed", "Root", "find_closure"]
