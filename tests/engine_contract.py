"""What every engine must do, run over the fake one and over Podman alike.

Each method of a Protocol is called in a test of the contract that belongs to it; tests/unit/engine/test_contract.py
finds the one that is not.
"""

from __future__ import annotations

import secrets

import pytest

from bareboat.archive import Entry, ImageConfig, open_image, read_copied, write_image
from bareboat.check.limits import limit_hit
from bareboat.check.strace_log import Opened, read_traces
from bareboat.engine.containers import Start, Work
from bareboat.engine.images import Build
from bareboat.errors import AbsentError, BareboatError, EngineError
from bareboat.inputs.limits import Limits
from bareboat.system.files import make_open_folder
from bareboat.system.folders import remove
from bareboat.system.process import Processes
from tests.programs import EXIT_7, FOREVER, awaiting, devouring, multiplying, program, speaking

NOWHERE = "127.0.0.1:1/nothing:here"
NO_IMAGE = "localhost/bareboat/never:seen"
NO_CONTAINER = "f" * 64
# A build that copies this must fail, which a fake engine has to be told.
BROKEN = "absent"
ABSENT = "/etc/absent"


def load(engine, name, content, folder, *, entrypoint="/program"):
    """Load an image of that name with one program in it; returns its id."""
    archive = folder / f"{secrets.token_hex(6)}.tar"
    entry = Entry(path="program", mode=0o755, content=content)
    config = ImageConfig(entrypoint=(entrypoint,), user="65532:65532")
    written = write_image([entry], config, reference=name, to=archive)
    engine.load(archive)
    return written.image_id


def copied(engine, image_id, path):
    """The content of one file of an image."""
    return read_copied(engine.copy_out(image_id, path), path)[0].content


class Named:
    @pytest.fixture
    def name(self, engine):
        name = f"localhost/bareboat/contract-{secrets.token_hex(6)}:x"
        yield name
        engine.remove(name)


class ImagesContract(Named):
    @pytest.fixture
    def loaded(self, engine, name, tmp_path):
        config = ImageConfig(entrypoint=("/program",), user="65532:65532", labels={"a": "b"})
        entries = [
            Entry(path="program", mode=0o755, content=program()),
            Entry(path="etc/x", content=b"x"),
        ]
        archive = tmp_path / "written.tar"
        written = write_image(entries, config, reference=name, to=archive)
        engine.load(archive)
        return written

    def test_what_was_never_loaded_is_not_there(self, engine):
        assert engine.image(NO_IMAGE) is None
        assert engine.find(NO_IMAGE) is None

    def test_of_what_is_not_there_nothing_comes(self, engine, name, tmp_path):
        with pytest.raises(BareboatError):
            engine.save(NO_IMAGE, tmp_path / "saved.tar")
        with pytest.raises(BareboatError):
            engine.copy_out(NO_IMAGE, "/program")
        with pytest.raises(BareboatError):
            engine.tag(NO_IMAGE, name)

    def test_a_loaded_image_has_its_id_name_and_labels(self, engine, name, loaded):
        image = engine.image(name)
        assert image.id == loaded.image_id
        assert name in image.names
        assert engine.find(name) == loaded.image_id
        assert dict(image.labels) == {"a": "b"}
        assert engine.image(loaded.image_id).id == loaded.image_id

    def test_an_exported_image_holds_what_was_loaded_and_has_its_name(self, engine, loaded, tmp_path):
        engine.export(loaded.reference, tmp_path / "exported.tar")
        image = open_image(tmp_path / "exported.tar")
        assert image.id == loaded.image_id
        assert image.references == (loaded.reference,)

    def test_a_saved_image_holds_what_was_loaded(self, engine, loaded, tmp_path):
        engine.save(loaded.image_id, tmp_path / "saved.tar")
        image = open_image(tmp_path / "saved.tar")
        files = {path: (file.kind, file.mode) for path, file in image.files().items()}
        assert files == {"program": ("file", 0o755), "etc": ("directory", 0o755), "etc/x": ("file", 0o644)}
        assert image.read("etc/x") == copied(engine, loaded.image_id, "/etc/x") == b"x"
        assert image.config.user == "65532:65532"

    def test_a_folder_is_copied_out_whole(self, engine, loaded):
        folder = read_copied(engine.copy_out(loaded.image_id, "/etc"), "/etc")
        assert [(entry.path, entry.kind, entry.content) for entry in folder] == [
            ("", "directory", b""),
            ("x", "file", b"x"),
        ]

    def test_what_is_not_there_cannot_be_copied_out(self, engine, loaded):
        with pytest.raises(AbsentError, match=f"there is no {ABSENT}"):
            engine.copy_out(loaded.image_id, ABSENT)

    def test_where_there_is_no_image_it_cannot_be_told_what_is_in_it(self, engine):
        with pytest.raises(BareboatError) as caught:
            engine.copy_out(NO_IMAGE, ABSENT)
        assert not isinstance(caught.value, AbsentError)

    @pytest.mark.parametrize("path", ["/program", "/etc"])
    def test_what_is_copied_out_is_a_whole_tar(self, engine, loaded, path):
        assert engine.copy_out(loaded.image_id, path).endswith(bytes(1024))

    def test_a_removed_image_is_gone_and_removing_it_again_is_nothing(self, engine, name, loaded):
        engine.remove(name)
        engine.remove(name)
        assert engine.image(loaded.image_id) is None
        assert engine.find(name) is None

    def test_what_has_lost_its_last_name_is_removed_and_what_has_one_stays(self, engine, name, loaded, tmp_path):
        engine.remove_nameless((loaded.image_id, NO_IMAGE))
        assert engine.find(name) == loaded.image_id
        archive = tmp_path / "another.tar"
        another = write_image([Entry(path="y", content=b"y")], ImageConfig(), reference=name, to=archive)
        engine.load(archive)
        engine.tag(loaded.image_id, f"{name}-kept")
        engine.remove_nameless([loaded.image_id])
        assert engine.image(f"{name}-kept").id == loaded.image_id
        engine.tag(another.image_id, f"{name}-kept")
        engine.remove_nameless({loaded.image_id, another.image_id})
        assert engine.image(loaded.image_id) is None
        assert engine.image(name).id == another.image_id
        engine.remove(f"{name}-kept")

    def test_a_tag_is_one_more_name(self, engine, name, loaded):
        engine.tag(loaded.image_id, f"{name}-too")
        assert engine.image(f"{name}-too").id == loaded.image_id == engine.image(name).id
        engine.remove(f"{name}-too")

    def test_a_pull_from_nowhere_is_an_error(self, engine):
        with pytest.raises(EngineError, match=f"pull {NOWHERE}"):
            engine.pull(NOWHERE)

    def test_an_image_is_loaded_whose_lower_layers_the_store_has(self, engine, name, loaded, tmp_path):
        engine.save(loaded.image_id, tmp_path / "base.tar")
        base, archive, upper = open_image(tmp_path / "base.tar"), tmp_path / "upper.tar", f"{name}-upper"
        entry = Entry(path="etc/y", content=b"y")
        written = write_image([entry], ImageConfig(labels={"c": "d"}), reference=upper, to=archive, base=base)
        engine.load(archive)
        try:
            image = engine.image(upper)
            assert (image.id, dict(image.labels)) == (written.image_id, {"a": "b", "c": "d"})
            assert copied(engine, upper, "/etc/x") == b"x"
            assert copied(engine, upper, "/etc/y") == b"y"
        finally:
            engine.remove(upper)

    def test_loading_twice_is_loading_once(self, engine, name, tmp_path):
        first = load(engine, name, program(), tmp_path)
        (archive,) = tmp_path.glob("*.tar")
        engine.load(archive)
        image = engine.image(name)
        assert (image.id, image.names) == (first, (name,))

    def test_a_name_moves_to_the_image_that_was_loaded_last(self, engine, name, tmp_path):
        first = load(engine, name, program(), tmp_path)
        second = load(engine, name, program(EXIT_7), tmp_path)
        try:
            assert first != second
            assert engine.image(name).id == second
        finally:
            engine.remove(first)

    def test_saving_keeps_every_byte(self, engine, name, tmp_path):
        image_id = load(engine, name, program(), tmp_path)
        engine.save(image_id, tmp_path / "saved.tar")
        saved = open_image(tmp_path / "saved.tar")
        assert set(saved.files()) == {"program"}
        assert saved.read("program") == copied(engine, image_id, "/program") == program()

    def test_a_build_has_its_name_and_labels(self, engine, name, tmp_path):
        (tmp_path / "x").write_bytes(b"x")
        build = Build(containerfile="FROM scratch\nCOPY x /x\n", context=tmp_path, tag=name, labels={"a": "b c"})
        image_id = engine.build(build, tmp_path / "log")
        image = engine.image(image_id)
        assert (image.id, image.names, image.labels["a"]) == (image_id, (name,), "b c")
        assert image_id.startswith("sha256:")

    def test_a_build_that_fails_tells_its_log(self, engine, name, tmp_path):
        log = tmp_path / "logs" / "x.log"
        build = Build(containerfile=f"FROM scratch\nCOPY {BROKEN} /x\n", context=tmp_path, tag=name, labels={})
        with pytest.raises(EngineError) as caught:
            engine.build(build, log)
        error = caught.value
        assert error.command_exit_code != 0
        assert error.log_tail
        assert error.log_tail[-1] in log.read_text(encoding="utf-8")
        assert str(error).endswith(f"the whole log: {log}")
        assert engine.image(name) is None


class ContainersContract(Named):
    """What stands in for strace is the fixture `tracer`, which each engine's tests have to give."""

    @pytest.fixture
    def start(self, engine):
        """Starts a container that is gone when the test ends."""
        started = []

        def start(image, **fields):
            started.append(engine.start(Start(image=image, **fields)))
            return started[-1]

        yield start
        for container in started:
            engine.discard(container)

    @pytest.fixture
    def logs(self, tmp_path):
        folder = tmp_path / "private" / "logs"
        make_open_folder(folder)
        yield folder
        remove(Processes(), folder)

    @pytest.mark.parametrize(("code", "exit_code"), [(None, 0), (EXIT_7, 7)])
    def test_a_run_shows_its_exit_code(self, engine, name, tmp_path, code, exit_code):
        report = engine.run(load(engine, name, program(code), tmp_path), (), 60.0)
        assert (report.exit_code, report.stdout, report.stderr, report.refused) == (exit_code, b"", b"", "")

    @pytest.mark.parametrize("arguments", [(), ("first", "two words")])
    def test_outputs_are_apart_and_arguments_arrive(self, engine, name, tmp_path, arguments):
        report = engine.run(load(engine, name, speaking(), tmp_path), arguments, 60.0, writable=True)
        assert (report.exit_code, report.stdout, report.stderr) == (1 + len(arguments), b"out\n", b"err\n")

    def test_work_writes_its_log_and_its_exit_code_is_an_error_with_the_last_lines(self, engine, name, tmp_path):
        log = tmp_path / "logs" / "work.log"
        engine.work(Work(image=load(engine, name, program(), tmp_path), command=("/program",)), log)
        assert log.read_bytes() == b""
        talker = load(engine, name, speaking(), tmp_path)
        with pytest.raises(EngineError) as caught:
            engine.work(Work(image=talker, command=("/program", "x")), log)
        assert caught.value.command_exit_code == 2
        assert sorted(log.read_text(encoding="utf-8").split()) == sorted(caught.value.log_tail) == ["err", "out"]

    def test_a_run_without_end_is_ended(self, engine, name, tmp_path):
        report = engine.run(load(engine, name, program(FOREVER), tmp_path), (), 0.5)
        assert (report.exit_code, report.refused) == (None, "")

    def test_a_run_that_is_refused_says_why(self, engine, name, tmp_path):
        report = engine.run(load(engine, name, program(), tmp_path, entrypoint="/absent"), (), 60.0)
        assert (report.exit_code, report.stdout) == (None, b"")
        assert "/absent" in report.refused

    def test_a_run_that_takes_more_memory_than_it_may_is_killed_for_it(self, engine, name, tmp_path, start):
        image, limits = load(engine, name, devouring(), tmp_path), Limits(memory_mb=32)
        report = engine.run(image, (), 60.0, limits=limits)
        # Not every engine knows why: cgroups of version 1 may keep it from it.
        sure, likely = "killed for memory at 32 MB", "killed by SIGKILL, most likely for memory at 32 MB"
        assert (report.exit_code, limit_hit(report, limits)) == (137, sure if report.out_of_memory else likely)
        report = engine.finish(start(image, limits=limits), 60.0)
        assert (report.exit_code, limit_hit(report, limits)) == (137, sure if report.out_of_memory else likely)
        assert engine.run(image, (), 60.0, limits=Limits(memory_mb=1200)).exit_code == 0

    def test_a_run_that_makes_more_processes_than_it_may_is_refused_them(self, engine, name, tmp_path):
        limits = Limits(processes=40)
        report = engine.run(load(engine, name, multiplying(), tmp_path), (), 60.0, limits=limits)
        assert (report.exit_code, report.out_of_memory) == (11, False)
        assert limit_hit(report, limits) == "could not make a thread or process: 40 is the limit"

    def test_what_is_not_there_does_not_run(self, engine):
        with pytest.raises(BareboatError):
            engine.run(NO_IMAGE, (), 60.0)
        with pytest.raises(BareboatError):
            engine.start(Start(image=NO_IMAGE))

    def test_a_trace_shows_what_the_program_opened(self, engine, name, tmp_path, tracer, logs):
        start = Start(image=load(engine, name, program(EXIT_7), tmp_path), command=("/program",))
        report = engine.trace(start, 60.0, tracer, logs)
        assert report.exit_code == 7
        assert read_traces(logs) == (Opened(path="/program", real_path="/program", found=True, access="exec"),)

    def test_each_container_has_an_id_and_a_process_of_its_own(self, engine, name, tmp_path):
        image = load(engine, name, program(FOREVER), tmp_path)
        first = engine.start(Start(image=image))
        second = engine.start(Start(image=name, network=first))
        try:
            assert len({image, name, first, second}) == 4
            processes = {engine.process_of(first), engine.process_of(second)}
            assert len(processes - {None, 0}) == 2
        finally:
            engine.discard(second)
            engine.discard(first)

    def test_a_start_that_is_refused_says_why_and_leaves_nothing(self, engine, name, tmp_path):
        image = load(engine, name, program(), tmp_path, entrypoint="/absent")
        with pytest.raises(BareboatError, match="/absent"):
            engine.start(Start(image=image))

    def test_a_loopback_of_nobody_cannot_be_shared(self, engine, name, tmp_path):
        with pytest.raises(BareboatError):
            engine.start(Start(image=load(engine, name, program(), tmp_path), network=NO_CONTAINER))

    def test_a_container_that_ends_by_itself_stays_until_it_is_discarded(self, engine, name, tmp_path, start):
        container = start(load(engine, name, speaking(), tmp_path), command=("first",))
        for _ in range(2):
            report = engine.finish(container, 60.0)
            assert (report.exit_code, report.stdout, report.stderr) == (2, b"out\n", b"err\n")
        assert engine.process_of(container) is None
        assert engine.output_of(container) == b"out\n"

    def test_output_comes_while_a_container_runs_and_a_signal_may_end_it(self, engine, name, tmp_path, start):
        container = start(load(engine, name, awaiting(), tmp_path))
        while engine.output_of(container) != b"out\n":
            assert engine.process_of(container)
        assert engine.process_of(container)
        engine.signal(container, "SIGTERM")
        report = engine.finish(container, 60.0)
        assert (report.exit_code, report.stdout, report.stderr) == (7, b"out\n", b"err\n")
        engine.signal(container, "SIGTERM")

    def test_a_signal_that_is_not_heeded_changes_nothing_and_sigkill_always_is(self, engine, name, tmp_path, start):
        container = start(load(engine, name, program(FOREVER), tmp_path))
        engine.signal(container, "SIGTERM")
        assert engine.process_of(container)
        engine.signal(container, "SIGKILL")
        assert engine.finish(container, 60.0).exit_code == 137
        assert engine.process_of(container) is None

    def test_a_container_whose_time_is_over_is_killed(self, engine, name, tmp_path, start):
        container = start(load(engine, name, program(FOREVER), tmp_path))
        assert engine.finish(container, 0.2).exit_code is None
        assert engine.finish(container, 60.0).exit_code == 137

    def test_a_container_is_discarded_though_it_runs_and_once_more_is_nothing(self, engine, name, tmp_path):
        container = engine.start(Start(image=load(engine, name, program(FOREVER), tmp_path)))
        engine.discard(container)
        engine.discard(container)
        engine.signal(container, "SIGTERM")
        for ask in (engine.process_of, engine.output_of):
            with pytest.raises(BareboatError):
                ask(container)
        with pytest.raises(BareboatError):
            engine.finish(container, 1.0)
