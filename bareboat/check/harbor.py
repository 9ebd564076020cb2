"""Holds a service to the probes of the harbor: names, authorities and upstreams on a loopback that nobody else is on.

The harbor and the service share one network namespace that has no network but loopback. The harbor writes what the
service needs (its authority, resolv.conf, hosts) into a folder that is mounted into both; a third container asks.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bareboat.archive import Entry, ImageConfig
from bareboat.check.as_it_stands import peak_bytes
from bareboat.check.harbor_answers import CHECKED, ENVIRONMENT, is_completed, read_answer
from bareboat.check.limits import limit_hit
from bareboat.engine.containers import Start
from bareboat.engine.images import KEY_LABEL, KIND_LABEL, OWN_NAMES
from bareboat.errors import BareboatError
from bareboat.inputs.limits import limits_of
from bareboat.inputs.recipe import Runtime
from bareboat.inputs.sample import PROXY_PORT
from bareboat.inputs.tomlfile import spelt
from bareboat.make.load import load_image
from bareboat.result.values import Failed, Probe
from bareboat.system.files import make_open_folder
from bareboat.system.folders import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bareboat.engine.containers import RunReport
    from bareboat.inputs.limits import Limits
    from bareboat.make.context import JobContext, Program
    from bareboat.result.gauged import Gauged

STATE = "/harbor"
SUBJECT = f"http://127.0.0.1:{PROXY_PORT}"
READY_SECONDS = 20.0
CHECK_SECONDS = 180.0
STOP_SECONDS = 2.0
_DETAIL_CHARACTERS = 4000
NO_AUTHORITY = "/nowhere"
_GOOD, _UNKNOWN = "UPSTREAM_GOOD", "UPSTREAM_UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReport:
    """What came of a service's probes."""

    probes: tuple[Probe, ...]
    failure: Failed | None  # the first wrong answer
    peak_bytes: int | None  # the most memory that the service ever took
    gauged: Gauged | None = None  # what was measured from inside its container


def probe_service(
    context: JobContext,
    image_id: str,
    harbor_program: Program,
    excuses: Mapping[str, str],
    limits: Limits,
    *,
    gauge: Callable[[Start], Gauged | None] = lambda _: None,
) -> ServiceReport:
    """Run the service's image in the harbor and ask it everything, then have it end; raises BareboatError.

    `excuses` says by probe why it is known to be answered wrongly; `limits` is what the service may take. `gauge`
    measures the service as it is started here, before it is asked.
    """
    with open_harbor(context, harbor_program) as harbor:
        environment = harbor.environment()
        subject = harbor.subject(image_id, environment, limits)
        gauged = gauge(subject)
        with harbor.running(subject) as service:
            probes = list(harbor.ask())
            process = context.engine.process_of(service)
            peak = None if process is None else peak_bytes(process)
            if context.engine.process_of(service) is None:
                report = context.engine.finish(service, STOP_SECONDS)
                return ServiceReport(probes=tuple(probes), failure=_judge_end(report, limits), peak_bytes=None)
            probes += harbor.ask_to_end(service)
            # One that did not heed SIGTERM was killed by us.
            hit = limit_hit(replace(context.engine.finish(service, STOP_SECONDS), exit_code=None), limits)
        # The same upstream once more, asked by a service that trusts no authority.
        nobody = {"SSL_CERT_FILE": NO_AUTHORITY, "SSL_CERT_DIR": NO_AUTHORITY}
        bare = {**environment, _UNKNOWN: environment[_GOOD], **nobody}
        del bare["EXTRA_CA"]
        with harbor.running(harbor.subject(image_id, bare, limits)):
            probes += [replace(probe, name="no-authorities") for probe in harbor.ask("unknown-authority")]
    probes = [replace(probe, excused=excuses.get(probe.name, "")) for probe in probes]
    failure = judge_probes(probes)
    if failure and hit:
        failure = replace(failure, reason=hit, detail=f"{failure.reason}\n{failure.detail}")
    return ServiceReport(probes=tuple(probes), failure=failure, peak_bytes=peak, gauged=gauged)


def _judge_end(report: RunReport, limits: Limits) -> Failed:
    """The failure of a service that ended while it was asked."""
    said = report.stderr.decode(errors="replace")[-_DETAIL_CHARACTERS:]
    ended = f"it ended while it was asked, with exit code {report.exit_code}"
    return Failed(stage="run", reason=limit_hit(report, limits) or ended, detail=said)


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
class OpenHarbor:
    """A harbor that serves."""

    context: JobContext
    image: str  # the harbor's own
    container_id: str  # in which it serves
    state: Path  # the folder that all containers here mount

    def subject(self, image_id: str, environment: Mapping[str, str], limits: Limits) -> Start:
        """The service in an environment, with the harbor's name server and hosts."""
        return Start(
            image=image_id,
            environment=environment,
            mounts={
                STATE: self.state,
                "/etc/resolv.conf": self.state / "resolv.conf",
                "/etc/hosts": self.state / "hosts",
            },
            network=self.container_id,
            limits=limits,
        )

    @contextlib.contextmanager
    def running(self, start: Start) -> Iterator[str]:
        """A container, for as long as the block runs; its id."""
        container = self.context.engine.start(start)
        try:
            yield container
        finally:
            self.context.engine.discard(container)

    def environment(self) -> dict[str, str]:
        """What the service is told: the harbor's upstreams and authority, and where to listen."""
        upstreams = read_answer(self._do("environment"), ENVIRONMENT)
        if _GOOD not in upstreams:
            named = spelt(", ".join(sorted(upstreams)))
            raise BareboatError(f"the harbor names no {_GOOD}; it names {named or 'nothing'}")
        return {**upstreams, "EXTRA_CA": f"{STATE}/ca.pem", "LISTEN": SUBJECT.removeprefix("http://")}

    def ask(self, *only: str, ready_seconds: int = 10, seconds: float = CHECK_SECONDS) -> Iterator[Probe]:
        """Every probe, or those of these names; of a service that is ready and answers all within so many seconds."""
        words = ("--subject", SUBJECT, "--state", STATE, "--wait", str(ready_seconds))
        chosen = [word for name in only for word in ("--only", name)]
        for probe in read_answer(self._do("check", *words, *chosen, seconds=seconds), CHECKED).probes:
            yield Probe(name=probe.name, passed=probe.passed, observed=probe.observed)

    def ask_to_end(self, service: str) -> Iterator[Probe]:
        """SIGTERM in the middle of a request: it is answered whole, and the service ends in time, with exit code 0."""
        engine = self.context.engine
        with self.running(self._start("inflight", "--subject", SUBJECT)) as asking:
            _wait_for(lambda: b"started" in engine.output_of(asking), "no request came under way")
            engine.signal(service, "SIGTERM")
            report = engine.finish(asking, READY_SECONDS)
            ended = engine.finish(service, STOP_SECONDS)
        words = report.stdout.decode(errors="replace").strip().splitlines()
        whole = report.exit_code == 0 and bool(words) and is_completed(words[-1])
        yield Probe(name="in-flight", passed=whole, observed=words[-1] if words else "nothing was answered")
        seconds = f"{STOP_SECONDS:g} s after its last answer"
        observed = f"exit code {ended.exit_code}" if ended.exit_code is not None else f"still running {seconds}"
        yield Probe(name="sigterm", passed=ended.exit_code == 0, observed=observed)

    def _start(self, *words: str) -> Start:
        return Start(
            image=self.image,
            command=words,
            mounts={STATE: self.state},
            network=self.container_id,
            limits=_own_limits(self.context),
        )

    def _do(self, *words: str, seconds: float = CHECK_SECONDS) -> RunReport:
        with self.running(self._start(*words)) as container:
            return self.context.engine.finish(container, seconds)


@contextlib.contextmanager
def open_harbor(context: JobContext, harbor_program: Program) -> Iterator[OpenHarbor]:
    """A harbor that serves for as long as the block runs; raises BareboatError."""
    engine, image = context.engine, _have_image(context, harbor_program)
    state = context.folders.scratch / "harbor" / secrets.token_hex(8)
    make_open_folder(state)
    container_id = ""
    try:
        start = Start(
            image=image,
            command=("serve", "--state", STATE),
            mounts={STATE: state},
            writable=STATE,
            limits=_own_limits(context),
        )
        container_id = engine.start(start)
        _wait_for(
            lambda: (state / "ready").exists() or engine.process_of(container_id) is None, "the harbor does not open"
        )
        if not (state / "ready").exists():
            said = engine.finish(container_id, READY_SECONDS).stderr.decode(errors="replace").strip()
            raise BareboatError(f"the harbor does not open: {said}")
        yield OpenHarbor(context=context, image=image, container_id=container_id, state=state)
    finally:
        if container_id:
            engine.discard(container_id)
        remove(context.processes, state)


def _own_limits(context: JobContext) -> Limits:
    return limits_of(Runtime(), context.host.cores)


def _have_image(context: JobContext, harbor_program: Program) -> str:
    name = f"{OWN_NAMES}harbor:{harbor_program.sha256[:12]}"
    if context.engine.find(name) is None:
        config = ImageConfig(
            user="65532:65532",
            entrypoint=("/bin/harbor",),
            labels={KIND_LABEL: "harbor", KEY_LABEL: harbor_program.sha256},
            architecture=context.host.architecture,
        )
        load_image(
            context, [Entry(path="bin/harbor", mode=0o755, content=harbor_program.path.read_bytes())], config, name
        )
    return name


def _wait_for(condition: Callable[[], bool], fault: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise BareboatError(f"{fault} within {READY_SECONDS:g} s")
        time.sleep(0.01)
