"""Links, addresses and routes: of the machine's one link to the lab, and of everything inside it."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Interface
from pathlib import Path
from socket import AF_INET, AF_INET6
from typing import TYPE_CHECKING, Any

from pyroute2 import IPRoute, netns
from pyroute2.netlink.exceptions import NetlinkError

from lab import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from ipaddress import IPv4Network, IPv6Interface, IPv6Network

BRIDGE = "vpc0"
# Far behind any route that the lab itself makes, yet before the machine's default route, which is less specific.
CONFINING_METRIC = 4_294_967
MAIN_TABLE = 254
# As Terway numbers them: by the interface's index.
SHARED_TABLES = 1000
NEIGHBOUR_PROXY = 8  # NTF_PROXY of linux/neighbour.h
# Addresses are the plan's, so nobody need ask around whether one is taken, which would keep it unusable for a second.
KERNEL_WITH_IPV6 = {
    "ipv6/conf/all/forwarding": 1,
    "ipv6/conf/all/accept_dad": 0,
    "ipv6/conf/default/accept_dad": 0,
    "ipv6/conf/all/disable_ipv6": 0,
    "ipv6/conf/default/disable_ipv6": 0,
}


def confine_machine() -> None:
    """Make the lab's ranges unreachable on the machine, so that a lab half up (or down) cannot leak to its uplink."""
    with IPRoute() as ip:
        for network in _confined():
            ip.route("replace", dst=str(network), type="unreachable", priority=CONFINING_METRIC)


def free_machine() -> None:
    """Undo `confine_machine`, and remove the machine's link if it is still there."""
    with IPRoute() as ip:
        for index in ip.link_lookup(ifname=plan.MACHINE_LINK):
            # It may go by itself meanwhile: its other end's namespace has just been left by its last process.
            with _gone(errno.ENODEV):
                ip.link("del", index=index)
        for network in _confined():
            with _gone(errno.ESRCH):
                ip.route("del", dst=str(network), type="unreachable", priority=CONFINING_METRIC)


@contextmanager
def _gone(code: int) -> Iterator[None]:
    """Be content if what is to be removed is not there, which the kernel says by this error."""
    try:
        yield
    except NetlinkError as error:
        if error.code != code:
            raise


def confined_routes() -> list[str]:
    """The lab's ranges that are unreachable on the machine right now."""
    with IPRoute() as ip:
        return sorted(
            f"{route.get_attr('RTA_DST')}/{route['dst_len']}"
            for family in (AF_INET, AF_INET6)
            for route in ip.get_routes(family=family, priority=CONFINING_METRIC)
        )


def _confined() -> list[IPv4Network | IPv6Network]:
    """What has to be kept from the machine's uplink; a machine without IPv6 sends none of it anywhere."""
    return [*plan.CONFINED, *(plan.CONFINED6 if Path("/proc/sys/net/ipv6").exists() else ())]


def link_machine(control_plane_pid: int) -> None:
    """Join the machine and the control plane's network namespace (of the process `control_plane_pid`) by a veth."""
    with IPRoute() as ip:
        ip.link(
            "add",
            ifname=plan.MACHINE_LINK,
            kind="veth",
            peer={"ifname": "machine", "net_ns_pid": control_plane_pid},
        )
        _bring_up(ip, plan.MACHINE_LINK, plan.MACHINE)
    inside(control_plane_pid, lambda ip: _bring_up(ip, "machine", plan.API_FROM_MACHINE))


def build_vpc(families: plan.Families) -> None:
    """Make the VPC's switch and router in this network namespace. Where it has no route to, it says so at once."""
    set_kernel({"ipv4/ip_forward": 1, **(KERNEL_WITH_IPV6 if families.ipv6 else {})}, Path("/proc/sys/net"))
    with IPRoute() as ip:
        _bring_up(ip, "lo", None)
        ip.link("add", ifname=BRIDGE, kind="bridge")
        _bring_up(ip, BRIDGE, plan.ROUTER)
        ip.route("add", family=AF_INET, dst="0.0.0.0/0", type="unreachable", priority=CONFINING_METRIC)
        if families.ipv6:
            _bring_up(ip, BRIDGE, plan.ROUTER6)
            ip.route("add", family=AF_INET6, dst="::/0", type="unreachable", priority=CONFINING_METRIC)


def plug_in(host: plan.Host, pid: int, families: plan.Families) -> None:
    """Give the network namespace of process `pid` its eth0 as `host`, on the switch or behind the router."""
    port = f"to-{host.name}"[:15]
    with IPRoute() as ip:
        ip.link("add", ifname=port, kind="veth", peer={"ifname": "eth0", "net_ns_pid": pid})
        if host.address.ip in plan.VPC:
            ip.link("set", index=_index(ip, port), master=_index(ip, BRIDGE))
            _bring_up(ip, port, None)
        else:
            _bring_up(ip, port, plan.OUTSIDE_GATEWAY)
            if families.ipv6:
                _bring_up(ip, port, plan.OUTSIDE_GATEWAY6)

    def configure(ip: Any) -> None:
        if families.ipv6:
            set_kernel(KERNEL_WITH_IPV6, Path("/proc/sys/net"))
        _bring_up(ip, "lo", None)
        _bring_up(ip, "eth0", host.address)
        ip.route("add", dst="default", gateway=str(host.gateway))
        if families.ipv6:
            _bring_up(ip, "eth0", host.address6)
            ip.route("add", family=AF_INET6, dst="::/0", gateway=str(host.gateway6))

    inside(pid, configure)


def add_shared_interfaces(node: plan.Host, pid: int) -> None:
    """Give a node the interfaces that its pods share, each with a slice of the vSwitch, as its cloud would.

    What pods send leaves by the interface whose slice their address is of (rule 2048), and what is sent to them is
    delivered by the main table (rule 512). Each interface answers for the addresses of its slice and for its own.
    """
    for name in plan.SHARED_INTERFACES:
        port = f"{name}-{node.name}"[:15]
        with IPRoute() as ip:
            ip.link("add", ifname=port, kind="veth", peer={"ifname": name, "net_ns_pid": pid})
            ip.link("set", index=_index(ip, port), master=_index(ip, BRIDGE))
            _bring_up(ip, port, None)

    def configure(ip: Any) -> None:
        for place, (name, own_slice) in enumerate(plan.slices(node.name).items()):
            primary = IPv4Interface((plan.SHARED_PRIMARIES[place * plan.MOST_NODES + plan.number_of(node.name)], 32))
            _bring_up(ip, name, primary)
            index = _index(ip, name)
            table = SHARED_TABLES + index
            ip.route("add", dst=str(plan.VPC), oif=index, scope="link", table=table)
            ip.route("add", dst="default", gateway=str(plan.ROUTER.ip), oif=index, table=table, flags=["onlink"])
            ip.rule("add", priority=512, dst=str(own_slice), table=MAIN_TABLE)
            ip.rule("add", priority=2048, src=str(own_slice), table=table)
            for address in own_slice.hosts():
                ip.neigh("add", dst=str(address), ifindex=index, flags=NEIGHBOUR_PROXY)

    inside(pid, configure)


def set_kernel(settings: dict[str, int], root: Path) -> None:
    """Write network `settings` ("ipv4/ip_forward": 1) below `root`, a /proc/sys/net, where they exist."""
    for name, value in settings.items():
        file = root / name
        if file.exists():
            file.write_text(str(value))


def inside(pid: int, work: Callable[[Any], None]) -> None:
    """Do `work` in the network namespace of process `pid`, in a thread that enters it and ends with the work.

    pyroute2's own NetNS forks instead: an error in its child goes up through the frames of whoever called, whose
    clean-up is then done twice, by two processes.
    """

    def enter_and_work() -> None:
        netns.setns(f"/proc/{pid}/ns/net")
        with IPRoute() as ip:
            work(ip)

    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(enter_and_work).result()


def _index(ip: Any, name: str) -> int:
    found: list[int] = ip.link_lookup(ifname=name)
    return found[0]


def _bring_up(ip: Any, name: str, address: IPv4Interface | IPv6Interface | None) -> None:
    index = _index(ip, name)
    if address is not None:
        ip.addr("add", index=index, address=str(address.ip), prefixlen=address.network.prefixlen)
    ip.link("set", index=index, state="up")
