"""The servers of the agent over TCP, SCTP and UDP: they say who they are and what they saw of the client, no more.

TCP: on accept, one JSON line with `agent`, `address`, `port` and `received`, which is 0; then one such line for every
line that the client sends, with `received` counting its bytes. SCTP: the same, on one-to-one associations. UDP: one
datagram of the same shape for each datagram. Replies are small whatever was sent, so that the answer never depends on
the size that is being tested.
"""

from __future__ import annotations

import asyncio
import errno
import json
import socket
from typing import TYPE_CHECKING, Any, Callable, Protocol

from .kernel import IPPROTO_SCTP, SCTP_NODELAY, plain_address

if TYPE_CHECKING:
    from .name_server import NameServer

BACKLOG = 4096
MAX_CONNECTIONS = 16384
READ_SIZE = 256 * 1024
# Holds the answers to what a client asked while it could not be heard.
SEND_BUFFER = 256 * 1024
# Accepted or received at most this often before other sockets get their turn.
BURST = 64
# Numbers of Linux that not every Python's socket module names.
IP_PKTINFO = 8
IPV6_RECVPKTINFO = 49
IPV6_PKTINFO = 50
ANCILLARY_BYTES = 128
# Ends connections whose client vanished: probed after this many seconds of silence.
KEEPALIVE_SECONDS = 30
# Of accepted connections, by protocol number. SCTP probes silent peers by itself.
_OPTIONS = {
    socket.IPPROTO_TCP: (
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_SECONDS),
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER),
    ),
    IPPROTO_SCTP: ((IPPROTO_SCTP, SCTP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)),
}


class Listener(Protocol):
    """What listens on one port until it is closed."""

    port: int

    def close(self) -> None:
        """Stop listening."""


def bound_socket(kind: int, port: int, protocol: int = 0) -> socket.socket:
    """A non-blocking socket on all addresses, IPv6 and IPv4 in one, or IPv4 alone where IPv6 is switched off.

    `protocol` is 0 for the usual one of this kind.
    """
    try:
        sock = socket.socket(socket.AF_INET6, kind, protocol)
    except OSError:
        return _bound(socket.socket(socket.AF_INET, kind, protocol), "0.0.0.0", port)  # noqa: S104 - to serve
    try:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        return _bound(sock, "::", port)
    except OSError as error:
        sock.close()
        if error.errno != errno.EADDRNOTAVAIL:
            raise
    return _bound(socket.socket(socket.AF_INET, kind, protocol), "0.0.0.0", port)  # noqa: S104


def _bound(sock: socket.socket, host: str, port: int) -> socket.socket:
    try:
        sock.setblocking(False)
        if sock.type == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        if sock.type == socket.SOCK_STREAM:
            sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


class StreamEcho:
    """A listener over TCP or SCTP that answers every connection, and every line on it."""

    def __init__(self, identity: str, port: int, protocol: int) -> None:
        """Listen on `port` by this protocol's number; OSError if it cannot be had."""
        self._loop = asyncio.get_running_loop()
        self._head = f'{{"agent":{json.dumps(identity)},"address":"'
        self._sock = bound_socket(socket.SOCK_STREAM, port, protocol)
        self._options = _OPTIONS[protocol]
        self.port: int = self._sock.getsockname()[1]
        self._clients: set[socket.socket] = set()
        self._loop.add_reader(self._sock, self._accept)

    def close(self) -> None:
        """Stop listening and drop the connections that were accepted here."""
        self._loop.remove_reader(self._sock)
        self._sock.close()
        for client in list(self._clients):
            self.drop(client)

    def _accept(self) -> None:
        for _ in range(BURST):
            try:
                client, peer = self._sock.accept()
            except OSError:
                # Nothing left to accept, or the client has gone already, or no descriptor is free: tried again on the
                # next event.
                return
            if len(self._clients) >= MAX_CONNECTIONS:
                client.close()
                continue
            client.setblocking(False)
            for option in self._options:
                client.setsockopt(*option)
            said = f'{self._head}{plain_address(peer[0])}","port":{peer[1]},"received":'
            self._clients.add(client)
            self._loop.add_reader(client.fileno(), _Reader(self, client, said))
            self.say(client, said, 0)

    def say(self, client: socket.socket, said: str, *received: int) -> None:
        """Send one line of reply for each count of bytes received.

        All at once: after an outage many questions come together, and a packet for each answer would fill the buffer.
        """
        reply = "".join(f"{said}{count}}}\n" for count in received).encode()
        try:
            whole = client.send(reply) == len(reply)
        except OSError:
            whole = False
        if not whole:
            # Reset by the client, or it asks without reading: either way there is nobody to answer.
            self.drop(client)

    def drop(self, client: socket.socket) -> None:
        """End one connection, if it is still there."""
        if client in self._clients:
            self._clients.discard(client)
            self._loop.remove_reader(client.fileno())
            client.close()


class _Reader:
    """Counts the bytes of one connection, and answers at each end of line."""

    __slots__ = ("_client", "_echo", "_received", "_said")

    def __init__(self, echo: StreamEcho, client: socket.socket, said: str) -> None:
        self._echo, self._client, self._said = echo, client, said
        self._received = 0

    def __call__(self) -> None:
        try:
            data = self._client.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._echo.drop(self._client)
            return
        *lines, rest = data.split(b"\n")
        if lines:
            sizes = [len(line) + 1 for line in lines]
            sizes[0] += self._received
            self._received = 0
            self._echo.say(self._client, self._said, *sizes)
        self._received += len(rest)


class UdpEcho:
    """A UDP listener that answers every datagram."""

    def __init__(self, identity: str, port: int) -> None:
        """Listen on `port`; OSError if it cannot be had."""
        self._loop = asyncio.get_running_loop()
        self._head = f'{{"agent":{json.dumps(identity)},"address":"'
        self._own = b'{"agent":'
        self._sock = bound_socket(socket.SOCK_DGRAM, port)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        if self._sock.family == socket.AF_INET6:
            self._sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
        else:
            self._sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        self.port: int = self._sock.getsockname()[1]
        self._loop.add_reader(self._sock, self._receive)

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _receive(self) -> None:
        for _ in range(BURST):
            try:
                data, told, _, peer = self._sock.recvmsg(65535, ANCILLARY_BYTES)
            except OSError:
                return
            if data.startswith(self._own):
                # Another agent's answer, with a forged or rewritten source: to answer answers would never end.
                continue
            said = f'{self._head}{plain_address(peer[0])}","port":{peer[1]},"received":{len(data)}}}'
            try:
                self._sock.sendmsg([said.encode()], _from_where_it_came(told), 0, peer)
            except OSError:
                # No way back to that client: it will see its attempt time out, which is the truth.
                continue


def _from_where_it_came(told: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """What has a reply leave with the address that the datagram was sent to.

    Left alone, the kernel takes the address of the interface towards the client, and a client that asked another
    address of this node drops the answer.
    """
    for level, kind, data in told:
        if (level, kind) == (socket.IPPROTO_IPV6, IPV6_PKTINFO):
            address = data[:16]
            # Only a link-local address needs its interface named; for others the routing decides the way.
            interface = data[16:20] if address.startswith(b"\xfe\x80") else bytes(4)
            return [(level, kind, address + interface)]
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            # Interface index, source to use, destination of the header (not used when sending).
            return [(level, kind, bytes(4) + data[8:12] + bytes(4))]
    return []


def _name_server(port: int) -> NameServer:
    from .name_server import NameServer  # noqa: PLC0415 - for those who ask only: a pod starts the sooner

    return NameServer(port)


class Listeners:
    """Listeners opened on demand, counted so that two holders of one port share it."""

    def __init__(self, identity: str) -> None:
        """Nothing is open yet."""
        self._kinds: dict[str, Callable[[int], Listener]] = {
            "tcp": lambda port: StreamEcho(identity, port, socket.IPPROTO_TCP),
            "sctp": lambda port: StreamEcho(identity, port, IPPROTO_SCTP),
            "udp": lambda port: UdpEcho(identity, port),
            "dns": _name_server,
        }
        self._open: dict[tuple[str, int], tuple[Listener, int]] = {}

    def open(self, protocol: str, port: int) -> int:
        """Listen on `port` (0: any free one) and return it.

        Raises OSError if the port is taken, KeyError for another protocol.
        """
        held = self._open.get((protocol, port))
        if held:
            self._open[protocol, port] = (held[0], held[1] + 1)
            return port
        listener = self._kinds[protocol](port)
        self._open[protocol, listener.port] = (listener, 1)
        return listener.port

    def close(self, protocol: str, port: int) -> None:
        """Give up one hold on `port`; the last one closes it. KeyError if nobody holds it."""
        listener, holders = self._open.pop((protocol, port))
        if holders > 1:
            self._open[protocol, port] = (listener, holders - 1)
        else:
            listener.close()

    def asked(self, port: int) -> list[dict[str, Any]]:
        """What the name server on `port` was asked, in order. KeyError if there is none."""
        from .name_server import NameServer  # noqa: PLC0415 - has been loaded if there is one

        listener, _ = self._open["dns", port]
        return list(listener.asked) if isinstance(listener, NameServer) else []
