"""A visit to the harbor, on the fake engine, whose containers do what a script says."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.check.harbor import judge_probes, probe_service
from bareboat.engine.fake import HOST, FakeEngine, Script
from bareboat.errors import BareboatError
from bareboat.inputs.limits import Limits
from bareboat.result.gauged import Gauged
from bareboat.result.values import Probe
from bareboat.system.process import Processes

PROBES = [
    {"name": "body-1k", "passed": True, "observed": "200, 1024 bytes equal", "milliseconds": 1},
    {"name": "expired", "passed": True, "observed": "502, tls: certificate has expired", "milliseconds": 1},
]
UPSTREAMS = {"UPSTREAM_GOOD": "https://good.harbor.test:8443", "UPSTREAM_UNKNOWN": "https://unknown.harbor.test:8446"}
SERVICE = "localhost/service:x"
# What the service does on a signal: it ends, with exit code 0.
ENDS = {"SIGTERM": 0}


def says(answer, **does):
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return Script(stdout=text.encode(), stderr=b"said", **does)


def scripts(**changes):
    """What the harbor does, by the first word of its command, and what the service does, which is given no command."""
    does = {
        "serve": Script(files={"/harbor/ready": b""}, exit_code=None),
        "environment": says(UPSTREAMS),
        "check": says({"probes": PROBES}),
        "inflight": says('started\n{"completed": true, "bytes": 20480}\n'),
        "service": Script(exit_code=None, on_signal=ENDS),
        **changes,
    }
    return lambda _image, command: does[command[0] if command else "service"]


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    engine = FakeEngine(folder=tmp_path / "store", script=scripts())
    write_image([Entry(path="service")], ImageConfig(), reference=SERVICE, to=tmp_path / "service.tar")
    engine.load(tmp_path / "service.tar")
    return engine


def visit(engine, tmp_path, excuses=None, limits=Limits(), host=HOST, **more):  # noqa: B008 (a frozen value)
    program = tmp_path / "program"
    program.write_bytes(b"the harbor")
    context = SimpleNamespace(
        engine=engine, folders=SimpleNamespace(scratch=tmp_path), processes=Processes(), host=host
    )
    return probe_service(
        context, SERVICE, SimpleNamespace(sha256="0" * 64, path=program), excuses or {}, limits, **more
    )


def test_every_probe_is_kept_and_all_containers_go(engine, tmp_path):
    done = visit(engine, tmp_path)
    assert done.failure is None
    names = [probe.name for probe in done.probes]
    assert names[:4] == ["body-1k", "expired", "in-flight", "sigterm"]
    assert set(names[4:]) == {"no-authorities"}
    assert (len(engine.started), engine.containers) == (7, ())
    assert list(tmp_path.rglob("ready")) == []


def test_the_service_shares_the_harbors_loopback_names_and_authority(engine, tmp_path):
    visit(engine, tmp_path)
    (harbor, serve), *others = engine.started.items()
    assert (serve.network, serve.writable) == ("none", "/harbor")
    assert {start.network for _, start in others} == {harbor}
    first, second = [start for _, start in others if start.image == SERVICE]
    assert {"/etc/resolv.conf", "/etc/hosts", "/harbor"} == set(first.mounts)
    assert first.environment["EXTRA_CA"] == "/harbor/ca.pem"
    assert (first.writable, first.environment["UPSTREAM_GOOD"]) == ("", UPSTREAMS["UPSTREAM_GOOD"])
    # The second run trusts nobody, and asks the good upstream by the name of the unknown one.
    assert "EXTRA_CA" not in second.environment
    assert second.environment["UPSTREAM_UNKNOWN"] == UPSTREAMS["UPSTREAM_GOOD"]


def test_the_service_is_gauged_in_the_open_harbor_before_it_is_asked(engine, tmp_path):
    seen, gauged = [], Gauged(why="seen")

    def gauge(start):
        seen.append((start, len(engine.containers)))
        return gauged

    assert visit(engine, tmp_path, gauge=gauge).gauged is gauged
    harbor = next(iter(engine.started))
    ((start, running),) = seen
    assert running == 1, "the harbor alone"
    assert start == next(one for one in engine.started.values() if one.image == SERVICE)
    assert start.network == harbor


def test_the_service_is_told_to_end_in_the_middle_of_a_request(engine, tmp_path):
    visit(engine, tmp_path)
    ((container, name),) = engine.signals
    assert (engine.started[container].image, name) == (SERVICE, "SIGTERM")


def test_the_most_memory_is_that_of_the_services_own_process(engine, tmp_path):
    assert visit(engine, tmp_path).peak_bytes is None, "no process of this machine has the number"
    engine.script = scripts(service=Script(exit_code=None, on_signal=ENDS, process=os.getpid()))
    assert visit(engine, tmp_path).peak_bytes > 2**20


def test_the_service_may_take_what_its_recipe_says_and_the_harbor_what_the_hosts_cores_ask_for(engine, tmp_path):
    visit(engine, tmp_path, limits=Limits(memory_mb=100, processes=20), host=replace(HOST, cores=64))
    limits = {(start.image == SERVICE, start.limits) for start in engine.started.values()}
    assert limits == {
        (True, Limits(memory_mb=100, processes=20)),
        (False, Limits(memory_mb=1504, processes=1056)),
    }


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        (Script(memory_mb=2000), "killed for memory at 512 MB"),
        (Script(processes=65), "could not make a thread or process: 64 is the limit"),
        (Script(exit_code=3), "it ended while it was asked, with exit code 3"),
    ],
)
def test_a_service_that_ends_while_it_is_asked_says_why(engine, service, reason, tmp_path):
    engine.script = scripts(service=service, check=says({"probes": [{**PROBES[0], "passed": False}]}))
    done = visit(engine, tmp_path)
    assert done.failure.reason == reason
    assert [probe.passed for probe in done.probes] == [False]
    assert engine.containers == ()


def test_a_service_that_was_refused_a_thread_is_told_so_before_its_wrong_answers(engine, tmp_path):
    said = b"OS can't spawn worker thread: Resource temporarily unavailable (os error 11)"
    wrong = says({"probes": [{**PROBES[0], "passed": False, "observed": "502"}]})
    engine.script = scripts(service=Script(exit_code=None, on_signal=ENDS, stderr=said), check=wrong)
    failure = visit(engine, tmp_path).failure
    assert failure.reason == "could not make a thread or process: 64 is the limit"
    assert failure.detail.startswith("probe 'body-1k': 502\n")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"inflight": says('started\n{"completed": false, "bytes": 12}\n')}, "probe 'in-flight': "),
        ({"service": Script(exit_code=None)}, "probe 'sigterm': still running 2 s after its last answer"),
        ({"service": Script(exit_code=None, on_signal={"SIGTERM": 143})}, "probe 'sigterm': exit code 143"),
        ({"check": says({"probes": [{**PROBES[1], "passed": False, "observed": "200"}]})}, "probe 'expired': 200"),
    ],
)
def test_a_wrong_answer_is_the_failure(engine, changes, reason, tmp_path):
    engine.script = scripts(**changes)
    failure = visit(engine, tmp_path).failure
    assert failure.stage == "run"
    assert failure.reason.startswith(reason)


@pytest.mark.parametrize("said", ["", "no JSON", "[]", "{}", '{"probes": [{"name": "a"}]}', '{"probes": [1]}'])
def test_a_harbor_that_gives_no_answer_is_told_with_its_words(engine, said, tmp_path):
    engine.script = scripts(check=says(said))
    with pytest.raises(BareboatError, match=r"the harbor gave no answer \(exit code 0\): said"):
        visit(engine, tmp_path)
    assert engine.containers == ()


ODD = (*("{}", '{"UPSTREAM_GOOD": 1}', "[]"), json.dumps({"a\nb\x1b[2J": "x", "c" * 100_000: "y"}), '{"\\t": 1}')


@pytest.mark.parametrize("said", ODD, ids=range(len(ODD)))
def test_an_environment_without_its_upstreams_is_one_clear_error(engine, said, tmp_path):
    engine.script = scripts(environment=Script(stdout=said.encode()))
    with pytest.raises(BareboatError, match=r"the harbor (names no UPSTREAM_GOOD|gave no answer)") as caught:
        visit(engine, tmp_path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 5000


def test_a_harbor_that_does_not_open_is_told_and_removed(engine, tmp_path):
    engine.script = scripts(serve=says("", exit_code=1))
    with pytest.raises(BareboatError, match="the harbor does not open: said"):
        visit(engine, tmp_path)
    assert (len(engine.started), engine.containers) == (1, ())


@pytest.mark.parametrize("who", ["serve", "service"])
def test_what_the_runtime_refuses_is_told_with_its_words(engine, who, tmp_path):
    engine.script = scripts(**{who: Script(refused="exec format error")})
    with pytest.raises(BareboatError, match="cannot be started: exec format error"):
        visit(engine, tmp_path)
    assert engine.containers == ()


def test_the_first_wrong_probe_is_the_reason_and_all_are_told():
    probes = [
        Probe(name="a", passed=True, observed="200"),
        Probe(name="b", passed=False, observed="502, dns"),
        Probe(name="c", passed=False, observed="504"),
    ]
    failure = judge_probes(probes)
    assert failure.reason == "probe 'b': 502, dns"
    assert failure.detail == "b: 502, dns\nc: 504"
    assert judge_probes(probes[:1]) is None


def test_an_excuse_covers_its_probe_and_nothing_else(engine, tmp_path):
    wrong = [PROBES[0], {**PROBES[1], "passed": False, "observed": "200"}]
    engine.script = scripts(check=says({"probes": wrong}))
    excused = visit(engine, tmp_path, {"expired": "its clock stands still"})
    assert {probe.name: probe.excused for probe in excused.probes}["expired"] == "its clock stands still"
    assert excused.failure.reason == "probe 'no-authorities': 200", "the same answer under another name is not excused"


def test_an_excuse_for_what_passes_is_a_failure():
    probe = Probe(name="a", passed=True, observed="200", excused="known")
    assert judge_probes([probe]).reason == "probe 'a' passes, and is excused: known"
    assert judge_probes([Probe(name="a", passed=False, observed="502", excused="known")]) is None
