"""How many routers there are on the way to somebody who answers datagrams: the time to live says how many it passes."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from . import kernel

TRIES = 2


async def hops(command: dict[str, Any]) -> int | None:
    """The fewest routers that a datagram to `host`:`port` must be able to pass to be answered; None if above `most`.

    Each one waits `timeout` seconds for its answer, and is sent again once.
    """
    for passed in range(command["most"] + 1):
        for _ in range(TRIES):
            if await _answered(command["host"], command["port"], passed + 1, command["timeout"]):
                return passed
    return None


async def _answered(host: str, port: int, time_to_live: int, timeout: float) -> bool:
    v6 = kernel.family_of(host) == socket.AF_INET6
    option = (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) if v6 else (socket.IPPROTO_IP, socket.IP_TTL)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(*option, time_to_live)
        try:
            await loop.sock_connect(sock, (host, port))
            await loop.sock_sendall(sock, b"hops")
            await asyncio.wait_for(loop.sock_recv(sock, 65535), timeout)
        except (OSError, asyncio.TimeoutError):
            # A router may say that the time to live was exceeded; whoever says nothing is told by the time.
            return False
    return True
