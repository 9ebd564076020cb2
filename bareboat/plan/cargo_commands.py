"""What cargo is told in a container, as shell commands: of a compile, and of the step that fetches crates. Pure."""

from __future__ import annotations

import hashlib
import json
import shlex
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bareboat.inputs.sample import Sample
    from bareboat.inputs.sysroot import Sysroot
    from bareboat.plan.jobs import ProgramJob

_DIGITS = 12
_SPELT = {ord(plain): plain for plain in f"{string.ascii_letters}{string.digits} .,:;/_-=#"} | {10: r"\n", 9: r"\t"}
# Where the package with std's source is mounted, and how cargo, which looks for it beside its compiler, finds it. There
# it looks for the crates that std is made of beside those of the program, and takes crates of one folder alone.
STD_PLACE = "/run/std"
_VENDOR = "/run/crates"
_FIND_STD = (
    f'mkdir -p {_VENDOR} "$(rustc --print sysroot)/lib/rustlib"',
    f'ln -sfn {STD_PLACE}/usr/lib/rustlib/src "$(rustc --print sysroot)/lib/rustlib/src"',
    (
        f"for crate in {STD_PLACE}/usr/lib/rustlib/src/rust/library/vendor/* /crates/vendor/*; do"
        f' [ ! -e "$crate" ] || ln -sfn "$crate" "{_VENDOR}/$(echo "$crate" | tr / -)"; done'
    ),
)
_STD_CRATES = shlex.join(
    [
        *("--config", 'source.crates-io.replace-with="with-std"'),
        *("--config", f'source.with-std.directory="{_VENDOR}"'),
    ]
)
# Of an image that has rustup a crate's own rust-toolchain.toml would ask for another compiler, which is not there.
_OWN_COMPILER = (
    "if command -v rustup > /dev/null; then"
    ' RUSTUP_TOOLCHAIN="$(rustup default | cut -d " " -f 1)"; export RUSTUP_TOOLCHAIN; fi'
)
_HOST_CONFIGURATION = (
    "export CARGO_HOME=/cargo",
    "if [ -f /run/ca-bundle.crt ]; then export CARGO_HTTP_CAINFO=/run/ca-bundle.crt; fi",
    "if [ -f /run/cargo-config.toml ]; then set -- --config /run/cargo-config.toml; fi",
)
# Where a container finds what its user's own cargo and git would use: for the step alone that fetches.
FETCH_HOME = "/run/home"
AGENT_PLACE = "/run/ssh-agent"
CREDENTIALS_PLACE = "/run/cargo-credentials.toml"
VARIABLES_PLACE = "/run/fetch-variables"  # a pipe: lines NAME=VALUE, and an empty one
# One of them: a configuration of git that has passwords in it, and is written to memory alone.
PASSWORDS_VARIABLE = "BAREBOAT_GIT_PASSWORDS"
_MEMORY = "/dev/shm/bareboat"  # noqa: S108 (a place in a container)
_READ_VARIABLES = (
    f'if [ -p {VARIABLES_PLACE} ]; then while IFS= read -r line && [ -n "$line" ]; do export "$line"; done'
    f" < {VARIABLES_PLACE}; fi"
)
_KEEP_PASSWORDS = (
    f'if [ -n "${PASSWORDS_VARIABLE}" ]; then mkdir -p {_MEMORY}/git;'
    f' printf %b "${PASSWORDS_VARIABLE}" > {_MEMORY}/git/config; export XDG_CONFIG_HOME={_MEMORY}; fi'
)
_CREDENTIALS = (
    f"if [ -d {FETCH_HOME} ]; then export HOME={FETCH_HOME}; fi",
    f"if [ -S {AGENT_PLACE} ]; then export SSH_AUTH_SOCK={AGENT_PLACE}; fi",
    f'if [ -f {CREDENTIALS_PLACE} ]; then set -- "$@" --config {CREDENTIALS_PLACE}; fi',
    _READ_VARIABLES,
    _KEEP_PASSWORDS,
    # Cargo has git built in; a user's setting to take the program instead is for where there is one.
    'if ! command -v git > /dev/null; then set -- "$@" --config net.git-fetch-with-cli=false; fi',
)


def vendor_commands(sample: Sample, *, credentials: bool = False) -> tuple[str, ...]:
    """What fetches a crate's dependencies in /src to /crates, by way of the folder /cargo, as shell commands.

    With `credentials`, those of the user are taken where they are mounted.
    """
    # Unless told to, `cargo vendor` goes past a mirror that the configuration puts in the place of crates.io.
    vendor = 'cargo "$@" vendor --locked --respect-source-config /crates/vendor > /crates/vendor.toml'
    return (*_compiler(sample), *_HOST_CONFIGURATION, *(_CREDENTIALS if credentials else ()), vendor)


def lock_commands() -> tuple[str, ...]:
    """What writes the Cargo.lock of the workspace in /src, by way of the folder /cargo, as shell commands."""
    return (_OWN_COMPILER, *_HOST_CONFIGURATION, *_CREDENTIALS, 'cargo "$@" generate-lockfile')


def metadata_commands(to: str = "") -> tuple[str, ...]:
    """What has cargo tell of the packages in the folder where it is run, `to` a file if any, as shell commands."""
    # A warning would be in the same log, and in the midst of the line that is asked for.
    tell = "cargo metadata --quiet --no-deps --offline --format-version=1"
    return (_OWN_COMPILER, f"{tell} > {to}" if to else tell)


def _compiler(sample: Sample) -> tuple[str, ...]:
    return () if sample.channel is None else (_OWN_COMPILER,)


def compile_commands(job: ProgramJob) -> tuple[str, ...]:
    """What compiles the sources in /src to /out, by way of the folder /target, as shell commands."""
    # --target and crt-static are always said: without --target the flag reaches build scripts and proc macros too, and
    # the default differs from target to target.
    sample = job.sample
    binary, cargo = shlex.quote(sample.binary), shlex.join([*sample.cargo.options, *sample.package_option])
    crates = "--config /crates/vendor.toml " if sample.needs_crates else ""
    crates += f"{_STD_CRATES} " if job.std else ""
    # Variants share what is compiled of their dependencies (the build folder), and each links its program in a folder
    # of its own. Before 1.91 cargo knows no build folder apart: there a variant shares nothing.
    folders = [f"CARGO_TARGET_DIR=/target/{sample.name}", "CARGO_BUILD_BUILD_DIR=/target/build"]
    last = _link_flags(job)
    build, ending = ("rustc", f" -- {shlex.join(last)}") if last else ("build", "")
    # No path is remapped (--remap-path-prefix): sources, crates and cargo's folders have the same names in every
    # container, whatever they are called on the machine, so that a program names none of the machine's.
    return (
        *_compiler(sample),
        f"export {' '.join([*folders, *environment(job)])}",
        *(_FIND_STD if job.std else ()),
        *_linker_script(job),
        *_put_sysroot(job),
        f"cargo {build} {_flags(job)}{crates}{cargo} --locked --offline --target {job.target} --bin {binary}{ending}",
        *_install(job),
    )


def _install(job: ProgramJob) -> tuple[str, ...]:
    """What puts the linked program in its place."""
    sample = job.sample
    linked = f"/target/{sample.name}/{job.target}/{sample.cargo.folder}/{sample.binary}"
    install = f"install -D -m 0755 {shlex.join([linked, job.binary])}"
    rewrite = shlex.join(["objcopy", *sample.cargo.objcopy, job.binary])
    return (install, rewrite) if sample.cargo.objcopy else (install,)


def _link_flags(job: ProgramJob) -> tuple[str, ...]:
    """The flags of the program's own crate alone."""
    cargo = job.sample.cargo
    script = (f"-Clink-arg=-Wl,-T,{_script_place(job)}",) if cargo.linker_script else ()
    return (*cargo.link_rustflags, *script, *_sysroot_flags(job.sysroot))


def _linker_script(job: ProgramJob) -> tuple[str, ...]:
    script = job.sample.cargo.linker_script
    return (f"printf %b {shlex.quote(escaped(script))} > {_script_place(job)}",) if script else ()


def _script_place(job: ProgramJob) -> str:
    # Cargo links anew where a flag differs, and does not look into the file: so the flag names what is in it.
    digits = hashlib.sha256(job.sample.cargo.linker_script.encode()).hexdigest()[:_DIGITS]
    return f"/target/script-{digits}.ld"


def sysroot_place(sysroot: Sysroot) -> str:
    """Where a compile finds a C library of the user's own, read-only."""
    # Cargo links anew where a flag differs, and does not look into the folder: so the flag names what is in it.
    return f"/run/sysroot/{sysroot.digest[:_DIGITS]}"


def _sysroot_flags(sysroot: Sysroot | None) -> tuple[str, ...]:
    if sysroot is None:
        return ()
    fixed = () if sysroot.movable else ("-Crelocation-model=static",)
    return (f"-Lnative={sysroot_place(sysroot)}", *fixed)


def _put_sysroot(job: ProgramJob) -> tuple[str, ...]:
    """What puts a C library of the user's own in the place of musl, of which no start file and no function is left.

    That is rustc's own folder for it, in a container or a stage that nothing else is compiled in.
    """
    if job.sysroot is None:
        return ()
    return (
        f'own="$(rustc --print sysroot)/lib/rustlib/{job.target}/lib/self-contained"',
        'rm -f "$own"/*crt1.o "$own"/crt[in].o "$own"/libc.a',
        f'ln -sf {sysroot_place(job.sysroot)}/* "$own"',
    )


def escaped(text: str) -> str:
    """A text on one line, of which `printf %b` makes its bytes."""
    return "".join(_SPELT.get(byte) or f"\\0{byte:03o}" for byte in text.encode())


def crates_commands(job: ProgramJob) -> tuple[str, ...]:
    """What writes the crates that the program may be linked with to /out/crates, one a line; without them, nothing.

    Cargo resolves them for the target and the features of the build, without build scripts and procedural macros. There
    is none to ask for where a crate names no other.
    """
    sample = job.sample
    if sample.is_only_itself:
        return ()
    options = "--config /crates/vendor.toml " if sample.needs_crates else ""
    features = shlex.join([*sample.cargo.feature_options, *sample.package_option])
    wanted = f"--target {job.target} --edges normal,no-proc-macro --prefix none --format '{{p}}'"
    return (f"{{ cargo {options}tree {features} --locked --offline {wanted} > /out/crates || rm -f /out/crates; }}",)


def target_cache(job: ProgramJob, digest: str) -> str:
    """The name of the folder in which cargo finds what it compiled before; `digest` is the toolchain image's."""
    parts = ["bareboat", job.sample.crate, job.toolchain.name, job.target, job.crt]
    if digest:
        # An object that another gcc or musl made may not fit what this one makes.
        parts.append(digest.removeprefix("sha256:")[:_DIGITS])
    if job.sysroot:
        # Where the compiler's own machine has musl, too, build scripts are linked with it as well.
        parts.append("sysroot")
    if env := environment(job):
        # A build script that does not tell cargo which variables it read would not run again when they change.
        parts.append(hashlib.sha256(" ".join(env).encode()).hexdigest()[:_DIGITS])
    return "-".join(parts)


def _flags(job: ProgramJob) -> str:
    """The option of cargo that gives the compiler its flags, beside all that the crate's own configuration gives."""
    if "RUSTFLAGS" in job.sample.cargo.env:
        return ""  # cargo takes that and nothing else
    # RUSTFLAGS would take the place of the crate's own flags. Those of all tables that match the target are joined, and
    # a table of this name matches every target and is nobody's.
    own, more = job.sample.rustflags.beside(job.target), job.sample.cargo.rustflags
    flags = json.dumps([*own, *linkage(job), *more], ensure_ascii=False)
    return shlex.join(["--config", f'target."cfg(all())".rustflags={flags}']) + " "


def linkage(job: ProgramJob) -> tuple[str, str]:
    """The flags that say how the C library is linked."""
    return "-C", f"target-feature={'+' if job.crt == 'static' else '-'}crt-static"


def environment(job: ProgramJob) -> list[str]:
    """The variables of cargo's commands, `NAME=VALUE` as a shell reads it."""
    env = job.sample.cargo.variables
    if "RUSTFLAGS" in env:
        env["RUSTFLAGS"] = " ".join([env["RUSTFLAGS"], *linkage(job), *job.sample.cargo.rustflags])
    return [f"{name}={shlex.quote(value)}" for name, value in sorted(env.items())]
