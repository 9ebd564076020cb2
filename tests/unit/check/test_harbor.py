"""A visit to the harbor, on an engine whose containers say what a script has them say."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from bareboat.check.harbor import judge_probes, probe_service
from bareboat.engine.containers import RunReport
from bareboat.engine.fake import HOST
from bareboat.errors import BareboatError
from bareboat.result.values import Probe
from bareboat.system.process import Processes

PROBES = [
    {"name": "body-1k", "passed": True, "observed": "200, 1024 bytes equal", "milliseconds": 1},
    {"name": "expired", "passed": True, "observed": "502, tls: certificate has expired", "milliseconds": 1},
]
UPSTREAMS = {"UPSTREAM_GOOD": "https://good.harbor.test:8443", "UPSTREAM_UNKNOWN": "https://unknown.harbor.test:8446"}


class ScriptedEngine:
    """Each container is its Start; answers are looked up by the first word of its command."""

    def __init__(self, **answers):
        self.answers = {
            "environment": json.dumps(UPSTREAMS),
            "check": json.dumps({"probes": PROBES}),
            "inflight": 'started\n{"completed": true, "bytes": 20480}\n',
            **answers,
        }
        self.started, self.discarded, self.signals = [], [], []
        self.opens = True
        self.exit_code = 0

    def image(self, reference):
        return reference

    def start(self, start):
        self.started.append(start)
        if start.command[:1] == ("serve",) and self.opens:
            (start.mounts["/harbor"] / "ready").touch()
        return str(len(self.started) - 1)

    def discard(self, container):
        self.discarded.append(container)

    def process_of(self, container):
        del container

    def signal(self, container, name):
        self.signals.append((container, name))

    def output_of(self, container):
        return self.answers[self.started[int(container)].command[0]].encode()

    def finish(self, container, timeout_seconds):
        del timeout_seconds
        words = self.started[int(container)].command
        if not words:
            return RunReport(exit_code=self.exit_code, stdout=b"", stderr=b"")
        return RunReport(exit_code=0, stdout=self.answers.get(words[0], "").encode(), stderr=b"said")


def visit(engine, tmp_path, excuses=None):
    context = SimpleNamespace(
        engine=engine, folders=SimpleNamespace(scratch=tmp_path), processes=Processes(), host=HOST
    )
    return probe_service(context, "sha256:1", SimpleNamespace(sha256="0" * 64), excuses or {})


def test_every_probe_is_kept_and_all_containers_go(tmp_path):
    engine = ScriptedEngine()
    done = visit(engine, tmp_path)
    assert done.failure is None
    names = [probe.name for probe in done.probes]
    assert names[:4] == ["body-1k", "expired", "in-flight", "sigterm"]
    assert set(names[4:]) == {"no-authorities"}
    assert sorted(engine.discarded, key=int) == [str(number) for number in range(len(engine.started))]
    assert list(tmp_path.rglob("ready")) == []


def test_the_service_shares_the_harbors_loopback_names_and_authority(tmp_path):
    engine = ScriptedEngine()
    visit(engine, tmp_path)
    serve = engine.started[0]
    assert (serve.network, serve.writable) == ("none", "/harbor")
    assert {start.network for start in engine.started[1:]} == {"0"}
    first, second = [start for start in engine.started if start.image == "sha256:1"]
    assert {"/etc/resolv.conf", "/etc/hosts", "/harbor"} == set(first.mounts)
    assert first.environment["EXTRA_CA"] == "/harbor/ca.pem"
    assert (first.writable, first.environment["UPSTREAM_GOOD"]) == ("", UPSTREAMS["UPSTREAM_GOOD"])
    # The second run trusts nobody, and asks the good upstream by the name of the unknown one.
    assert "EXTRA_CA" not in second.environment
    assert second.environment["UPSTREAM_UNKNOWN"] == UPSTREAMS["UPSTREAM_GOOD"]


def test_the_service_is_told_to_end_in_the_middle_of_a_request(tmp_path):
    engine = ScriptedEngine()
    visit(engine, tmp_path)
    (container, name) = engine.signals[0]
    assert (engine.started[int(container)].image, name) == ("sha256:1", "SIGTERM")


@pytest.mark.parametrize(
    ("answers", "exit_code", "reason"),
    [
        ({"inflight": 'started\n{"completed": false, "bytes": 12}\n'}, 0, "probe 'in-flight': "),
        ({}, None, "probe 'sigterm': still running 2 s after its last answer"),
        ({}, 143, "probe 'sigterm': exit code 143"),
        (
            {"check": json.dumps({"probes": [{**PROBES[1], "passed": False, "observed": "200"}]})},
            0,
            "probe 'expired': 200",
        ),
    ],
)
def test_a_wrong_answer_is_the_failure(answers, exit_code, reason, tmp_path):
    engine = ScriptedEngine(**answers)
    engine.exit_code = exit_code
    failure = visit(engine, tmp_path).failure
    assert failure.stage == "run"
    assert failure.reason.startswith(reason)


@pytest.mark.parametrize("said", ["", "no JSON", "[]", "{}", '{"probes": [{"name": "a"}]}', '{"probes": [1]}'])
def test_a_harbor_that_gives_no_answer_is_told_with_its_words(said, tmp_path):
    with pytest.raises(BareboatError, match=r"the harbor gave no answer \(exit code 0\): said"):
        visit(ScriptedEngine(check=said), tmp_path)


@pytest.mark.parametrize("said", ["{}", '{"UPSTREAM_GOOD": 1}', "[]"])
def test_an_environment_without_its_upstreams_is_one_clear_error(said, tmp_path):
    with pytest.raises(BareboatError, match=r"the harbor (names no UPSTREAM_GOOD|gave no answer)"):
        visit(ScriptedEngine(environment=said), tmp_path)


def test_a_harbor_that_does_not_open_is_told_and_removed(tmp_path):
    engine = ScriptedEngine()
    engine.opens = False
    with pytest.raises(BareboatError, match="the harbor does not open: said"):
        visit(engine, tmp_path)
    assert engine.discarded == ["0"]


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


def test_an_excuse_covers_its_probe_and_nothing_else(tmp_path):
    wrong = [PROBES[0], {**PROBES[1], "passed": False, "observed": "200"}]
    engine = ScriptedEngine(check=json.dumps({"probes": wrong}))
    excused = visit(engine, tmp_path, {"expired": "its clock stands still"})
    assert {probe.name: probe.excused for probe in excused.probes}["expired"] == "its clock stands still"
    assert excused.failure.reason == "probe 'no-authorities': 200", "the same answer under another name is not excused"


def test_an_excuse_for_what_passes_is_a_failure():
    probe = Probe(name="a", passed=True, observed="200", excused="known")
    assert judge_probes([probe]).reason == "probe 'a' passes, and is excused: known"
    assert judge_probes([Probe(name="a", passed=False, observed="502", excused="known")]) is None
