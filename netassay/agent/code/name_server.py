"""A name server that knows no name, and remembers what it was asked: it shows what a resolver does on the wire."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from .kernel import plain_address
from .listeners import BURST, bound_socket

HEADER = struct.Struct("!HHHHHH")
# A response, authoritative, recursion available, NXDOMAIN; opcode and the wish for recursion are the question's.
RESPONSE_FLAGS = 0x8483
KEPT_FLAGS = 0x7900
QTYPES = {1: "A", 28: "AAAA", 5: "CNAME", 12: "PTR", 16: "TXT", 33: "SRV"}
MAX_REMEMBERED = 10_000
MAX_LABEL = 63


class NameServer:
    """A UDP listener that answers every question with NXDOMAIN."""

    def __init__(self, port: int) -> None:
        """Listen on `port`; OSError if it cannot be had."""
        self._loop = asyncio.get_running_loop()
        self._sock = bound_socket(socket.SOCK_DGRAM, port)
        self.port: int = self._sock.getsockname()[1]
        self.asked: list[dict[str, Any]] = []
        self._loop.add_reader(self._sock, self._receive)

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _receive(self) -> None:
        for _ in range(BURST):
            try:
                data, peer = self._sock.recvfrom(4096)
            except OSError:
                return
            question = parse_question(data)
            if question is None:
                continue
            name, qtype, end = question
            if len(self.asked) < MAX_REMEMBERED:
                shown = QTYPES.get(qtype, f"TYPE{qtype}")
                self.asked.append({"name": name, "rtype": shown, "client": plain_address(peer[0]), "port": peer[1]})
            number, flags, _, _, _, _ = HEADER.unpack_from(data)
            head = HEADER.pack(number, RESPONSE_FLAGS | (flags & KEPT_FLAGS), 1, 0, 0, 0)
            try:
                self._sock.sendto(head + data[HEADER.size : end], peer)
            except OSError:
                # No way back to that client: its resolver asks again, which is remembered as well.
                continue


def parse_question(data: bytes) -> tuple[str, int, int] | None:
    """Name (absolute), type and end of a query's only question; None if this is no such query."""
    if len(data) < HEADER.size:
        return None
    _, flags, count, _, _, _ = HEADER.unpack_from(data)
    labels, at = [], HEADER.size
    try:
        while data[at]:
            if data[at] > MAX_LABEL:
                return None
            labels.append(data[at + 1 : at + 1 + data[at]].decode("latin-1"))
            at += 1 + data[at]
        (qtype,) = struct.unpack_from("!H", data, at + 1)
    except (IndexError, struct.error):
        return None
    # A response is not answered: to answer answers would never end.
    return (".".join(labels) + ".", qtype, at + 5) if count == 1 and not flags & 0x8000 else None
