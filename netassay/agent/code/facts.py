"""What /proc and /sys of the probe's network namespace say, as evidence."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
from typing import Any, Callable

from .counters import counters
from .kernel import has_sctp
from .neighbours import neighbours
from .programs import programs

_RTF_UP = 1
_RTF_GATEWAY = 2
_ROUTE_COLUMNS = 8

# Tunnels over IP have no name of their own in sysfs, but the hardware type of include/uapi/linux/if_arp.h.
_KIND_BY_TYPE = {"768": "ipip", "769": "ip6tnl", "776": "sit", "778": "gre", "823": "ip6gre"}


def _lines(path: str) -> list[str]:
    with contextlib.suppress(OSError), open(path) as file:  # noqa: PTH123 - pathlib would cost every pod its import
        return file.read().splitlines()
    return []


def _v4(word: str) -> str:
    return socket.inet_ntoa(struct.pack("=I", int(word, 16)))


def _v6(word: str) -> str:
    return str(ipaddress.IPv6Address(int(word, 16)))


def interfaces() -> list[dict[str, Any]]:
    """Every link: name, kind, index, MTU, MAC, state, index of peer or parent, packets sent, addresses with prefix."""
    addresses: dict[str, list[str]] = {}
    for line in _lines("/proc/net/if_inet6"):
        word, _, length, _, _, name = line.split()
        addresses.setdefault(name, []).append(f"{_v6(word)}/{int(length, 16)}")
    found = []
    for name in sorted(os.listdir("/sys/class/net")):  # noqa: PTH208
        read = {
            key: "".join(_lines(f"/sys/class/net/{name}/{key}"))
            for key in ("mtu", "address", "operstate", "ifindex", "iflink", "statistics/tx_packets")
        }
        if not read["mtu"]:
            # Files such as bonding_masters, and links that went away while we were looking.
            continue
        found.append(
            {
                "name": name,
                "kind": _kind(name),
                "index": int(read["ifindex"]),
                "peer_index": int(read["iflink"]),
                "mtu": int(read["mtu"]),
                "mac": read["address"],
                "state": read["operstate"],
                "sent": int(read["statistics/tx_packets"] or 0),
                "addresses": _v4_addresses(name) + addresses.get(name, []),
            }
        )
    return found


def _kind(name: str) -> str:
    """The kind of a link as the kernel's driver calls it, such as vxlan or bridge; "" for those that have none."""
    said = (line.partition("=") for line in _lines(f"/sys/class/net/{name}/uevent"))
    named = next((value for key, _, value in said if key == "DEVTYPE"), "")
    return named or _KIND_BY_TYPE.get("".join(_lines(f"/sys/class/net/{name}/type")), "")


def _v4_addresses(name: str) -> list[str]:
    import fcntl  # noqa: PLC0415 - for those who ask only

    siocgifaddr, siocgifnetmask = 0x8915, 0x891B
    request = struct.pack("256s", name.encode()[:15])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            address = socket.inet_ntoa(fcntl.ioctl(sock, siocgifaddr, request)[20:24])
            mask = socket.inet_ntoa(fcntl.ioctl(sock, siocgifnetmask, request)[20:24])
        except OSError:
            # A link without an IPv4 address.
            return []
    return [ipaddress.IPv4Interface(f"{address}/{mask}").with_prefixlen]


def routes() -> list[dict[str, Any]]:
    """The main table's routes: destination, gateway ("" if on the link), interface, metric."""
    found = []
    for line in _lines("/proc/net/route")[1:]:
        name, destination, gateway, flags, _, _, metric, mask = line.split()[:_ROUTE_COLUMNS]
        if int(flags, 16) & _RTF_UP:
            network = ipaddress.IPv4Network(f"{_v4(destination)}/{_v4(mask)}")
            via = _v4(gateway) if int(flags, 16) & _RTF_GATEWAY else ""
            found.append({"to": str(network), "via": via, "interface": name, "metric": int(metric)})
    for line in _lines("/proc/net/ipv6_route"):
        word, length, _, _, gateway, metric, _, _, flags, name = line.split()
        if int(flags, 16) & _RTF_UP and name != "lo":
            via = _v6(gateway) if int(flags, 16) & _RTF_GATEWAY else ""
            found.append(
                {"to": f"{_v6(word)}/{int(length, 16)}", "via": via, "interface": name, "metric": int(metric, 16)}
            )
    return found


def entries(path: str) -> list[str]:
    """Names of what is in the folder `path`, sorted. Raises RuntimeError if it can't be read."""
    try:
        return sorted(os.listdir(path))  # noqa: PTH208 - pathlib would cost every pod its import
    except OSError as error:
        raise RuntimeError(f"{path} can't be read: {error.strerror}") from None


def resolv_conf() -> dict[str, Any]:
    """The resolver's settings: name servers, search list and options, in the order in which they apply."""
    found: dict[str, Any] = {"nameservers": [], "search": [], "options": []}
    for line in _lines("/etc/resolv.conf"):
        words = line.split("#")[0].split(";")[0].split()
        if not words:
            continue
        if words[0] == "nameserver":
            found["nameservers"] += words[1:2]
        elif words[0] in ("search", "domain"):
            # The last one wins, as in the C library.
            found["search"] = words[1:]
        elif words[0] == "options":
            found["options"] += words[1:]
    return found


def link_mtu() -> int:
    """MTU in bytes of the default route's interface.

    Without one, the smallest of all but loopback; 0 if there is none.
    """
    default = next((route["interface"] for route in routes() if route["to"] in ("0.0.0.0/0", "::/0")), None)
    found = [
        link["mtu"] for link in interfaces() if link["name"] == default or (default is None and link["name"] != "lo")
    ]
    return min(found, default=0)


READINGS: dict[str, Callable[[], Any]] = {
    "interfaces": interfaces,
    "counters": counters,
    "routes": routes,
    "neighbours": neighbours,
    "resolv_conf": resolv_conf,
    "link_mtu": link_mtu,
    "has_sctp": has_sctp,
    "programs": programs,
}
