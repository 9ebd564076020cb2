"""Programs of our own in an image: what they are compiled from, what starts them, and where they have no place."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace

import pytest

from bareboat.errors import SelectionError
from bareboat.inputs.crew import crew_names
from bareboat.inputs.expectation import Served, Serving
from bareboat.plan.containerfile import render_containerfile
from bareboat.plan.jobs import ImageJob, ProgramJob, needs
from bareboat.plan.planner import plan_named_cell
from tests.unit.project import BOOK, CREW, HELLO, plan_inputs, plan_of

BOTH = (("*", ("init", "probe")),)
WELL = replace(HELLO, expectations=(Served(serving=Serving(port=3000, ready="/well")),))


def cell_of(recipe="scratch-musl", sample=WELL, provisions=BOTH, **inputs):
    (cell,) = plan_of(recipe, samples=(replace(sample, provisions=provisions),), **inputs).cells
    return cell


def skipped(sample):
    (one,) = plan_of("scratch-musl", samples=(replace(sample, provisions=BOTH),)).skipped
    return one.reason


def text_of(cell):
    return render_containerfile(cell, {job: job.reference for job in (cell.program.toolchain, *cell.roots)})


def test_the_first_process_starts_the_program_and_the_health_check_asks_where_the_service_says():
    cell = cell_of()
    assert cell.entrypoint == ("/init", "/hello-world")
    assert cell.healthcheck == ("/probe", "3000", "/well")
    assert text_of(cell).splitlines()[-3:] == [
        "USER 65532:65532",
        'HEALTHCHECK CMD ["/probe", "3000", "/well"]',
        'ENTRYPOINT ["/init", "/hello-world"]',
    ]
    alone = cell_of(provisions=())
    assert (alone.entrypoint, alone.healthcheck, alone.crew) == (("/hello-world",), (), ())


def test_a_reverse_proxy_is_asked_where_the_harbor_asks_it():
    cell = cell_of(sample=replace(HELLO, service=True), harbor=HELLO)
    assert cell.healthcheck == ("/probe", "8080", "/healthz")


@pytest.mark.parametrize(
    "sample",
    [
        HELLO,
        replace(HELLO, expectations=(Served(serving=Serving()),)),
        replace(HELLO, expectations=(Served(serving=Serving(port=53, ready="")),)),
    ],
)
def test_what_says_no_place_to_be_asked_at_gets_no_health_check(sample):
    assert "does not say where it answers HTTP: `port` in [package.metadata.bareboat.service] says it" in skipped(
        sample
    )
    with pytest.raises(SelectionError, match="cannot be made: provision 'probe' asks a service"):
        plan_named_cell(plan_inputs(), (replace(sample, provisions=BOTH),), "hello-world@scratch-musl")


def test_a_program_of_the_same_place_is_told():
    said = skipped(replace(WELL, binary="init"))
    assert said.startswith("its program would lie at /init, where something else is to come: the first process")


def test_they_are_compiled_once_in_the_cells_own_toolchain():
    plan = plan_of("scratch-musl", "scratch-glibc", "debian", samples=(replace(WELL, provisions=BOTH),))
    programs = [job.id for job in plan.jobs if isinstance(job, ProgramJob) and job.sample in CREW.values()]
    assert programs == ["program bareboat-init gnu static in gnu", "program bareboat-probe gnu static in gnu"]
    for job in plan.jobs:
        if isinstance(job, ImageJob):
            assert set(job.cell.crew) < set(needs(job))
            assert job.cell.program.toolchain in job.cell.roots
    one = cell_of("scratch-musl", source="registry")
    assert {job.id for job in one.crew} == {f"program bareboat-{name} musl static in musl" for name in CREW}


def stages(text):
    return {
        name: text.partition(f" AS {name}\n")[2].partition("\nFROM ")[0] for name in re.findall(r" AS (\S+)\n", text)
    }


@pytest.mark.parametrize("name", ["init", "probe"])
@pytest.mark.starts_processes("a shell reads what a Containerfile says")
def test_a_containerfile_has_their_sources_in_it_to_the_byte(name, tmp_path):
    stage = stages(text_of(cell_of()))[f"bareboat-{name}"]
    lines = stage.replace("\\\n", "\0")
    for step in re.findall(r"^RUN (mkdir .*)$", lines, flags=re.MULTILINE):
        subprocess.run(["/bin/sh", "-ec", step.replace("\0", "\\\n")], cwd=tmp_path, check=True)
    written = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == dict(CREW[name].texts)
    assert {".cargo/config.toml", "Cargo.toml", "Cargo.lock", "src/main.rs"} == set(written)
    assert "COPY " not in stage


def test_no_line_of_theirs_is_anything_to_a_containerfile():
    for sample in CREW.values():
        for _, text in sample.texts:
            assert text.endswith("\n")
            assert not [line for line in text.splitlines() if not line.isascii() or line.endswith("\\")]


def test_each_has_a_provision_and_needs_nothing():
    assert crew_names() == tuple(CREW) == ("init", "probe")
    for name, sample in CREW.items():
        assert {copy.source for provision in BOOK.provisions for copy in provision.copies} >= {f"crew:{name}"}
        assert (sample.libc, sample.needs_crates, sample.cargo.is_stable) == ("none", False, True)
