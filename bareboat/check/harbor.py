"""Holds a service to the probes of the harbor: names, authorities and upstreams on a loopback that nobody else is on.

The harbor and the service share one network namespace without any network but loopback. The harbor writes what the
service needs (its authority, resolv.conf, hosts) into a folder that is mounted into both; a third container asks.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.engine.images import KEY_LABEL, KIND_LABEL, OWN_NAMES, Start
from bareboat.errors import BareboatError
from bareboat.result.values import Failed, Probe
from bareboat.system.files import make_open_folder
from bareboat.system.folders import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bareboat.engine.images import RunReport
    from bareboat.make.context import Program, Workshop

STATE = "/harbor"
SUBJECT = "http://127.0.0.1:8080"
READY_SECONDS = 20.0
CHECK_SECONDS = 180.0
STOP_SECONDS = 2.0
NO_AUTHORITY = "/nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What came of it: every probe, the first failure, and the most memory that the service ever took, in bytes."""

    probes: tuple[Probe, ...]
    failure: Failed | None
    peak_bytes: int | None


def visit_harbor(workshop: Workshop, image_id: str, harbor: Program, excuses: Mapping[str, str]) -> Visit:
    """Run the service's image in the harbor and ask it everything, then have it end; raises BareboatError.

    `excuses` says by probe why it is known to be answered otherwise.
    """
    with moor(workshop, harbor) as berth:
        environment = berth.environment()
        with berth.running(berth.subject(image_id, environment)) as service:
            probes = list(berth.ask())
            peak = _peak_bytes(workshop, service)
            probes += berth.ask_to_end(service)
        # The same upstream, and nobody is trusted.
        nobody = {"SSL_CERT_FILE": NO_AUTHORITY, "SSL_CERT_DIR": NO_AUTHORITY}
        bare = {**environment, "UPSTREAM_UNKNOWN": environment["UPSTREAM_GOOD"], **nobody}
        del bare["EXTRA_CA"]
        with berth.running(berth.subject(image_id, bare)):
            probes += [replace(probe, name="no-authorities") for probe in berth.ask("unknown-authority")]
    probes = [replace(probe, excused=excuses.get(probe.name, "")) for probe in probes]
    return Visit(probes=tuple(probes), failure=judge_probes(probes), peak_bytes=peak)


def judge_probes(probes: list[Probe]) -> Failed | None:
    """The failure that wrong answers come to, and excuses that are none. Pure."""
    wrong = [probe for probe in probes if not probe.passed and not probe.excused]
    if not wrong:
        needless = next((probe for probe in probes if probe.passed and probe.excused), None)
        reason = f"probe '{needless.name}' passes, and is excused: {needless.excused}" if needless else ""
        return Failed(stage="run", reason=reason) if needless else None
    detail = "\n".join(f"{probe.name}: {probe.observed}" for probe in wrong)
    return Failed(stage="run", reason=f"probe '{wrong[0].name}': {wrong[0].observed}", detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Berth:
    """A place in a harbor that serves: `quay` is its container, `state` the folder that all mount."""

    workshop: Workshop
    harbor: str
    quay: str
    state: Path

    def subject(self, image_id: str, environment: Mapping[str, str]) -> Start:
        """The service in an environment, with the harbor's name server and hosts."""
        return Start(
            image=image_id,
            environment=environment,
            mounts={
                STATE: self.state,
                "/etc/resolv.conf": self.state / "resolv.conf",
                "/etc/hosts": self.state / "hosts",
            },
            network=self.quay,
        )

    @contextlib.contextmanager
    def running(self, start: Start) -> Iterator[str]:
        """A container, for as long as the block runs; its id."""
        container = self.workshop.engine.start(start)
        try:
            yield container
        finally:
            self.workshop.engine.discard(container)

    def environment(self) -> dict[str, str]:
        """What the service is told: the harbor's upstreams and authority, and where to listen."""
        said = _read_json(self._do("environment"))
        upstreams = {str(name): str(value) for name, value in said.items()}
        return {**upstreams, "EXTRA_CA": f"{STATE}/ca.pem", "LISTEN": SUBJECT.removeprefix("http://")}

    def ask(self, only: str = "") -> Iterator[Probe]:
        """Every probe, or one."""
        words = ("check", "--subject", SUBJECT, "--state", STATE, *(("--only", only) if only else ()))
        for probe in _read_json(self._do(*words))["probes"]:
            yield Probe(name=str(probe["name"]), passed=bool(probe["passed"]), observed=str(probe["observed"]))

    def ask_to_end(self, service: str) -> Iterator[Probe]:
        """SIGTERM in the middle of a request: it is answered whole, and the service ends in time, with exit code 0."""
        engine = self.workshop.engine
        with self.running(self._start("inflight", "--subject", SUBJECT)) as asking:
            _wait_for(lambda: b"started" in engine.output_of(asking), "no request came under way")
            engine.signal(service, "SIGTERM")
            report = engine.finish(asking, READY_SECONDS)
            ended = engine.finish(service, STOP_SECONDS)
        words = report.stdout.decode(errors="replace").strip().splitlines()
        whole = report.exit_code == 0 and '"completed":true' in "".join(words[-1:]).replace(" ", "")
        yield Probe(name="in-flight", passed=whole, observed=words[-1] if words else "nothing was answered")
        seconds = f"{STOP_SECONDS:g} s after its last answer"
        observed = f"exit code {ended.exit_code}" if ended.exit_code is not None else f"still running {seconds}"
        yield Probe(name="sigterm", passed=ended.exit_code == 0, observed=observed)

    def _start(self, *words: str) -> Start:
        return Start(image=self.harbor, command=words, mounts={STATE: self.state}, network=self.quay)

    def _do(self, *words: str) -> RunReport:
        with self.running(self._start(*words)) as container:
            return self.workshop.engine.finish(container, CHECK_SECONDS)


@contextlib.contextmanager
def moor(workshop: Workshop, harbor: Program) -> Iterator[Berth]:
    """A berth in a harbor that serves, for as long as the block runs; raises BareboatError."""
    engine, image = workshop.engine, _have_image(workshop, harbor)
    state = workshop.folders.scratch / "harbor" / secrets.token_hex(8)
    make_open_folder(state)
    quay = ""
    try:
        start = Start(image=image, command=("serve", "--state", STATE), mounts={STATE: state}, writable=STATE)
        quay = engine.start(start)
        _wait_for(lambda: (state / "ready").exists() or engine.process_of(quay) is None, "the harbor does not open")
        if not (state / "ready").exists():
            said = engine.finish(quay, READY_SECONDS).stderr.decode(errors="replace").strip()
            raise BareboatError(f"the harbor does not open: {said}")
        yield Berth(workshop=workshop, harbor=image, quay=quay, state=state)
    finally:
        if quay:
            engine.discard(quay)
        remove(workshop.processes, state)


def _have_image(workshop: Workshop, harbor: Program) -> str:
    name = f"{OWN_NAMES}harbor:{harbor.sha256[:12]}"
    if workshop.engine.image(name) is None:
        config = ImageConfig(
            user="65532:65532",
            entrypoint=("/bin/harbor",),
            labels={KIND_LABEL: "harbor", KEY_LABEL: harbor.sha256},
            architecture=workshop.host.architecture,
        )
        archive = workshop.folders.scratch / f"harbor-{secrets.token_hex(4)}.oci.tar"
        program = Entry(path="bin/harbor", mode=0o755, content=harbor.path.read_bytes())
        write_image([program], config, reference=name, to=archive)
        try:
            workshop.engine.load(archive)
        finally:
            archive.unlink(missing_ok=True)
    return name


def _read_json(report: RunReport) -> dict[str, Any]:
    try:
        said = json.loads(report.stdout)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        words = report.refused or report.stderr.decode(errors="replace").strip()
        raise BareboatError(f"the harbor gave no answer (exit code {report.exit_code}): {words}")
    return said


def _wait_for(condition: Callable[[], bool], fault: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise BareboatError(f"{fault} within {READY_SECONDS:g} s")
        time.sleep(0.01)


def _peak_bytes(workshop: Workshop, container: str) -> int | None:
    """VmHWM of proc(5): what the container's first process has had in memory at most."""
    process = workshop.engine.process_of(container)
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    values = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(values[0]) * 1024 if values else None
