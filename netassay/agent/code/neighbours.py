"""The kernel's neighbour table (ARP and NDP), by netlink: /proc shows neither IPv6 nor the state of an entry."""

from __future__ import annotations

import socket
import struct
from typing import Any

from .netlink import attributes, dump

RTM_NEWNEIGH, RTM_GETNEIGH = 28, 30
NDA_DST, NDA_LLADDR = 1, 2
NEIGHBOUR_HEADER = struct.Struct("=BxxxiHBB")

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
    everything = NEIGHBOUR_HEADER.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    for message in dump(RTM_GETNEIGH, RTM_NEWNEIGH, everything, "its neighbours"):
        family, index, state, _, _ = NEIGHBOUR_HEADER.unpack_from(message)
        told = dict(attributes(message[NEIGHBOUR_HEADER.size :]))
        # The bridges' tables come along: they know MACs without addresses.
        if family in (socket.AF_INET, socket.AF_INET6) and NDA_DST in told:
            found.append(
                {
                    "address": socket.inet_ntop(family, told[NDA_DST]),
                    "mac": told.get(NDA_LLADDR, b"").hex(":"),
                    "interface": names.get(index, str(index)),
                    "state": _STATES.get(state, "none"),
                }
            )
    return found
