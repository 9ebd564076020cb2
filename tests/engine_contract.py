"""What every engine must do, run over the fake one and over Podman alike."""

from __future__ import annotations

import platform
import secrets

import pytest

from bareboat.archive import Entry, ImageConfig, open_image, write_image
from bareboat.doctor.trial import exit_program
from bareboat.errors import EngineError

NOWHERE = "127.0.0.1:1/nothing:here"


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
            Entry(path="program", mode=0o755, content=exit_program(platform.machine()) or b""),
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
        assert image.read("etc/x") == engine.read_file(loaded.image_id, "/etc/x") == b"x"
        assert image.config.user == "65532:65532"

    def test_a_run_shows_its_exit_code_and_output(self, engine, loaded):
        report = engine.run(loaded.image_id, (), 30.0)
        assert (report.exit_code, report.stdout, report.stderr) == (0, b"", b"")

    def test_a_removed_image_is_gone_and_removing_it_again_is_nothing(self, engine, name, loaded):
        engine.remove(name)
        engine.remove(name)
        assert engine.image(loaded.image_id) is None

    def test_a_pull_from_nowhere_is_an_error(self, engine):
        with pytest.raises(EngineError, match=f"pull {NOWHERE}"):
            engine.pull(NOWHERE)
