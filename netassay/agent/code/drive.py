"""`agent.pyz drive`: carries out commands from stdin and writes results to stdout, one JSON object a line.

Each command carries a nonce `n`, which every line about it repeats; its last line says `"end": true`. Several commands
run at once. A line `{"beat": …}` goes out at each beat, so that nothing between the two ends takes the stream for idle.
The process ends when stdin does, or when the other end has been silent for long: it never stays behind in the pod.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Callable

from . import asking, control, echo, facts, hops, kernel, queries, web
from .attempt import json_line
from .batch import Batch
from .names import Names
from .recordings import Recordings
from .serve import raise_descriptor_limit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable

    from .attempt import Seen

VERSION = 1
BEAT_SECONDS = 10.0
SILENCE_SECONDS = 120.0
# Results wait for company, but for the last of a batch, which leave at once: each line costs all that the stream goes
# through (the runtime, the kubelet, the API server) far more than a result does.
FLUSH_SECONDS = 0.05
FLUSH_RESULTS = 256


class Drive(asyncio.Protocol):
    """The commands of one stream."""

    def __init__(self, identity: str, control_path: str, write: Callable[[bytes], None], over: asyncio.Event) -> None:
        """`write` takes lines for the harness; `over` is set at the end."""
        self._identity, self._control_path, self._write, self._over = identity, control_path, write, over
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._last_heard = self._loop.time()
        self._names = Names()
        self._recordings = Recordings()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._commands: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "attempts": self._attempts,
            "resolve": queries.query,
            "lookup": self._lookup,
            "resolve-steadily": lambda command: asking.ask_steadily(queries.query, command),
            "lookup-steadily": lambda command: asking.ask_steadily(self._lookup, command),
            "echo": echo.echo,
            "hops": hops.hops,
            "fetch": web.fetch,
            "facts": self._facts,
            "control": lambda command: control.ask(self._control_path, command["command"]),
            **dict.fromkeys(self._recordings.commands, self._recording),
        }

    def data_received(self, data: bytes) -> None:
        """Take the whole lines that have come in."""
        self._last_heard = self._loop.time()
        start = len(self._buffer)
        self._buffer += data
        end = self._buffer.rfind(b"\n", start)
        if end >= 0:
            lines = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            for line in lines.split(b"\n"):
                self._take(line)

    def connection_lost(self, exc: Exception | None) -> None:
        """The harness is gone: so are we."""
        self._over.set()

    async def beat(self) -> None:
        """Send heartbeats until the other end falls silent."""
        while self._loop.time() - self._last_heard < SILENCE_SECONDS:
            self._write(json_line({"beat": time.time()}))
            await asyncio.sleep(BEAT_SECONDS)
        self._over.set()

    def hello(self) -> None:
        """Say who is speaking."""
        python = ".".join(map(str, sys.version_info[:3]))
        said = {"version": VERSION, "identity": self._identity, "pid": os.getpid(), "python": python}
        self._write(json_line({"hello": said}))

    def _take(self, line: bytes) -> None:
        try:
            command = json.loads(line)
            nonce, do = command.get("n"), command["do"]
        except (ValueError, AttributeError, KeyError, TypeError):
            self._write(json_line({"error": f"not a command: {line[:80]!r}"}))
            return
        if do == "cancel":
            task = self._tasks.get(command["what"])
            if task:
                task.cancel()
        elif do != "beat":
            self._tasks[nonce] = self._loop.create_task(self._carry_out(nonce, do, command))

    async def _carry_out(self, nonce: int, do: str, command: dict[str, Any]) -> None:
        last: dict[str, Any] = {"n": nonce, "end": True}
        try:
            if do not in self._commands:
                raise RuntimeError(f"the agent knows no command {do!r}")
            last["value"] = await self._commands[do](command)
        except asyncio.CancelledError:
            last["error"] = "cancelled"
        except RuntimeError as error:
            last["error"] = str(error)
        except Exception as error:
            # The harness must learn of every failure, or it waits for nothing.
            last["error"] = f"{do}: {type(error).__name__}: {error}"
        del self._tasks[nonce]
        self._write(json_line(last))

    async def _attempts(self, command: dict[str, Any]) -> int:
        outbox = _Outbox(command["n"], self._write)
        batch = Batch(self._names, command["attempts"], command["concurrency"], outbox.add)
        try:
            await batch.run()
        finally:
            outbox.flush()
        return len(command["attempts"])

    async def _facts(self, command: dict[str, Any]) -> Any:
        if command["what"] == "entries":
            return facts.entries(command["path"])
        return facts.READINGS[command["what"]]()

    async def _lookup(self, command: dict[str, Any]) -> dict[str, Any]:
        return await self._names.lookup(command["name"], command["timeout"])

    async def _recording(self, command: dict[str, Any]) -> Any:
        """Have a recording's command carried out by the serving process, or here where there is none."""
        if command["do"] == "record":
            command["host"] = await self._address(command["host"])
        if self._control_path:
            return await control.ask(self._control_path, command)
        return self._recordings.obey(command)

    async def _address(self, host: str) -> str:
        if kernel.family_of(host):
            return host
        try:
            _, address = await self._names.resolve(host)
        except LookupError as error:
            raise RuntimeError(f"cannot record what becomes of {host}: {error}") from None
        return str(address)


class _Outbox:
    """Results of one batch, sent a few at a time."""

    def __init__(self, nonce: int, write: Callable[[bytes], None]) -> None:
        self._nonce, self._write = nonce, write
        self._results: list[Seen] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, seen: Seen) -> None:
        self._results.append(seen)
        if len(self._results) >= FLUSH_RESULTS:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._results:
            self._write(json_line({"n": self._nonce, "results": self._results}))
            self._results = []


class _Joined:
    """Writes what is written within one turn of the loop at once: each write costs far more than what is in it."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(line)

    def _flush(self) -> None:
        self._write(b"".join(self._lines))
        self._lines = []


async def drive(options: argparse.Namespace) -> int:
    """Obey stdin until it ends. Does not return: threads stuck in the resolver must not keep the process."""
    raise_descriptor_limit()
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    transport, _ = await loop.connect_write_pipe(asyncio.Protocol, sys.stdout)
    stream = Drive(options.identity, options.control, _Joined(transport.write).write, over)
    stream.hello()
    await loop.connect_read_pipe(lambda: stream, sys.stdin)
    # Nothing made so far is garbage: leave it out of the collections that would stall attempts in flight.
    gc.freeze()
    beats = loop.create_task(stream.beat())
    await over.wait()
    beats.cancel()
    os._exit(0)
