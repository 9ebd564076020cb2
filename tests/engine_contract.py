"""What every engine must do, run over the fake one and over Podman alike."""

from __future__ import annotations

import platform
import secrets

import pytest

from bareboat.archive import Entry, ImageConfig, open_image, read_copied, write_image
from bareboat.doctor.try_runtimes import exit_program
from bareboat.engine.images import Build
from bareboat.errors import BareboatError, EngineError

NOWHERE = "127.0.0.1:1/nothing:here"
# A build that copies this must fail, which a fake engine has to be told.
BROKEN = "absent"
ABSENT = "/etc/absent"
# In the place of exit(0) at the program's end: exit(7) and a loop without end, by the kernel's calling convention.
EXIT_7 = {"x86_64": bytes.fromhex("6a075f 6a3c58 0f05 90"), "aarch64": bytes.fromhex("e00080d2 a80b80d2 010000d4")}
FOREVER = {"x86_64": bytes.fromhex("ebfe") + b"\x90" * 7, "aarch64": bytes.fromhex("00000014") * 3}


def program(code=None):
    """A static program that needs no compiler: it ends with 0, or does what `code` says."""
    whole = exit_program(platform.machine())
    if whole is None:
        pytest.skip(f"no program for {platform.machine()}")
    return whole if code is None else whole[: -len(code[platform.machine()])] + code[platform.machine()]


def load(engine, name, content, folder):
    """Load an image of that name with one program in it; returns its id."""
    archive = folder / f"{secrets.token_hex(6)}.tar"
    entry = Entry(path="program", mode=0o755, content=content)
    written = write_image([entry], ImageConfig(entrypoint=("/program",)), reference=name, to=archive)
    engine.load(archive)
    return written.image_id


def copied(engine, image_id, path):
    """The content of one file of an image."""
    return read_copied(engine.copy_out(image_id, path), path)[0].content


class EngineContract:
    @pytest.fixture
    def name(self, engine):
        name = f"localhost/bareboat/contract-{secrets.token_hex(6)}:x"
        yield name
        engine.remove(name)

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
        assert engine.image("localhost/bareboat/never:seen") is None

    def test_a_loaded_image_has_its_id_name_and_labels(self, engine, name, loaded):
        image = engine.image(name)
        assert image.id == loaded.image_id
        assert name in image.names
        assert dict(image.labels) == {"a": "b"}
        assert engine.image(loaded.image_id).id == loaded.image_id

    def test_a_saved_image_holds_what_was_loaded(self, engine, loaded, tmp_path):
        engine.save(loaded.image_id, tmp_path / "saved.tar")
        image = open_image(tmp_path / "saved.tar")
        files = {path: (file.kind, file.mode) for path, file in image.files().items()}
        assert files == {"program": ("file", 0o755), "etc": ("directory", 0o755), "etc/x": ("file", 0o644)}
        assert image.read("etc/x") == copied(engine, loaded.image_id, "/etc/x") == b"x"
        assert image.config.user == "65532:65532"

    def test_a_run_shows_its_exit_code_and_output(self, engine, loaded):
        report = engine.run(loaded.image_id, (), 30.0)
        assert (report.exit_code, report.stdout, report.stderr) == (0, b"", b"")

    def test_a_folder_is_copied_out_whole(self, engine, loaded):
        folder = read_copied(engine.copy_out(loaded.image_id, "/etc"), "/etc")
        assert [(one.path, one.kind, one.content) for one in folder] == [("", "directory", b""), ("x", "file", b"x")]

    def test_what_is_not_there_cannot_be_copied_out(self, engine, loaded):
        with pytest.raises(BareboatError, match=f"there is no {ABSENT}"):
            engine.copy_out(loaded.image_id, ABSENT)

    def test_a_removed_image_is_gone_and_removing_it_again_is_nothing(self, engine, name, loaded):
        engine.remove(name)
        engine.remove(name)
        assert engine.image(loaded.image_id) is None

    def test_a_tag_is_one_more_name(self, engine, name, loaded):
        engine.tag(loaded.image_id, f"{name}-too")
        assert engine.image(f"{name}-too").id == loaded.image_id == engine.image(name).id
        engine.remove(f"{name}-too")

    def test_a_pull_from_nowhere_is_an_error(self, engine):
        with pytest.raises(EngineError, match=f"pull {NOWHERE}"):
            engine.pull(NOWHERE)

    def test_loading_twice_is_loading_once(self, engine, name, tmp_path):
        first = load(engine, name, program(), tmp_path)
        assert load(engine, name, program(), tmp_path) == first
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
