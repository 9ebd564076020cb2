"""What threads share because it is made once: whoever asks first makes it, and the others wait for that."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_Key = TypeVar("_Key", bound="Hashable")
_Value = TypeVar("_Value")


class Once(Generic[_Key, _Value]):
    """Values by key, each made when it is first asked for; where making it fails, the next to ask tries again."""

    def __init__(self) -> None:
        self._values: dict[_Key, _Value] = {}
        self._locks: dict[_Key, threading.Lock] = {}

    def get(self, key: _Key, make: Callable[[], _Value]) -> _Value:
        """The value of that key. Raises as `make` does."""
        # A lock for each key: what is made for one holds up nobody who asks for another.
        with self._locks.setdefault(key, threading.Lock()):
            if key not in self._values:
                self._values[key] = make()
            return self._values[key]

    def forget(self, key: _Key) -> None:
        """Have the value made again when it is next asked for."""
        self._values.pop(key, None)
