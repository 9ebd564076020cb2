"""What is open in a process's network namespace, as proc(5) has it: where somebody listens, and who waits for whom.

UDP knows no listening: whoever may be sent to by everybody may be a server, or one that has asked a name server and
waits, as musl does. A server stays where it is, at a port of its choice; who asks does it from a port that Linux chose,
gives up after seconds, and asks again from another one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# As the kernel writes TCP_LISTEN and TCP_SYN_SENT, and TCP_CLOSE for a UDP socket that is connected to nobody.
_LISTENS, _CONNECTS, _UNCONNECTED = "0A", "02", "07"
_NAME_SERVER = 53
# 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104, each word of them in the byte order of x86.
_LOOPBACK = re.compile(r"(?:0{16}FFFF0000)?[0-9A-F]{6}7F|0{24}01000000")
# Who has waited for so long is not answered at once.
_LONG_SECONDS = 1.0
# From here on Linux chooses ports in every new network namespace, whatever its host's have been set to.
_CHOSEN_BY_LINUX = 32768


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """Those of one moment."""

    listening: tuple[int, ...] = ()  # TCP ports, sorted
    local: tuple[int, ...] = ()  # those of them that only loopback reaches
    bound: tuple[int, ...] = ()  # UDP ports that everybody may send to, sorted
    asks: bool = False  # whether a name server was asked, or somebody is called who has not answered

    def has(self, port: int) -> bool:
        """Whether somebody listens on a port, or may be sent to there."""
        return port in self.listening or port in self.bound


@dataclass(slots=True)
class Watched:
    """Those of many moments, of which the last is `now`."""

    now: Sockets = field(default_factory=Sockets)
    listened_at: float | None = None  # when somebody was first seen to listen
    bound_at: dict[int, float] = field(default_factory=dict)  # by UDP port, since when it has been bound
    asked_at: float | None = None  # when somebody was last seen to wait for an answer
    _waiting: frozenset[int] = frozenset()  # the UDP ports of Linux's choice that have been bound for long
    _gave_up_at: float | None = None  # when one of those was first seen to be bound no more

    def note(self, sockets: Sockets, moment: float) -> None:
        """See what is open at a moment."""
        self.now = sockets
        self.bound_at = {port: self.bound_at.get(port, moment) for port in sockets.bound}
        if self.listened_at is None and sockets.listening:
            self.listened_at = moment
        if self._gave_up_at is None and not self._waiting <= set(sockets.bound):
            self._gave_up_at = moment
        long = {port: since for port, since in self.bound_at.items() if moment - since >= _LONG_SECONDS}
        self._waiting = frozenset(port for port in long if port >= _CHOSEN_BY_LINUX)
        # Who never gives up may only want to send; who did waits again.
        again = self._gave_up_at is not None and any(long[port] >= self._gave_up_at for port in self._waiting)
        if sockets.asks or again:
            self.asked_at = moment

    def servers(self, since: float) -> tuple[int, ...]:
        """The UDP ports of which a server chose one and that have been bound since a moment, or longer."""
        return tuple(port for port, moment in self.bound_at.items() if port < _CHOSEN_BY_LINUX and moment <= since)

    def waits(self, since: float) -> bool:
        """Whether somebody was seen to wait for an answer at that moment or later."""
        return self.asked_at is not None and self.asked_at >= since


def read_sockets(process: int) -> Sockets:
    """Those of the network namespace of a process of this machine; none where it has ended."""

    def read(table: str) -> str:
        try:
            return Path(f"/proc/{process}/net/{table}").read_text(encoding="ascii")
        except OSError:
            return ""

    return parse_sockets(read)


def parse_sockets(read: Callable[[str], str]) -> Sockets:
    """The sockets in the tables tcp, tcp6, udp and udp6 of proc(5), whose text `read` gives. Pure."""
    tcp = [row for table in ("tcp", "tcp6") for row in _rows(read(table))]
    udp = [row for table in ("udp", "udp6") for row in _rows(read(table))]
    listening = [row for row in tcp if row.state == _LISTENS]
    reached = {row.local for row in listening if not row.is_loopback}
    return Sockets(
        listening=_sorted(row.local for row in listening),
        local=_sorted(row.local for row in listening if row.local not in reached),
        bound=_sorted(row.local for row in udp if row.state == _UNCONNECTED and row.local and not row.remote),
        asks=any(row.state == _CONNECTS for row in tcp) or any(row.remote == _NAME_SERVER for row in udp),
    )


class _Row(NamedTuple):
    """A socket: its own port, the other's, its state, and whether only loopback reaches it."""

    local: int
    remote: int
    state: str
    is_loopback: bool


def _rows(text: str) -> Iterator[_Row]:
    for line in text.splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        (address, port), there = local.split(":"), remote.rpartition(":")[2]
        yield _Row(int(port, 16), int(there, 16), state, _LOOPBACK.fullmatch(address) is not None)


def _sorted(ports: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(ports)))
