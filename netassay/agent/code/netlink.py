"""Dumps of the kernel's tables, by netlink."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST_DUMP = 0x301
NETLINK_ROUTE = 0
MESSAGE_HEADER = struct.Struct("=IHHII")
ATTRIBUTE_HEADER = struct.Struct("=HH")
PART = 64 * 1024


def dump(question: int, answer: int, header: bytes, what: str) -> Iterator[bytes]:
    """The bodies of the kernel's messages of the type `answer` to a dump of `question`.

    `header` is that of the question's type. Raises RuntimeError if the kernel does not tell `what`.
    """
    asked = MESSAGE_HEADER.pack(MESSAGE_HEADER.size + len(header), question, NLM_F_REQUEST_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE) as sock:
        sock.settimeout(5)
        sock.send(asked + header)
        while True:
            part = sock.recv(PART)
            while part:
                length, kind, _, _, _ = MESSAGE_HEADER.unpack_from(part)
                body = part[MESSAGE_HEADER.size : length]
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    (number,) = struct.unpack_from("=i", body)
                    raise RuntimeError(f"the kernel does not tell {what}: {os.strerror(-number)}")
                if kind == answer:
                    yield body
                part = part[_aligned(length) :]


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes behind a message's header: type and value of each."""
    while len(data) >= ATTRIBUTE_HEADER.size:
        length, kind = ATTRIBUTE_HEADER.unpack_from(data)
        yield kind, data[ATTRIBUTE_HEADER.size : length]
        data = data[_aligned(length) :]


def _aligned(length: int) -> int:
    return (length + 3) & ~3
