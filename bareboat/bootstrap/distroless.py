"""Makes a root filesystem without a shell from a few Debian packages, laid out as Google's distroless images are.

The packages' maintainer scripts do not run: of what they would do, this module does what an image needs.
"""

from __future__ import annotations

import re
import secrets
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from bareboat.bootstrap.apt import SOURCE, apt_environment, host_apt
from bareboat.bootstrap.deb import Deb, read_deb
from bareboat.bootstrap.host import find_tool, telling_network_faults, unshare_prefix
from bareboat.bootstrap.rootfs import RootFilesystem
from bareboat.bootstrap.tar import Folder, HardLink, Link, RegularFile, TreeEntry, write_tar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from bareboat.inputs.base import Distroless
    from bareboat.system.process import Processes

_NONROOT = 65532
_ROOT_FOLDER = re.compile(r"(bin|sbin|lib|lib64)(/|$)")
_CUT = re.compile(
    r"usr/share/(man|info|locale|lintian|linda|bash-completion|base-files|doc-base|bug)(/|$)"
    r"|usr/share/doc/[^/]+/(?!copyright$)"
    r"|usr/sbin/update-ca-certificates$"
    r"|etc/(bash_completion\.d|update-motd\.d|skel|default)(/|$)"
)
_CERTIFICATES = "usr/share/ca-certificates/mozilla/"
_USERS = """\
root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
"""
_GROUPS = """\
root:x:0:
nobody:x:65534:
nonroot:x:65532:
"""
# What the maintainer scripts of base-files, base-passwd and libc-bin make, and the user `nonroot` of such images.
_LAID_OUT: Mapping[str, TreeEntry] = {
    "bin": Link(target="usr/bin"),
    "lib": Link(target="usr/lib"),
    "lib64": Link(target="usr/lib64"),
    "sbin": Link(target="usr/sbin"),
    "usr/bin": Folder(),
    "usr/lib": Folder(),
    "usr/lib64": Folder(),
    "usr/sbin": Folder(),
    "etc/passwd": RegularFile(content=_USERS.encode()),
    "etc/group": RegularFile(content=_GROUPS.encode()),
    "etc/nsswitch.conf": RegularFile(content=b"hosts: files dns\n"),
    "home/nonroot": Folder(mode=0o700, uid=_NONROOT, gid=_NONROOT),
    "root": Folder(mode=0o700),
    "run/lock": Folder(mode=0o1777),
    "tmp": Folder(mode=0o1777),
    "var/lock": Link(target="/run/lock"),
    "var/run": Link(target="/run"),
    "var/tmp": Folder(mode=0o1777),
}


def make_distroless(bootstrap: Distroless, *, folder: Path, processes: Processes, log: Path) -> RootFilesystem:
    """Put the packages' files into `folder`/rootfs.tar; takes 3 s and 2 to 26 MB.

    Raises HostError when the mirror does not answer, EngineError when APT has no such package or refuses a signature.
    """
    archives = _download(bootstrap, folder=folder, processes=processes, log=log)
    debs = tuple(read_deb(archive, folder=folder, processes=processes) for archive in archives)
    tar = folder / "rootfs.tar"
    write_tar(lay_out(debs), tar)
    return RootFilesystem(tar=tar, packages=tuple(deb.pinned for deb in debs))


def lay_out(debs: Iterable[Deb]) -> dict[str, TreeEntry]:
    """The root filesystem of these packages: their files, the database that scanners read, users, certificates."""
    tree: dict[str, TreeEntry] = {}
    for deb in debs:
        files = _without_documentation({merge_usr(path): _merge_target(node) for path, node in deb.files.items()})
        tree |= files | _status(deb, files)
    bundle = _bundle_certificates(tree)
    return tree | dict(_LAID_OUT) | bundle


def merge_usr(path: str) -> str:
    """The path below /usr where /bin, /lib, /lib64 and /sbin are links into it; older packages still use those."""
    return f"usr/{path}" if _ROOT_FOLDER.match(path) else path


def _download(bootstrap: Distroless, *, folder: Path, processes: Processes, log: Path) -> tuple[Path, ...]:
    """The .deb files, sorted by name, that APT downloads and checks against the signed index.

    APT's lists and cache are in `folder`, so that the host's own are neither needed nor changed.
    """
    find_tool("dpkg-deb")
    # APT's settings are in it for everybody to read, a proxy's password among them. Nobody can list the folder above.
    state = folder / f"apt-{secrets.token_hex(16)}"
    host = host_apt(bootstrap.suite, folder, processes)
    fetch = (
        'mkdir "$1/debs" && cd "$1/debs" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"'
        f" apt-get -o APT::Sandbox::User=root download {shlex.join(bootstrap.packages)}"
    )
    command = (
        *unshare_prefix(),
        "mmdebstrap",
        "--mode=root",
        # Nothing is installed: mmdebstrap only sets APT up with the suite's sources and keys.
        "--variant=custom",
        "--format=directory",
        *host.options,
        f"--customize-hook={fetch}",
        bootstrap.suite,
        str(state),
        *host.mirrors,
    )
    with telling_network_faults(SOURCE):
        processes.run(command, env=apt_environment(folder), stdin=host.stdin, log=log)
    return tuple(sorted((state / "debs").glob("*.deb")))


def _merge_target(node: TreeEntry) -> TreeEntry:
    return HardLink(target=merge_usr(node.target)) if isinstance(node, HardLink) else node


def _without_documentation(files: Mapping[str, TreeEntry]) -> dict[str, TreeEntry]:
    """The files without those that only a person at a shell would read; copyright files and their folders stay."""
    return {path: node for path, node in files.items() if not _CUT.match(path)}


def _status(deb: Deb, files: Mapping[str, TreeEntry]) -> dict[str, TreeEntry]:
    """The package's entry in /var/lib/dpkg/status.d: its stanza, and the MD5 of each file that is in the image."""
    sums = sorted((merge_usr(path), md5) for path, md5 in deb.md5sums.items())
    text = "".join(f"{md5}  {path}\n" for path, md5 in sums if path in files)
    entry = f"var/lib/dpkg/status.d/{deb.pinned.name}"
    return {entry: RegularFile(content=deb.control.encode()), f"{entry}.md5sums": RegularFile(content=text.encode())}


def _bundle_certificates(tree: Mapping[str, TreeEntry]) -> dict[str, TreeEntry]:
    """The file that update-ca-certificates would write: every certificate of the package ca-certificates."""
    certificates = [
        node.content.rstrip(b"\n") + b"\n"
        for path, node in sorted(tree.items())
        if path.startswith(_CERTIFICATES) and PurePosixPath(path).suffix == ".crt" and isinstance(node, RegularFile)
    ]
    return {"etc/ssl/certs/ca-certificates.crt": RegularFile(content=b"".join(certificates))} if certificates else {}
