"""A kept flow: one connection on which something is asked at each beat, and what became of it.

The same connection is kept until the kernel or the peer ends it, and a new one is made at the next beat. TCP and UDP
keep their beat whether or not answers come; HTTP asks again once it has been answered, as its clients do. Rows are
`["link", peer, opened, first answer, last answer, ended, unanswered, words]` for each time that one peer answered on
one connection (`ended` is -1 while it goes on), `["gap", from, to, stood still, answer]` for the time between two
answers that are too far apart, and `["fault", first, last, count, words]` for connections that could not be made, and
errors of UDP. A gap begins when that was asked which was answered last, as a busy machine may read an answer late; the
answer that ends it took `answer` (0 over streams: there the kernel asks again and again by itself).
"""

from __future__ import annotations

import errno
import socket
from typing import Any

from . import kernel
from .attempt import READ_SIZE, parse_response
from .questions import Questions
from .recordings import Recording, Row

# Answers further apart than both make a gap; a shorter pause is a busy machine's doing as often as the network's.
GAP_BEATS = 3
GAP_SECONDS = 0.1
PEER, OPENED, FIRST, LAST, ENDED, UNANSWERED, WORDS = 1, 2, 3, 4, 5, 6, 7
FAULT_LAST, FAULT_COUNT, FAULT_WORDS = 2, 3, 4


class Flow(Recording):
    """One flow, from its start until it is finished."""

    def __init__(self, command: dict[str, Any]) -> None:
        """`command` names protocol, host, port, interval, timeout and seconds, and path and host header for HTTP."""
        super().__init__(command["interval"], command["seconds"])
        self._protocol = command["protocol"]
        self._kind = socket.SOCK_DGRAM if self._protocol == "udp" else socket.SOCK_STREAM
        self._family = kernel.family_of(command["host"])
        self._target = (command["host"], command["port"])
        self._timeout = command["timeout"]
        self._request = _request(command)
        self._questions = self._none_asked()
        self._sock: socket.socket | None = None
        self._connected = False
        self._opened = self.pacer.zero
        self._last: float | None = None
        # When that was asked which was answered last, but not before the last gap was over.
        self._good = self._healed = self.pacer.zero
        self._unanswered = 0
        self._heard = b""
        self._link: Row | None = None
        self._fault: Row | None = None

    def close(self) -> None:
        """Finish, and end the connection."""
        super().close()
        self._drop()

    def unfinished(self) -> list[Row]:
        """The link that goes on, the gap since the last answer, and the last fault."""
        found = [row for row in (self._fault, self._gap(self.over or self._loop.time())) if row is not None]
        if self._link is not None:
            found.append([*self._link[:UNANSWERED], self._unanswered, ""])
        return found

    def send(self, number: int, now: float) -> None:
        """Ask on the connection, or make one."""
        if self._sock is None:
            self._connect(now)
        elif not self._connected:
            if now - self._opened > self._timeout:
                self._lost(f"no connection in {self._timeout:g} s")
        elif not (self._protocol == "http" and self._unanswered):
            self._ask()

    def _connect(self, now: float) -> None:
        self._opened, self._unanswered, self._heard = now, 0, b""
        self._questions = self._none_asked()
        try:
            sock = self._sock = socket.socket(self._family, self._kind)
            sock.setblocking(False)
            number = sock.connect_ex(self._target)
        except OSError as error:
            self._lost(kernel.words_of(error.errno or 0))
            return
        if number == errno.EINPROGRESS:
            self._loop.add_writer(sock, self._made)
        elif number:
            self._lost(kernel.words_of(number))
        else:
            self._made()

    def _made(self) -> None:
        """The connection is there, or has failed."""
        sock = self._sock
        assert sock is not None
        self._loop.remove_writer(sock)
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or kernel.queued_error(sock)
        if number:
            self._lost(kernel.words_of(number))
            return
        if self._kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._protocol == "tcp":
            # What a TCP peer says of itself at first is its answer to the connection.
            self._unanswered = 1
            self._questions.asked(self._opened)
        self._connected = True
        self._loop.add_reader(sock, self._readable)
        self._ask()

    def _ask(self) -> None:
        assert self._sock is not None
        # Before it is sent: who is made to wait right after that would take the time for one in which nothing was lost.
        moment = self._loop.time()
        try:
            self._sock.send(self._questions.next())
        except BlockingIOError:
            # The buffer is full of what was never acknowledged: the gap is already counting.
            return
        except OSError as error:
            self._failed(error)
            return
        self._questions.asked(moment)
        self.sent += 1
        self._unanswered += 1

    def _readable(self) -> None:
        assert self._sock is not None
        try:
            data = self._sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._failed(error)
            return
        if self._protocol == "udp":
            self._answered(1, data)
        elif not data:
            self._lost("closed by the peer")
        elif self._protocol == "tcp":
            *lines, self._heard = (self._heard + data).split(b"\n")
            if lines:
                self._answered(len(lines), lines[-1])
        else:
            self._heard += data
            response = parse_response(self._heard, ended=False)
            if response is not None:
                _, headers, body = response
                self._heard = b""
                self._answered(1, body)
                if headers.get("connection", "").lower() == "close":
                    self._lost("the peer asked for a new connection")

    def _answered(self, count: int, said: bytes) -> None:
        now = self._loop.time()
        reply = kernel.agent_reply(said) or {}
        asked = self._questions.answered(count, reply.get("received", 0))
        gap = self._gap(now, asked)
        if gap is not None:
            self.rows.add(gap)
            self._healed = now
        self._last = now
        self._good = now if asked is None else max(asked, self._healed)
        self._unanswered = max(0, self._unanswered - count)
        peer = reply.get("agent", "")
        moment = self.micros(now)
        if self._link is not None and self._link[PEER] != peer:
            self._end_link(self._link[LAST], 0, "answered by another from here on")
        if self._link is None:
            self._link = ["link", peer, self.micros(self._opened), moment, moment, -1, 0, ""]
        self._link[LAST] = moment

    def _gap(self, now: float, asked: float | None = None) -> Row | None:
        shortest = max(GAP_SECONDS, GAP_BEATS * self.pacer.interval)
        if self._last is None or now - self._last <= shortest:
            return None
        if now - self._last - self.pacer.stood_still(self._last) <= shortest:
            return None
        answer = 0.0 if asked is None or self._kind == socket.SOCK_STREAM else now - asked
        if answer > shortest:
            # All that was asked meanwhile is answered, late: that is a time without answers as well.
            answer = 0.0
        still = self.pacer.stood_still(self._good)
        return ["gap", self.micros(self._good), self.micros(now), int(still * 1e6), int(answer * 1e6)]

    def _none_asked(self) -> Questions:
        return Questions(self._request, datagrams=self._protocol == "udp")

    def _failed(self, error: OSError) -> None:
        """Sending or receiving has failed: over TCP that is the end, over UDP only if the socket was ended for us.

        Whoever takes the place of a proxy in sockets has the kernel do that once a socket's backend is gone
        (ECONNABORTED): a program then makes a new one, and its Service leads to another backend.
        """
        self._lost(kernel.words_of(error.errno or 0), ended=error.errno == errno.ECONNABORTED)

    def _lost(self, words: str, *, ended: bool = False) -> None:
        """The connection is no more, or was none."""
        now = self.micros(self._loop.time())
        if self._kind == socket.SOCK_STREAM or ended or not self._connected:
            if self._link is not None:
                self._end_link(now, self._unanswered, words)
                self._drop()
                return
            self._drop()
        if self._fault is not None and self._fault[FAULT_WORDS] == words:
            self._fault[FAULT_LAST] = now
            self._fault[FAULT_COUNT] += 1
            return
        if self._fault is not None:
            self.rows.add(self._fault)
        self._fault = ["fault", now, now, 1, words]

    def _end_link(self, ended: int, unanswered: int, words: str) -> None:
        assert self._link is not None
        self.rows.add([*self._link[:ENDED], ended, unanswered, words])
        self._link = None

    def _drop(self) -> None:
        sock, self._sock, self._connected = self._sock, None, False
        if sock is not None:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            sock.close()


def _request(command: dict[str, Any]) -> bytes:
    if command["protocol"] != "http":
        return b"beat\n"
    host = f"[{command['host']}]" if ":" in command["host"] else command["host"]
    host_header = command.get("host_header") or f"{host}:{command['port']}"
    head = [f"GET {command.get('path', '/')} HTTP/1.1", f"Host: {host_header}", "User-Agent: netassay", "", ""]
    return "\r\n".join(head).encode("latin-1", "replace")
