"""Whose silence it is: of the other end, which ends a stream, or of a controller that had no time to read."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import WSMsgType, web

from netassay.cluster.api import Api
from netassay.cluster.loop import LoopThread
from netassay.fleet import channel, session
from netassay.fleet.channel import ExecChannel
from netassay.fleet.session import Session
from netassay.fleet.silence import Silence

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

PING, PONG, CLOSING = 0.5, 0.3, 0.1
BEAT, SILENCE = 0.05, 0.4
STALL = 1.0
"""Seconds for which the controller reads nothing: longer than any of its time limits here."""


class Agent:
    """Answers one exec, in a thread of its own: an API server that answers pings, and an agent that never beats.

    A pong leaves `late` seconds after its ping, an answer the seconds after its command that this says.
    """

    def __init__(self) -> None:
        self.pinged, self.asked = threading.Event(), threading.Event()
        self.reads = self.pongs = self.answers = True
        self.late = 0.0
        self._answering: set[asyncio.Task[None]] = set()
        self._loop = LoopThread("agent")
        self.port = self._loop.run(self._serve())

    async def _serve(self) -> int:
        self._over = asyncio.Event()
        application = web.Application()
        application.router.add_get("/api/v1/namespaces/space/pods/pod/exec", self._exec)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return int(self._runner.addresses[0][1])

    async def _exec(self, request: web.Request) -> web.WebSocketResponse:
        socket: web.WebSocketResponse = web.WebSocketResponse(protocols=("v5.channel.k8s.io",), autoping=False)
        await socket.prepare(request)
        await socket.send_bytes(b'\x01{"hello": {"version": 1, "pid": 1, "python": "3.13.0"}}\n')
        if not self.reads:
            await self._over.wait()
            assert request.transport is not None
            request.transport.abort()
        heard = b""
        async for message in socket:
            if message.type is WSMsgType.PING:
                self.pinged.set()
                await asyncio.sleep(self.late)
                if self.pongs:
                    await socket.pong(message.data)
                continue
            *lines, heard = (heard + message.data[1:]).split(b"\n")
            for command in map(json.loads, lines):
                if "n" in command and self.answers:
                    self._answering.add(asyncio.create_task(self._answer(socket, command["n"], command["after"])))
                    self.asked.set()
        return socket

    async def _answer(self, socket: web.WebSocketResponse, nonce: int, after: float) -> None:
        await asyncio.sleep(after)
        with contextlib.suppress(ConnectionError):
            await socket.send_bytes(b"\x01" + json.dumps({"n": nonce, "end": True, "value": "here"}).encode() + b"\n")

    async def _stop(self) -> None:
        self._over.set()
        await self._runner.cleanup()

    def close(self) -> None:
        self._loop.run(self._stop())
        self._loop.close()


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    """An agent, and a controller with time limits of tenths of a second."""
    monkeypatch.setattr(channel, "PING_SECONDS", PING)
    monkeypatch.setattr(channel, "PONG_SECONDS", PONG)
    running = Agent()
    yield running
    running.close()


@pytest.fixture
def controller(agent: Agent, tmp_path: Path) -> Callable[[Callable[[Session], Awaitable[Any]]], Any]:
    """Has a session with the agent at work on an event loop; what came of it."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{agent.port}"}}],
        "users": [{"name": "u", "user": {}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(config))

    async def at_work(work: Callable[[Session], Awaitable[Any]]) -> Any:
        api = await Api.connect(kubeconfig=str(tmp_path / "kubeconfig"), context=None, in_cluster=False)
        driven = Session("pod", lambda: ExecChannel(api, "space", "pod", "agent", ["drive"]))
        try:
            return await work(driven)
        finally:
            await driven.close()
            await api.close()

    return lambda work: asyncio.run(at_work(work))


async def until(event: threading.Event) -> None:
    """Let the loop run until another thread has set the event."""
    assert await asyncio.to_thread(event.wait, 5)


def test_what_came_while_the_controller_was_busy_is_read_before_the_stream_is_called_dead(
    agent: Agent, controller: Callable[..., Any]
) -> None:
    agent.late = 0.05

    async def work(driven: Session) -> Any:
        asking = asyncio.create_task(driven.call("wait", 5, after=PING + PONG))
        await until(agent.pinged)
        # The pong and the answer come now, and nobody reads.
        time.sleep(STALL)  # noqa: ASYNC251 - the loop is to stand still
        return await asking

    assert controller(work) == "here"


def test_a_controller_that_was_busy_has_not_heard_silence(
    agent: Agent, controller: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "BEAT_SECONDS", BEAT)
    monkeypatch.setattr(session, "SILENCE_SECONDS", SILENCE)
    agent.late = 0.05

    async def work(driven: Session) -> Any:
        asking = asyncio.create_task(driven.call("wait", 5, after=STALL + SILENCE / 2))
        await until(agent.asked)
        # Both ends are halted together, as when a machine is: nothing is waiting to be read after that.
        time.sleep(STALL)  # noqa: ASYNC251
        return await asking

    assert controller(work) == "here"


ATTEMPT = ["tcp", "10.0.0.1", 80, 5.0]


async def lost(driven: Session, attempts: list[list[Any]] | None = None) -> tuple[str, float]:
    """Why attempts have no verdict, and after how many seconds that was known."""
    began = time.monotonic()
    seen = await driven.attempts(attempts or [ATTEMPT], 1)
    return seen.missing, time.monotonic() - began


def test_an_api_server_that_answers_no_ping_is_found_gone(agent: Agent, controller: Callable[..., Any]) -> None:
    agent.pongs = agent.answers = False

    missing, seconds = controller(lost)
    assert f"nothing was heard of http://127.0.0.1:{agent.port}" in missing
    assert PING + PONG <= seconds < 10 * (PING + PONG)


def test_an_api_server_that_reads_nothing_is_found_gone_while_a_command_is_on_its_way(
    agent: Agent, controller: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "CLOSING_SECONDS", CLOSING)
    agent.reads = False

    async def work(driven: Session) -> tuple[str, float]:
        # Far more than buffers hold.
        missing, seconds = await lost(driven, [[*ATTEMPT, "x" * 2**20]] * 16)
        # Without TLS, a connection's own end waits for the rest to be taken: the stream is to be dropped before.
        await asyncio.sleep(3 * CLOSING)
        return missing, seconds

    missing, seconds = controller(work)
    assert f"nothing was heard of http://127.0.0.1:{agent.port}" in missing
    assert PING + PONG <= seconds < 10 * (PING + PONG)


def test_an_agent_that_is_silent_is_found_gone_though_the_api_server_answers(
    agent: Agent, controller: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "BEAT_SECONDS", BEAT)
    monkeypatch.setattr(session, "SILENCE_SECONDS", SILENCE)
    agent.answers = False

    missing, seconds = controller(lost)
    assert "nothing was heard of the agent" in missing
    assert SILENCE <= seconds < 10 * SILENCE


def test_pongs_keep_a_stream_on_which_nothing_is_said(agent: Agent, controller: Callable[..., Any]) -> None:
    async def work(driven: Session) -> Any:
        return await driven.call("wait", 5, after=3 * (PING + PONG))

    assert controller(work) == "here"
    assert agent.pinged.is_set()


def test_time_in_which_the_loop_stood_still_is_no_silence() -> None:
    async def counted() -> tuple[float, float, float]:
        silence = Silence()
        first = await silence.listen(0.05)
        asyncio.get_running_loop().call_soon(time.sleep, STALL)
        second = await silence.listen(0.05)
        silence.heard()
        return first, second, silence.seconds

    first, second, after = asyncio.run(counted())
    assert first == pytest.approx(0.05, abs=0.01)
    assert second == pytest.approx(0.1, abs=0.02)
    assert after == 0


class Chopping:
    """A stream that takes a command in pieces, a turn of the loop for each."""

    def __init__(self) -> None:
        self.taken, self._hello = b"", [b'{"hello": {"version": 1, "pid": 1, "python": "3.13.0"}}\n']
        self.first, self.last = asyncio.Event(), asyncio.Event()

    async def open(self) -> None:
        pass

    async def send(self, data: bytes) -> None:
        for start in range(0, len(data), channel.FRAME):
            self.taken += data[start : start + channel.FRAME]
            self.first.set()
            await asyncio.sleep(0)
        if self.taken.count(b"\n") == 2:
            self.last.set()

    async def receive(self) -> bytes:
        if not self._hello:
            await asyncio.Event().wait()
        return self._hello.pop()

    async def close(self) -> None:
        pass


def test_a_command_that_is_given_up_while_it_is_sent_does_not_spoil_the_next_one() -> None:
    async def commands() -> list[str]:
        stream = Chopping()
        driven = Session("pod", lambda: stream)
        given_up = asyncio.create_task(driven.call("long", 5, what="x" * (3 * channel.FRAME)))
        await stream.first.wait()
        given_up.cancel()
        await asyncio.wait([given_up])
        assert given_up.cancelled()
        next_one = asyncio.create_task(driven.call("short", 5))
        await stream.last.wait()
        next_one.cancel()
        await driven.close()
        return [json.loads(line)["do"] for line in stream.taken.splitlines()]

    assert asyncio.run(asyncio.wait_for(commands(), 5)) == ["long", "short"]


class Slow:
    """A websocket that takes one frame a turn of the loop."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    async def send_bytes(self, data: bytes) -> None:
        self.frames.append(data[1:])
        await asyncio.sleep(0)


def test_a_beat_does_not_end_up_in_the_midst_of_a_command() -> None:
    async def sent() -> bytes:
        slow, stream = Slow(), ExecChannel(None, "space", "pod", "agent", [])  # type: ignore[arg-type]
        stream._socket = slow  # type: ignore[assignment]
        await asyncio.gather(stream.send(b"c" * (2 * channel.FRAME) + b"\n"), stream.send(b"beat\n"))
        return b"".join(slow.frames)

    assert asyncio.run(sent()).split(b"\n") == [b"c" * (2 * channel.FRAME), b"beat", b""]
