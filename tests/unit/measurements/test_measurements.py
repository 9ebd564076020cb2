"""Every measurement against an image whose figures are known, and each hardening flag against its control binary."""

from __future__ import annotations

import gzip
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import bareboat.measurements
from bareboat.archive import open_image
from bareboat.elf import read_elf
from bareboat.errors import MeasurementError
from bareboat.measurements import Subject, load_measurements, measure_all, without_timed
from bareboat.result.measurement import NOT_ASKED, Spread
from tests.unit.elf_builder import BARE, ET_EXEC, GNU, MUSL, MUSL_LOADER, build_elf
from tests.unit.image_builder import (
    entry,
    folder,
    hard_link,
    make_layer,
    symlink,
    write_docker_archive,
    write_oci_archive,
)

HARDENED = {"interpreter": None, "flags_1": 0x08000001, "signs": GNU}
LOWER = make_layer(folder("etc"), entry("etc/a", b"old"), entry("gone", b"x" * 5000))
PROGRAM = build_elf(**HARDENED)
UPPER = make_layer(
    entry("app", PROGRAM), entry(".wh.gone"), symlink("l", "app"), hard_link("h", "app"), entry("etc/a", b"new")
)


@pytest.fixture
def subject_of(tmp_path):
    def make(program=PROGRAM, layers=(LOWER, UPPER), write=write_docker_archive, seconds=1.5):
        image = open_image(write(tmp_path / "image.tar", *layers))
        return Subject(
            image=image,
            program_path="/app",
            program=program,
            elf=read_elf(program),
            build_seconds=seconds,
            warm_target=False,
        )

    return make


def _values(subject: Subject) -> dict:
    return {measurement.column.name: measurement.value for measurement in measure_all(subject)}


@pytest.mark.parametrize("write", [write_docker_archive, write_oci_archive])
def test_every_figure_of_a_known_image(subject_of, write):
    values = _values(subject_of(write=write))
    # zlib-ng and zlib pack differently: held against this machine's own gzip, level 6
    transfer = sum(len(gzip.compress(layer, 6, mtime=0)) for layer in (LOWER, UPPER))
    assert values["transfer_size"] == values["second_image"] == pytest.approx(transfer, rel=0.01)
    # 10^8 bits a second
    assert values.pop("pull_seconds") * 12_500_000 == values.pop("transfer_size") == values.pop("second_image")
    assert values == {
        "size": len(LOWER) + len(UPPER),
        "transfer_zstd": None,
        "files": 4,
        "set_id_files": 0,
        "executables": 0,
        "shells": "none",
        "idle": None,
        "proof": None,
        "predicted": None,
        "observed": None,
        "peak": None,
        "page_faults": None,
        "start_up": None,
        "first_output": None,
        "time_to_serve": None,
        "first_answer": None,
        "nothing": None,
        "memory_floor": None,
        "cpu_level": None,
        "tls": None,
        "dns": None,
        "program_size": len(PROGRAM),
        "libc": "gnu",
        "crt": "static",
        "linkage": "static-pie",
        "pie": True,
        "relro": "full",
        "nx": True,
        "stripped": True,
        "target_folder": "cold",
        "compile_cold": None,
        "compile_warm": None,
        "build_seconds": 1.5,
    }


def test_a_c_library_is_none_where_the_sample_says_so_and_none_is_seen(subject_of):
    bare = subject_of(program=BARE)
    assert _values(bare)["libc"] is None
    values = _values(replace(bare, declared_libc="none"))
    assert {name: values[name] for name in ("libc", "crt", "linkage", "pie", "relro", "nx", "stripped")} == {
        "libc": "none",
        "crt": "static",
        "linkage": "static",
        "pie": False,
        "relro": "none",
        "nx": True,
        "stripped": True,
    }
    assert (values["tls"], values["dns"], values["program_size"]) == (None, None, len(BARE))
    assert _values(replace(subject_of(), declared_libc="none"))["libc"] == "gnu"


# Each control violates one property, and only its own columns move.
CONTROLS = [
    ({"stack_flags": 7}, {"nx": False}),
    ({"stack_flags": None}, {"nx": False}),
    ({"relro": False}, {"relro": "none"}),
    ({"flags_1": 0x08000000}, {"relro": "partial"}),
    ({"symbol_table": True}, {"stripped": False}),
    ({"kind": ET_EXEC}, {"pie": False, "linkage": "static"}),
    ({"signs": MUSL}, {"libc": "musl"}),
    ({"interpreter": MUSL_LOADER}, {"libc": "musl", "crt": "dynamic", "linkage": "dynamic-pie"}),
    (
        {"kind": ET_EXEC, "interpreter": MUSL_LOADER},
        {"libc": "musl", "crt": "dynamic", "linkage": "dynamic", "pie": False},
    ),
]


@pytest.mark.parametrize(("weakness", "moved"), CONTROLS)
def test_a_control_binary_moves_its_own_columns_only(subject_of, weakness, moved):
    sound, weak = _values(subject_of()), _values(subject_of(build_elf(**HARDENED | weakness)))
    changed = {name: value for name, value in weak.items() if value != sound[name]}
    changed.pop("program_size", None)
    assert changed == moved


def test_an_unknown_build_time_is_no_figure(subject_of):
    assert _values(subject_of(seconds=None))["build_seconds"] is None


def test_measurements_are_found_by_file_name_and_stand_in_their_order():
    folder_path = Path(bareboat.measurements.__file__).parent
    names = {path.stem for path in folder_path.glob("[!_]*.py")} - {"subject"}
    columns = [module.COLUMN for module in load_measurements()]
    assert {column.name for column in columns} == names
    assert len(columns) == len(names)
    assert [column.order for column in columns] == sorted(column.order for column in columns)
    assert len({column.order for column in columns}) == len({column.heading for column in columns}) == len(columns)
    assert all(column.meaning for column in columns)


def test_a_new_file_is_a_new_column(subject_of, tmp_path, monkeypatch):
    (tmp_path / "greeting.py").write_text(
        "from bareboat.result.measurement import Column\n"
        "COLUMN = Column(name='greeting', heading='Greeting', unit='text', order=15)\n"
        "def measure(subject):\n"
        "    return f'hello {subject.program_path}'\n"
    )
    monkeypatch.setattr(bareboat.measurements, "__path__", [*bareboat.measurements.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "bareboat.measurements.greeting", raising=False)
    taken = measure_all(subject_of())
    assert [measurement.column.name for measurement in taken][:3] == ["size", "greeting", "transfer_size"]
    assert taken[1].value == "hello /app"
    monkeypatch.delitem(sys.modules, "bareboat.measurements.greeting")
    monkeypatch.delattr(bareboat.measurements, "greeting")


@pytest.fixture
def added(tmp_path, monkeypatch):
    """Adds a module, and gives what it measured of an image."""

    def add(text, subject):
        (tmp_path / "greeting.py").write_text(
            f"from bareboat.result.measurement import Column, Reading, Spread\n{text}", encoding="utf-8"
        )
        monkeypatch.setattr(bareboat.measurements, "__path__", [*bareboat.measurements.__path__, str(tmp_path)])
        sys.modules.pop("bareboat.measurements.greeting", None)
        return {taken.column.name: taken for taken in measure_all(subject)}["greeting"]

    yield add
    sys.modules.pop("bareboat.measurements.greeting", None)
    if hasattr(bareboat.measurements, "greeting"):
        del bareboat.measurements.greeting


def test_a_module_may_say_how_sure_a_figure_is_and_why_there_is_none(added, subject_of):
    taken = added(
        "COLUMN = Column(name='greeting', heading='G', unit='seconds', order=15)\n"
        "def measure(subject):\n"
        "    return Reading(value=2.0, spread=Spread(runs=9, p10=1, p90=4, low=2, high=3), why='it was told to')\n",
        subject_of(),
    )
    assert (taken.value, taken.why) == (2.0, "it was told to")
    assert taken.spread == Spread(runs=9, p10=1, p90=4, low=2, high=3)


@pytest.mark.parametrize(("asked", "found"), [(False, (None, NOT_ASKED)), (True, (7, ""))])
def test_what_takes_long_is_taken_where_it_is_asked_for(added, subject_of, asked, found):
    text = (
        "COLUMN = Column(name='greeting', heading='G', unit='count', order=15, thorough=True)\n"
        "def measure(subject):\n    return 7\n"
    )
    taken = added(text, replace(subject_of(), thorough=asked))
    assert (taken.value, taken.why) == found


def test_where_nothing_will_be_timed_each_timed_figure_says_why(subject_of):
    taken = measure_all(subject_of())
    said = {one.column.name: one.why for one in without_timed(taken, "its image failed")}
    assert said["start_up"] == said["peak"] == "its image failed"
    assert said["size"] == ""
    assert said["memory_floor"] == NOT_ASKED, "that none was asked for comes first"


MEASURE = "def measure(subject):\n    return 1\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("COLUMN = 'Greeting'\n" + MEASURE, "COLUMN must be a Column(name=..., heading=..., unit=..., order=...), and"),
        (MEASURE, "and is None"),
        ("COLUMN = Column(name='g', heading='G', unit='miles', order=1)\n" + MEASURE, "COLUMN: unit: Input should be"),
        (
            "COLUMN = Column(name='g', heading='G', unit='text', order='last')\n" + MEASURE,
            "COLUMN: order: Input should",
        ),
        ("COLUMN = Column(name='g', heading='G', unit='text', order=1)\n", "one function is needed: measure(subject)"),
    ],
)
def test_a_wrong_column_is_one_error_that_names_its_file(tmp_path, monkeypatch, text, said):
    (tmp_path / "greeting.py").write_text("from bareboat.result.measurement import Column\n" + text, encoding="utf-8")
    monkeypatch.setattr(bareboat.measurements, "__path__", [*bareboat.measurements.__path__, str(tmp_path)])
    sys.modules.pop("bareboat.measurements.greeting", None)
    with pytest.raises(MeasurementError) as caught:
        load_measurements()
    del sys.modules["bareboat.measurements.greeting"]
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{tmp_path}/greeting.py: ")
    assert said in line
    monkeypatch.delattr(bareboat.measurements, "greeting")
