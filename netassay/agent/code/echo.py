"""ICMP echo without privileges, through the kernel's ping sockets."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import time
from typing import Any

from . import kernel

IPPROTO_ICMPV6 = 58
# Type of the request and of the reply, by family.
KINDS = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}
HEADER = struct.Struct("!BBHHH")


async def echo(command: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask each of `hosts` (addresses) for an echo of `payload` bytes within `timeout` seconds, all at once.

    Raises RuntimeError if the kernel gives this process no ping sockets.
    """
    payload, timeout = command["payload"], command["timeout"]
    return list(await asyncio.gather(*(_one(host, payload, timeout) for host in command["hosts"])))


async def _one(host: str, payload: int, timeout: float) -> dict[str, Any]:
    clock = time.perf_counter()
    family = kernel.family_of(host)
    outcome, words = kernel.OPEN, ""
    try:
        with _socket(family) as sock:
            # Does not block, and asyncio's own looks the address up, which knows no such sockets.
            sock.connect((host, 0))
            await asyncio.wait_for(_exchange(sock, family, payload), timeout)
    except asyncio.TimeoutError:
        outcome, words = kernel.TIMED_OUT, f"no echo in {timeout:g} s"
    except OSError as error:
        outcome, words = kernel.outcome_of(error.errno or 0), kernel.words_of(error.errno or 0)
    return {
        "host": host,
        "outcome": outcome,
        "error": words,
        "microseconds": int((time.perf_counter() - clock) * 1e6),
    }


def _socket(family: int) -> socket.socket:
    protocol = IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    try:
        sock = socket.socket(family, socket.SOCK_DGRAM, protocol)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EPROTONOSUPPORT):
            raise RuntimeError(f"no ping sockets here: {kernel.words_of(error.errno)}") from None
        raise
    sock.setblocking(False)
    return sock


async def _exchange(sock: socket.socket, family: int, payload: int) -> None:
    loop, (request, reply) = asyncio.get_running_loop(), KINDS[socket.AddressFamily(family)]
    # Identifier and checksum are the kernel's; it hands over only what answers this socket.
    await loop.sock_sendall(sock, HEADER.pack(request, 0, 0, 0, 1) + b"n" * payload)
    while True:
        data = await loop.sock_recv(sock, 65535)
        if data[:1] == bytes([reply]) and len(data) == HEADER.size + payload:
            return
