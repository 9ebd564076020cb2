"""Copies what a command writes into its log as it comes, each line without the secrets in it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

# How long to wait for the last lines of a command that has ended: one of its own children may hold the pipe open.
_PATIENCE_SECONDS = 5.0
_LINE_BYTES = 2**16


class LogCopy:
    """The way from a child process into its log, a file for its owner's eyes only: `stream` is the child's end.

    The log has no line that was not cleaned, at no moment. As a context manager it waits at the end until all is in the
    log. Raises OSError where the log cannot be opened, and at the end where it could not be written.
    """

    def __init__(self, log: Path, clean: Callable[[str], str]) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._clean = clean
        self._fault: OSError | None = None
        log.unlink(missing_ok=True)  # an older log may be for everybody's eyes
        self._file = os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
        reading, writing = os.pipe()
        self._lines = os.fdopen(reading, "rb")
        self.stream = os.fdopen(writing, "wb")
        self._thread = threading.Thread(target=self._copy, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Wait for the last lines."""
        self.stream.close()
        self._thread.join(_PATIENCE_SECONDS)
        if self._fault is not None and error is None:
            raise self._fault

    def _copy(self) -> None:
        with self._lines, self._file:
            while line := self._lines.readline(_LINE_BYTES):
                if self._fault is None:
                    self._write(line)
                # Where there is no room, what comes is read all the same: nobody waits for a full pipe.

    def _write(self, line: bytes) -> None:
        try:
            text = self._clean(line.decode(errors="surrogateescape"))
            self._file.write(text.encode(errors="surrogateescape"))
        except OSError as error:
            self._fault = error
