"""The kinds of input that are tried: how one is made, and all that Bareboat does with it where it is sound.

A check returns what came of it, or raises one of Bareboat's errors; anything else is a fault.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, get_args

import tomli

from bareboat.archive import read_copied, stays_inside
from bareboat.bootstrap.apk import parse_installed
from bareboat.bootstrap.deb import parse_md5sums, pin_stanza
from bareboat.check.harbor import OpenHarbor, judge_probes
from bareboat.check.strace_log import read_traces
from bareboat.closure.ldcache import read_cache
from bareboat.closure.owners import dump_owners, load_owners, read_owners
from bareboat.commands.listing import list_manifest, list_plan, list_recipes, list_samples
from bareboat.engine.containers import RunReport
from bareboat.engine.fake import HOST
from bareboat.errors import BareboatError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.load_samples import load_samples
from bareboat.inputs.lock import moved, pinned_reference, read_lock, write_lock
from bareboat.matrix.pace import Pace
from bareboat.plan.containerfile import render_containerfile
from bareboat.plan.jobs import Selection
from bareboat.plan.keys import program_key, root_key
from bareboat.plan.planner import make_plan
from bareboat.podman_engine.facts import FACTS_FILE, recall_facts
from bareboat.podman_engine.settings import podman_environment
from bareboat.podman_engine.store_list import StoreList
from bareboat.report import (
    Format,
    conformance_tables,
    predictions_page,
    readme_table,
    render,
    results_page,
    service_table,
)
from bareboat.result.store import load, load_all, save
from tests.campaign.texts import change_json, change_lines, change_toml
from tests.fuzz import fuzz_archive, fuzz_elf, harness
from tests.unit.project import BOOK, HELLO, ROOT, plan_inputs

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from bareboat.result.values import Host

RECIPES, SAMPLES, RESULTS = ROOT / "recipes", ROOT / "rust-samples", ROOT / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of input."""

    make: Callable[[random.Random], bytes]  # one more input; the same for the same state of chance
    check: Callable[[bytes, Path], object]  # what comes of it; the folder is empty, and the check's own


def _toml(pattern: str, folder: Path = RECIPES) -> Callable[[random.Random], bytes]:
    seeds = [tomli.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob(pattern))]
    assert seeds, f"{folder} has no {pattern}"
    return lambda chance: change_toml(chance, seeds)


def _json(*seeds: Any) -> Callable[[random.Random], bytes]:
    return lambda chance: change_json(chance, seeds)


def _lines(*seeds: bytes) -> Callable[[random.Random], bytes]:
    return lambda chance: change_lines(chance, seeds)


def _bytes(*seeds: bytes) -> Callable[[random.Random], bytes]:
    return lambda chance: harness.mutate(chance, seeds)


def _check_recipes(data: bytes, folder: Path, *, place: str) -> str:
    for name in ("toolchains", "provisions"):
        shutil.copytree(RECIPES / name, folder / name)
    shutil.copytree(RECIPES / "files", folder / "files")
    # What the shipped recipes name; and one that names what is tried, where that is no recipe itself.
    for name in ("alpine", "debian", "debian-slim", "distroless-cc", "distroless-cc-full", "distroless-static"):
        shutil.copy(RECIPES / f"{name}.toml", folder)
    if place != "mine.toml":
        (folder / "user.toml").write_text(_user(place), encoding="utf-8")
    (folder / place).write_bytes(data)
    book = load_recipes(folder, ["hello-world", "webserver", "newer-glibc"])
    assert list_recipes(book)
    return _plan_all(book, (HELLO,))


def _user(place: str) -> str:
    named = {"toolchains/mine.toml": ("mine", ""), "provisions/mine.toml": ("gnu", 'with = ["mine"]')}
    toolchain, provisions = named[place]
    compiled = f'[compile]\ntoolchain = "{toolchain}"\nlibc = "gnu"\ncrt = "static"\n'
    return f'summary = "x"\n{provisions}\n{compiled}[base]\nscratch = true\n'


def _plan_all(book: Any, samples: Any) -> str:
    """Everything that is made of recipes and samples before an engine is asked."""
    for source in ("bootstrap", "registry"):
        plan = make_plan(plan_inputs(book, source=source, harbor=HELLO), samples, Selection())
        assert list_plan(plan)
        for cell in plan.cells:
            roots = {job: job.reference for job in (cell.program.toolchain, *cell.roots)}
            assert "\nFROM " in f"\n{render_containerfile(cell, roots)}"
            assert program_key(cell.program, "x", "sha256:0")
            assert [root_key(job.bootstrap, "") for job in roots]
    return "planned"


def _check_crate(data: bytes, folder: Path, *, file: str) -> str:
    crate = folder / "hello-world"
    (crate / "src").mkdir(parents=True)
    for name in ("Cargo.toml", "Cargo.lock"):
        shutil.copy(SAMPLES / "hello-world" / name, crate)
    (crate / file).write_bytes(data)
    samples = load_samples(folder)
    assert list_samples(samples)
    return _plan_all(BOOK, [replace(sample, on_request=False) for sample in samples])


def _check_lock(data: bytes, folder: Path) -> str:
    path = folder / "recipes.lock"
    path.write_bytes(data)
    lock = read_lock(path)
    write_lock(lock, path)
    assert read_lock(path) == lock
    for job in lock.bootstrap:
        moved(lock, job, ())
    assert all(pinned_reference(reference, digest) or not reference for reference, digest in lock.registry.items())
    return "read"


def _check_result(data: bytes, folder: Path) -> str:
    path = folder / "host" / "x@y.json"
    path.parent.mkdir()
    path.write_bytes(data)
    results = load_all(path.parent)
    for form in get_args(Format):
        render(results, form)
    by_host = {"host": results}
    for page in (results_page, predictions_page, conformance_tables):
        page(by_host)
    for table in (readme_table, service_table):
        table(results)
    for result in results:
        list_manifest(result)
        plain = replace(result, cell="a@b", published_bytes=None)
        assert load(save(plain, folder)) == plain
    return "tabulated"


class _Answering:
    """Stands in for an engine in which every container says the same."""

    def __init__(self, said: bytes) -> None:
        self.said = said

    def start(self, _start: object) -> str:
        return "id"

    def discard(self, _container: str) -> None:
        pass

    def finish(self, _container: str, _seconds: float) -> RunReport:
        return RunReport(exit_code=0, stdout=self.said, stderr=b"")

    def output_of(self, _container: str) -> bytes:
        return b"started"

    def signal(self, _container: str, _name: str) -> None:
        pass


@dataclass(frozen=True)
class _Context:
    engine: _Answering
    host: Host = HOST


def _check_harbor(data: bytes, folder: Path) -> str:
    context: Any = _Context(engine=_Answering(data))
    harbor = OpenHarbor(context=context, image="x", container_id="y", state=folder)
    said, faults = 0, []
    for ask in (harbor.environment, lambda: judge_probes(list(harbor.ask())), lambda: list(harbor.ask_to_end("z"))):
        try:
            ask()
            said += 1
        except BareboatError as error:
            faults.append(error)
    # The end of a service is a probe, whatever was said.
    if said == 1:
        raise faults[0]
    return "answered"


def _check_strace(data: bytes, folder: Path) -> str:
    for number, log in enumerate(data.split(b"\x1e"), 8):
        (folder / f"log.{number}").write_bytes(log)
    read_traces(folder)
    return "read"


def _check_owners(data: bytes, folder: Path) -> str:
    del folder
    for paths in (("var/lib/dpkg/status", "var/lib/dpkg/info/a.list"), ("var/lib/dpkg/diversions",)):
        read_owners(dict.fromkeys(paths, data))
    for path in ("var/lib/dpkg/status.d/a", "var/lib/dpkg/status.d/a.md5sums", "lib/apk/db/installed"):
        owners = read_owners({path: data})
        kept = dump_owners(owners)  # nothing where a path is no text
        assert not kept or load_owners(kept) == owners
    load_owners(data)
    return "read"


def _check_packages(data: bytes, folder: Path) -> str:
    del folder
    text = data.decode(errors="replace")
    read, faults = 0, []
    for reader in (parse_md5sums, partial(pin_stanza, sha256="0" * 64), parse_installed):
        try:
            reader(text)
            read += 1
        except BareboatError as error:
            faults.append(error)
    if not read:
        raise faults[0]
    return "read"


def _check_cache(data: bytes, folder: Path) -> str:
    del folder
    for machine, order in (("x86_64", "<"), ("s390", ">")):
        read_cache(data, machine=machine, order=order)
    return "read"


def _check_copied(data: bytes, folder: Path) -> str:
    del folder
    for entry in read_copied(data, "x"):
        stays_inside(entry)
    return "read"


def _check_kept(data: bytes, folder: Path) -> str:
    for name in (FACTS_FILE, "pace.json", "images.json"):
        (folder / name).write_bytes(data)
    recall_facts(folder, {})
    Pace.read(folder / "pace.json").keep(folder / "pace.json")
    StoreList(folder / "images.json").find("localhost/bareboat/x:y")
    return "read"


def _check_settings(data: bytes, folder: Path) -> str:
    path = folder / "containers" / "containers.conf"
    path.parent.mkdir()
    path.write_bytes(data)
    (folder / "private").mkdir()
    environment = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "PATH": os.environ["PATH"]}
    podman_environment(folder / "private", environment=environment)
    return "composed"


def _check_bytes(check: Callable[[bytes], object]) -> Callable[[bytes, Path], object]:
    def checked(data: bytes, _folder: Path) -> object:
        answer = check(data)
        if isinstance(answer, BareboatError):
            raise answer
        return type(answer).__name__

    return checked


TRACE = b"""execve("/app", ["/app"], 0x7ffd4eec5380 /* 5 vars */) = 0
clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 9
chdir("/data") = 0
getcwd("/data", 99) = 6
openat(AT_FDCWD</>, "/lib/libc.so.6", O_RDONLY|O_CLOEXEC) = 3</usr/lib/libc.so.6>
openat(5</d\\74\\76>, "../x", O_RDONLY) = -1 ENOENT (No such file or directory)
open("a\\n\\"q>\\377\\303\\244\\1", O_RDONLY) = 3
fchdir(3</data/one>) = 0
+++ exited with 0 +++
\x1eopen("one", O_RDONLY) = 3
"""
DPKG = b"""Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9
Description: the C library
 and more

Package: base-files
Status: install ok installed
Version: 12
/.
/usr/lib/x86_64-linux-gnu/libc.so.6
diversion of /bin/sh to /bin/sh.distrib by dash
/bin/sh
/bin/sh.distrib
dash
"""
APK = b"""C:Q1x=
P:musl
V:1.2.5-r9
F:lib
M:0:0:755
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1c3d0ZXJl

C:Q1y=
P:libgcc
V:14-r0
F:usr/lib
R:libgcc_s.so.1
"""
MD5SUMS = b"0" * 32 + b"  usr/lib/x\n" + b"1" * 32 + b"  usr/share/doc/y/copyright\n"
HARBOR = (
    {"UPSTREAM_GOOD": "https://good.test/", "UPSTREAM_UNKNOWN": "https://unknown.test/"},
    {"probes": [{"name": "ok", "passed": True, "observed": "200"}, {"name": "b", "passed": False, "observed": "x"}]},
    {"completed": True},
)
FACTS = {
    "stamp": "x",
    "parts": ["/usr/bin/runc", "/usr/bin/conmon"],
    "facts": {"host": {"name": "x", "rootless": True}, "run_root": "/run", "graph_root": "/var"},
}
STORE = [
    {"id": "0" * 64, "names": ["localhost/bareboat/x:y"], "digest": "sha256:1", "big-data-digests": {"manifest": "z"}}
]
CACHE = b"glibc-ld.so.cache1.1" + bytes([1, 0, 0, 0, 40, 0, 0, 0, 2]).ljust(28, b"\0")
CACHE += bytes([3, 3, 0, 0, 72, 0, 0, 0, 82, 0, 0, 0]).ljust(24, b"\0") + b"libc.so.6\0/lib/libc.so.6\0"
SETTINGS = (
    {"engine": {"runtime": "crun", "env": ["A=b"], "runtimes": {"runc": ["/usr/bin/runc"]}}},
    {"containers": {"default_ulimits": ["nofile=1024:2048", {"append": True}], "pids_limit": 0}},
)


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by its name."""
    locks = (tomli.loads((RECIPES / "recipes.lock").read_text(encoding="utf-8")),)
    cargo_locks = [tomli.loads(path.read_text(encoding="utf-8")) for path in sorted(SAMPLES.glob("hello*/Cargo.lock"))]
    results = [json.loads(path.read_bytes()) for path in sorted(RESULTS.glob("*/*scratch*.json"))]
    return {
        "recipe": Kind(make=_toml("*.toml"), check=partial(_check_recipes, place="mine.toml")),
        "toolchain": Kind(make=_toml("toolchains/*.toml"), check=partial(_check_recipes, place="toolchains/mine.toml")),
        "provision": Kind(make=_toml("provisions/*.toml"), check=partial(_check_recipes, place="provisions/mine.toml")),
        "manifest": Kind(make=_toml("*/Cargo.toml", SAMPLES), check=partial(_check_crate, file="Cargo.toml")),
        "cargolock": Kind(
            make=lambda chance: change_toml(chance, cargo_locks), check=partial(_check_crate, file="Cargo.lock")
        ),
        "lock": Kind(make=lambda chance: change_toml(chance, locks), check=_check_lock),
        "result": Kind(make=_json(*results), check=_check_result),
        "archive": Kind(make=_bytes(*fuzz_archive.make_seeds()), check=_check_bytes(fuzz_archive.check)),
        "copied": Kind(make=_bytes(*fuzz_archive.LAYERS, fuzz_archive.BELOW), check=_check_copied),
        "elf": Kind(make=_bytes(*fuzz_elf.SEEDS), check=_check_bytes(fuzz_elf.check)),
        "strace": Kind(make=_lines(TRACE), check=_check_strace),
        "harbor": Kind(make=_json(*HARBOR), check=_check_harbor),
        "owners": Kind(make=_lines(DPKG, APK, MD5SUMS), check=_check_owners),
        "packages": Kind(make=_lines(DPKG, APK, MD5SUMS), check=_check_packages),
        "ldcache": Kind(make=_bytes(CACHE), check=_check_cache),
        "kept": Kind(make=_json(FACTS, STORE, {"program x": 1.5}), check=_check_kept),
        "settings": Kind(make=lambda chance: change_toml(chance, SETTINGS), check=_check_settings),
    }
