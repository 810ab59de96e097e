"""The kernel's neighbour table (ARP and NDP), by netlink: /proc shows neither IPv6 nor the state of an entry."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

RTM_NEWNEIGH, RTM_GETNEIGH = 28, 30
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST_DUMP = 0x301
NDA_DST, NDA_LLADDR = 1, 2
NETLINK_ROUTE = 0
NEIGHBOUR_HEADER = struct.Struct("=BxxxiHBB")
MESSAGE_HEADER = struct.Struct("=IHHII")
ATTRIBUTE_HEADER = struct.Struct("=HH")
PART = 64 * 1024

_STATES = {
    0x01: "incomplete",
    0x02: "reachable",
    0x04: "stale",
    0x08: "delay",
    0x10: "probe",
    0x20: "failed",
    0x40: "noarp",
    0x80: "permanent",
}


def neighbours() -> list[dict[str, Any]]:
    """Every entry: address, MAC ("" if it is not known), interface, and state, as `ip neighbour` names it."""
    names = dict(socket.if_nameindex())
    found = []
    for message in _dump():
        family, index, state, _, _ = NEIGHBOUR_HEADER.unpack_from(message)
        attributes = dict(_attributes(message[NEIGHBOUR_HEADER.size :]))
        # The bridges' tables come along: they know MACs without addresses.
        if family in (socket.AF_INET, socket.AF_INET6) and NDA_DST in attributes:
            found.append(
                {
                    "address": socket.inet_ntop(family, attributes[NDA_DST]),
                    "mac": attributes.get(NDA_LLADDR, b"").hex(":"),
                    "interface": names.get(index, str(index)),
                    "state": _STATES.get(state, "none"),
                }
            )
    return found


def _dump() -> Iterator[bytes]:
    """The bodies of the kernel's answers. Raises RuntimeError if it refuses."""
    asked = MESSAGE_HEADER.pack(MESSAGE_HEADER.size + NEIGHBOUR_HEADER.size, RTM_GETNEIGH, NLM_F_REQUEST_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE) as sock:
        sock.settimeout(5)
        sock.send(asked + NEIGHBOUR_HEADER.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
        while True:
            part = sock.recv(PART)
            while part:
                length, kind, _, _, _ = MESSAGE_HEADER.unpack_from(part)
                body = part[MESSAGE_HEADER.size : length]
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    (number,) = struct.unpack_from("=i", body)
                    raise RuntimeError(f"the kernel does not tell its neighbours: {os.strerror(-number)}")
                if kind == RTM_NEWNEIGH:
                    yield body
                part = part[_aligned(length) :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= ATTRIBUTE_HEADER.size:
        length, kind = ATTRIBUTE_HEADER.unpack_from(data)
        yield kind, data[ATTRIBUTE_HEADER.size : length]
        data = data[_aligned(length) :]


def _aligned(length: int) -> int:
    return (length + 3) & ~3
