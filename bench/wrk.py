"""wrk, a load generator, in a harbor of its own: what it counts, and what the service takes meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.archive import Entry, ImageConfig
from bareboat.check.harbor import STATE, SUBJECT
from bareboat.closure import FolderRoot, find_closure
from bareboat.engine.containers import Start
from bareboat.engine.images import KEY_LABEL, KIND_LABEL, OWN_NAMES
from bareboat.errors import BareboatError, HostError
from bareboat.make.load import load_image
from bareboat.system.files import write_whole

if TYPE_CHECKING:
    from bareboat.check.harbor import OpenHarbor
    from bareboat.engine.containers import RunReport
    from bareboat.make.context import JobContext

CONNECTIONS, EARLY_SECONDS, LAST_SECONDS = 16, 10, 0.5
DRIFT_LIMIT = 0.10
BODY_BYTES = 1024
SCRIPT = Path(__file__).with_suffix(".lua")


@dataclass(frozen=True, slots=True, kw_only=True)
class Borne:
    """What wrk counted, and what the service took meanwhile; `first` is the first wrong answer."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    wrong: int
    first: str
    connect: int
    read: int
    write: int
    timeout: int
    early_bytes: int
    end_bytes: int
    processor_seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def drift(self) -> float:
        """By what share of the early memory the end's is away from it; negative where it is less."""
        return self.end_bytes / self.early_bytes - 1

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that must not be."""
        counts = {name: getattr(self, name) for name in ("connect", "read", "write", "timeout")}
        faults = [f"{count} {name} errors" for name, count in counts.items() if count]
        if self.wrong:
            faults.append(f"{self.wrong} wrong answers, the first {self.first}")
        if not self.requests:
            faults.append("no request was answered")
        if abs(self.drift) > DRIFT_LIMIT:
            faults.append(f"memory went from {self.early_bytes} to {self.end_bytes} bytes")
        return tuple(faults)


def pattern(size: int) -> bytes:
    """The harbor's body of that many bytes: SplitMix64 of the word's number, least byte first."""
    limit, words = 2**64, bytearray()
    for number in range(1, (size + 7) // 8 + 1):
        mixed = number * 0x9E3779B97F4A7C15 % limit
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 % limit
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % limit
        words += (mixed ^ (mixed >> 31)).to_bytes(8, "little")
    return bytes(words[:size])


def load_wrk(context: JobContext) -> str:
    """Put this machine's wrk, with all that it needs, into an image; returns its name."""
    found = shutil.which("wrk")
    if not found:
        raise HostError("wrk is not on this machine\n  mend it: apt-get install wrk")
    closure = find_closure(FolderRoot(Path("/")), found)
    libraries = [one.path for one in closure.files if one.way in {"needed", "interpreter"}]
    entries = [
        Entry(path=path.lstrip("/"), mode=0o755, content=Path(path).read_bytes()) for path in (*libraries, found)
    ]
    name = f"{OWN_NAMES}bench/wrk:latest"
    config = ImageConfig(
        user="65532:65532",
        entrypoint=(found,),
        labels={KIND_LABEL: "bench", KEY_LABEL: "wrk"},
        architecture=context.host.architecture,
    )
    load_image(context, entries, config, name)
    return name


def bear(harbor: OpenHarbor, image_id: str, wrk: str, page: str, seconds: int) -> Borne:
    """Run the service in a harbor and put the load on it; `seconds` are at least 2."""
    engine = harbor.context.engine
    # Every container in the harbor mounts the folder.
    write_whole(harbor.state / SCRIPT.name, SCRIPT.read_bytes())
    write_whole(harbor.state / "body", pattern(BODY_BYTES))
    limits = ("--threads=1", f"--connections={CONNECTIONS}", f"--duration={seconds}s")
    command = (*limits, f"--script={STATE}/{SCRIPT.name}", f"{SUBJECT}{page}")
    asking = Start(image=wrk, command=command, mounts={STATE: harbor.state}, network=harbor.container_id)
    with harbor.running(harbor.subject(image_id, harbor.environment())) as service:
        list(harbor.ask("healthz"))  # waits until it serves
        process = engine.process_of(service)
        worked = processor_seconds(process)
        with harbor.running(asking) as asker:
            early_seconds = min(EARLY_SECONDS, seconds / 2)
            time.sleep(early_seconds)
            early = resident_bytes(process)
            # Before its connections close, which is when an allocator gives back what they took.
            time.sleep(seconds - early_seconds - LAST_SECONDS)
            end = resident_bytes(process)
            report = engine.finish(asker, 2.0 * seconds)
        counted = read_counts(report)
        worked = processor_seconds(process) - worked
    return Borne(**counted, early_bytes=early, end_bytes=end, processor_seconds=worked)


def read_counts(report: RunReport) -> dict[str, Any]:
    """What the script told in the last line; raises BareboatError when wrk came to no end."""
    said = report.stdout.decode(errors="replace").strip().splitlines()
    if report.exit_code != 0 or not said:
        raise BareboatError(f"wrk ended with {report.exit_code}: {report.stderr.decode(errors='replace').strip()}")
    return dict(json.loads(said[-1]))


def resident_bytes(process: int | None) -> int:
    """VmRSS of proc(5); raises BareboatError when the process has ended."""
    status = read_process(process, "status")
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


def processor_seconds(process: int | None) -> float:
    """User and system time of all threads so far, of proc(5); raises BareboatError when the process has ended."""
    # The name, in brackets, may hold anything.
    words = read_process(process, "stat").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def read_process(process: int | None, name: str) -> str:
    """A file of a process's own in /proc."""
    try:
        return Path(f"/proc/{process}/{name}").read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BareboatError("the service ended under the load") from error
