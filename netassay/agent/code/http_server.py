"""The agent's HTTP/1.1 server: says who it is and what it saw of the client and the request.

Tells the kubelet if it is ready. Who asks for a WebSocket is told the same, and each message that it sends, on that;
who speaks HTTP/2 is answered as a gRPC client.
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

from . import http2, websocket
from .grpc_server import GrpcEcho
from .kernel import plain_address
from .listeners import BACKLOG, bound_socket

MAX_HEAD = 64 * 1024
MAX_MESSAGE = 1024 * 1024


class Health:
    """Whether the pod wants traffic, as the readiness probe reads it."""

    def __init__(self, ready: bool) -> None:
        """As it is from the start."""
        self.ready = ready
        self.leaving = False

    def leave(self) -> None:
        """From now on ask clients that keep their connection to make a new one, which will lead to others."""
        self.leaving = True


class HttpEcho(asyncio.Protocol):
    """One HTTP connection: GET, HEAD, POST or any other method, kept alive unless the client says close."""

    def __init__(self, identity: str, health: Health) -> None:
        """A connection to come."""
        self._identity, self._health = identity, health
        self._buffer = bytearray()
        self._request: _Request | None = None
        self._upgraded: _Request | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember who is at the other end."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._peer = transport.get_extra_info("peername")

    def data_received(self, data: bytes) -> None:
        """Answer each request once its body is in; the body is counted, not kept."""
        self._buffer += data
        if self._upgraded is not None:
            self._converse(self._upgraded)
            return
        while not self._transport.is_closing():
            if self._request is None:
                end = self._buffer.find(b"\r\n\r\n")
                if end < 0:
                    if len(self._buffer) > MAX_HEAD:
                        self._refuse(431)
                    return
                if self._buffer.startswith(http2.PREFACE[: end + 4]):
                    GrpcEcho(self._identity, self._transport).data_received(bytes(self._buffer))
                    return
                self._request = _Request.parse(bytes(self._buffer[:end]))
                del self._buffer[: end + 4]
                if self._request is None or "transfer-encoding" in self._request.headers:
                    self._refuse(400 if self._request is None else 501)
                    return
            request = self._request
            taken = min(request.missing, len(self._buffer))
            del self._buffer[:taken]
            request.missing -= taken
            if request.missing:
                return
            self._request = None
            if request.key:
                self._upgrade(request)
                return
            self._answer(request)

    def _upgrade(self, request: _Request) -> None:
        """Go over to WebSocket for the rest of the connection."""
        lines = [
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {websocket.accept_key(request.key)}",
        ]
        self._transport.write("\r\n".join([*lines, "", ""]).encode())
        self._upgraded = request
        self._converse(request)

    def _converse(self, request: _Request) -> None:
        """Answer each whole message with itself and with what was seen of the request; close when told to."""
        while not self._transport.is_closing():
            taken = websocket.take_frame(self._buffer)
            if taken is None:
                if len(self._buffer) > MAX_MESSAGE:
                    self._transport.close()
                return
            kind, payload = taken
            if kind == websocket.TEXT:
                said = {**self._seen(request), "received": len(payload), "message": payload.decode(errors="replace")}
                self._transport.write(websocket.frame(websocket.TEXT, json.dumps(said).encode()))
            elif kind == websocket.PING:
                self._transport.write(websocket.frame(websocket.PONG, payload))
            elif kind == websocket.CLOSE:
                self._transport.write(websocket.frame(websocket.CLOSE, payload))
                self._transport.close()

    def _answer(self, request: _Request) -> None:
        path = request.target.partition("?")[0]
        if path == "/healthz":
            status, said = 200, {"agent": self._identity, "healthy": True}
        elif path == "/readyz":
            status = 200 if self._health.ready else 503
            said = {"agent": self._identity, "ready": self._health.ready}
        else:
            status, said = 200, self._seen(request)
        self._send(status, said, keep=request.keep and not self._health.leaving, head=request.method == "HEAD")

    def _seen(self, request: _Request) -> dict[str, Any]:
        return {
            "agent": self._identity,
            "address": plain_address(self._peer[0]),
            "port": self._peer[1],
            "received": request.length,
            "method": request.method,
            "path": request.target,
            "host": request.headers.get("host", ""),
            "headers": request.headers,
        }

    def _refuse(self, status: int) -> None:
        self._send(
            status, {"agent": self._identity, "error": "not a request that is served here"}, keep=False, head=False
        )

    def _send(self, status: int, said: dict[str, Any], *, keep: bool, head: bool) -> None:
        body = json.dumps(said).encode()
        lines = [
            f"HTTP/1.1 {status} {_REASONS[status]}",
            "Content-Type: application/json",
            "Cache-Control: no-store",
            f"Content-Length: {len(body)}",
            f"Connection: {'keep-alive' if keep else 'close'}",
        ]
        self._transport.write("\r\n".join([*lines, "", ""]).encode() + (b"" if head else body))
        if not keep:
            self._transport.close()


_REASONS = {
    200: "OK",
    400: "Bad Request",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class _Request:
    """The head of one request; `missing` bytes of its body are still to come."""

    def __init__(self, method: str, target: str, version: str, headers: dict[str, str], length: int) -> None:
        self.method, self.target, self.headers = method, target, headers
        self.length = self.missing = length
        connection = headers.get("connection", "").lower()
        self.keep = "close" not in connection and (version != "HTTP/1.0" or "keep-alive" in connection)
        # The key of a client that wants a WebSocket, "" for all others.
        self.key = headers.get("sec-websocket-key", "") if headers.get("upgrade", "").lower() == "websocket" else ""

    @classmethod
    def parse(cls, head: bytes) -> _Request | None:
        """The request, or None if this is not HTTP."""
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in rest:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        try:
            method, target, version = first.split(" ")
            length = int(headers.get("content-length", "0"))
        except ValueError:
            return None
        if length < 0 or not version.startswith("HTTP/1."):
            return None
        return cls(method, target, version, headers, length)


async def serve_http(identity: str, health: Health, port: int) -> int:
    """Serve HTTP on `port` (0: any free one) of all addresses; the port."""
    sock = bound_socket(socket.SOCK_STREAM, port)
    await asyncio.get_running_loop().create_server(lambda: HttpEcho(identity, health), sock=sock, backlog=BACKLOG)
    return int(sock.getsockname()[1])
