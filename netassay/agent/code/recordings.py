"""Named recordings that live in the agent: started once, handed over once or again and again, in bounded memory.

They belong to the pod's serving process where there is one, and so outlive the stream that asked for them. What is
handed over is kept until the next request says that it has arrived. All times are whole microseconds since the
recording's first beat, on the monotonic clock; `began` maps that beat to the wall clock, once.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Callable

from . import kernel
from .pacing import Pacer

MOST = 64
# Rows that are held for the harness; what comes beyond is counted, and told as lost.
MOST_ROWS = 20_000
# From here on, failures alike in a row share one.
FULL_ROWS = 5_000
PAGE_ROWS = 1_000

Row = list[Any]


class Rows:
    """Rows in the order in which they came, numbered from 0."""

    def __init__(self) -> None:
        """None yet."""
        self._first = 0
        self._rows: list[Row] = []
        self.untold = 0

    @property
    def full(self) -> bool:
        """Whether memory is to be saved."""
        return len(self._rows) >= FULL_ROWS

    def add(self, row: Row) -> None:
        """Keep a row, or count it as lost where there are too many."""
        if len(self._rows) < MOST_ROWS:
            self._rows.append(row)
        else:
            self.untold += 1

    def page(self, after: int) -> tuple[list[Row], int, bool]:
        """Forget the rows before number `after`, which have arrived; the next ones, their end, and if more wait."""
        gone = min(max(0, after - self._first), len(self._rows))
        del self._rows[:gone]
        self._first += gone
        page = self._rows[:PAGE_ROWS]
        return page, self._first + len(page), len(self._rows) > len(page)


class Recording:
    """What streams of new connections and kept flows share: rows, the clock, and the beat."""

    def __init__(self, interval: float, seconds: float) -> None:
        """Beat every `interval` seconds. Ends by itself after `seconds`: whoever asked for it may be gone by then."""
        self._loop = asyncio.get_running_loop()
        self.rows = Rows()
        self.pacer = Pacer(interval, self._beat, self._miss)
        self.sent = self.missed = 0
        self.over = 0.0
        self._began = time.time()
        self._end = self._loop.call_later(seconds, self.finish)

    def micros(self, moment: float) -> int:
        """A moment of the loop's clock in the recording's time."""
        return int((moment - self.pacer.zero) * 1e6)

    def finish(self) -> None:
        """Send nothing more; what is in flight may still end. Harmless when repeated."""
        self._end.cancel()
        self.over = self.over or self._loop.time()

    def close(self) -> None:
        """Finish, and give up all sockets."""
        self.finish()
        self.pacer.stop()

    def send(self, number: int, now: float) -> None:
        """Do what is to be done at this beat."""
        raise NotImplementedError

    def skip(self, first: int, count: int) -> None:
        """Take note of beats whose time has passed."""

    def unfinished(self) -> list[Row]:
        """What is still going on, as rows that may yet grow."""
        raise NotImplementedError

    def in_flight(self) -> int:
        """How much of what was sent has not had its end."""
        return 0

    def collect(self, after: int) -> dict[str, Any]:
        """Hand over the rows from number `after` on; those before it have arrived and are forgotten."""
        rows, next_, more = self.rows.page(after)
        return {
            "rows": rows,
            "next": next_,
            "more": more,
            "unfinished": [] if more else self.unfinished(),
            "began": self._began,
            "now": self.micros(self._loop.time()),
            "ended": self.micros(self.over or self._loop.time()),
            "interval": int(self.pacer.interval * 1e6),
            "sent": self.sent,
            "missed": self.missed,
            "latest": int(self.pacer.latest * 1e6),
            "in_flight": self.in_flight(),
            "untold": self.rows.untold,
        }

    def _beat(self, number: int, now: float) -> None:
        if not self.over:
            self.send(number, now)
        elif not self.in_flight():
            self.pacer.stop()

    def _miss(self, first: int, count: int) -> None:
        if not self.over:
            self.missed += count
            self.skip(first, count)


class Recordings:
    """The recordings of one process, by name."""

    def __init__(self) -> None:
        """None yet."""
        self._all: dict[str, Recording] = {}
        self._commands: dict[str, Callable[[dict[str, Any]], Any]] = {
            "record": self._record,
            "collect": lambda command: self._named(command).collect(command["after"]),
            "finish": lambda command: self._named(command).finish(),
            "forget": self._forget,
        }

    @property
    def commands(self) -> tuple[str, ...]:
        """What `obey` knows."""
        return tuple(self._commands)

    def obey(self, command: dict[str, Any]) -> Any:
        """Carry out a command; its value. Raises RuntimeError with what is wrong with it."""
        return self._commands[command["do"]](command)

    def _record(self, command: dict[str, Any]) -> bool:
        from .flows import Flow  # noqa: PLC0415 - for those who record only
        from .streams import Stream  # noqa: PLC0415

        name = command["name"]
        if name in self._all:
            raise RuntimeError(f"there is a recording {name!r} already")
        if len(self._all) >= MOST:
            raise RuntimeError(f"there are {MOST} recordings already, and that is the most")
        if not kernel.family_of(command["host"]):
            raise RuntimeError(f"a recording needs an address, not {command['host']!r}")
        if command["kept"] and command["protocol"] in ("sctp", "dns"):
            raise RuntimeError(f"no kept flow is recorded over {command['protocol'].upper()}")
        kind = Flow if command["kept"] else Stream
        self._all[name] = kind(command)
        return True

    def _named(self, command: dict[str, Any]) -> Recording:
        try:
            return self._all[command["name"]]
        except KeyError:
            raise RuntimeError(f"there is no recording {command['name']!r}") from None

    def _forget(self, command: dict[str, Any]) -> bool:
        self._named(command).close()
        del self._all[command["name"]]
        return True
