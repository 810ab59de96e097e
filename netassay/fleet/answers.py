"""What probes bring back besides observations."""

from __future__ import annotations

import msgspec

from netassay.observation import Outcome


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One DNS query's answer.

    `outcome` is OPEN if any response came, whatever its code. `records` are the rdata, as text, of the type that was
    asked for; `aliases` the CNAMEs passed on the way; `ttl` the lowest of them in seconds; `flags` as in "QR AA TC RD
    RA". `asked` is the question as the server repeated it; `authority` the names and types of that section, as in
    "example. SOA"; `edns` the datagram size in bytes that the server says to take, 0 without EDNS; `size` is the
    response's, in bytes.
    """

    name: str
    rtype: str
    protocol: str
    server: str
    outcome: Outcome
    rcode: str = ""
    records: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ttl: int = 0
    flags: tuple[str, ...] = ()
    asked: str = ""
    authority: tuple[str, ...] = ()
    edns: int = 0
    size: int = 0
    microseconds: int = 0
    started: float = 0.0
    error: str = ""

    @property
    def truncated(self) -> bool:
        """Whether the server asked for the question to be repeated over TCP."""
        return "TC" in self.flags

    def describe(self) -> str:
        """One line: question, server, and what came of it."""
        question = f"{self.name} {self.rtype} of {self.server} over {self.protocol}"
        if self.outcome is not Outcome.OPEN:
            return f"{question}: {self.outcome} ({self.error}) after {self.microseconds / 1000:.1f} ms"
        found = ", ".join(self.records) or "no records"
        cut = " (truncated)" if self.truncated else ""
        return f"{question}: {self.rcode}, {found}{cut}, after {self.microseconds / 1000:.1f} ms"


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """What the C library's resolver made of a name, with the search list and options in force in the pod."""

    name: str
    outcome: Outcome
    addresses: tuple[str, ...] = ()
    canonical: str = ""
    microseconds: int = 0
    error: str = ""


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """What became of one of many questions; `error` also holds a code other than NOERROR."""

    outcome: Outcome
    microseconds: int
    error: str


class Series(msgspec.Struct, frozen=True):
    """What became of many questions; `stood_still` is for how many seconds at most the probe itself was halted."""

    rows: tuple[Asked, ...]
    stood_still: float = 0.0


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a name server of the harness was asked; `client` and `port` are the asker's, as the server saw them."""

    name: str
    rtype: str
    client: str
    port: int


class Echo(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an ICMP echo request to `host`."""

    host: str
    outcome: Outcome
    microseconds: int = 0
    error: str = ""


class Interface(msgspec.Struct, frozen=True, kw_only=True):
    """A network link: MTU in bytes, addresses with prefix length.

    `kind` is as the kernel's driver calls it ("vxlan", "bridge"), "" for veth and whatever else has none. `peer_index`
    is that of a veth's other end or of the parent. `sent` are packets since the link was made.
    """

    name: str
    index: int
    peer_index: int
    mtu: int
    mac: str
    state: str
    addresses: tuple[str, ...] = ()
    kind: str = ""
    sent: int = 0


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A route of the main table; `via` is "" for one on the link."""

    to: str
    via: str
    interface: str
    metric: int


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the ARP or NDP table; `state` as in "reachable", "stale", "failed", "permanent"."""

    address: str
    mac: str
    interface: str
    state: str


class ResolvConf(msgspec.Struct, frozen=True, kw_only=True):
    """The resolver's settings in the pod."""

    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """Counters since a machine's start, to take differences of.

    `at` is the machine's clock; `machine` is the same for nodes that share a kernel; `cpu` is in seconds of one core,
    by kind, of the whole machine; the rest is of the probe's network namespace. `tracked` is how many connections are
    tracked now, None where that can't be read.
    """

    at: float
    machine: str
    cores: int
    cpu: dict[str, float]
    rx_bytes: int
    tx_bytes: int
    tcp: dict[str, int]
    tracked: int | None = None
