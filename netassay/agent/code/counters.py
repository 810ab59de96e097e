"""Counters of the kernel that measurements are taken the difference of."""

from __future__ import annotations

import os
import time
from typing import Any

_KINDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_TCP = {"TcpExt": ("ListenDrops", "ListenOverflows", "TCPSynRetrans", "TCPTimeouts"), "Tcp": ("RetransSegs", "OutSegs")}


def counters() -> dict[str, Any]:
    """CPU seconds of the whole machine by kind, and packets, bytes and TCP events of this network namespace.

    `machine` is the same for all nodes that share a kernel. `at` is this machine's clock.
    """
    ticks = os.sysconf("SC_CLK_TCK")
    first = _lines("/proc/stat")[0].split()[1:]
    found: dict[str, Any] = {
        "at": time.time(),
        "machine": "".join(_lines("/proc/sys/kernel/random/boot_id")),
        "cores": os.cpu_count(),
        "cpu": {kind: int(value) / ticks for kind, value in zip(_KINDS, first)},
        "rx_bytes": 0,
        "tx_bytes": 0,
        "tcp": {},
    }
    for line in _lines("/proc/net/dev")[2:]:
        name, _, rest = line.partition(":")
        if name.strip() != "lo":
            values = rest.split()
            found["rx_bytes"] += int(values[0])
            found["tx_bytes"] += int(values[8])
    for path in ("/proc/net/snmp", "/proc/net/netstat"):
        lines = _lines(path)
        for names, numbers in zip(lines[::2], lines[1::2]):
            kind, _, keys = names.partition(":")
            pairs = dict(zip(keys.split(), numbers.partition(":")[2].split()))
            for key in _TCP.get(kind, ()):
                found["tcp"][key] = int(pairs.get(key, 0))
    tracked = _lines("/proc/sys/net/netfilter/nf_conntrack_count")
    found["tracked"] = int(tracked[0]) if tracked else None
    return found


def _lines(path: str) -> list[str]:
    try:
        with open(path) as file:  # noqa: PTH123 - pathlib would cost every pod its import
            return file.read().splitlines()
    except OSError:
        return []
