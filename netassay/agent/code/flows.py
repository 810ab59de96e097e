"""Keep-alive flows: one connection that says something at a steady beat, and keeps account of when it was not answered.

The sender keeps its beat whether or not answers come, and the same connection is kept until the kernel or the peer ends
it: so an interruption shows as a gap between two answers, and a broken connection as a break, after which a new one is
tried at each beat.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import Any

from . import kernel

# Answers further apart than this many beats make a gap.
GAP_BEATS = 3
MAX_KEPT = 10_000


class Flow:
    """One flow, from its start until `stop`."""

    def __init__(self, protocol: str, address: str, family: int, port: int, interval: float) -> None:
        """Start the beat, every `interval` seconds."""
        self._kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
        self._family, self._target, self._interval = family, (address, port), interval
        self._loop = asyncio.get_running_loop()
        self._sock: socket.socket | None = None
        self._started = self._clock = time.time()
        self._sent = self._answered = self._greeted = 0
        self._gaps: list[tuple[float, float]] = []
        self._breaks: list[tuple[float, str]] = []
        self._peers: list[str] = []
        self._task = self._loop.create_task(self._beat())

    async def stop(self) -> dict[str, Any]:
        """End the flow; its account: times in seconds since the epoch, lengths in seconds."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._close()
        ended = time.time()
        self._note_gap(ended)
        return {
            "started": self._started,
            "ended": ended,
            "sent": self._sent,
            "answered": self._answered,
            "gaps": self._gaps,
            "breaks": self._breaks,
            "peers": self._peers,
        }

    async def _beat(self) -> None:
        due = self._loop.time()
        while True:
            try:
                if self._sock is None:
                    await self._connect()
                if self._sock is not None:
                    self._sock.send(b"beat\n")
                    self._sent += 1
            except BlockingIOError:
                # The buffer is full of what was never acknowledged: the gap is already counting.
                pass
            except OSError as error:
                self._broken(error)
            due += self._interval
            await asyncio.sleep(max(0.0, due - self._loop.time()))

    async def _connect(self) -> None:
        sock = socket.socket(self._family, self._kind)
        sock.setblocking(False)
        try:
            await asyncio.wait_for(self._loop.sock_connect(sock, self._target), max(1.0, self._interval))
        except asyncio.TimeoutError:
            sock.close()
            self._keep_break("no connection")
            return
        except BaseException:
            sock.close()
            raise
        if self._kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock, self._greeted = sock, 1
        self._loop.add_reader(sock, self._readable)

    def _readable(self) -> None:
        assert self._sock is not None
        try:
            data = self._sock.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            self._broken(error)
            return
        if not data and self._kind == socket.SOCK_STREAM:
            self._close()
            self._keep_break("closed by the peer")
            return
        now = time.time()
        self._note_gap(now)
        self._clock = now
        # A TCP peer's first line is its greeting, and answers nothing.
        self._answered += data.count(b"\n") - self._greeted if self._kind == socket.SOCK_STREAM else 1
        self._greeted = 0
        said = kernel.agent_reply(data.partition(b"\n")[0])
        if said and said["agent"] not in self._peers and len(self._peers) < MAX_KEPT:
            self._peers.append(said["agent"])

    def _note_gap(self, now: float) -> None:
        if now - self._clock > GAP_BEATS * self._interval and len(self._gaps) < MAX_KEPT:
            self._gaps.append((self._clock, now - self._clock))

    def _broken(self, error: OSError) -> None:
        if self._kind == socket.SOCK_STREAM:
            self._close()
        self._keep_break(kernel.words_of(error.errno or 0))

    def _keep_break(self, words: str) -> None:
        if len(self._breaks) < MAX_KEPT:
            self._breaks.append((time.time(), words))

    def _close(self) -> None:
        if self._sock is not None:
            self._loop.remove_reader(self._sock)
            self._sock.close()
            self._sock = None
