"""A stream of new connections: one attempt at each beat, whether or not those before it have had their answer.

Attempts that were answered share a row as long as nothing else comes between them; every failure has one of its own. A
row is `["run", beat, count, outcome, words, sent, last sent, ended, last ended]`, where an attempt was answered if its
outcome is open and there are no words. Who answered is told beside it, in `["span", peer, count, first sent, last sent,
last ended]`: one for as long as the peer goes on answering. A beat that was missed, or an attempt that cannot be
judged, has the outcome "no verdict".
"""

from __future__ import annotations

from typing import Any

from . import kernel
from .attempt import KINDS, Attempt, Seen
from .recordings import Recording, Row

# A peer that was silent for longer begins a new span when it answers again.
SPAN_SECONDS = 1.0
MOST_PEERS = 1000
BEAT, COUNT, OUTCOME, WORDS, LAST_SENT, LAST_ENDED = 1, 2, 3, 4, 6, 8
SPAN_COUNT, SPAN_LAST_SENT, SPAN_LAST_ENDED = 2, 4, 5


class Stream(Recording):
    """One stream, from its start until it is finished."""

    def __init__(self, command: dict[str, Any]) -> None:
        """`command` names protocol, host, port, interval, timeout and seconds, and path and host header for HTTP."""
        super().__init__(command["interval"], command["seconds"])
        self._protocol, self._host, self._port = command["protocol"], command["host"], command["port"]
        self._family = kernel.family_of(self._host)
        self._timeout = command["timeout"]
        # As in attempt.Wanted.
        self._wanted = (
            *(self._protocol, self._host, self._port, self._timeout),
            *(0, False, 0, command.get("path", "/"), command.get("host_header", "")),
        )
        self._running: dict[int, tuple[Attempt, float]] = {}
        # Results that wait for those of earlier beats, so that rows are in the order of beats.
        self._done: dict[int, Row] = {}
        self._told = 0
        self._run: Row | None = None
        self._spans: dict[str, Row] = {}

    def in_flight(self) -> int:
        """Attempts that have not ended."""
        return len(self._running)

    def close(self) -> None:
        """Finish, and give up what is in flight."""
        super().close()
        for attempt, _ in list(self._running.values()):
            attempt.end(kernel.NO_VERDICT, error="given up")

    def unfinished(self) -> list[Row]:
        """The last run and each peer's last span."""
        return [*([self._run] if self._run else []), *self._spans.values()]

    def send(self, number: int, now: float) -> None:
        """Start an attempt."""
        self.sent += 1
        attempt = KINDS[self._protocol](self._loop, number, self._wanted, self._ended)
        self._running[number] = attempt, now
        attempt.begin(self._host, self._family)

    def skip(self, first: int, count: int) -> None:
        """Tell of beats that were missed."""
        sent, last = self.micros(self.pacer.due(first)), self.micros(self.pacer.due(first + count - 1))
        words = "not sent: the sender stood still"
        self._tell(["run", first, count, kernel.NO_VERDICT, words, sent, last, sent, last])

    def _ended(self, seen: Seen) -> None:
        number, outcome, peer, words = seen[0], seen[1], seen[4], seen[11]
        _, began = self._running.pop(number)
        now = self._loop.time()
        if outcome == kernel.OPEN and not words and not peer:
            words = "answered by somebody without a name"
        if outcome == kernel.TIMED_OUT or (outcome == kernel.OPEN and words):
            still = self.pacer.stood_still(began)
            if still > self._timeout / 2:
                outcome, words = kernel.NO_VERDICT, f"the sender stood still for {still:.2f} s of it"
        sent, ended = self.micros(began), self.micros(now)
        if outcome == kernel.OPEN and not words:
            self._span(peer, sent, ended)
        self._tell(["run", number, 1, outcome, words, sent, sent, ended, ended])

    def _span(self, peer: str, sent: int, ended: int) -> None:
        span = self._spans.get(peer)
        if span is not None and sent - span[SPAN_LAST_SENT] <= SPAN_SECONDS * 1e6:
            span[SPAN_COUNT] += 1
            span[SPAN_LAST_SENT] = max(span[SPAN_LAST_SENT], sent)
            span[SPAN_LAST_ENDED] = max(span[SPAN_LAST_ENDED], ended)
            return
        if span is not None:
            self.rows.add(span)
        elif len(self._spans) >= MOST_PEERS:
            self.rows.untold += 1
            return
        self._spans[peer] = ["span", peer, 1, sent, sent, ended]

    def _tell(self, row: Row) -> None:
        """Keep the row until those of all earlier beats are there, then put them into runs."""
        self._done[row[BEAT]] = row
        while self._told in self._done:
            row = self._done.pop(self._told)
            self._told += row[COUNT]
            run = self._run
            if run is not None and self._alike(run, row):
                run[COUNT] += row[COUNT]
                run[LAST_SENT] = row[LAST_SENT]
                run[LAST_ENDED] = max(run[LAST_ENDED], row[LAST_ENDED])
                continue
            if run is not None:
                self.rows.add(run)
            self._run = row

    def _alike(self, run: Row, row: Row) -> bool:
        answered = run[OUTCOME] == kernel.OPEN and not run[WORDS]
        return run[OUTCOME] == row[OUTCOME] and run[WORDS] == row[WORDS] and (answered or self.rows.full)
