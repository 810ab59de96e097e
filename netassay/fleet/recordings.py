"""Recordings of flows that live in probes' agents: begun, handed over once or repeatedly, ended."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from netassay.disruption.recorded import Recorded, Timed, Watched, from_replies, read_reply
from netassay.errors import HarnessFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from netassay.fleet.probe import Probe

CALL_SECONDS: Final = 20.0
LANDING_SECONDS: Final = 5.0
"""How long what is in flight may take to end, over its own timeout."""

LANDING_PAUSE: Final = 0.05


class Recording:
    """One recording in one agent. It goes on without us, for at most the seconds that it was given."""

    def __init__(self, probe: Probe, flow: Watched, name: str) -> None:
        """`name` is that of the recording in the agent; nothing is begun."""
        self.probe, self.flow, self.name = probe, flow, name
        self._replies: list[Timed] = []
        self._next = 0

    async def begin(self, seconds: float) -> None:
        """Have the agent begin, and end by itself after `seconds`."""
        flow = self.flow
        await self._call(
            "record",
            protocol=str(flow.protocol),
            host=flow.host,
            port=flow.port,
            kept=flow.kept,
            interval=flow.interval,
            timeout=flow.timeout,
            seconds=seconds,
            host_header=flow.host_header,
        )

    async def collect(self) -> Recorded:
        """Have handed over what is there by now; the whole recording so far. What has arrived, the agent forgets."""
        while True:
            asked = time.monotonic()
            value = await self._call("collect", after=self._next)
            timed = read_reply(value, asked, time.monotonic())
            self._replies.append(timed)
            self._next = timed.reply.next
            if not timed.reply.more:
                return from_replies(self.flow, self._replies)

    async def finish(self) -> None:
        """Have the agent send no more."""
        await self._call("finish")

    async def land(self) -> Recorded:
        """Wait until what is in flight has ended; the whole recording. `finish` it first."""
        over = time.monotonic() + self.flow.timeout + LANDING_SECONDS
        while True:
            recorded = await self.collect()
            if not self._replies[-1].reply.in_flight:
                return recorded
            if time.monotonic() > over:
                raise HarnessFault(f"{self.flow}: the agent's attempts do not end")
            await asyncio.sleep(LANDING_PAUSE)

    async def forget(self) -> None:
        """Have the agent drop the recording."""
        await self._call("forget")

    async def _call(self, do: str, **arguments: Any) -> Any:
        return await self.probe.session.call(do, CALL_SECONDS, name=self.name, **arguments)


class Recorder:
    """Several recordings, of several probes, at the same time."""

    def __init__(self, name: str = "") -> None:
        """Agents know the recordings by this name and a number; by default it is one that no other has."""
        self._names = (f"{name or secrets.token_hex(4)}-{number}" for number in itertools.count(1))
        self._recordings: list[Recording] = []

    def begin(self, flows: Iterable[tuple[Probe, Watched]], *, seconds: float) -> None:
        """Begin recording these; each ends by itself after `seconds`."""
        begun = [Recording(probe, flow, next(self._names)) for probe, flow in flows]
        self._recordings += begun
        _all([(one.probe, one.begin(seconds)) for one in begun])

    def collect(self) -> Sequence[Recorded]:
        """Give all recordings as they are by now."""
        return _all([(one.probe, one.collect()) for one in self._recordings])

    def finish(self) -> Sequence[Recorded]:
        """End all recordings and give them."""
        _all([(one.probe, one.finish()) for one in self._recordings])
        return _all([(one.probe, one.land()) for one in self._recordings])

    def forget(self) -> None:
        """Have the agents drop them. What an agent that is gone has dropped anyway is no fault."""
        recordings, self._recordings = self._recordings, []
        _all([(one.probe, _quietly(one)) for one in recordings])


async def _quietly(recording: Recording) -> None:
    try:
        await recording.forget()
    except HarnessFault:
        # The agent is gone, and its recording with it; or it ends the recording by itself when its time has come.
        return


def _all(work: Sequence[tuple[Probe, Any]]) -> list[Any]:
    """Run these at the same time, each on its probe's loop; their results."""
    running = [probe.loop.start(coroutine) for probe, coroutine in work]
    try:
        return [future.result() for future in running]
    except BaseException:
        for future in running:
            future.cancel()
        raise
