"""What agents record of a flow. Times in rows are whole microseconds since the recording's first beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from netassay.errors import HarnessFault
from netassay.observation import Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """A flow to be recorded.

    `kept` is one connection that asks at each beat; without it each beat makes a connection of its own. `target` says
    in words what `host` and `port` lead to. `interval` is the beat, `timeout` what an attempt may take, in seconds.
    """

    source: str
    source_node: str
    target: str
    protocol: Protocol
    host: str
    port: int
    kept: bool
    interval: float
    timeout: float
    host_header: str = ""

    @property
    def attempts(self) -> str:
        """What is made at each beat of a stream, in a word."""
        return "questions" if self.protocol is Protocol.DNS else "connections"

    def __str__(self) -> str:
        """As in `probe-1 (node-1) → Service web, 10.96.0.7:8080, new tcp connections`."""
        source = f"{self.source} ({self.source_node})" if self.source_node else self.source
        what = f"a kept {self.protocol} flow" if self.kept else f"new {self.protocol} {self.attempts}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{source} → {self.target}, {host}:{self.port}, {what}"


class Run(msgspec.Struct, frozen=True, array_like=True, tag="run"):
    """Attempts of one stream, one after the other, that ended alike; `words` are empty for those that were answered."""

    beat: int
    count: int
    outcome: Outcome
    words: str
    sent: int
    last_sent: int
    ended: int
    last_ended: int

    @property
    def answered(self) -> bool:
        """Whether they got through, and were answered by an agent."""
        return self.outcome is Outcome.OPEN and not self.words

    @property
    def failed(self) -> bool:
        """Whether they surely did not."""
        return not self.answered and self.outcome is not Outcome.NO_VERDICT


class Span(msgspec.Struct, frozen=True, array_like=True, tag="span"):
    """A time in which one peer answered attempts of a stream, without a pause to speak of."""

    peer: str
    count: int
    sent: int
    last_sent: int
    last_ended: int


class Link(msgspec.Struct, frozen=True, array_like=True, tag="link"):
    """A time in which one peer answered a kept flow on one connection.

    `ended` is -1 while it goes on; `unanswered` is how much of what was asked had no answer at its end.
    """

    peer: str
    opened: int
    first: int
    last: int
    ended: int
    unanswered: int
    words: str


class Gap(msgspec.Struct, frozen=True, array_like=True, tag="gap"):
    """A time without answers on a kept flow.

    It is from when that was asked which was answered last, until the next answer, which took `answer` (0 over streams,
    where the kernel asks again by itself); for `stood_still` of it the sender could not ask.
    """

    since: int
    until: int
    stood_still: int
    answer: int = 0


class Fault(msgspec.Struct, frozen=True, array_like=True, tag="fault"):
    """Connections of a kept flow that could not be made, or errors of its UDP socket."""

    first: int
    last: int
    count: int
    words: str


Row = Run | Span | Link | Gap | Fault


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A recording as it was handed over.

    `began` is when its first beat was, in seconds on the harness's own clock, known to within `unsure` seconds;
    `length` is the time in microseconds until it was finished. `missed` beats were not sent, as the sender stood still;
    `latest` is by how many microseconds the latest beat was late.
    """

    flow: Watched
    began: float
    unsure: float
    length: int
    sent: int
    missed: int
    latest: int
    rows: tuple[Row, ...]

    def moment(self, micros: int) -> float:
        """A time of its rows, in seconds on the harness's clock."""
        return self.began + micros / 1e6

    @property
    def runs(self) -> Sequence[Run]:
        """Its attempts in the order in which they were sent."""
        return sorted((row for row in self.rows if isinstance(row, Run)), key=lambda run: run.beat)

    @property
    def spans(self) -> Sequence[Span]:
        """Who answered attempts, and when."""
        return [row for row in self.rows if isinstance(row, Span)]

    @property
    def links(self) -> Sequence[Link]:
        """Who answered the kept flow, and when."""
        return [row for row in self.rows if isinstance(row, Link)]

    @property
    def gaps(self) -> Sequence[Gap]:
        """When the kept flow had no answer."""
        return [row for row in self.rows if isinstance(row, Gap)]

    @property
    def faults(self) -> Sequence[Fault]:
        """What the kept flow was told when it tried to connect."""
        return [row for row in self.rows if isinstance(row, Fault)]


class Reply(msgspec.Struct, frozen=True):
    """One hand-over of an agent."""

    rows: list[Row]
    next: int
    more: bool
    unfinished: list[Row]
    began: float
    now: int
    ended: int
    interval: int
    sent: int
    missed: int
    latest: int
    in_flight: int
    untold: int


class Timed(msgspec.Struct, frozen=True):
    """A hand-over, and when it was asked for and came, in seconds on the harness's clock."""

    asked: float
    came: float
    reply: Reply

    @property
    def began(self) -> float:
        """When the recording's first beat was, on the harness's clock: half-way between question and answer is now."""
        return (self.asked + self.came) / 2 - self.reply.now / 1e6

    @property
    def unsure(self) -> float:
        """By how many seconds `began` may be wrong."""
        return (self.came - self.asked) / 2


def read_reply(value: Any, asked: float, came: float) -> Timed:
    """Read one hand-over."""
    return Timed(asked, came, msgspec.convert(value, Reply))


def from_replies(flow: Watched, replies: Iterable[Timed]) -> Recorded:
    """Put hand-overs of one recording together, in their order; the last one tells what was still going on.

    `HarnessFault` if the agent had to leave something out.
    """
    replies = list(replies)
    last = replies[-1].reply
    if last.untold:
        raise HarnessFault(
            f"{flow}: the agent lost {last.untold} rows of its recording, which was not collected in time"
        )
    surest = min(replies, key=lambda timed: timed.unsure)
    return Recorded(
        flow=flow,
        began=surest.began,
        unsure=surest.unsure,
        length=last.ended,
        sent=last.sent,
        missed=last.missed,
        latest=last.latest,
        rows=(*(row for timed in replies for row in timed.reply.rows), *last.unfinished),
    )
