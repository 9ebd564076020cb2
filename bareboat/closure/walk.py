"""Follows a dynamic loader from a program to every library that it loads, breadth first, each name once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bareboat.closure.closure import Missing, Needed
from bareboat.closure.files import LoadedObject
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bareboat.archive import File
    from bareboat.closure.closure import LoadWay
    from bareboat.closure.files import OpenedFile, RootFiles
    from bareboat.closure.loader import Loader

OBJECT_LIMIT = 4096  # the largest desktop programs load some 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The result of the search for one library."""

    # The name that the library was searched by.
    name: str
    # Where the search ended, "" where nothing was found.
    path: str
    # The file there; its facts are None where the search ended at a file that cannot be loaded.
    opened: OpenedFile | None
    # The folders that were searched, in order.
    folders: tuple[str, ...]
    # Files found before that only some machines load: path, entry, and which machines.
    variants: tuple[tuple[str, File, str], ...]


class Walk:
    """Collects `files`, `missing` and the objects `loaded`, the program first.

    The libraries that a loaded object needs are loaded when `run` is called. Raises BareboatError as `root_files` does,
    and after 4,096 objects.
    """

    def __init__(self, *, root_files: RootFiles, program: LoadedObject, stamp: bytes, size_bytes: int) -> None:
        self.files: list[Needed] = []
        self.missing: list[Missing] = []
        self.loaded: list[LoadedObject] = []
        self._root_files = root_files
        self._stamp = stamp
        self._names: dict[str, LoadedObject] = {}
        self._places: dict[str, LoadedObject] = {}
        self._absent: set[str] = set()
        self._queue: deque[LoadedObject] = deque()
        self._checked = 0
        self._paths: set[str] = set()
        self._add_object(program.path.rpartition("/")[2], program, "program", size_bytes, "")
        self._remember(program, program.facts.soname)

    def load_interpreter(self, program: LoadedObject) -> OpenedFile | None:
        """Opens the interpreter as the kernel does; where it cannot, adds it to `missing` and returns None."""
        name = program.facts.interpreter
        if name is None:
            return None
        path = name if name.startswith("/") else f"/{name}"
        file = self._root_files.find(path)
        opened = self._root_files.open(path, file) if file else None
        if opened is None or opened.facts is None or opened.stamp != self._stamp:
            self._add_missing(name, program.path, "interpreter", found=path if opened else "", required=True)
            return None
        interpreter = LoadedObject(
            path=path, real_path=opened.real_path, facts=opened.facts, requester=program, required=True
        )
        self._add_object(name, interpreter, "interpreter", opened.size_bytes, "")
        # From now on its names need no search. It is not queued, because it needs no library.
        self._name(interpreter, name, opened.facts.soname)
        self._places[interpreter.real_path] = interpreter
        return opened

    def ask(
        self,
        names: Sequence[str],
        requester: LoadedObject,
        loader: Loader,
        *,
        way: LoadWay,
        required: bool,
        note: str = "",
    ) -> None:
        """Loads the first of the alternative `names` that is found, or adds the first name to `missing`.

        Does nothing if one of them is in memory already, or if all were missing before.
        """
        if any(name in self._names or loader.is_itself(name) for name in names):
            return
        if all(name in self._absent for name in names):
            return
        searches = (self._search(name, requester, loader) for name in names)
        tried: list[Search] = []
        for search in searches:
            tried.append(search)
            if search.opened is not None and search.opened.facts is not None:
                self._load(search, requester, loader, way, required=required, note=note)
            for path, file, why in search.variants:
                self._add_place(search.name, path, file, requester, way=way, note=why)
            if search.opened is not None and search.opened.facts is not None:
                return
        self._absent.update(names)
        folders = tuple(dict.fromkeys(folder for search in tried for folder in search.folders))
        self._add_missing(
            names[0],
            requester.path,
            way,
            searched=folders,
            found=next((search.path for search in tried if search.opened), ""),
            required=required,
            note=note or loader.advise(names[0]),
        )

    def run(self, loader: Loader) -> None:
        """Loads what the new objects need, and what that needs; then checks the symbol versions of all of them."""
        while self._queue:
            loaded = self._queue.popleft()
            for name in dict.fromkeys(loaded.facts.needed):
                self.ask((name,), loaded, loader, way="needed", required=loaded.required)
        if loader.checks_versions:
            for loaded in self.loaded[self._checked :]:
                self._check_versions(loaded)
        self._checked = len(self.loaded)

    def find_loaded(self, name: str) -> LoadedObject | None:
        """The loaded object of that name, None where there is none."""
        return self._names.get(name)

    def use(self, path: str, requester: LoadedObject, *, way: LoadWay, note: str) -> None:
        """Adds a file or folder that is opened by its path to `files` or to `missing`, as not required."""
        if path in self._paths or path in self._absent:
            return
        file = self._root_files.find(path)
        if file is None:
            self._absent.add(path)
            self._add_missing(path, requester.path, way, required=False, note=note)
        else:
            self._add_place(path, path, file, requester, way=way, note=note)

    def _search(self, name: str, requester: LoadedObject, loader: Loader) -> Search:
        folders: dict[str, None] = {}
        variants: list[tuple[str, File, str]] = []
        for candidate in loader.candidates(name, requester):
            folders[candidate.folder] = None
            file = self._root_files.find(candidate.path)
            if file is None:
                continue
            if candidate.note:
                variants.append((candidate.path, file, candidate.note))
                continue
            opened = self._root_files.open(candidate.path, file)
            is_foreign = opened.stamp not in {b"", self._stamp}
            # A name with a slash is a path, and the only place that is tried.
            if is_foreign and loader.passes_over_other_machines and "/" not in name:
                continue
            if is_foreign:
                opened = replace(opened, facts=None)
            return Search(
                name=name, path=candidate.path, opened=opened, folders=tuple(folders), variants=tuple(variants)
            )
        return Search(name=name, path="", opened=None, folders=tuple(folders), variants=tuple(variants))

    def _load(
        self, search: Search, requester: LoadedObject, loader: Loader, way: LoadWay, *, required: bool, note: str
    ) -> None:
        opened = search.opened
        if opened is None or opened.facts is None:
            return
        loaded_before = self._places.get(opened.real_path)
        if loaded_before is not None:  # a file that is found by two names is loaded once
            self._name(loaded_before, search.name)
            return
        loaded = LoadedObject(
            path=search.path,
            real_path=opened.real_path,
            facts=opened.facts,
            requester=requester,
            required=required,
        )
        self._add_object(search.name, loaded, way, opened.size_bytes, note)
        self._remember(loaded, search.name, opened.facts.soname if loader.knows_sonames else None)

    def _remember(self, loaded: LoadedObject, *names: str | None) -> None:
        if len(self.loaded) >= OBJECT_LIMIT:
            raise BareboatError(f"the program loads more than {OBJECT_LIMIT} libraries")
        self.loaded.append(loaded)
        self._queue.append(loaded)
        self._places[loaded.real_path] = loaded
        self._name(loaded, *names)

    def _name(self, loaded: LoadedObject, *names: str | None) -> None:
        for name in names:
            if name is not None:
                self._names.setdefault(name, loaded)

    def _check_versions(self, loaded: LoadedObject) -> None:
        weak = dict(loaded.facts.symbol_versions_weak)
        for library, versions in loaded.facts.symbol_versions_needed:
            provider = self._names.get(library)
            # ld.so does not check a library that offers no versions; a missing library is reported already.
            if provider is None or not (offered := provider.facts.symbol_versions_defined):
                continue
            excused = {*offered, *weak.get(library, ())}
            absent = tuple(version for version in versions if version not in excused)
            if absent:
                self._add_missing(
                    library, loaded.path, "needed", versions=absent, found=provider.path, required=loaded.required
                )

    def _add_place(self, name: str, path: str, file: File, requester: LoadedObject, *, way: LoadWay, note: str) -> None:
        needed = Needed(
            name=name,
            path=path,
            real_path=f"/{file.path}",
            needed_by=requester.path,
            way=way,
            size_bytes=self._root_files.measure(path, file),
            required=False,
            note=note,
        )
        self._add_file(needed)

    def _add_object(self, name: str, loaded: LoadedObject, way: LoadWay, size_bytes: int, note: str) -> None:
        needed = Needed(
            name=name,
            path=loaded.path,
            real_path=loaded.real_path,
            needed_by="" if loaded.requester is None else loaded.requester.path,
            way=way,
            size_bytes=size_bytes,
            required=loaded.required,
            note=note,
        )
        self._add_file(needed)

    def _add_file(self, needed: Needed) -> None:
        if needed.path not in self._paths:
            self._paths.add(needed.path)
            self.files.append(needed)

    def _add_missing(
        self,
        name: str,
        needed_by: str,
        way: LoadWay,
        *,
        required: bool,
        searched: tuple[str, ...] = (),
        versions: tuple[str, ...] = (),
        found: str = "",
        note: str = "",
    ) -> None:
        self.missing.append(
            Missing(
                name=name,
                needed_by=needed_by,
                way=way,
                searched=searched,
                versions=versions,
                found=found,
                required=required,
                note=note,
            )
        )
