"""gRPC as the agent serves it, to who begins to speak HTTP/2 on its HTTP port: any call is answered with who it is.

What is called cannot be told: the names of service and method are in headers, of which none is understood here.
"""

from __future__ import annotations

import asyncio
import json
import struct

from . import http2


class GrpcEcho(asyncio.Protocol):
    """One HTTP/2 connection, with as many calls as the client makes on it, one after the other or at once."""

    def __init__(self, identity: str, transport: asyncio.Transport) -> None:
        """Take over a connection on which the client's preface has begun to come in."""
        said = json.dumps({"agent": identity}).encode()
        # A message that is not compressed, and its length.
        self._message = struct.pack("!BI", 0, len(said)) + said
        self._transport, self._buffer = transport, bytearray()
        self._greeted = False
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Answer each call once all of it is in."""
        self._buffer += data
        if not self._greeted:
            if len(self._buffer) < len(http2.PREFACE):
                return
            del self._buffer[: len(http2.PREFACE)]
            self._greeted = True
            self._transport.write(http2.frame(http2.SETTINGS, 0, 0, b""))
        while (taken := http2.take_frame(self._buffer)) is not None:
            self._take(*taken)

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind in (http2.SETTINGS, http2.PING) and not flags & http2.ACK:
            self._transport.write(http2.frame(kind, http2.ACK, 0, payload if kind == http2.PING else b""))
        elif kind == http2.GOAWAY:
            self._transport.close()
        elif kind == http2.DATA and payload:
            # Room for as much again, or the connection would be stuck after 64 KiB.
            self._transport.write(http2.frame(http2.WINDOW_UPDATE, 0, 0, struct.pack("!I", len(payload))))
        if kind in (http2.HEADERS, http2.DATA) and flags & http2.END_STREAM:
            self._answer(stream)

    def _answer(self, stream: int) -> None:
        head = http2.STATUS_OK + http2.literals([("content-type", "application/grpc")])
        trailers = http2.literals([("grpc-status", "0")])
        self._transport.write(
            http2.frame(http2.HEADERS, http2.END_HEADERS, stream, head)
            + http2.frame(http2.DATA, 0, stream, self._message)
            + http2.frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, stream, trailers)
        )
