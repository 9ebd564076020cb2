"""What comes aboard, on the fake engine: fetched once, checked, each file with its package."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bareboat.archive import Entry, ImageConfig, write_image
from bareboat.engine.fake import FakeEngine
from bareboat.errors import BareboatError, EngineError, StoppedError
from bareboat.inputs.base import Distroless
from bareboat.inputs.lock import Pinned
from bareboat.inputs.recipe import Copy
from bareboat.make.context import RootImage
from bareboat.make.copies import fetch_copies, owners_in
from bareboat.plan.jobs import PlannedCopy, RootJob
from bareboat.result.values import Source
from bareboat.system.once import Once
from tests.unit.project import job_context, plan_of

(CELL,) = plan_of("scratch-glibc-dynamic").cells
STATUS = b"Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.41-12\n\n"
FILES = {
    "usr/lib/libc.so.6": b"code",
    "usr/share/zones/Paris": b"TZif",
    "usr/share/zones/Rome": b"TZif2",
    "var/lib/dpkg/status": STATUS,
    "var/lib/dpkg/info/libc6:amd64.list": b"/.\n/usr\n/usr/lib\n/usr/lib/libc.so.6\n",
}


@pytest.fixture
def engine(tmp_path):
    (tmp_path / "store").mkdir()
    engine = FakeEngine(folder=tmp_path / "store")
    archive = tmp_path / "toolchain.tar"
    entries = [Entry(path=path, content=content, mode=0o755) for path, content in FILES.items()]
    write_image(entries, ImageConfig(), reference="localhost/toolchain:x", to=archive)
    engine.load(archive)
    return engine


@pytest.fixture
def context(engine, tmp_path):
    return job_context(engine, tmp_path)


def image(engine, packages=()):
    stored = engine.image("localhost/toolchain:x")
    source = Source(kind="bootstrap", reference="localhost/toolchain:x", digest=stored.id)
    return RootImage(status="built", note="", reference="localhost/toolchain:x", source=source, packages=packages)


def fetch(context, *copies, job=CELL.program.toolchain, packages=()):
    planned = tuple(PlannedCopy(copy=copy, source=None if copy.is_made else job) for copy in copies)
    return fetch_copies(context, CELL.recipe.name, planned, {job: image(context.engine, packages)})


def copy(**fields):
    return Copy(**{"source": "toolchain", "why": "because", **fields})


def test_a_file_comes_with_its_package_and_its_mode(context):
    (item,) = fetch(context, copy(path="/usr/lib/libc.so.6", to="/lib/libc.so.6"))
    assert item.entry == Entry(path="lib/libc.so.6", mode=0o755, content=b"code")
    assert (item.owner.name, item.owner.version) == ("libc6", "2.41-12")
    (item,) = fetch(context, copy(path="/usr/lib/libc.so.6", to="/x", mode="0400", owner="1:2"))
    assert (item.entry.mode, item.entry.uid, item.entry.gid) == (0o400, 1, 2)


def test_a_folder_comes_whole(context):
    items = fetch(context, copy(path="/usr/share/zones/", to="/zones/"))
    assert {item.entry.path: (item.entry.kind, item.entry.content) for item in items} == {
        "zones": ("directory", b""),
        "zones/Paris": ("file", b"TZif"),
        "zones/Rome": ("file", b"TZif2"),
    }
    assert {item.number for item in items} == {0}


def test_what_the_recipe_makes_needs_no_image(context, engine):
    text, folder = fetch(
        context,
        copy(source="recipe", text="a\n", to="/etc/a"),
        copy(source="new", to="/tmp/", mode="1777"),
    )
    assert text.entry == Entry(path="etc/a", mode=0o644, content=b"a\n")
    assert folder.entry == Entry(path="tmp", kind="directory", mode=0o1777)
    assert engine.copied == []


def test_of_a_package_the_images_own_list_tells_the_version(context):
    bootstrap = Distroless(kind="distroless", suite="trixie", packages=("tzdata",))
    job = RootJob(name="tzdata", role="package", source="bootstrap", reference="x", bootstrap=bootstrap)
    pinned = (Pinned(name="tzdata", version="2026a", sha256="0" * 64),)
    wanted = copy(source="package:tzdata", path="/usr/share/zones/Rome", to="/Rome")
    (item,) = fetch(context, wanted, job=job, packages=pinned)
    assert (item.owner.name, item.owner.version) == ("tzdata", "2026a")


def test_an_image_is_asked_once(context, engine):
    for _ in range(2):
        fetch(context, copy(path="/usr/lib/libc.so.6", to="/x"))
    assert sorted(engine.copied) == sorted(set(engine.copied))
    assert "/usr/lib/libc.so.6" in engine.copied


FAULTS = [
    BareboatError("Podman: 500 Server Error"),
    EngineError("podman cp", 125, ["Error: no space left on device"]),
    StoppedError("stopped"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_fault_that_passes_is_no_absence(context, engine, monkeypatch, fault):
    copy_out = engine.copy_out

    def refuse(_image_id, _path):
        raise fault

    wanted = copy(path="/usr/lib/libc.so.6", to="/lib/libc.so.6")
    monkeypatch.setattr(engine, "copy_out", refuse)
    for ask in (lambda: owners_in(context, image(engine)), lambda: fetch(context, wanted)):
        with pytest.raises(BareboatError, match=str(fault).partition("\n")[0]):
            ask()
    monkeypatch.setattr(engine, "copy_out", copy_out)
    # Another run: what this one remembers would hide what lies on disk.
    later = replace(context, owners=Once())
    (item,) = fetch(later, wanted)
    assert (item.owner.name, item.owner.version) == ("libc6", "2.41-12")


def test_a_copy_that_was_cut_off_is_not_kept(context, engine, monkeypatch):
    copy_out = engine.copy_out
    monkeypatch.setattr(engine, "copy_out", lambda image_id, path: copy_out(image_id, path)[:-10_000])
    wanted = copy(path="/usr/lib/libc.so.6", to="/x")
    with pytest.raises(BareboatError, match="was cut off"):
        fetch(context, wanted)
    monkeypatch.setattr(engine, "copy_out", copy_out)
    assert fetch(context, wanted)[0].entry.content == b"code"


def test_what_is_absent_is_asked_once(context, engine):
    for _ in range(2):
        owners_in(replace(context, owners=Once()), image(engine))
    assert len(engine.copied) == len(set(engine.copied))


def test_an_image_without_a_package_database_has_no_owners(context, engine, tmp_path):
    archive = tmp_path / "bare.tar"
    write_image([Entry(path="a", content=b"")], ImageConfig(), reference="localhost/toolchain:x", to=archive)
    engine.load(archive)
    assert owners_in(context, image(engine)).of("/a") is None


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        ("/nothing", "/x", "there is no /nothing"),
        (
            "/usr/share/zones",
            "/x",
            "is a directory; of a folder, and of nothing else, `path` and `to` end with a slash",
        ),
        ("/usr/lib/libc.so.6/", "/x/", "is a file; of a folder, and of nothing else"),
    ],
)
def test_a_copy_that_cannot_be_made_is_named_with_its_recipe(context, path, to, said):
    with pytest.raises(BareboatError) as caught:
        fetch(context, copy(path=path, to=to))
    assert str(caught.value).startswith(f"recipe 'scratch-glibc-dynamic': the copy to {to}: ")
    assert said in str(caught.value)


def test_a_link_out_of_the_image_is_refused(context, engine, tmp_path, monkeypatch):
    del tmp_path
    link = Entry(path="a", kind="symlink", target="../../../../etc/shadow")
    monkeypatch.setattr("bareboat.make.copies.read_copied", lambda *_: (Entry(path="", kind="directory"), link))
    with pytest.raises(BareboatError, match=r"/zones/a would be a link to .*etc/shadow, out of the image"):
        fetch(context, copy(path="/usr/share/zones/", to="/zones/"))
    assert engine


def test_an_images_owners_are_read_once(context, engine, tmp_path, monkeypatch):
    fetch(context, copy(path="/usr/lib/libc.so.6", to="/x"), copy(path="/usr/share/zones/Rome", to="/y"))
    (kept,) = (context.folders.roots / "copied").glob("*.owners")
    later = job_context(engine, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("bareboat.make.copies.read_owners", None)
        assert owners_in(later, image(engine)) == owners_in(context, image(engine))
    kept.write_bytes(b"damaged")
    assert owners_in(job_context(engine, tmp_path), image(engine)) == owners_in(context, image(engine))
    assert kept.read_bytes() != b"damaged"
