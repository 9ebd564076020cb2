"""Finds a program's closure: what the loader loads before the program starts, then what is likely used later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.closure import runtime_files
from bareboat.closure.closure import Closure
from bareboat.closure.files import LoadedObject, RootFiles, read_stamp
from bareboat.closure.glibc import Glibc, find_gconv_folder, read_loader
from bareboat.closure.musl import Musl
from bareboat.closure.walk import Walk
from bareboat.elf import read_elf
from bareboat.errors import BareboatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bareboat.closure.files import OpenedFile
    from bareboat.closure.loader import Loader
    from bareboat.closure.root import Root

LIBC = "libc.so.6"
LIBCRYPTO = "libcrypto.so.3"
FIRST_WITH_BUILT_IN = "GLIBC_2.34"  # since then, libc has libnss_files and libnss_dns inside
BUILT_IN = frozenset({"files", "dns"})


def find_closure(
    root: Root, program: str, environment: Mapping[str, str] = {}, *, loads: Sequence[str] = ()
) -> Closure:
    """The closure of the program at a path of a root filesystem, when it is started with an environment.

    `loads` are the names of libraries that it is known to load by dlopen(3), and cannot do without. Only
    LD_LIBRARY_PATH of the environment matters. A program for musl is searched by the rules of musl's loader, any other
    by those of glibc's. Raises BareboatError where there is no program or the program is damaged, where the root
    cannot be read, and for a program that makes its loader search or load without end.
    """
    path = program if program.startswith("/") else f"/{program}"
    root_files = RootFiles(root)
    file = root_files.find(path)
    if file is None:
        raise BareboatError(f"there is no program {path} in the image")
    code = root_files.read(path)
    try:
        facts = read_elf(code)
    except BareboatError as error:
        raise BareboatError(f"{path}: {error}") from error
    loaded = LoadedObject(path=path, real_path=f"/{file.path}", facts=facts, requester=None, required=True)
    walk = Walk(root_files=root_files, program=loaded, stamp=read_stamp(code), size_bytes=len(code))
    is_static = facts.crt == "static"
    interpreter = walk.load_interpreter(loaded)
    loader = _choose_loader(root_files, loaded, code, interpreter, environment)
    if loader is not None:
        walk.run(loader)
        for name in loads:
            walk.ask((name,), loaded, loader, way="dlopen", required=True, note="loaded while it runs")
        walk.run(loader)
        _load_runtime_files(root_files, walk, loader, code if is_static else b"")
    for place in (*_find_openssl_paths(root_files, walk, code if is_static else b""), *runtime_files.find_paths(code)):
        walk.use(place.path, loaded, way=place.way, note=place.note)
    return Closure(program=path, files=tuple(walk.files), missing=tuple(walk.missing))


def _choose_loader(
    root_files: RootFiles,
    program: LoadedObject,
    code: bytes,
    interpreter: OpenedFile | None,
    environment: Mapping[str, str],
) -> Loader | None:
    """The loader whose rules hold; None for a static program, unless its libc is glibc, which can load libraries."""
    facts = program.facts
    if facts.libc == "musl":
        name = facts.interpreter or f"/lib/ld-musl-{facts.machine}.so.1"
        is_static = facts.crt == "static"
        return None if is_static else Musl(root_files=root_files, interpreter=name, environment=environment)
    if facts.crt == "static" and facts.libc is None:
        return None
    loader_code = read_loader(code) if interpreter is None else root_files.read_as(interpreter.real_path, read_loader)
    return Glibc(root_files=root_files, program=program, code=loader_code, environment=environment)


def _load_runtime_files(root_files: RootFiles, walk: Walk, loader: Loader, code: bytes) -> None:
    """Adds what may be loaded or opened after the start; `code` is a static program's content, else empty."""
    followed = _follow_notes(walk, loader, 0)
    if loader.checks_versions:
        imports = frozenset[str]().union(*(loaded.facts.imports for loaded in walk.loaded))
        libc = walk.find_loaded(LIBC)
        requester = libc or walk.loaded[0]
        for library in _find_libraries(root_files, imports, libc, code):
            walk.ask((library.name,), requester, loader, way=library.way, required=False, note=library.note)
        walk.run(loader)
        for place in runtime_files.list_resolver_paths(runtime_files.find_databases(imports, code)):
            walk.use(place.path, requester, way=place.way, note=place.note)
        if libc is not None and "iconv_open" in imports:
            for place in runtime_files.list_converter_paths(find_gconv_folder(root_files, libc)):
                walk.use(place.path, libc, way=place.way, note=place.note)
    _follow_notes(walk, loader, followed)


def _follow_notes(walk: Walk, loader: Loader, start: int) -> int:
    """Loads the libraries that dlopen notes name, in the objects from number `start` on and in those libraries.

    Returns the number of objects that are loaded then.
    """
    while start < len(walk.loaded):
        requester = walk.loaded[start]
        for dlopen in requester.facts.dlopens:
            note = ", ".join(filter(None, (dlopen.priority, dlopen.feature)))
            if len(dlopen.sonames) > 1:
                note += f" ({' or '.join(dlopen.sonames)})"
            walk.ask(dlopen.sonames, requester, loader, way="dlopen-note", required=False, note=note)
        walk.run(loader)
        start += 1
    return start


def _find_libraries(
    root_files: RootFiles, imports: frozenset[str], libc: LoadedObject | None, code: bytes
) -> Iterator[runtime_files.RuntimeLibrary]:
    yield from runtime_files.find_unwinder(imports, code)
    databases = runtime_files.find_databases(imports, code)
    offered = libc.facts.symbol_versions_defined if libc else ()
    built_in = frozenset[str]() if offered and FIRST_WITH_BUILT_IN not in offered else BUILT_IN
    if databases:
        yield from runtime_files.read_nss_modules(
            root_files.read_text(runtime_files.NSS_PATH), databases, built_in=built_in
        )


def _find_openssl_paths(root_files: RootFiles, walk: Walk, code: bytes) -> Iterator[runtime_files.RuntimePath]:
    if libcrypto := walk.find_loaded(LIBCRYPTO):
        yield from root_files.read_as(libcrypto.path, runtime_files.find_openssl_paths)
    elif b"OpenSSL 3." in code:
        yield from runtime_files.find_openssl_paths(code)
