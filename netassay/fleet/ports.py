"""The ports that probes serve, by the names that their pods give them."""

from __future__ import annotations

import zlib
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netassay.observation import Transport

PROBE_PORTS: Mapping[str, int] = MappingProxyType(
    {"tcp": 8080, "tcp2": 8081, "http": 8000, "udp": 8080, "udp2": 8081, "sctp": 8080}
)
"""What a probe in a network of its own serves: port numbers by container port name.

`tcp*` and `http` are TCP, `udp*` UDP; `sctp` is served where the kernel has SCTP.
"""

# Under the node ports and the ports that kernels give to clients, which both begin at 30000 or above.
_FIRST_HOST_PORT = 21_000
_HOST_RANGES = 1000
_SPARE_PORTS = 3000


def host_ports(run_id: str) -> Mapping[str, int]:
    """What this run's probes serve in their nodes' own network: not the much used 8080, nor the ports of other runs."""
    first = _FIRST_HOST_PORT + zlib.crc32(run_id.encode()) % _HOST_RANGES * len(PROBE_PORTS)
    return MappingProxyType({name: first + index for index, name in enumerate(PROBE_PORTS)})


def spare_port(run_id: str) -> int:
    """Give a port of the nodes' addresses that nothing listens on, and that no other run is likely to use."""
    first = _FIRST_HOST_PORT + _HOST_RANGES * len(PROBE_PORTS)
    return first + zlib.crc32(run_id.encode()) % _SPARE_PORTS


def transport(name: str) -> Transport:
    """The transport of a named port."""
    return "UDP" if name.startswith("udp") else "SCTP" if name == "sctp" else "TCP"
