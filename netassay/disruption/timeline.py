"""From a recording to what happened to its flow: outages, failed attempts, who answered until when, what was lost."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from netassay.disruption.recorded import Watched  # noqa: TC001 - msgspec reads it at run time
from netassay.errors import HarnessFault, NotConverged
from netassay.observation import Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from netassay.disruption.recorded import Link, Recorded, Run

TOLD: Final = 4
"""Kinds of failure that a line names."""


class Outage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A time in which a flow was not answered, as its attempts show it; all times are in seconds from the event.

    It began between the last attempt that was answered (`good_until`) and the first that failed (`began`), and was over
    between the last that failed (`failed_until`) and the first that was answered (`ended`); that one had its answer
    `answer` seconds later. All are moments of sending; where one is None, nothing more is known than its neighbour.
    For `unsure` seconds between failures the sender stood still, and can tell nothing. An outage that is not
    `recovered` lasted until the recording was finished.
    """

    began: float
    ended: float
    failed: int
    words: tuple[str, ...] = ()
    unsure: float = 0.0
    recovered: bool = True
    good_until: float | None = None
    failed_until: float | None = None
    answer: float = 0.0

    @property
    def start(self) -> float:
        """When it began, as well as that can be told: half-way between the last success and the first failure."""
        return self.began if self.good_until is None else (self.began + self.good_until) / 2

    @property
    def over(self) -> float:
        """When it was over, as well as that can be told: half-way between the last failure and the first success."""
        return self.ended if self.failed_until is None else (self.ended + self.failed_until) / 2

    @property
    def seconds(self) -> float:
        """How long it was, as well as that can be told."""
        return self.over - self.start

    @property
    def least(self) -> float:
        """How long it was at least: between failures, as far as the sender was there.

        What is lost of the first is lost no later than an answer takes.
        """
        surely = (self.ended if self.failed_until is None else self.failed_until) - self.began
        return max(0.0, surely - self.answer - self.unsure)

    @property
    def most(self) -> float:
        """How long it was at most: from the last attempt that was answered until the next answer."""
        return self.latest - self.earliest

    @property
    def earliest(self) -> float:
        """Before when it did not begin."""
        return self.began if self.good_until is None else self.good_until

    @property
    def latest(self) -> float:
        """After when it was surely over: that was answered."""
        return self.ended + self.answer

    @property
    def length(self) -> str:
        """How long it was, with both bounds, as in `312 ms (301 to 324)`."""
        least, seconds, most = (f"{one * 1000:.0f}" for one in (self.least, self.seconds, self.most))
        return f"{seconds} ms ({least} to {most})" if least != most else f"{seconds} ms"

    def __str__(self) -> str:
        """As in `312 ms (301 to 324) from 40 ms on (31 refused)`."""
        after = "" if self.recovered else ", not over when the recording was"
        told = f" ({', '.join(self.words)})" if self.words else ""
        return f"{self.length} from {self.start * 1000:.0f} ms on{told}{after}"


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """A kept connection that was ended, not by its client: when (seconds from the event), with whom, and how."""

    at: float
    peer: str
    unanswered: int
    words: str

    def __str__(self) -> str:
        """As in `the one with web-1 at 512 ms (closed by the peer, 1 unanswered)`."""
        unanswered = f", {self.unanswered} unanswered" if self.unanswered else ""
        return f"the one with {self.peer or 'nobody'} at {self.at * 1000:.0f} ms ({self.words}{unanswered})"


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which one peer answered: from its first answer to its last, in seconds from the event."""

    peer: str
    first: float
    last: float


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one flow around an event; times in seconds from the event.

    `unjudged` attempts have no verdict, as their sender stood still; `unsure` is by how much the event may be misplaced
    on this flow's clock, in seconds.
    """

    flow: Watched
    since: float
    until: float
    attempts: int
    failed: int
    unjudged: int
    latest: float
    unsure: float
    outages: tuple[Outage, ...]
    answering: tuple[Answering, ...]
    lost: tuple[Lost, ...]

    @property
    def disturbed(self) -> float:
        """Seconds from the start of its first outage until its last was over; 0 without any."""
        return self.outages[-1].over - self.outages[0].start if self.outages else 0.0

    @property
    def disturbed_at_most(self) -> float:
        """The same between the last success before the first failure and the first answer after the last one."""
        return self.outages[-1].latest - self.outages[0].earliest if self.outages else 0.0

    @property
    def failed_beyond_chance(self) -> int:
        """Failed attempts, without single datagrams that were lost between two answered ones: nobody promises those."""
        udp = self.flow.protocol.transport == "UDP"
        return sum(outage.failed for outage in self.outages if not (udp and outage.recovered and outage.failed == 1))

    @property
    def unjudged_seconds(self) -> float:
        """Seconds of its outages of which it can't be told: the sender stood still, or was between two beats."""
        return sum(outage.most - outage.least for outage in self.outages)

    @property
    def unjudged_share(self) -> float:
        """Share of a stream's beats that have no verdict; 0 for a kept flow, which shows a pause by its gaps."""
        return 0.0 if self.flow.kept or not self.attempts else self.unjudged / self.attempts

    @property
    def recovered(self) -> bool:
        """Whether it was answered at the end."""
        return all(outage.recovered for outage in self.outages)

    @property
    def longest(self) -> float:
        """Seconds of its longest outage."""
        return max((outage.seconds for outage in self.outages), default=0.0)

    def last_answer(self, peers: Collection[str]) -> float | None:
        """When the last answer by one of these came, in seconds from the event; None if there was none after it."""
        found = [one.last for one in self.answering if one.peer in peers and one.last > 0]
        return max(found, default=None)

    def first_answer(self, peers: Collection[str], *, after: float = 0.0) -> float | None:
        """When one of these first answered anew, later than `after` seconds from the event; None if none did."""
        found = [one.first for one in self.answering if one.peer in peers and one.first > after]
        return min(found, default=None)

    def lost_with_others_than(self, peers: Collection[str]) -> Sequence[Lost]:
        """Kept connections that were ended after the event, though they were not with one of these."""
        return [one for one in self.lost if one.peer not in peers and one.at > 0]

    def describe(self) -> str:
        """One line: flow, attempts, and what became of them."""
        kind = "asked" if self.flow.kept else "attempts"
        parts = [f"{self.attempts} {kind}, {self.failed} failed"]
        if self.outages:
            parts.append(f"disturbed for {self.disturbed * 1000:.0f} ms from {self.outages[0].start * 1000:.0f} ms on")
            longest = max(self.outages, key=lambda outage: outage.seconds)
            parts.append(f"{len(self.outages)} outages, the longest {longest}")
        if self.lost:
            parts.append(f"{len(self.lost)} connections ended: {'; '.join(map(str, self.lost[:TOLD]))}")
        if self.unjudged:
            parts.append(f"{self.unjudged} without a verdict, as the sender stood still")
        parts.append(f"latest beat {self.latest * 1000:.0f} ms late")
        return f"{self.flow}: {', '.join(parts)}"


def timeline(recorded: Recorded, event: float) -> Timeline:
    """Make the timeline of a flow around an event, which was at this moment of the harness's clock.

    What had ended by then is the baseline (see `require_baseline`) and not judged.
    """
    return (_kept if recorded.flow.kept else _stream)(recorded, event)


def require_baseline(recorded: Recorded, event: float, *, beats: int) -> None:
    """Demand that the flow was answered from its start until the event, for at least so many beats.

    `NotConverged` if it was not: what fails beforehand proves nothing of the event. `HarnessFault` if it can't be told.
    """
    flow = recorded.flow
    if flow.kept:
        answered = sum(
            max(0.0, min(event, recorded.moment(link.last)) - recorded.moment(link.first)) for link in recorded.links
        )
        before = _micros(recorded, event)
        # A pause that an attempt would have survived is a busy machine's doing as often as the network's.
        long = flow.timeout * 1e6
        failed = sum(gap.until <= before and gap.until - gap.since - gap.stood_still > long for gap in recorded.gaps)
        failed += sum(fault.count for fault in recorded.faults if fault.last < before)
        unjudged = recorded.missed
        good = int(answered / flow.interval)
    else:
        runs = [run for run in recorded.runs if recorded.moment(run.sent) < event]
        good = sum(run.count for run in _cut(recorded, runs, event) if run.answered)
        failed = sum(run.count for run in runs if run.failed and recorded.moment(run.last_ended) < event)
        unjudged = sum(run.count for run in runs if not run.answered and not run.failed)
    if failed:
        raise NotConverged(
            f"{flow}: {failed} of {failed + good} attempts failed before anything was done to it, so that there is no "
            "baseline to compare with"
        )
    if good < beats:
        why = f"{unjudged} have no verdict, as the sender stood still" if unjudged else "there was no time for more"
        raise HarnessFault(f"{flow}: only {good} attempts were answered before the event, not {beats}: {why}")


def _micros(recorded: Recorded, moment: float) -> int:
    return int((moment - recorded.began) * 1e6)


def _cut(recorded: Recorded, runs: Sequence[Run], event: float) -> Sequence[Run]:
    """End a run that goes on beyond the event there."""
    cut = []
    for run in runs:
        span = run.last_sent - run.sent
        within = _micros(recorded, event) - run.sent
        count = run.count if within >= span else max(1, int(run.count * within / span))
        cut.append(msgspec.structs.replace(run, count=count))
    return cut


def _stream(recorded: Recorded, event: float) -> Timeline:
    runs = recorded.runs
    offset = recorded.began - event
    # An attempt that was in flight at the event was not made before it.
    judged = [run for run in runs if run.answered or run.last_ended / 1e6 + offset > 0]
    failed = [run for run in judged if run.failed]
    return Timeline(
        flow=recorded.flow,
        since=offset,
        until=recorded.length / 1e6 + offset,
        attempts=sum(run.count for run in runs),
        failed=sum(run.count for run in failed),
        unjudged=sum(run.count for run in judged if not run.answered and not run.failed),
        latest=recorded.latest / 1e6,
        unsure=recorded.unsure,
        outages=tuple(_outages(recorded, judged, offset)),
        answering=tuple(
            Answering(peer=span.peer, first=span.sent / 1e6 + offset, last=span.last_sent / 1e6 + offset)
            for span in recorded.spans
        ),
        lost=(),
    )


def _outages(recorded: Recorded, runs: Sequence[Run], offset: float) -> list[Outage]:
    """Put failures that no success parts into outages; what has no verdict parts nothing, and belongs to none alone."""
    outages = []
    for answered, group in itertools.groupby(enumerate(runs), key=lambda numbered: numbered[1].answered):
        places = [place for place, run in group if run.failed]
        if answered or not places:
            continue
        # What the sender missed at either end is not known to have failed, nor to have been answered.
        first, last = places[0], places[-1]
        failures, between = [runs[place] for place in places], runs[first : last + 1]
        good = next((runs[place] for place in range(first - 1, -1, -1) if runs[place].answered), None)
        after = next((run for run in itertools.islice(runs, last + 1, None) if run.answered), None)
        ended = after.sent if after else recorded.length
        told = Counter(run.words or str(run.outcome) for run in failures for _ in range(run.count))
        outages.append(
            Outage(
                began=failures[0].sent / 1e6 + offset,
                ended=ended / 1e6 + offset,
                failed=sum(run.count for run in failures),
                words=tuple(f"{number} {words}" for words, number in told.most_common(TOLD)),
                unsure=sum(recorded.flow.interval * run.count for run in between if not run.failed),
                recovered=after is not None,
                good_until=(good.last_sent if good else 0) / 1e6 + offset,
                failed_until=failures[-1].last_sent / 1e6 + offset,
                answer=(after.ended - after.sent) / 1e6 if after else 0.0,
            )
        )
    return outages


def _kept(recorded: Recorded, event: float) -> Timeline:
    offset = recorded.began - event
    beat = int(recorded.flow.interval * 1e6)
    outages = []
    for gap in recorded.gaps:
        if gap.until / 1e6 + offset <= 0:
            continue
        faults = [fault for fault in recorded.faults if fault.first <= gap.until and fault.last >= gap.since]
        ended = max(gap.since + beat, gap.until - gap.answer)
        outages.append(
            Outage(
                began=(gap.since + beat) / 1e6 + offset,
                ended=ended / 1e6 + offset,
                good_until=gap.since / 1e6 + offset,
                failed_until=max(gap.since + beat, ended - beat) / 1e6 + offset,
                failed=max(1, (ended - gap.since) // beat - 1),
                words=tuple(f"{fault.count} {fault.words}" for fault in faults[:TOLD]),
                unsure=gap.stood_still / 1e6,
                recovered=gap.until < recorded.length - beat or gap.until - gap.since < recorded.flow.timeout * 1e6,
                answer=gap.answer / 1e6,
            )
        )
    outages.sort(key=lambda outage: outage.began)
    return Timeline(
        flow=recorded.flow,
        since=offset,
        until=recorded.length / 1e6 + offset,
        attempts=recorded.sent,
        failed=sum(outage.failed for outage in outages),
        unjudged=recorded.missed,
        latest=recorded.latest / 1e6,
        unsure=recorded.unsure,
        outages=tuple(outages),
        answering=tuple(
            Answering(peer=link.peer, first=link.first / 1e6 + offset, last=link.last / 1e6 + offset)
            for link in recorded.links
        ),
        lost=tuple(_lost(recorded, offset)),
    )


def _lost(recorded: Recorded, offset: float) -> list[Lost]:
    """Connections that were ended by the other side. A UDP flow has none; an HTTP server may ask for a new one."""
    return [
        Lost(at=link.ended / 1e6 + offset, peer=link.peer, unanswered=link.unanswered, words=link.words)
        for link in recorded.links
        if _ended_on_us(link, recorded.flow)
    ]


def _ended_on_us(link: Link, flow: Watched) -> bool:
    return link.ended >= 0 and flow.protocol is not Protocol.UDP and link.words not in IN_ORDER


IN_ORDER: Final = ("the peer asked for a new connection", "answered by another from here on")
"""How an agent's flow says that nothing was lost: an HTTP server ended a connection in order, or a proxy of HTTP sent
the next request to another."""
