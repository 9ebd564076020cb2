"""Every file that a program needs at run time, found in a root filesystem as its loader would, without running it."""

from bareboat.closure.closure import Closure, Missing, Needed, Way
from bareboat.closure.find import find_closure
from bareboat.closure.root import FolderRoot, Root

__all__ = ["Closure", "FolderRoot", "Missing", "Needed", "Root", "Way", "find_closure"]
