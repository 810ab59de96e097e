"""`agent.pyz rounds`: requests and answers one after the other, as fast as they come, and how long each took.

RR keeps its connections; CRR makes a new one for each request. Both ends are plain loops over sockets, so that what is
measured is the network and as little of Python as can be. A request is 64 bytes, and so is its answer. With CRR the
server closes first: what lingers is at its end, and the client's ports are free again.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
import errno

MESSAGE = b"netassay".ljust(64, b".")
BACKLOG = 4096
TIMEOUT_SECONDS = 5.0
IDLE_SECONDS = 60.0
"""For how long a server waits for the first who asks."""
LEFT_SECONDS = 4.0
"""After how long it takes them to be gone: whoever has its port next must not meet it. Longer than TCP takes to send a
lost SYN a second and a third time (after 1 s and 3 s), or all that is asked afterwards would be refused."""
NOBODY = (errno.ECONNREFUSED, errno.EHOSTUNREACH)
"""How a Service without endpoints ends a connection: kube-proxy refuses it, Cilium has no route."""


def rounds(options: argparse.Namespace) -> int:
    """Serve until those who asked are gone, or ask and write what came of it as JSON to stdout."""
    if options.role == "serve":
        _serve(options.port, fresh=options.fresh)
    else:
        _write(_ask(options))
    return 0


def _serve(port: int, *, fresh: bool) -> None:
    listener = socket.socket(socket.AF_INET6 if socket.has_ipv6 else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("", port))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    clients: dict[int, socket.socket] = {}
    _write({"serving": port})
    patience = IDLE_SECONDS
    while True:
        ready = poll.poll(IDLE_SECONDS if clients else patience)
        if not ready:
            return
        patience = LEFT_SECONDS
        for number, _ in ready:
            if number == listener.fileno():
                _accept(listener, poll, clients)
            else:
                _answer(clients, number, fresh=fresh)


def _accept(listener: socket.socket, poll: select.epoll, clients: dict[int, socket.socket]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        clients[client.fileno()] = client
        poll.register(client, select.EPOLLIN)


def _answer(clients: dict[int, socket.socket], number: int, *, fresh: bool) -> None:
    client = clients[number]
    try:
        data = client.recv(len(MESSAGE))
        if data:
            client.send(data)
    except OSError:
        data = b""
    if fresh or not data:
        # Closing takes it out of the poll as well.
        del clients[number]
        client.close()


class _Tally:
    """How often each number of microseconds was seen, once the seconds to be omitted are over."""

    def __init__(self, omit: float, seconds: float) -> None:
        self.counts: dict[int, int] = {}
        self.errors: dict[str, int] = {}
        now = time.perf_counter_ns()
        self._from = now + int(omit * 1e9)
        self.until = self._from + int(seconds * 1e9)

    def took(self, began: int, ended: int) -> None:
        if began >= self._from:
            microseconds = (ended - began + 500) // 1000
            self.counts[microseconds] = self.counts.get(microseconds, 0) + 1

    def failed(self, error: OSError) -> None:
        name = type(error).__name__
        self.errors[name] = self.errors.get(name, 0) + 1


def _ask(options: argparse.Namespace) -> dict[str, object]:
    family, _, _, _, address = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0]
    try:
        _connected(family, address).close()
    except OSError as error:
        if error.errno in NOBODY:
            # Told by how the command ends, and not by failed requests.
            sys.exit(f"nobody serves there yet: {error}")
        raise
    tally = _Tally(options.omit, options.seconds)
    if options.connections == 1:
        _alone(family, address, tally, fresh=options.fresh)
    else:
        _many(family, address, tally, options.connections, fresh=options.fresh)
    counts = sorted(tally.counts.items())
    return {"counts": counts, "errors": tally.errors, "seconds": options.seconds}


def _alone(family: int, address: tuple[object, ...], tally: _Tally, *, fresh: bool) -> None:
    """One connection, or one after the other, in blocking calls."""
    kept = None if fresh else _connected(family, address)
    now = time.perf_counter_ns
    while (began := now()) < tally.until:
        try:
            client = kept or _connected(family, address)
            client.send(MESSAGE)
            if not client.recv(len(MESSAGE)):
                raise ConnectionResetError
            tally.took(began, now())
            if kept is None:
                # Whoever closes first keeps the port for a minute: that is to be the server.
                client.recv(1)
                client.close()
        except OSError as error:
            tally.failed(error)
            if not fresh:
                kept = _connected(family, address)
    if kept is not None:
        kept.close()


def _connected(family: int, address: tuple[object, ...]) -> socket.socket:
    client = socket.socket(family)
    client.settimeout(TIMEOUT_SECONDS)
    client.connect(address)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _many(family: int, address: tuple[object, ...], tally: _Tally, count: int, *, fresh: bool) -> None:
    """So many connections at once, each with one request under way."""
    poll = select.epoll()
    clients: dict[int, socket.socket] = {}
    began: dict[int, int] = {}
    answered: set[int] = set()
    now = time.perf_counter_ns

    def start() -> None:
        start_at = now()
        client = socket.socket(family)
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.connect_ex(address)
        clients[client.fileno()] = client
        began[client.fileno()] = start_at
        poll.register(client, select.EPOLLOUT)

    for _ in range(count):
        start()
    while now() < tally.until:
        for number, event in poll.poll(0.1):
            client = clients[number]
            try:
                if event & select.EPOLLOUT:
                    client.send(MESSAGE)
                    poll.modify(number, select.EPOLLIN)
                    continue
                data = client.recv(len(MESSAGE))
                if data:
                    tally.took(began[number], now())
                    if fresh:
                        answered.add(number)
                    else:
                        began[number] = now()
                        client.send(MESSAGE)
                    continue
                if number not in answered:
                    raise ConnectionResetError
            except OSError as error:
                tally.failed(error)
            answered.discard(number)
            del clients[number]
            client.close()
            start()
    for client in clients.values():
        client.close()


def _write(said: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
