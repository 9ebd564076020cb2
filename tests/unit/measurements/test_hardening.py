"""Every hardening column against programs that the machine's own linker made with both settings."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from bareboat.elf import read_elf
from bareboat.measurements import Subject, nx, pie, relro, stripped

_SOURCE = """
#include <stdio.h>
int main(int n, char **v) { return printf("%s %d\\n", *v, n) < 0; }
"""
_SOUND = ("-fPIE", "-pie", "-Wl,-z,noexecstack", "-Wl,-z,relro,-z,now", "-s")


def _measure(folder, *options):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is absent; the same columns are tested from bytes in test_measurements")
    (folder / "a.c").write_text(_SOURCE)
    subprocess.run(["gcc", "-O2", *options, "-o", folder / "a", folder / "a.c"], check=True)
    program = (folder / "a").read_bytes()
    subject = Subject(image=None, program_path="/a", program=program, elf=read_elf(program))
    return {module.COLUMN.name: module.measure(subject) for module in (nx, pie, relro, stripped)}


@pytest.mark.starts_processes("the machine's own linker makes the programs")
@pytest.mark.parametrize(
    ("sound", "weak", "moved"),
    [
        ("-Wl,-z,noexecstack", ("-Wl,-z,execstack",), {"nx": False}),
        ("-Wl,-z,relro,-z,now", ("-Wl,-z,norelro,-z,now",), {"relro": "none"}),
        ("-Wl,-z,relro,-z,now", ("-Wl,-z,relro,-z,lazy",), {"relro": "partial"}),
        ("-pie", ("-no-pie",), {"pie": False}),
        ("-s", ("-g",), {"stripped": False}),
        ("-s", ("-Wl,--strip-debug",), {"stripped": False}),
    ],
)
@pytest.mark.parametrize("linkage", ["dynamic", "static"])
def test_a_setting_of_the_linker_moves_its_own_column_only(tmp_path, linkage, sound, weak, moved):
    static = {"-pie": "-static-pie", "-no-pie": "-static"} if linkage == "static" else {}
    with_all = [static.get(option, option) for option in _SOUND]
    with_less = [static.get(each, each) for option in _SOUND for each in (weak if option == sound else (option,))]
    hardened = _measure(tmp_path, *with_all)
    assert hardened == {"nx": True, "pie": True, "relro": "full", "stripped": True}
    if "-static" in with_less:
        # Without a dynamic section nothing in the file says that the whole GOT is read-only, so it is not told.
        moved = {**moved, "relro": "partial"}
    assert _measure(tmp_path, *with_less) == hardened | moved
