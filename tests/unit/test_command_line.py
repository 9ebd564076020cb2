"""A mistake on a command line is told with what was probably meant, and ends with exit code 2, by either command."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from invoke import Collection, task

from bareboat.command_line import CommandLine
from bareboat.commands.build import MatrixOptions
from bareboat.commands.project import Project
from bareboat.console import fill
from bareboat.errors import InputError

ROOT = Path(__file__).parents[2]
OURS = (sys.executable, "-c", "import sys; from bareboat.tasks import program; program.run(sys.argv)")
INVOKES = (sys.executable, "-m", "invoke")


def ask(folder, command, *words, environment=None):
    variables = {**os.environ, "XDG_CACHE_HOME": str(folder), **(environment or {})}
    return subprocess.run(
        [*command, *words], cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("command", [OURS, INVOKES], ids=["bareboat", "invoke"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["biuld-matrix"], "no such task: biuld-matrix (did you mean 'build-matrix'?)\n"),
        (["--help", "scrtach"], "no such task: scrtach (did you mean 'scratch'?)\n"),
        (["samples", "hello"], "no such task: hello (there are: bases, bench, build-matrix,"),
        (["--hlep"], "no such option: --hlep (did you mean '--help'?)\n"),
        (
            ["build-matrix", "--recipie", "x"],
            "no such option: --recipie (did you mean '--recipe'?)\n  `invoke --help build-matrix`\n",
        ),
        (["build-matrix", "--no-keep-gong"], "no such option: --no-keep-gong (did you mean '--no-keep-going'?)\n"),
        (["build-matrix", "--recipe"], "--recipe needs a value\n  `invoke --help build-matrix`\n"),
        (["build-matrix", "--recipe", "--force"], "--recipe needs a value\n"),
        (["build-matrix", "--recipe="], "--recipe needs a value, and was given ''\n"),
        (["build-matrix", "--jobs"], "--jobs needs a value\n"),
        (["build-matrix", "--jobs", "two"], "--jobs two: it takes a whole number, such as 4\n"),
        (["build-matrix", "--jobs=-3"], "--jobs -3: it takes a whole number, such as 4\n"),
        (["scratch"], "'scratch' needs: 'libc'\n  `invoke --help scratch`\n"),
        (["scratch", "--libc", "msul"], "--libc msul: it takes one of gnu, musl\n"),
    ],
    ids=" ".join,
)
@pytest.mark.starts_processes("exit codes and streams are a process's")
def test_a_mistake_is_a_usage_error(tmp_path, command, words, said):
    done = ask(tmp_path, command, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}")


@pytest.mark.parametrize("command", [OURS, INVOKES], ids=["bareboat", "invoke"])
@pytest.mark.starts_processes("exit codes and streams are a process's")
def test_what_is_right_is_done_as_before(tmp_path, command):
    assert "build-matrix" in ask(tmp_path, command, "--list").stdout
    assert "--jobs" in ask(tmp_path, command, "build-matrix", "--help").stdout
    done = ask(tmp_path, command, "samples")
    assert (done.returncode, done.stderr) == (0, "")
    assert "hello-world" in done.stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [(OURS, ["--list"]), (INVOKES, ["--list"]), (OURS, ["--print-completion-script", "bash"])],
    ids=["bareboat", "invoke", "completion"],
)
@pytest.mark.starts_processes("exit codes and streams are a process's")
def test_a_list_whose_reader_leaves_is_no_error(command, words):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [*command, *words], cwd=ROOT, stdout=closed, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert (done.returncode, done.stderr) == (0, b"")


COMPLETE = """
bareboat() { "$PYTHON" -m bareboat "$@"; }
source <(bareboat --print-completion-script bash)
for word in "clo" "build-matrix --rec" "init --dr"; do
    COMP_WORDS=(bareboat $word)
    _complete_bareboat bareboat "${word##* }" bareboat
    echo "${COMPREPLY[@]}"
done
complete -p bareboat
bareboat --help closure
"""


@pytest.mark.starts_processes("a shell completes, by our process")
def test_a_shell_completes_the_commands_words_also_where_python_runs_it_as_a_module(tmp_path):
    variables = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHON": sys.executable}
    done = subprocess.run(
        ["bash", "-c", COMPLETE], cwd=ROOT, env=variables, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[:5] == [
        "closure",
        "--recipe",
        "--dry-run",
        "complete -o default -F _complete_bareboat bareboat",
        "Usage: bareboat [--core-opts] closure [--options] [other tasks here ...]",
    ]


@pytest.mark.starts_processes("a folder is gone from under a process")
def test_a_folder_that_is_gone_is_nobodys_project(tmp_path):
    code = "from bareboat.tasks.order import PROJECT; print(PROJECT)"
    script = f'mkdir gone; cd gone; rmdir ../gone; "{sys.executable}" -c "{code}"'
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == (f"{Project(root=ROOT)}\n", 0)


WORDS = {
    **{name: [] for name in ("sample", "recipe", "columns")},
    **dict.fromkeys(("crate", "jobs", "output", "results", "tag"), ""),
    **dict.fromkeys(("force", "thorough", "locked", "keep_going", "network", "all", "quiet", "verbose"), False),
    "package": "",
    "bin": "",
    "features": "",
    "complete": True,
    "all_bins": False,
    "bases": "auto",
    "format": "text",
}


def test_a_number_may_be_left_out_and_a_list_may_have_several_values():
    options = fill(MatrixOptions, {**WORDS, "recipe": ["a,b", "c"]})
    assert (options.jobs, options.recipe, options.crate) == (0, ("a", "b", "c"), None)
    assert fill(MatrixOptions, {**WORDS, "jobs": "12"}).jobs == 12


@pytest.mark.parametrize("jobs", ["two", "-3", "1_0", "٣", "1e3", "9" * 20, " 1"])
def test_what_is_no_number_is_refused(jobs):
    with pytest.raises(InputError, match=r"^--jobs "):
        fill(MatrixOptions, {**WORDS, "jobs": jobs})


@pytest.mark.parametrize("given", ["", ",", ",,"])
def test_an_option_with_nothing_in_it_is_not_taken_for_everything(given):
    with pytest.raises(InputError, match=r"^--recipe needs a value"):
        fill(MatrixOptions, {**WORDS, "recipe": [given]})


@pytest.mark.parametrize("command", [OURS, INVOKES], ids=["bareboat", "invoke"])
@pytest.mark.parametrize("task", ["containerfile", "run", "push"])
@pytest.mark.starts_processes("exit codes and streams are a process's")
def test_help_after_a_task_is_no_word_of_it(tmp_path, command, task):
    done = ask(tmp_path, command, task, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--cell=STRING" in done.stdout


class Words:
    """A command line with two tasks, which note what they are given."""

    def __init__(self):
        self.given = []
        given = self.given

        @task(positional=["one", "two"], optional=["two"])
        def takes(context, one, two, more=""):
            given.append((one, two, more, shlex.split(context.remainder)))

        @task(positional=["one"], optional=["one"], iterable=["many"])
        def may(context, one, many):
            given.append((one, many, shlex.split(context.remainder)))

        self.program = CommandLine(namespace=Collection(takes, may), name="words")

    def run(self, *words):
        self.program.run(["words", *words], exit=False)
        return self.given.pop() if self.given else None


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (("takes", "a", "b"), ("a", "b", "", [])),
        (("takes", "a"), ("a", "", "", [])),
        (("takes", "a", "--more", "c"), ("a", "", "c", [])),
        (("takes", "--more", "c", "a", "b"), ("a", "b", "c", [])),
        (("may",), ("", [], [])),
        (("may", "--many", "x", "--many", "y"), ("", ["x", "y"], [])),
        (("may", "a", "--", "b c", "", "--", "$d", "--help"), ("a", [], ["b c", "", "--", "$d", "--help"])),
        (("may", "--", "x"), ("", [], ["x"])),
        (("may", "--"), ("", [], [])),
    ],
    ids=repr,
)
def test_words_may_be_left_out_and_those_after_two_hyphens_are_kept_apart(words, given):
    assert Words().run(*words) == given


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("takes",), "error: 'takes' needs: 'one', 'two'\n"),
        (("takes", "a", "--more"), "error: --more needs a value\n"),
        (("may", "--many"), "error: --many needs a value\n"),
        (("may", "--one"), "error: --one needs a value\n"),
        (("may", "a", "b"), "error: no such task: b (there are: may, takes)\n"),
    ],
    ids=repr,
)
def test_what_may_not_be_left_out_is_asked_for(words, said, capsys):
    assert Words().run(*words) is None
    assert capsys.readouterr().err.startswith(said)
