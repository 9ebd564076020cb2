"""How cargo compiles a crate: what the tables `cargo` of its metadata say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from bareboat.inputs.expectation import Value, Variable  # noqa: TC001 -- pydantic reads the types of fields

FEATURE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_/.+-]*")
_Feature = Annotated[str, Field(pattern=f"^{FEATURE.pattern}$")]
_StdCrate = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
_StdFeature = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
_Setting = Literal["codegen-units", "debug", "lto", "opt-level", "overflow-checks", "panic", "strip"]
# Cargo's own profiles whose folder is called otherwise: https://doc.rust-lang.org/cargo/guide/build-cache.html
_FOLDERS = {"dev": "debug", "test": "debug", "bench": "release"}
_PROFILE = "release"
# With it a stable compiler takes unstable options, as Debian's and rustup's do.
UNSTABLE = "RUSTC_BOOTSTRAP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cargo:
    """How cargo compiles a crate."""

    # The crate's features to enable, beside the default ones.
    features: tuple[_Feature, ...] = ()
    # Whether the default ones are enabled.
    default_features: bool = True
    # The name of cargo's profile.
    profile: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")] = _PROFILE
    # Settings of that profile, in place of those that Cargo.toml gives it, by the names that they have there.
    settings: dict[_Setting, Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]] = field(default_factory=dict, hash=False)
    # Environment variables, because some build scripts can be told nothing otherwise; names begin with a capital.
    env: dict[Variable, Value] = field(default_factory=dict, hash=False)
    # More flags for the compiler, for every crate of the program's and for std's where they are compiled too.
    rustflags: tuple[Value, ...] = ()
    # More flags for the program's own crate, by which it is linked: for them no other crate is compiled anew.
    link_rustflags: tuple[Value, ...] = ()
    # What the linker is given as its script; "" for its own.
    linker_script: str = ""
    # The crates of the standard library that are compiled too, with the program's own flags, which is unstable: cargo's
    # -Zbuild-std. Without any, it is linked as the toolchain has it.
    build_std: tuple[_StdCrate, ...] = ()
    # The features with which they are compiled; without any, those that they have by default.
    build_std_features: tuple[_StdFeature, ...] = ()
    # Options of objcopy, by which the linked program is written once more.
    objcopy: tuple[Value, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `cargo build`."""
        return ("--profile", self.profile, *self.feature_options, *self._std_options)

    @property
    def feature_options(self) -> tuple[str, ...]:
        """Those of them that say which features are enabled; other commands of cargo take them too."""
        features = ("--features", ",".join(self.features)) if self.features else ()
        return (*(() if self.default_features else ("--no-default-features",)), *features)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of cargo's commands: what `env` says, and the settings as cargo takes them there."""
        profile = self.profile.upper().replace("-", "_")
        settings = {
            f"CARGO_PROFILE_{profile}_{key.upper().replace('-', '_')}": value for key, value in self.settings.items()
        }
        return {**settings, **self.env, **({UNSTABLE: "1"} if self.build_std else {})}

    @property
    def _std_options(self) -> tuple[str, ...]:
        crates = (f"-Zbuild-std={','.join(self.build_std)}",) if self.build_std else ()
        features = (f"-Zbuild-std-features={','.join(self.build_std_features)}",) if self.build_std_features else ()
        return (*crates, *features)

    def after(self, first: Cargo) -> Cargo:
        """Compiled as `first` says and as this says beside it; where both say something of the same, as this does."""
        return Cargo(
            features=tuple(dict.fromkeys([*first.features, *self.features])),
            default_features=first.default_features and self.default_features,
            profile=self.profile if self.profile != _PROFILE else first.profile,
            settings={**first.settings, **self.settings},
            env={**first.env, **self.env},
            rustflags=(*first.rustflags, *self.rustflags),
            link_rustflags=(*first.link_rustflags, *self.link_rustflags),
            linker_script=self.linker_script or first.linker_script,
            build_std=self.build_std or first.build_std,
            build_std_features=self.build_std_features or first.build_std_features,
            objcopy=(*first.objcopy, *self.objcopy),
        )

    @property
    def folder(self) -> str:
        """What cargo calls the folder of the profile's programs."""
        return _FOLDERS.get(self.profile, self.profile)

    @property
    def is_stable(self) -> bool:
        """Whether a compiler is asked for nothing that may change or go."""
        return not self.build_std and UNSTABLE not in self.env
