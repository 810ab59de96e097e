"""The two ways to reach a driving agent: a child process, and an exec in a pod.

Both carry bytes, in both directions.
"""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import aiohttp
import msgspec

from netassay.fleet.silence import Silence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.cluster.api import Api

READ_SIZE = 256 * 1024
# A frame's payload: stays well under what proxies between here and the kubelet take at once.
FRAME = 64 * 1024
STDIN, STDOUT, STDERR, ERROR = 0, 1, 2, 3
PING_SECONDS = 30.0
"""An API server that was silent for so long is asked whether it is still there."""
PONG_SECONDS = 15.0
"""One that says nothing for so long after that is gone."""
CLOSING_SECONDS = 12.0
"""How long the end of a stream may take: 10 s for the other end's own, and something for what waits to be sent."""
_LAST_WORDS = 2000


class ChannelLost(Exception):
    """The stream is gone; the message says why. `hopeless` means that opening it again cannot work."""

    def __init__(self, message: str, *, hopeless: bool = False) -> None:
        """Say why, and whether to give up."""
        super().__init__(message)
        self.hopeless = hopeless


class Channel(Protocol):
    """One stream to one driving agent, to be opened once."""

    async def open(self) -> None:
        """Start the agent. Raises ChannelLost."""

    async def send(self, data: bytes) -> None:
        """Write to its stdin. Raises ChannelLost."""

    async def receive(self) -> bytes:
        """What came from its stdout since the last call, at least one byte.

        Raises ChannelLost when there will be no more.
        """

    async def close(self) -> None:
        """End the stream, and with it the driving agent."""


class ChildChannel:
    """The agent as a child process of ours."""

    def __init__(self, argv: Sequence[str]) -> None:
        """`argv` runs `agent.pyz drive`."""
        self._argv = list(argv)
        self._process: asyncio.subprocess.Process | None = None

    async def open(self) -> None:
        """Start the process."""
        pipe = asyncio.subprocess.PIPE
        try:
            self._process = await asyncio.create_subprocess_exec(*self._argv, stdin=pipe, stdout=pipe, stderr=pipe)
        except OSError as error:
            raise ChannelLost(f"cannot run {' '.join(self._argv)}: {error.strerror}", hopeless=True) from error

    async def send(self, data: bytes) -> None:
        """Write to the process's stdin."""
        assert self._process is not None and self._process.stdin is not None  # noqa: PT018 - opened with pipes
        try:
            self._process.stdin.write(data)
            await self._process.stdin.drain()
        except OSError as error:
            raise ChannelLost(f"the agent's process took no more commands: {error}") from error

    async def receive(self) -> bytes:
        """Read the process's stdout."""
        assert self._process is not None and self._process.stdout is not None  # noqa: PT018
        data = await self._process.stdout.read(READ_SIZE)
        if data:
            return data
        code = await self._process.wait()
        assert self._process.stderr is not None
        words = (await self._process.stderr.read()).decode(errors="replace").strip()[-_LAST_WORDS:]
        raise ChannelLost(f"the agent's process ended with code {code}" + (f": {words}" if words else ""))

    async def close(self) -> None:
        """Close stdin, which ends the process; kill it if it does not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 2)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class ExecChannel:
    """The agent started in a pod by an exec, over a websocket whose frames begin with the number of their channel."""

    def __init__(self, api: Api, namespace: str, pod: str, container: str, command: Sequence[str]) -> None:
        """`command` is what to run in the container; once it has ended, `status` is "Success" or "Failure"."""
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
        self._query = [("container", container), ("stdin", "true"), ("stdout", "true"), ("stderr", "true")]
        self._query += [("command", word) for word in command]
        self._socket: aiohttp.ClientWebSocketResponse[bool] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._stderr = b""
        self._gone = ""
        self.status = ""

    async def open(self) -> None:
        """Ask the API server for the exec."""
        try:
            self._socket = await self._api.websocket(self._path, self._query)
        except aiohttp.WSServerHandshakeError as error:
            hopeless = error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED)
            why = _EXEC_REFUSED.get(error.status, error.message)
            raise ChannelLost(f"exec refused with {error.status}: {why}", hopeless=hopeless) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ChannelLost(f"exec: no answer from {self._api.server}: {error or type(error).__name__}") from error
        self._silence = Silence()
        self._keeping = asyncio.create_task(self._keep(self._socket))

    async def send(self, data: bytes) -> None:
        """Write to the process's stdin."""
        assert self._socket is not None
        try:
            # Frames of one command leave room for no other's between them: it would end up in the midst of a line.
            async with self._sending:
                for start in range(0, len(data), FRAME):
                    await self._socket.send_bytes(b"\x00" + data[start : start + FRAME])
        except (aiohttp.ClientError, OSError) as error:
            raise ChannelLost(f"the exec stream took no more commands: {error or type(error).__name__}") from error

    async def receive(self) -> bytes:
        """Read the process's stdout; keep its stderr and exit status for the message of ChannelLost."""
        assert self._socket is not None
        while True:
            try:
                message = await self._socket.receive()
            except (aiohttp.ClientError, OSError) as error:
                raise ChannelLost(self._why(str(error) or type(error).__name__)) from error
            self._silence.heard()
            if message.type is aiohttp.WSMsgType.PONG:
                continue
            if message.type is aiohttp.WSMsgType.PING:
                await self._pong(message.data)
                continue
            if message.type not in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
                raise ChannelLost(self._why(f"closed ({message.type.name.lower()}, {message.data!r})"))
            data = message.data.encode() if isinstance(message.data, str) else message.data
            if len(data) > 1:
                if data[0] == STDOUT:
                    return bytes(data[1:])
                if data[0] == STDERR:
                    self._stderr = (self._stderr + data[1:])[-_LAST_WORDS:]
                elif data[0] == ERROR:
                    self.status, words = _exit_words(data[1:])
                    raise ChannelLost(self._why(f"the process ended: {words}"))

    async def close(self) -> None:
        """Close the websocket; the agent sees its stdin end."""
        if self._keeping is not None:
            self._keeping.cancel()
        await self._end()

    async def _keep(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        """Ping an API server that has fallen silent, and end the stream if it does not answer.

        aiohttp can do the same (`heartbeat`), but by the clock alone: it ends a stream as soon as the pong is late,
        even if that has come in while the loop was busy, and throws away all else that has.
        """
        with contextlib.suppress(aiohttp.ClientError, OSError):
            while True:
                while (left := PING_SECONDS - self._silence.seconds) > 0:
                    await self._silence.listen(left)
                with contextlib.suppress(TimeoutError):
                    # It is written at once. What is written before it may take its time.
                    async with asyncio.timeout(0):
                        await socket.ping()
                if await self._silence.listen(PONG_SECONDS) >= PING_SECONDS:
                    self._gone = f"nothing was heard of {self._api.server} for {self._silence.seconds:.0f} s"
                    await self._end()
                    return

    async def _pong(self, data: bytes) -> None:
        assert self._socket is not None
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await self._socket.pong(data)

    async def _end(self) -> None:
        if self._socket is not None:
            # An end that cannot be sent is no reason to wait: aborted, the connection is dropped.
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with asyncio.timeout(CLOSING_SECONDS):
                    await self._socket.close()

    def _why(self, what: str) -> str:
        words = self._stderr.decode(errors="replace").strip()
        return f"exec stream: {self._gone or what}" + (f"; it wrote: {words}" if words else "")


_EXEC_REFUSED: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "the pod is gone",
    HTTPStatus.FORBIDDEN: "the right to create and get pods/exec is missing; deploy/rbac.yaml holds it",
    HTTPStatus.UNAUTHORIZED: "the credentials of this kubeconfig have expired",
}


def _exit_words(data: bytes) -> tuple[str, str]:
    try:
        status = msgspec.json.decode(data, type=dict[str, object])
    except msgspec.DecodeError:
        return "", data.decode(errors="replace")
    return str(status.get("status", "")), str(status.get("message", status.get("status", "no message")))
