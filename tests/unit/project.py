"""The project's own recipes and samples, and what its jobs may use in a test: the fake engine and folders of a test."""

from __future__ import annotations

from pathlib import Path

from bareboat.engine.fake import HOST
from bareboat.inputs.crew import load_crew
from bareboat.inputs.load_recipes import load_recipes
from bareboat.inputs.load_samples import load_samples
from bareboat.inputs.lock import Lock
from bareboat.make.context import JobContext
from bareboat.plan.jobs import PLATFORMS, Platform, Selection
from bareboat.plan.planner import PlanInputs, make_plan
from bareboat.system.folders import Folders
from bareboat.system.locks import Locks
from bareboat.system.process import Processes

ROOT = Path(__file__).parents[2]
BOOK = load_recipes(ROOT / "recipes")
SAMPLES = load_samples(ROOT / "rust-samples")
CREW = load_crew()
HELLO = next(sample for sample in SAMPLES if sample.name == "hello-world")


AMD = PLATFORMS["x86_64"]
# A platform that Bareboat refuses, for what depends on the platform.
ARM = Platform(architecture="arm64", rust="aarch64")


def plan_inputs(book=BOOK, *, source="bootstrap", platform=AMD, harbor=None, gauge=None):
    return PlanInputs(book=book, source=source, platform=platform, harbor=harbor, gauge=gauge, crew=CREW)


def plan_of(*recipes, book=BOOK, samples=(HELLO,), names=(), **inputs):
    """The plan of some samples, hello-world alone, on the recipes of these names."""
    return make_plan(plan_inputs(book, **inputs), samples, Selection(samples=names, recipes=recipes))


def job_context(engine, folder, **changes):
    folders = Folders(cache=folder / "cache", passage=folder / "bootstrap", run="0123abcd")
    folders.scratch.mkdir(parents=True, exist_ok=True)
    plain = {
        "images": engine,
        "engine": engine,
        "processes": Processes(),
        "folders": folders,
        "recipes": ROOT / "recipes",
        "results": folder / "results",
        "lock": Lock(),
        "locked": False,
        "force": False,
        "renew": False,
        "host": HOST,
        "commit": "0123abc",
        "await_quiet": lambda: "",
        "locks": Locks(folder=folders.locks, tell=print, stopped=lambda: False),
    }
    return JobContext(**{**plain, **changes})
