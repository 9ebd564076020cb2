"""What Bareboat needs of a container engine, as Protocols and the values that cross them.

For others to use:

- `Engine`: both Protocols together, for a caller that needs images and containers
- `images.py`: `Images`, `StoredImage`, `Build`; `KIND_LABEL`, `KEY_LABEL` and `OWN_NAMES`, by which Bareboat's
  images are known
- `containers.py`: `Containers`, `Start`, `Work`, `RunReport`; `NO_NETWORK`, `OUTSIDE` and `NETWORKS`, the networks of
  a container; `RUN_LABEL`, by which Bareboat's containers are known
- `tracer.py`: `Tracer` and `make_tracer`, which bring this machine's strace into a container, at `TOOLS_TARGET`, and
  its logs out of it, at `LOGS_TARGET`; `tracing_obstacle`, why that cannot be done here, by `PTRACE_SCOPE` for one
- `fake.py`: `FakeEngine`, the `Script` of what its containers do, and `HOST`, for tests on a machine without Podman
- `fake_images.py`: `FakeImages`, the half of it that keeps images

A contract suite (tests/engine_contract.py) holds FakeEngine and PodmanEngine to the same promises.
"""

from typing import Protocol

from bareboat.engine.containers import Containers
from bareboat.engine.images import Images

__all__ = ["Engine"]


class Engine(Images, Containers, Protocol):
    """What builds images and runs them. Ask for `Images` or `Containers` where one of them is enough."""
