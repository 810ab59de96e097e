"""Following flows for as long as a watch takes: hand-overs again and again, whatever happens to API server and pods.

Agents keep recording while nobody can reach them, and hand over later. Only what an agent had not handed over when its
pod was ended is gone, and that time is told as unwatched: it is neither good nor bad.
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from typing import TYPE_CHECKING, Final

import msgspec

from netassay.disruption import Outage, Recorded, Timeline, Watched, require_baseline, timeline
from netassay.errors import HarnessFault, NetworkFault
from netassay.fleet.recordings import Recording
from netassay.watch.flows import OUTSIDE, Line, by_source, to_next_node
from netassay.watch.record import FlowRecord, Mark, Unwatched

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from netassay.fleet import Probe
    from netassay.watch.stage import Stage

PAUSE: Final = 2.0
"""Seconds between two hand-overs: what is lost at most when a pod is killed."""

BASELINE_BEATS: Final = 20
BASELINE_WITHIN: Final = 15.0
LONGEST: Final = 24 * 3600.0
"""Seconds after which agents stop by themselves, should we be gone."""

HAND_OVER_WITHIN: Final = 90.0
"""Seconds for which agents are asked at the end, should the API server not be back yet."""

UNKNOWN: Final = "there is no recording"
"""What an agent says that was started anew."""

LEAST_UNWATCHED: Final = 0.1


class Followed:
    """One flow: what was recorded of it, in one piece for each life of its source's pod."""

    def __init__(self, line: Line, probe: Probe) -> None:
        """Nothing is begun."""
        self.line, self.probe = line, probe
        self.whole: list[Recorded] = []
        self.latest: Recorded | None = None
        self._recording = self._new(line.flow)

    async def begin(self) -> None:
        """Have the agent begin."""
        await self._recording.begin(LONGEST)

    async def collect(self) -> None:
        """Take what there is by now. An agent that was started anew is told to begin again."""
        try:
            self.latest = await self._recording.collect()
        except HarnessFault as fault:
            if UNKNOWN not in str(fault):
                raise
            await self.begin_anew(self.line, self.probe)

    async def begin_anew(self, line: Line, probe: Probe) -> None:
        """Close the piece that there is, and begin another, from another pod or to another."""
        if self.latest is not None:
            self.whole.append(self.latest)
            self.latest = None
        self.line, self.probe = line, probe
        self._recording = self._new(line.flow)
        await self.begin()

    async def end(self) -> None:
        """Have the agent send no more, and take all."""
        await self._recording.finish()
        self.latest = await self._recording.land()

    def record(self, zero: float, ended: float, why: str) -> FlowRecord:
        """Give the whole flow between two moments of our clock; `why` is why there may be nothing at its end."""
        pieces = [*self.whole, *([self.latest] if self.latest is not None else [])]
        if not pieces:
            raise HarnessFault(f"{self.line.flow}: nothing was handed over; {why}")
        return FlowRecord(
            path=self.line.path,
            way=self.line.way,
            timeline=merged([timeline(piece, zero) for piece in pieces]),
            unwatched=tuple(unwatched(pieces, zero, ended, why)),
        )

    def _new(self, flow: Watched) -> Recording:
        return Recording(self.probe, flow, f"watch-{secrets.token_hex(4)}")


class Follower:
    """All flows of a watch."""

    def __init__(self, stage: Stage, found: Sequence[Line], outside: Probe | None, tell: Callable[[str], None]) -> None:
        """`tell` is called with what happens to the watch itself."""
        self._stage, self._tell = stage, tell
        self._probes = {**stage.sources, **({OUTSIDE: outside} if outside else {})}
        self._flows = {at: [Followed(line, self._probes[at]) for line in mine] for at, mine in by_source(found).items()}
        self._away: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="netassay-watch", daemon=True)
        self.marks: list[Mark] = []
        self.zero = 0.0

    @property
    def flows(self) -> list[Followed]:
        """All of them."""
        return [flow for mine in self._flows.values() for flow in mine]

    def begin(self) -> None:
        """Begin, and wait until every flow has been answered often enough. NotConverged or HarnessFault if not."""
        self._each(lambda flow: flow.begin())
        over = time.monotonic() + BASELINE_WITHIN
        while True:
            time.sleep(0.5)
            self._each(lambda flow: flow.collect())
            self.zero = time.monotonic()
            lacking = [(flow, lack) for flow in self.flows if (lack := self._lack(flow)) is not None]
            if not lacking:
                self._thread.start()
                return
            if time.monotonic() > over:
                raise lacking[0][1]
            for flow, lack in lacking:
                if isinstance(lack, NetworkFault):
                    # Traffic has only just begun, and what serves it may still be on its way: once more.
                    flow.probe.loop.run(flow.begin_anew(flow.line, flow.probe))
                    flow.whole.clear()

    def _lack(self, flow: Followed) -> NetworkFault | HarnessFault | None:
        """What this flow lacks of a baseline."""
        assert flow.latest is not None
        try:
            require_baseline(flow.latest, self.zero, beats=BASELINE_BEATS)
        except (NetworkFault, HarnessFault) as lack:
            return lack
        return None

    def mark(self, words: str) -> None:
        """Take note of what was done in this moment."""
        self.marks.append(Mark(time.monotonic() - self.zero, words))

    def end(self) -> list[FlowRecord]:
        """End all recordings and give the flows, also those whose agents do not come back in time."""
        self._over.set()
        self._thread.join()
        ended = time.monotonic()
        left = {at: list(mine) for at, mine in self._flows.items()}
        while any(left.values()) and time.monotonic() < ended + HAND_OVER_WITHIN:
            for at in [at for at, mine in left.items() if mine]:
                fault = self._try(at, [flow.end for flow in left[at]])
                if not fault:
                    left[at] = []
                else:
                    self._say_away(at, fault)
                    self._reach(at, fault)
            if any(left.values()):
                time.sleep(PAUSE)
        lost = {id(flow) for mine in left.values() for flow in mine}
        return [
            flow.record(self.zero, ended, "its agent could not be reached any more" if id(flow) in lost else "")
            for flow in self.flows
        ]

    def describe(self) -> str:
        """One line: how many flows are out now, and how many have been."""
        seen = [timeline(flow.latest, self.zero) for flow in self.flows if flow.latest is not None]
        out = sum(not one.recovered for one in seen)
        been = sum(bool(one.failed_beyond_chance or one.lost) for one in seen)
        away = f", {len(self._away)} agents out of reach (they keep recording)" if self._away else ""
        return f"{len(self.flows)} flows: {out} out now, {been} disturbed so far{away}"

    def _go_on(self) -> None:
        while not self._over.wait(PAUSE):
            for at, mine in self._flows.items():
                fault = self._try(at, [flow.collect for flow in mine])
                if fault:
                    self._say_away(at, fault)
                    self._reach(at, fault)
                elif at in self._away:
                    self._away.discard(at)
                    self._tell(f"the agent {_where(at)} is back, and has handed over")

    def _say_away(self, at: str, fault: HarnessFault) -> None:
        if at not in self._away:
            self._away.add(at)
            self._tell(f"the agent {_where(at)} is out of reach, and keeps recording: {fault}")

    def _reach(self, at: str, fault: HarnessFault) -> None:
        """Look for a way to reach the agent again: by another stream, or in the pod that follows its own."""
        probe = self._probes[at]
        try:
            probe.renew()
            if at != OUTSIDE and ("gone" in str(fault) or "exec" in str(fault)):
                self._follow_replaced()
        except HarnessFault:
            return  # the API server is away: the next turn looks again

    def _follow_replaced(self) -> None:
        """Go on from the pods that have taken the place of sources, and to them."""
        replaced = self._stage.replaced()
        self._probes.update(replaced)
        for node, probe in replaced.items():
            self.mark(f"the watch's own pod on {node} was replaced: now {probe.name}")
            self._away.discard(node)
            for flow in self._flows[node]:
                moved = msgspec.structs.replace(flow.line.flow, source=probe.name)
                probe.loop.run(flow.begin_anew(flow.line._replace(flow=moved), probe))
            self._redirect(node)

    def _redirect(self, node: str) -> None:
        """Lead the flows to this node's source to the pod that it is now."""
        for at, mine in self._flows.items():
            for flow in mine:
                if flow.line.to == node:
                    (new, *_) = [
                        line
                        for line in to_next_node(self._stage.sources, at, flow.line.flow.interval / 2)
                        if (line.flow.protocol, line.flow.kept) == (flow.line.flow.protocol, flow.line.flow.kept)
                    ]
                    flow.probe.loop.run(flow.begin_anew(new, flow.probe))

    def _each(self, do: Callable[[Followed], Coroutine[Any, Any, None]]) -> None:
        running = [flow.probe.loop.start(do(flow)) for flow in self.flows]
        for future in running:
            future.result()

    def _try(self, at: str, calls: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> HarnessFault | None:
        """Make these calls of one source at the same time; the first fault, if any."""
        running = [self._probes[at].loop.start(call()) for call in calls]
        first: HarnessFault | None = None
        for future in running:
            try:
                future.result()
            except HarnessFault as fault:
                first = first or fault
        return first


def merged(pieces: Sequence[Timeline]) -> Timeline:
    """One timeline of the pieces of one flow. An outage that a piece ended in is over where the next one was answered.

    What was lost between two pieces nobody has seen.
    """
    first, last = pieces[0], pieces[-1]
    outages: list[Outage] = []
    for piece in pieces:
        over = piece is last or not last.answering
        outages += [one if over else msgspec.structs.replace(one, recovered=True) for one in piece.outages]
    return msgspec.structs.replace(
        last,
        since=first.since,
        attempts=sum(piece.attempts for piece in pieces),
        failed=sum(piece.failed for piece in pieces),
        unjudged=sum(piece.unjudged for piece in pieces),
        latest=max(piece.latest for piece in pieces),
        unsure=max(piece.unsure for piece in pieces),
        outages=tuple(outages),
        answering=tuple(one for piece in pieces for one in piece.answering),
        lost=tuple(one for piece in pieces for one in piece.lost if one.at > 0),
    )


def unwatched(pieces: Sequence[Recorded], zero: float, ended: float, why: str) -> list[Unwatched]:
    """The times between pieces, and at the end if `why` says that there is nothing; seconds from `zero`."""
    found = []
    for before, after in itertools.pairwise(pieces):
        if after.began - before.moment(before.length) > LEAST_UNWATCHED:
            reason = "its source was replaced or started anew, with what it had not handed over"
            if before.flow.host != after.flow.host:
                reason = "what it leads to was replaced"
            found.append(Unwatched(began=before.moment(before.length) - zero, ended=after.began - zero, why=reason))
    last = pieces[-1].moment(pieces[-1].length)
    if why and ended - last > LEAST_UNWATCHED:
        found.append(Unwatched(began=last - zero, ended=ended - zero, why=why))
    return found


def _where(at: str) -> str:
    return "outside" if at == OUTSIDE else f"on {at}"
