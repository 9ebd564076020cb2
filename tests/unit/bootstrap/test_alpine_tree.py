"""Packages taken out of a small Alpine system: known changes are undone, any other difference is refused."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile

import pytest

from bareboat.bootstrap.alpine_tree import cut_packages, without_added_users
from bareboat.bootstrap.apk import parse_installed
from bareboat.bootstrap.tar import Folder, Link, RegularFile
from bareboat.errors import BareboatError, RecipeError

PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/sbin/nologin\n"
GROUP = "root:x:0:root\nwheel:x:10:root\n"
SHADOW = "root:*::0:::::\nnobody:!::0:::::\n"
HOSTS = "127.0.0.1\tlocalhost localhost.localdomain\n::1\t\tlocalhost localhost.localdomain\n"


def q1(text):
    return "Q1" + base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()


LAYOUT = f"""C:Q1layout=
P:layout
V:3.7-r0
F:
F:etc
R:group
Z:{q1(GROUP)}
R:hosts
Z:{q1(HOSTS)}
R:mtab
a:0:0:777
Z:{q1("../proc/mounts")}
R:passwd
Z:{q1(PASSWD)}
R:shadow
a:0:42:640
Z:{q1(SHADOW.replace("root:*:", "root::"))}
F:tmp
M:0:0:1777"""
BUSYBOX = f"""C:Q1busybox=
P:busybox
V:1.37-r0
F:bin
R:busybox
a:0:0:4755
Z:{q1("busybox")}"""
OTHER = """C:Q1other=
P:busybox-extras
V:1.37-r0
F:bin"""


@pytest.fixture
def root(tmp_path):
    """A system as its maker left it: users added, hosts emptied, mtab another link, one package too many."""
    texts = {
        "etc/passwd": PASSWD + "quicksand:x:1000:1000::/home/quicksand:/bin/sh\n",
        "etc/group": "root:x:0:root\nwheel:x:10:root,quicksand\nquicksand:x:1000:\n",
        "etc/shadow": SHADOW + "quicksand:!::0:::::\n",
        "etc/hosts": "",
        "etc/apk/arch": "x86_64\n",
        "etc/apk/repositories": "http://mirror.test/main\n",
        "etc/apk/world": "busybox\nbusybox-extras\nlayout\n",
        "bin/busybox": "busybox",
        "lib/apk/db/installed": f"{LAYOUT}\n\n{BUSYBOX}\n\n{OTHER}\n\n",
        "lib/apk/db/triggers": "Q1busybox= /bin\nQ1other= /usr/bin\n",
    }
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    for folder in ("sbin", "usr/bin", "usr/sbin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/mtab").symlink_to("/proc/mounts")
    (tmp_path / "bin/sh").symlink_to("/bin/busybox")
    (tmp_path / "bin/other").symlink_to("/bin/elsewhere")
    with tarfile.open(tmp_path / "lib/apk/db/scripts.tar.gz", "w:gz") as scripts:
        for name in ("busybox-1.37-r0.X1.trigger", "busybox-extras-1.37-r0.X1.trigger"):
            scripts.addfile(tarfile.TarInfo(name))
    return tmp_path


def cut(root):
    return cut_packages(root, ["busybox", "layout"])[0]


def test_what_the_maker_changed_is_as_the_package_delivered_it(root):
    tree = cut(root)
    assert tree["etc/passwd"] == RegularFile(content=PASSWD.encode())
    assert tree["etc/group"] == RegularFile(content=GROUP.encode())
    assert tree["etc/hosts"] == RegularFile(content=HOSTS.encode())
    assert tree["etc/mtab"] == Link(target="../proc/mounts")
    # root stays locked, although the package delivers an empty password.
    assert tree["etc/shadow"] == RegularFile(content=SHADOW.encode(), mode=0o640, gid=42)


def test_owners_and_modes_are_the_databases_and_applets_are_links(root):
    tree = cut(root)
    assert tree["bin/busybox"] == RegularFile(content=b"busybox", mode=0o4755)
    assert tree["tmp"] == Folder(mode=0o1777)
    assert tree["bin/sh"] == Link(target="/bin/busybox")
    assert "bin/other" not in tree


def test_the_database_knows_only_what_is_aboard(root):
    tree = cut(root)
    assert [package.name for package in parse_installed(tree["lib/apk/db/installed"].content.decode())] == [
        "layout",
        "busybox",
    ]
    assert tree["etc/apk/world"].content == b"busybox\nlayout\n"
    assert tree["lib/apk/db/triggers"].content == b"Q1busybox= /bin\n"
    scripts = tree["lib/apk/db/scripts.tar.gz"].content
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(scripts))) as kept:
        assert kept.getnames() == ["busybox-1.37-r0.X1.trigger"]
    assert cut(root)["lib/apk/db/scripts.tar.gz"].content == scripts


@pytest.mark.parametrize(
    ("path", "delivered"), [("bin/busybox", "busybox"), ("etc/hosts", HOSTS), ("etc/passwd", PASSWD)]
)
def test_a_file_that_nothing_explains_is_named(root, path, delivered):
    database = root / "lib/apk/db/installed"
    database.write_text(database.read_text(encoding="utf-8").replace(q1(delivered), q1("another")), encoding="utf-8")
    with pytest.raises(BareboatError, match=f"/{path} is absent or not what"):
        cut(root)


def test_an_absent_file_is_named(root):
    (root / "bin/busybox").unlink()
    with pytest.raises(BareboatError, match="/bin/busybox is absent"):
        cut(root)


def test_what_the_image_lacks_is_named_with_what_it_has(root, tmp_path):
    with pytest.raises(RecipeError, match="has no curl; it has layout, busybox, busybox-extras"):
        cut_packages(root, ["busybox", "curl"])
    with pytest.raises(BareboatError, match="holds no Alpine system"):
        cut_packages(tmp_path / "empty", ["busybox"])


@pytest.mark.parametrize("lines", ["F:a\nM:0:0:not-octal", "F:a\nM:0", "Z:Q1="])
def test_a_database_that_is_broken_is_named(lines):
    with pytest.raises(BareboatError, match=r"^broken: "):
        parse_installed(f"C:Q1x=\nP:broken\nV:1\n{lines}\n")


def test_only_group_lists_members():
    assert without_added_users("etc/group", "wheel:x:10:root,dhcpcd,ann\n") == "wheel:x:10:root,ann\n"
    assert without_added_users("etc/passwd", "dhcpcd:x:1:1::/:/x\n") == ""
