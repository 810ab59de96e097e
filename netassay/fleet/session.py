"""The conversation with one driving agent: commands, results as they come, and what is left when the stream dies."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from netassay.errors import HarnessFault
from netassay.fleet.channel import ChannelLost
from netassay.fleet.silence import Silence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netassay.fleet.channel import Channel

OPEN_SECONDS = 20.0
"""For how long a stream that cannot be opened is tried again."""
HELLO_SECONDS = 15.0
BEAT_SECONDS = 10.0
SILENCE_SECONDS = 45.0
"""The agent beats every 10 s: one that was silent for so long is gone."""
REOPENINGS = 1
CHUNK = 5000
"""Attempts handed over at once; after a cut stream, the next chunk is tried on a new one."""

Row = list[Any]
_ENCODE = msgspec.json.Encoder()


class Reply(msgspec.Struct):
    """Any line that the agent writes."""

    n: int | None = None
    results: list[Row] = []
    value: Any = None
    error: str = ""
    end: bool = False
    hello: dict[str, Any] | None = None


_DECODE = msgspec.json.Decoder(Reply)


class Seen(NamedTuple):
    """The agent's rows by index of attempt, and why those that are missing are."""

    rows: dict[int, Row]
    missing: str


class _Call:
    """One command on its way."""

    def __init__(self, over: asyncio.Future[Reply]) -> None:
        self.over = over
        self.rows: list[Row] = []


class Session:
    """Commands to one agent. Everything here runs on one event loop."""

    def __init__(self, who: str, make: Callable[[], Channel]) -> None:
        """`make` gives a channel that has not been opened yet; `who` names the probe in messages.

        Once open, `python` is the version that the agent runs on, `pid` its process in its own PID namespace.
        """
        self._who, self._make = who, make
        self._channel: Channel | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._unsent: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()
        self._calls: dict[int, _Call] = {}
        self._nonces = itertools.count(1)
        self._deaths = 0
        self.lost = ""
        self.python = ""
        self.pid = 0

    async def call(self, do: str, deadline: float, **arguments: Any) -> Any:
        """The value of a command, within `deadline` seconds. HarnessFault if the agent, or the way to it, failed."""
        try:
            reply = await self._ask(do, arguments, [], deadline)
        except ChannelLost as error:
            raise HarnessFault(f"probe {self._who}: {do}: {error}") from error
        if reply.error:
            raise HarnessFault(f"probe {self._who}: {reply.error}")
        return reply.value

    async def attempts(self, wanted: Sequence[Row], concurrency: int) -> Seen:
        """Have the attempts made. Never raises for what the network or the stream does: what was lost is missing."""
        rows: dict[int, Row] = {}
        missing: list[str] = []
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            got: list[Row] = []
            try:
                arguments = {"attempts": chunk, "concurrency": concurrency}
                reply = await self._ask("attempts", arguments, got, longest(chunk, concurrency))
                if reply.error:
                    missing.append(reply.error)
            except ChannelLost as error:
                missing.append(str(error))
            for row in got:
                rows[start + row[0]] = row
        return Seen(rows, "; ".join(dict.fromkeys(missing)))

    async def close(self) -> None:
        """End the stream; the session can be used no more."""
        self.lost = self.lost or "closed by the harness"
        await self._drop(self.lost)

    async def _ask(self, do: str, arguments: dict[str, Any], rows: list[Row], deadline: float) -> Reply:
        channel = await self._opened()
        nonce = next(self._nonces)
        call = self._calls[nonce] = _Call(asyncio.get_running_loop().create_future())
        call.rows = rows
        sending = asyncio.create_task(self._send(channel, {"n": nonce, "do": do, **arguments}))
        try:
            # An end that is gone takes no more of a long command: once that is found, the command is lost as well.
            either: set[asyncio.Future[Any]] = {sending, call.over}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and (refused := sending.exception()) and not call.over.done():
                raise refused
            return await asyncio.wait_for(call.over, deadline)
        except TimeoutError:
            with contextlib.suppress(ChannelLost):
                await self._send(channel, {"do": "cancel", "what": nonce})
            raise ChannelLost(f"the agent did not finish within {deadline:.0f} s") from None
        finally:
            del self._calls[nonce]
            if not sending.done():
                # Half a command would spoil the next one: it is sent to its end, unless the stream ends before.
                self._unsent.add(sending)
                sending.add_done_callback(self._sent)

    def _sent(self, sending: asyncio.Task[None]) -> None:
        self._unsent.discard(sending)
        if not sending.cancelled():
            # That the stream is gone is told by others.
            sending.exception()

    async def _send(self, channel: Channel, command: dict[str, Any]) -> None:
        await channel.send(_ENCODE.encode(command) + b"\n")

    async def _opened(self) -> Channel:
        async with self._opening:
            if self._channel is not None:
                return self._channel
            if self.lost:
                raise ChannelLost(self.lost)
            over = asyncio.get_running_loop().time() + OPEN_SECONDS
            pause = 0.1
            while True:
                channel = self._make()
                try:
                    rest = await self._open(channel)
                    break
                except asyncio.CancelledError:
                    await channel.close()
                    raise
                except ChannelLost as error:
                    await channel.close()
                    if error.hopeless or asyncio.get_running_loop().time() > over:
                        self.lost = f"cannot reach its agent: {error}"
                        raise ChannelLost(self.lost) from error
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
            self._channel = channel
            loop, silence = asyncio.get_running_loop(), Silence()
            self._tasks = [
                loop.create_task(self._read(channel, silence, rest)),
                loop.create_task(self._beat(channel, silence)),
            ]
            return channel

    async def _open(self, channel: Channel) -> bytes:
        """Open the channel and hear the agent's hello; what came after it."""
        await channel.open()
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                data = b""
                while b"\n" not in data:
                    data += await channel.receive()
        except TimeoutError:
            raise ChannelLost(f"its agent did not say hello within {HELLO_SECONDS:.0f} s") from None
        line, _, rest = data.partition(b"\n")
        try:
            hello = _DECODE.decode(line).hello
        except msgspec.DecodeError:
            hello = None
        if hello is None:
            raise ChannelLost(f"what answers there is not an agent: {line[:200]!r}", hopeless=True)
        self.python = str(hello.get("python", ""))
        self.pid = int(hello.get("pid", 0))
        return rest

    async def _read(self, channel: Channel, silence: Silence, data: bytes) -> None:
        try:
            while True:
                *lines, data = data.split(b"\n")
                for line in lines:
                    self._take(line)
                data += await channel.receive()
                silence.heard()
        except ChannelLost as error:
            await self._died(channel, str(error))
        except msgspec.DecodeError as error:
            await self._died(channel, f"what the agent wrote is not JSON: {error}")

    def _take(self, line: bytes) -> None:
        reply = _DECODE.decode(line)
        call = self._calls.get(reply.n) if reply.n is not None else None
        if call is None:
            return
        call.rows += reply.results
        if reply.end and not call.over.done():
            call.over.set_result(reply)

    async def _beat(self, channel: Channel, silence: Silence) -> None:
        with contextlib.suppress(ChannelLost):
            while True:
                silent = await silence.listen(BEAT_SECONDS)
                if silent > SILENCE_SECONDS:
                    await self._died(channel, f"nothing was heard of the agent for {silent:.0f} s")
                    return
                with contextlib.suppress(TimeoutError):
                    # Where something is being sent, that is as good as a beat: waiting for it would only keep from
                    # seeing that the other end is gone.
                    async with asyncio.timeout(0):
                        await self._send(channel, {"do": "beat"})

    async def _died(self, channel: Channel, why: str) -> None:
        if channel is not self._channel:
            return
        self._deaths += 1
        if self._deaths > REOPENINGS:
            self.lost = f"lost for good, its stream died {self._deaths} times; the last time: {why}"
        await self._drop(f"its stream was cut: {why}")

    async def _drop(self, why: str) -> None:
        channel, self._channel = self._channel, None
        for call in self._calls.values():
            if not call.over.done():
                call.over.set_exception(ChannelLost(why))
        for task in (*self._tasks, *self._unsent):
            if task is not asyncio.current_task():
                task.cancel()
        if channel is not None:
            await channel.close()


def longest(chunk: Sequence[Row], concurrency: int) -> float:
    """Seconds that these attempts can take at most, with what a busy machine may add."""
    times: list[float] = [row[3] for row in chunk]
    return sum(times) / max(1, concurrency) + max(times, default=0.0) + len(chunk) / 500 + 15.0
