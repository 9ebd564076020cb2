"""Whatever a TOML file holds, its Containerfile is the same instructions, and each shell command has the same words.

Every field of a recipe and of a Cargo.toml that is rendered is tried with all that means something to a shell or to a
Containerfile. It is refused as it is read, or it arrives as it was written: commands are run by a real shell, in which
they are functions that say with which words they were called.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.errors import InputError
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.load_samples import load_samples
from bareboat.plan.containerfile import render_containerfile
from tests.unit.project import ROOT, plan_of

RECIPE = {
    "summary": "one line",
    "compile": {"toolchain": "gnu", "libc": "gnu", "crt": "static"},
    "base": {"image": "docker.io/library/x:1"},
    "copy": [
        {"from": "recipe", "text": "127.0.0.1\n", "to": "/etc/hosts", "why": "names"},
        {"from": "new", "to": "/tmp/", "why": "a place", "mode": "1777"},
        {"from": "toolchain", "path": "/lib/a.so", "to": "/lib/b.so", "why": "code", "mode": "0644", "owner": "1:2"},
        {"from": "package:tzdata", "path": "/usr/share/zoneinfo/", "to": "/usr/share/zoneinfo/", "why": "time zones"},
    ],
    "runtime": {"user": "1:1", "env": {"NAME": "value"}},
}
MANIFEST = {
    "package": {
        "name": "app",
        "version": "1.0.0",
        "description": "what it is",
        "default-run": "app",
        "metadata": {
            "bareboat": {
                "variants": [
                    {"name": "other", "cargo": {"features": ["a", "b"], "profile": "small", "env": {"SAID": "so"}}}
                ]
            }
        },
    },
    "bin": [{"name": "app"}],
}
LOCK = {"version": 4, "package": [{"name": "itoa", "version": "1.0.0", "source": "registry+x"}]}


def places(value, *path):
    """The path to every text, and to every key that the user chose."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, *path, key)
            if path[-1:] == ("env",):
                yield (*path, ("key", key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, *path, number)
    else:
        yield path


FIELDS = sorted(
    [(file, path) for file, table in (("recipe", RECIPE), ("manifest", MANIFEST)) for path in places(table)], key=str
)
SNIPPETS = (
    *("x", "/", ";x", "&", "&&", "|", "$x", "$(x)", "${x}", "`x`", "'", '"', "\\", "\\n", "\n", "\r", "\t", " ", "#"),
    *("*", "?", "[x]", "{x}", "<", "<<x", ">x", ">", "=", ",", "--x", "-", "~", "!", "%s", "%b", "..", "é", "\x00"),
    *("\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\nRUN x\n", "\n# escape=`\n", " && x", "\\\n", "'\"'\"'", "$'x'"),
)
TEXTS = st.lists(st.sampled_from(SNIPPETS), max_size=6).map("".join)
COMMANDS = ("install", "printf", "chmod", "chown", "cargo", "find", "x")


def put(table, path, text):
    """A copy of the table with the text at a place."""
    table = copy.deepcopy(table)
    inner = table
    for part in path[:-1]:
        inner = inner[part]
    match path[-1]:
        case ("key", key):
            inner[text] = inner.pop(key)
        case last if isinstance(inner[last], str) and inner[last][:1] == "/" and text[:1] != "/":
            # A path that does not begin with a slash would be refused for that alone.
            inner[last] = f"/{text}{'/' if inner[last].endswith('/') else ''}"
        case last:
            inner[last] = text
    return table


def render(recipe, manifest):
    """The variant's cell and its Containerfile, of files with these contents; raises InputError."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "recipes" / "toolchains", folder / "recipes" / "toolchains")
        crate = folder / "samples" / "app"
        crate.mkdir(parents=True)
        (folder / "recipes" / "mine.toml").write_text(tomli_w.dumps(recipe), encoding="utf-8")
        (crate / "Cargo.toml").write_text(tomli_w.dumps(manifest), encoding="utf-8")
        (crate / "Cargo.lock").write_text(tomli_w.dumps(LOCK), encoding="utf-8")
        book = load_recipes(folder / "recipes")
        variant = load_samples(folder / "samples")[1]
    (cell,) = plan_of(book=book, samples=(variant,), source="registry").cells
    roots = {job: job.reference for job in (cell.program.toolchain, *cell.roots)}
    return cell, render_containerfile(cell, roots)


def instructions(text):
    """What a builder reads: comments left out, lines that go on joined. Docker: parser.go of buildkit/dockerfile."""
    assert not re.match(r"#\s*[A-Za-z][A-Za-z0-9]*\s*=", text), "the first line is a directive"
    whole = ""
    for line in text.split("\n"):
        if line.strip()[:1] in {"", "#"}:
            continue
        whole += line
        if whole.endswith("\\"):
            whole = whole[:-1]
            continue
        yield whole.partition(" ")[::2]
        whole = ""
    assert not whole


def words_of(value):
    """The words of an ENV's value, as a builder reads them: double quotes, and a backslash before what means more."""
    assert re.fullmatch(r'"(?:[^"\\$\n]|\\["\\$])*"', value), f"{value} is more than one word, or is replaced"
    return re.sub(r'\\(["\\$])', r"\1", value[1:-1])


def called(script, folder, variables):
    """The commands that a shell runs, each with its words, and then the values of some of its variables."""
    functions = "\n".join(f'{name}() {{ record {name} "$@"; }}' for name in COMMANDS)
    head = f"record() {{ command printf '%s\\0' \"$@\"; command printf '\\1\\0'; }}\n{functions}\nset -e\nexec 3>&1\n"
    # What a command writes goes to its file, so that what it was called with is read there.
    values = " ".join(f'"${name}"' for name in variables)
    shown = f"{head}{script}\nrecord variables {values}\n"
    done = subprocess.run(
        ["/bin/sh", "-c", shown], cwd=folder, capture_output=True, check=True, env={"PATH": "/nowhere"}
    )
    assert done.stderr == b""
    return [call.split("\0")[:-1] for call in done.stdout.decode().split("\1\0")[:-1]]


def expected_compile(cell):
    sample, program = cell.sample, cell.program
    options = [*sample.cargo.options, "--locked", "--offline", "--target", program.target, "--bin", sample.binary]
    flags = 'target."cfg(all())".rustflags=["-C", "target-feature=+crt-static"]'
    linked = f"/target/{sample.name}/{program.target}/{sample.cargo.folder}/{sample.binary}"
    return [
        ["find", ".", "-type", "f", "-exec", "touch", "{}", "+"],
        ["cargo", "build", "--config", flags, "--config", "/crates/vendor.toml", *options],
        ["install", "-D", "-m", "0755", linked, f"/out/{sample.binary}"],
        ["variables", f"/target/{sample.name}", *sample.cargo.env.values()],
    ]


def check_compile(cell, run):
    mount, _, script = run.partition(" ")
    assert re.fullmatch(r"--mount=type=cache,id=[A-Za-z0-9_.-]+,target=/target,sharing=locked", mount)
    with tempfile.TemporaryDirectory() as folder:
        found = called(script, folder, ("CARGO_TARGET_DIR", *cell.sample.cargo.env))
    assert found == expected_compile(cell)


def check_made(cell, run):
    """The stage of texts and folders: what is written to each file was said by its printf, called with one word."""
    made = [planned.copy for planned in cell.copies if planned.copy.is_made or planned.copy.owner != "0:0"]
    with tempfile.TemporaryDirectory() as folder:
        parents = {f"/made{one.to.removesuffix('/').rpartition('/')[0]}" for one in made}
        for parent in parents:
            Path(f"{folder}{parent}").mkdir(parents=True, exist_ok=True)
        found = called(run.replace("/made", f"{folder}/made"), folder, ())
        targets = [f"{folder}/made{one.to.removesuffix('/')}" for one in made if one.is_made]
        (written,) = [one for one in made if one.text is not None]
        (file,) = [path for path in Path(folder).rglob("*") if path.is_file()]
        assert str(file) == f"{folder}/made{written.to}"
        command, form, text = file.read_text(encoding="utf-8").split("\0")[:3]
    assert (command, form) == ("printf", "%b")
    printed = subprocess.run(["printf", "%b", text], capture_output=True, check=True).stdout
    assert printed == written.text.encode()
    assert [call[0] for call in found] == ["install", "chmod", "install", "chmod", "variables"]
    assert {*found[0][2:]} == {f"{folder}{parent}" for parent in parents}
    assert [found[1][2], found[2][2], found[3][2]] == [targets[0], targets[1], targets[1]]


KEYWORDS = (
    *("FROM", "LABEL", "WORKDIR", "COPY", "RUN", "RUN", "FROM", "RUN", "COPY", "RUN", "LABEL", "FROM", "RUN"),
    *("FROM", "COPY", "COPY", "COPY", "COPY", "ENV", "USER", "ENTRYPOINT"),
)


def check(cell, text):
    found = list(instructions(text))
    assert tuple(keyword for keyword, _ in found) == KEYWORDS
    rests = [rest for _, rest in found]
    assert [len(rest.split()) for keyword, rest in found if keyword == "FROM"] == [3, 3, 3, 1]
    compiling, making = (rests[number] for number in (9, 12))
    check_compile(cell, compiling)
    check_made(cell, making)
    copies = [planned.copy for planned in cell.copies if planned.source]
    wanted = [["/made/", "/"], *([one.path, one.to] for one in copies), [cell.program.binary, cell.program_path]]
    for rest, ends in zip(rests[14:18], wanted, strict=True):
        *options, source, target = rest.split(" ")
        assert [source, target] == ends
        assert all(option.startswith("--") for option in options)
        assert not re.search(r"[\s\"'\\$*?\[\]]", source + target)
    ((name, value),) = cell.recipe.runtime.env.items()
    assert rests[18].partition("=")[0] == name
    assert words_of(rests[18].partition("=")[2]) == value
    assert re.fullmatch("[0-9]+:[0-9]+", rests[19])
    assert json.loads(rests[20]) == [cell.program_path]


@pytest.mark.starts_processes("a shell reads what a Containerfile says")
def test_what_is_changed_here_is_sound_before():
    cell, text = render(RECIPE, MANIFEST)
    check(cell, text)
    assert len(FIELDS) > 35


@settings(derandomize=True, deadline=None, database=None, max_examples=600, suppress_health_check=list(HealthCheck))
@given(field=st.sampled_from(FIELDS), text=TEXTS)
@pytest.mark.starts_processes("a shell reads what a Containerfile says")
def test_no_field_of_a_toml_file_becomes_more_than_one_word(field, text):
    file, path = field
    tables = {"recipe": RECIPE, "manifest": MANIFEST}
    tables[file] = put(tables[file], path, text)
    try:
        cell, rendered = render(tables["recipe"], tables["manifest"])
    except InputError:
        return
    check(cell, rendered)


FREE = (
    ("recipe", ("copy", 0, "why"), "two\nRUN x\\"),
    ("recipe", ("copy", 0, "text"), "'\n\nRUN x\n\\"),
    ("recipe", ("copy", 0, "to"), "/etc/x;id"),
    ("recipe", ("copy", 0, "to"), "/etc/x&&(id)|`id`<<x>~!"),
    ("recipe", ("copy", 2, "to"), "/lib/x;(y)&z"),
    ("recipe", ("summary",), "escape=` # \\"),
    ("recipe", ("runtime", "env", "NAME"), "$x ${x} \" ' \\ # <<x"),
    ("manifest", ("package", "description"), "two\nlines"),
    ("manifest", ("package", "metadata", "bareboat", "variants", 0, "cargo", "env", "SAID"), "$x `x` ' \" ; x <<x \\"),
    ("manifest", ("package", "metadata", "bareboat", "variants", 0, "cargo", "profile"), "dev"),
)


@pytest.mark.parametrize(("file", "path", "text"), FREE)
@pytest.mark.starts_processes("a shell reads what a Containerfile says")
def test_what_may_be_said_arrives_as_it_was_said(file, path, text):
    tables = {"recipe": RECIPE, "manifest": MANIFEST}
    tables[file] = put(tables[file], path, text)
    check(*render(tables["recipe"], tables["manifest"]))


VARIANT = ("package", "metadata", "bareboat", "variants", 0)
REFUSED = (
    ("recipe", ("summary",), "one\nRUN x", "summary: 'one\\nRUN x' does not have the form"),
    ("recipe", ("runtime", "env", "NAME"), "x\nRUN x", "runtime.env.NAME: 'x\\nRUN x' does not have the form"),
    ("recipe", ("runtime", "user"), "root", "runtime.user: 'root' does not have the form"),
    ("recipe", ("base", "image"), "x/y:1 AS z", "base.image: 'x/y:1 AS z' does not have the form"),
    ("manifest", ("bin", 0, "name"), "a\nRUN x", ""),
    ("manifest", ("package", "default-run"), "a\nRUN x", "package.default-run: 'a\\nRUN x' is no name of a program"),
    ("manifest", ("package", "default-run"), "a b", "package.default-run: 'a b' is no name of a program"),
    ("manifest", (*VARIANT, "cargo", "env", "SAID"), "x\nRUN x", "cargo.env.SAID: 'x\\nRUN x' does not have the form"),
    ("manifest", (*VARIANT, "cargo", "profile"), "../x", "cargo.profile: '../x' does not have the form"),
)


@pytest.mark.parametrize(("file", "path", "text", "said"), REFUSED)
def test_what_a_containerfile_cannot_say_is_refused_by_name(file, path, text, said):
    tables = {"recipe": RECIPE, "manifest": copy.deepcopy(MANIFEST)}
    if path[0] == "bin":
        del tables["manifest"]["package"]["default-run"]
        said = "bin.name: 'a\\nRUN x' is no name of a program"
    tables[file] = put(tables[file], path, text)
    with pytest.raises(InputError) as caught:
        render(tables["recipe"], tables["manifest"])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
