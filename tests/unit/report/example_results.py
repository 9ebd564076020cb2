"""A few results for the tests of the report."""

from __future__ import annotations

from bareboat.result.measurement import Column, Measurement
from bareboat.result.values import Failed, Host, Outcome, Passed, Provenance, Result, Skipped, Source

COLUMNS = {
    "size": Column(name="size", heading="Size", unit="bytes", order=10),
    "files": Column(name="files", heading="Files", unit="count", order=20, meaning="what `find / -type f` counts"),
    "libc": Column(name="libc", heading="libc", unit="text", order=30),
    "crt": Column(name="crt", heading="CRT", unit="text", order=40),
    "linkage": Column(name="linkage", heading="Linkage", unit="text", order=50),
    "tls": Column(name="tls", heading="TLS", unit="text", order=60),
    "pie": Column(name="pie", heading="PIE", unit="flag", order=70),
    "transfer": Column(name="transfer", heading="Transfer", unit="bytes", order=15),
    "build": Column(name="build", heading="Build", unit="seconds", order=90),
}
HOST = Host(
    name="trixie",
    system="Debian GNU/Linux 13",
    kernel="6.12.0",
    architecture="x86_64",
    podman="5.4.2",
    buildah="1.39.3",
    runtime="crun 1.21",
    storage_driver="overlay",
    rootless=True,
    bareboat="0.1.0",
)
HOSTILE = "exit 127 | it said \x1b[31mred\x1b[0m\nand <b>more</b>"
DETAIL = "--- expected\n+++ said\n-Hello, world!\n+\tsh: \x1b]0;title\x07not found\n"


def source(kind: str, reference: str = "localhost/base") -> Source:
    packages = ("libc6=2.36", "bash=5.2", "dpkg=1.21") if kind == "bootstrap" else ()
    return Source(kind=kind, reference=reference, digest="sha256:" + "0123456789abcdef" * 4, packages=packages)


TOOLCHAIN = source("bootstrap", "localhost/toolchain")


def result(
    recipe: str,
    *,
    sample: str = "hello-world",
    platform: str = "linux/amd64",
    outcome: Outcome | None = None,
    published_bytes: int | None = None,
    base: str | None = "bootstrap",
    **figures: float | str | None,
) -> Result:
    taken = Source(kind="scratch", reference="scratch", digest="") if base == "scratch" else source(base or "scratch")
    provenance = Provenance(
        host=HOST,
        base=taken,
        toolchain=TOOLCHAIN,
        compiler="rustc 1.90.0",
        image_id="i",
        commit="0123abc",
        measured_at="2026-01-02T03:04:05Z",
    )
    return Result(
        cell=f"{sample}@{recipe}",
        sample=sample,
        recipe=recipe,
        platform=platform,
        key="k",
        outcome=outcome or Passed(),
        measurements=tuple(Measurement(column=COLUMNS[name], value=value) for name, value in figures.items()),
        published_bytes=published_bytes,
        provenance=provenance if base else None,
    )


DEBIAN = result(
    "debian",
    published_bytes=124_000_000,
    size=124_400_000,
    transfer=45_000_000,
    files=3456,
    libc="glibc",
    crt="dynamic",
    linkage="dynamic-pie",
    pie=True,
    build=3.214,
)
SCRATCH = result(
    "scratch-musl",
    published_bytes=416_000,
    base="scratch",
    size=402_321,
    transfer=180_000,
    files=1,
    libc="musl",
    crt="static",
    linkage="static-pie",
    pie=False,
    build=72.21,
)
SLIM = result("debian-slim", base="registry", size=80_800_000, files=2000, libc="glibc")
BROKEN = result(
    "distroless-static", outcome=Failed(stage="run", reason=HOSTILE, detail=DETAIL), size=200_000_000, files=9
)
SKIPPED = result("alpine-gnu", outcome=Skipped(reason="Alpine has no glibc"), base=None)
ALL = (SKIPPED, SCRATCH, BROKEN, SLIM, DEBIAN)
