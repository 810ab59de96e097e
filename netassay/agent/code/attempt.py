"""One attempt as a small state machine on a non-blocking socket.

Made for many at once: no task, no stream and no buffer per attempt, and for the usual TCP attempt a single wait (for
the peer's greeting), because a refused or reset connection wakes that same wait.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, Callable

from . import kernel

if TYPE_CHECKING:
    import asyncio

READ_SIZE = 64 * 1024
MAX_RESPONSE = 1024 * 1024
# Close with RST once the exchange is over: thousands of attempts a second would else use up the local ports in
# TIME_WAIT.
_RST_ON_CLOSE = struct.pack("ii", 1, 0)
_FILLER = b"n" * 65536

# protocol, host, port, timeout, payload, dont_fragment, source_port, path, host_header
Wanted = tuple[str, str, int, float, int, bool, int, str, str]
# index, outcome, microseconds, started, answered_by, local_address, local_port, seen_address, seen_port, received,
# errno, error
Seen = list[Any]


def payload_line(size: int) -> bytes:
    """`size` bytes (> 0) that end with the only newline in them."""
    return _FILLER[: size - 1] + b"\n" if size <= len(_FILLER) else b"n" * (size - 1) + b"\n"


class Attempt:
    """What all protocols share: the socket's life, the clock, and the result."""

    kind = socket.SOCK_STREAM
    # 0: the usual one of this kind.
    protocol = 0

    def __init__(
        self, loop: asyncio.AbstractEventLoop, index: int, wanted: Wanted, done: Callable[[Seen], None]
    ) -> None:
        """Start the clock; `done` gets the result."""
        self.loop, self.index, self.wanted = loop, index, wanted
        self._done: Callable[[Seen], None] | None = done
        self.sock: socket.socket | None = None
        # What the loop is asked to watch: for a socket itself it would make its words, addresses and all, each time.
        self.fd = -1
        self._said: dict[str, Any] = {}
        self._started = time.time()
        self._clock = time.perf_counter()
        self._timer = loop.call_later(wanted[3], self._late)

    @property
    def over(self) -> bool:
        """Whether it has had its end."""
        return self._done is None

    def begin(self, address: str, family: int) -> None:
        """Open the socket and set off for `address`."""
        wanted = self.wanted
        try:
            sock = self.sock = socket.socket(family, self.kind, self.protocol)
            self.fd = sock.fileno()
            sock.setblocking(False)
            if wanted[6]:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(("", wanted[6]))
        except OSError as error:
            outcome = kernel.UNREACHABLE if error.errno == errno.EAFNOSUPPORT else kernel.NO_VERDICT
            self.end(outcome, error.errno or 0, f"cannot open a socket: {error.strerror}")
            return
        try:
            self.set_off(sock, (address, wanted[2]))
        except OSError as error:
            self.failed(error)

    def set_off(self, sock: socket.socket, address: tuple[str, int]) -> None:
        """Start the exchange; an OSError raised here is the attempt's outcome."""
        raise NotImplementedError

    def late(self) -> None:
        """Time is up: say what is known."""
        raise NotImplementedError

    def received(self) -> bytes | None:
        """Take what the socket was woken for; None if that is nothing, or the attempt's end."""
        assert self.sock is not None
        try:
            return self.sock.recv(READ_SIZE)
        except BlockingIOError:
            self.nothing_read()
        except OSError as error:
            self.failed(error)
        return None

    def nothing_read(self) -> None:
        """Woken without bytes: nothing is known yet."""

    def failed(self, error: OSError) -> None:
        """End with what the kernel said."""
        number = error.errno or 0
        self.end(kernel.outcome_of(number), number, kernel.words_of(number))

    def name_failed(self, words: str) -> None:
        """End because the host's name has no address."""
        self.end(kernel.NAME_ERROR, 0, words)

    def heard(self, said: dict[str, Any]) -> None:
        """Keep what the peer said of itself and of us."""
        self._said = said

    def end(self, outcome: str, number: int = 0, error: str = "") -> None:
        """Stop the clock, close the socket and hand over the result; only the first end counts."""
        micros = int((time.perf_counter() - self._clock) * 1e6)
        done, self._done = self._done, None
        if done is None:
            return
        self._timer.cancel()
        local: tuple[Any, ...] = ("", 0)
        sock = self.sock
        if sock is not None:
            self.loop.remove_reader(self.fd)
            self.loop.remove_writer(self.fd)
            try:
                local = sock.getsockname()
                if outcome == kernel.OPEN and self.kind == socket.SOCK_STREAM:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
            except OSError:
                # The result does not depend on either.
                pass
            sock.close()
        said = self._said
        address = local[0] if local[0] not in ("0.0.0.0", "::") else ""  # noqa: S104 - compared, not bound
        done(
            [
                self.index,
                outcome,
                micros,
                self._started,
                said.get("agent", ""),
                address,
                local[1],
                said.get("address", ""),
                said.get("port", 0),
                said.get("received", 0),
                number,
                error,
            ],
        )

    def _late(self) -> None:
        if self.sock is None:
            self.name_failed(f"the resolver gave no answer in {self.wanted[3]:g} s")
        else:
            self.late()


class TcpAttempt(Attempt):
    """Connect, read the peer's greeting, and with a payload send it and read the peer's count."""

    # Bytes that are handed to the kernel at once, all if None.
    most: int | None = None

    def __init__(self, *arguments: Any) -> None:
        """As Attempt."""
        super().__init__(*arguments)
        self._heard = b""
        self._unsent = memoryview(b"")
        self._sent_all = False

    def set_off(self, sock: socket.socket, address: tuple[str, int]) -> None:
        """Start the exchange."""
        number = sock.connect_ex(address)
        if number not in (0, errno.EINPROGRESS):
            raise OSError(number, "connect")
        self.loop.add_reader(self.fd, self.readable)

    def readable(self) -> None:
        """Bytes, the end of the connection, or its failure."""
        data = self.received()
        if data is None:
            return
        self._heard += data
        if data and b"\n" not in data and len(self._heard) < MAX_RESPONSE:
            return
        self.line_heard(ended=not data)

    def nothing_read(self) -> None:
        """Woken without bytes: the answer to the SYN may be in the queue of errors."""
        assert self.sock is not None
        number = kernel.queued_error(self.sock)
        if number and not self.connected():
            self.failed(OSError(number, ""))

    def line_heard(self, *, ended: bool) -> None:
        """A whole line came, or the peer closed."""
        line, _, self._heard = self._heard.partition(b"\n")
        said = kernel.agent_reply(line)
        if said is None:
            what = "closed by the peer without a word" if ended and not line else "the answer is not an agent's"
            self.end(kernel.RESET if self._sent_all else kernel.OPEN, error=what)
            return
        self.heard(said)
        if self._sent_all or not self.wanted[4]:
            self.end(kernel.OPEN)
        else:
            self._sent_all = True
            self._unsent = memoryview(payload_line(self.wanted[4]))
            self.writable()

    def writable(self) -> None:
        """Send what the socket takes."""
        assert self.sock is not None
        try:
            while self._unsent:
                self._unsent = self._unsent[self.sock.send(self._unsent[: self.most]) :]
        except BlockingIOError:
            self.loop.add_writer(self.fd, self.writable)
            return
        except OSError as error:
            self.failed(error)
            return
        self.loop.remove_writer(self.fd)

    def late(self) -> None:
        """Tell how far it got."""
        seconds = f"{self.wanted[3]:g} s"
        if not self.connected():
            self.end(kernel.TIMED_OUT, errno.ETIMEDOUT, f"no connection in {seconds}")
        elif self._sent_all:
            size = self.wanted[4]
            self.end(kernel.TIMED_OUT, errno.ETIMEDOUT, f"connected, but no answer to {size} bytes in {seconds}")
        else:
            what = "what the peer says is not an agent's" if self._heard else "the peer said nothing"
            self.end(kernel.OPEN, error=f"connected, but {what} in {seconds}")

    def connected(self) -> bool:
        """Whether the handshake was completed."""
        assert self.sock is not None
        try:
            self.sock.getpeername()
        except OSError:
            return False
        return True


class SctpAttempt(TcpAttempt):
    """As over TCP, on a one-to-one association of SCTP. Its messages have no part in it: lines end by newlines."""

    protocol = kernel.IPPROTO_SCTP
    # What is handed over at once is one message, which must fit the socket's buffer.
    most = 32 * 1024

    def set_off(self, sock: socket.socket, address: tuple[str, int]) -> None:
        """Start the exchange."""
        sock.setsockopt(kernel.IPPROTO_SCTP, kernel.SCTP_NODELAY, 1)
        if sock.family == socket.AF_INET6:
            # Else the peer is told our addresses of the other family too, as further ways to reach us.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().set_off(sock, address)


class HttpAttempt(TcpAttempt):
    """One HTTP request on a connection of its own; a payload makes it a POST."""

    def set_off(self, sock: socket.socket, address: tuple[str, int]) -> None:
        """Start the exchange."""
        super().set_off(sock, address)
        _, host, port, _, size, _, _, path, host_header = self.wanted
        literal = f"[{host}]" if ":" in host else host
        head = [
            f"{'POST' if size else 'GET'} {path} HTTP/1.1",
            f"Host: {host_header or f'{literal}:{port}'}",
            "User-Agent: netassay",
            "Accept: application/json",
            "Connection: close",
            *([f"Content-Length: {size}"] if size else []),
        ]
        request = "\r\n".join([*head, "", ""]).encode("latin-1", "replace")
        self._unsent = memoryview(request + (payload_line(size) if size else b""))
        self.loop.add_writer(self.fd, self.writable)

    def readable(self) -> None:
        """Bytes, the end of the connection, or its failure."""
        data = self.received()
        if data is None:
            return
        self._heard += data
        response = parse_response(self._heard, ended=not data or len(self._heard) > MAX_RESPONSE)
        if response is None:
            return
        status, _, body = response
        if not status:
            what = "closed by the peer without a word" if not self._heard else "the answer is not HTTP"
            self.end(kernel.RESET if not self._heard else kernel.OPEN, error=what)
            return
        self.heard(kernel.agent_reply(body) or {})
        self.end(kernel.OPEN, error="" if 200 <= status < 300 else f"HTTP {status}")  # noqa: PLR2004 - HTTP's own ranges

    def late(self) -> None:
        """Tell how far it got."""
        seconds = f"{self.wanted[3]:g} s"
        if self.connected():
            self.end(kernel.TIMED_OUT, errno.ETIMEDOUT, f"connected, but no HTTP answer in {seconds}")
        else:
            self.end(kernel.TIMED_OUT, errno.ETIMEDOUT, f"no connection in {seconds}")


class UdpAttempt(Attempt):
    """Send one datagram from a connected socket (so that ICMP errors come back) and wait for one."""

    kind = socket.SOCK_DGRAM

    def set_off(self, sock: socket.socket, address: tuple[str, int]) -> None:
        """Start the exchange."""
        if self.wanted[5]:
            kernel.set_dont_fragment(sock, sock.family)
        sock.connect(address)
        self.loop.add_reader(self.fd, self.readable)
        sock.send(b"n" * self.wanted[4])

    def readable(self) -> None:
        """A datagram, or an ICMP error."""
        data = self.received()
        if data is None:
            return
        said = kernel.agent_reply(data)
        self.heard(said or {})
        self.end(kernel.OPEN, error="" if said else "the answer is not an agent's")

    def late(self) -> None:
        """Tell how far it got."""
        self.end(kernel.TIMED_OUT, errno.ETIMEDOUT, f"no answer in {self.wanted[3]:g} s")


class DnsAttempt(UdpAttempt):
    """One question over UDP for the addresses of the name that `host_header` holds, without search list or repetition.

    A name server says nothing of itself: whoever answers at its address is called by that. For a stream of such
    questions, dnspython would be too slow by far.
    """

    def set_off(self, sock: socket.socket, address: tuple[str, int]) -> None:
        """Ask."""
        sock.connect(address)
        self.loop.add_reader(self.fd, self.readable)
        labels = self.wanted[8].rstrip(".").encode("ascii").split(b".")
        name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
        kind = _AAAA if sock.family == socket.AF_INET6 else _A
        self._id = os.urandom(2)
        # One question, recursion desired.
        sock.send(self._id + b"\x01\x00\x00\x01" + bytes(6) + name + struct.pack("!HH", kind, _IN))

    def readable(self) -> None:
        """A response to this question, or an ICMP error."""
        data = self.received()
        if data is None:
            return
        if len(data) < _DNS_HEADER or data[:2] != self._id or not data[2] & 0x80:
            return
        code, answers = data[3] & 0x0F, int.from_bytes(data[6:8], "big")
        self.heard({"agent": f"name server {self.wanted[1]}"})
        self.end(kernel.OPEN, error=f"response code {code}" if code else "" if answers else "no address for the name")


_DNS_HEADER = 12
_A, _AAAA, _IN = 1, 28, 1

KINDS: dict[str, type[Attempt]] = {
    "tcp": TcpAttempt,
    "http": HttpAttempt,
    "udp": UdpAttempt,
    "sctp": SctpAttempt,
    "dns": DnsAttempt,
}


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers (names in lower case) of an HTTP response's head, status 0 if it is none."""
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ", 2)
    if not parts[0].startswith("HTTP/") or len(parts) < 2 or not parts[1].isdigit():  # noqa: PLR2004
        return 0, {}
    return int(parts[1]), {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }


def parse_response(data: bytes, *, ended: bool) -> tuple[int, dict[str, str], bytes] | None:
    """Status, headers and body of an HTTP response, None while more is to come, status 0 if it is none."""
    head, separator, rest = data.partition(b"\r\n\r\n")
    if not separator:
        return (0, {}, b"") if ended else None
    status, headers = parse_head(head)
    if not status:
        return 0, {}, b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body, whole = _unchunk(rest)
    else:
        length = headers.get("content-length", "")
        whole = len(rest) >= int(length) if length.isdigit() else False
        body = rest
    return (status, headers, body) if whole or ended else None


def _unchunk(data: bytes) -> tuple[bytes, bool]:
    body = b""
    while True:
        size, newline, rest = data.partition(b"\r\n")
        try:
            length = int(size.split(b";")[0], 16)
        except ValueError:
            return body, False
        if not newline or len(rest) < length + 2:
            return body, False
        if not length:
            return body, True
        body += rest[:length]
        data = rest[length + 2 :]


def json_line(value: Any) -> bytes:
    """One line of JSON, as short as it gets."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
