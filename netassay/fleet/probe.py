"""A probe: something that runs the agent, from where attempts are made."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from ipaddress import ip_interface
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from netassay.cluster.loop import LoopThread
from netassay.disruption.recorded import Watched
from netassay.errors import HarnessFault
from netassay.families import Addressed
from netassay.fleet.answers import (
    Answer,
    Counters,
    Echo,
    Interface,
    Lookup,
    Neighbour,
    Question,
    ResolvConf,
    Route,
    Series,
)
from netassay.fleet.channel import ChildChannel
from netassay.fleet.path_mtu import largest_packet
from netassay.fleet.ports import PROBE_PORTS
from netassay.fleet.recordings import Recorder
from netassay.fleet.session import Session
from netassay.fleet.web import fetch_all
from netassay.observation import Attempt, Observation, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Self

    from netassay.disruption.recorded import Recorded
    from netassay.fleet.channel import Channel
    from netassay.fleet.web import Request, Response

CALL_SECONDS = 20.0
FLOW_SECONDS = 600.0
FLOW_TIMEOUT = 1.0
CONCURRENCY = 64
HOPS_TIMEOUT = 1.0


class Probe(Addressed):
    """One agent and the stream that drives it.

    `address` is its first address and `addresses` all of them; `node` the node it runs on; `ports` what it serves, by
    name. Attempts never raise for what the network does: each ends as one observation. What is not an attempt raises
    HarnessFault if the probe cannot be reached.
    """

    def __init__(
        self,
        loop: LoopThread,
        make: Callable[[], Channel],
        *,
        name: str,
        namespace: str = "",
        node: str = "",
        addresses: tuple[str, ...] = (),
        host_network: bool = False,
        ports: Mapping[str, int] = PROBE_PORTS,
    ) -> None:
        """`make` gives a new channel to this probe's agent."""
        self.name, self.namespace, self.node = name, namespace, node
        self.addresses, self.host_network, self.ports = addresses, host_network, ports
        self.observer: Callable[[Sequence[Observation]], None] | None = None
        self.loop = loop
        self._make = make
        self.session = Session(name, make)
        self._nameserver = ""

    def __repr__(self) -> str:
        """As in `probe-1 (node-1, 10.0.1.2)`."""
        return f"{self.name} ({', '.join(part for part in (self.node, self.address) if part)})"

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """Under which of its addresses others may see it where nobody translates: with the node's network, any link's.

        Asks the agent where that has the node's network. Nobody sees another's loopback address.
        """
        if not self.host_network:
            return self.addresses
        links = [ip_interface(address).ip for link in self.interfaces() for address in link.addresses]
        return tuple(dict.fromkeys([*self.addresses, *(str(ip) for ip in links if not ip.is_loopback)]))

    @property
    def lost(self) -> str:
        """Why this probe can be used no more, "" while it can."""
        return self.session.lost

    def renew(self) -> None:
        """Give up the stream, also one that is lost for good, and open a new one at the next call.

        For who knows why it was lost, as when the API server was restarted.
        """
        self.loop.run(self.session.close())
        self.session = Session(self.name, self._make)

    def attempt(self, attempts: Sequence[Attempt], *, concurrency: int = CONCURRENCY) -> list[Observation]:
        """Make the attempts, at most `concurrency` at once: one observation for each, in the same order."""
        return make_attempts({self: attempts}, concurrency=concurrency)[self]

    async def gather(self, attempts: Sequence[Attempt], *, concurrency: int, after: float = 0.0) -> list[Observation]:
        """As `attempt`, on this probe's event loop, `after` so many seconds, and without telling the observer."""
        if after:
            await asyncio.sleep(after)
        wanted = [
            [a.protocol, a.host, a.port, a.timeout, a.payload, a.dont_fragment, a.source_port, a.path, a.host_header]
            for a in attempts
        ]
        seen = await self.session.attempts(wanted, concurrency)
        return [self._observation(attempt, seen.rows.get(i), seen.missing) for i, attempt in enumerate(attempts)]

    def tcp(self, host: str, port: int, **options: Any) -> Observation:
        """One TCP connection; `options` are fields of Attempt."""
        return self.attempt([Attempt(protocol=Protocol.TCP, host=host, port=port, **options)])[0]

    def udp(self, host: str, port: int, **options: Any) -> Observation:
        """One UDP exchange; `options` are fields of Attempt."""
        return self.attempt([Attempt(protocol=Protocol.UDP, host=host, port=port, **options)])[0]

    def http(self, host: str, port: int, **options: Any) -> Observation:
        """One HTTP request; `options` are fields of Attempt.

        Any HTTP answer is OPEN; a status other than 2xx is in `error`.
        """
        return self.attempt([Attempt(protocol=Protocol.HTTP, host=host, port=port, **options)])[0]

    def fetch(self, requests: Sequence[Request]) -> list[Response]:
        """Make web requests: one response for each, in the same order. HarnessFault if the probe cannot be reached."""
        return fetch_all({self: requests})[self]

    def resolve(
        self,
        name: str,
        rtype: str = "A",
        *,
        server: str | None = None,
        port: int = 53,
        protocol: Literal["udp", "tcp"] = "udp",
        edns: int = 0,
        timeout: float = 2.0,
    ) -> Answer:
        """One DNS query for the absolute `name`, without retry or search list.

        `server` is by default the pod's first name server. For `rtype` "PTR", `name` may be an address. `edns` says
        that datagrams of so many bytes can be taken. What the network does is in the answer's `outcome`; HarnessFault
        if the probe cannot be reached.
        """
        question = {"name": name, "rtype": rtype, "protocol": protocol}
        server = server or self._first_nameserver()
        asked = {**question, "server": server, "port": port, "edns": edns, "timeout": timeout}
        value = self._call("resolve", timeout + CALL_SECONDS, **asked)
        return msgspec.convert({**value, **question}, Answer)

    def lookup(self, name: str, *, timeout: float = 5.0) -> Lookup:
        """What the C library's resolver makes of `name`, with the search list in force."""
        value = self._call("lookup", timeout + CALL_SECONDS, name=name, timeout=timeout)
        return msgspec.convert({**value, "name": name}, Lookup)

    def resolve_steadily(self, name: str, *, count: int, rate: float, timeout: float) -> Series:
        """Ask the pod's first name server for `name` so many times, `rate` times a second, each time once."""
        server = self._first_nameserver()
        question = {"name": name, "rtype": "A", "protocol": "udp", "server": server, "port": 53, "timeout": timeout}
        return self._steadily("resolve-steadily", question, count, rate)

    def lookup_steadily(self, name: str, *, count: int, rate: float, timeout: float) -> Series:
        """Have the C library look up `name` so many times, `rate` times a second."""
        return self._steadily("lookup-steadily", {"name": name, "timeout": timeout}, count, rate)

    def _steadily(self, do: str, question: dict[str, Any], count: int, rate: float) -> Series:
        deadline = count / rate + question["timeout"] + CALL_SECONDS
        return msgspec.convert(self._call(do, deadline, question=question, count=count, rate=rate), Series)

    def echo(self, hosts: Sequence[str], *, payload: int = 56, timeout: float = 2.0) -> list[Echo]:
        """One ICMP echo request to each of these addresses, all at once.

        HarnessFault if the probe has no ping sockets.
        """
        value = self._call("echo", timeout + CALL_SECONDS, hosts=list(hosts), payload=payload, timeout=timeout)
        return msgspec.convert(value, list[Echo])

    def questions(self, port: int) -> list[Question]:
        """What the name server that this probe has on `port` was asked so far, in order."""
        return msgspec.convert(self.control({"do": "asked", "port": port}), list[Question])

    @contextlib.contextmanager
    def listen(self, protocol: Literal["tcp", "udp", "sctp", "dns"], port: int) -> Iterator[int]:
        """A further listener on this probe, for as long as held; "dns" is a name server that knows no name.

        The port, which the kernel chooses if 0 was asked for.
        """
        taken = int(self.control({"do": "listen", "protocol": protocol, "port": port}))
        try:
            yield taken
        finally:
            self.control({"do": "unlisten", "protocol": protocol, "port": taken})

    @contextlib.contextmanager
    def flow(
        self, protocol: Protocol, host: str, port: int, *, interval: float = 0.05, seconds: float = FLOW_SECONDS
    ) -> Iterator[Callable[[], Recorded]]:
        """A kept flow that asks something every `interval` seconds, for at most `seconds`.

        Call what is given for its recording, which ends it.
        """
        flow = Watched(
            source=self.name,
            source_node=self.node,
            target=host,
            protocol=protocol,
            host=host,
            port=port,
            kept=True,
            interval=interval,
            timeout=FLOW_TIMEOUT,
        )
        recorder = Recorder()
        recorder.begin([(self, flow)], seconds=seconds)
        try:
            yield lambda: recorder.finish()[0]
        finally:
            recorder.forget()

    def control(self, command: dict[str, Any]) -> Any:
        """Have the probe's serving process carry out a command, such as `{"do": "ready", "value": False}`.

        Its value.
        """
        return self._call("control", CALL_SECONDS, command=command)

    def interfaces(self) -> tuple[Interface, ...]:
        """The links of the probe's network namespace: the node's own for a probe with the host's network."""
        return msgspec.convert(self._facts("interfaces"), tuple[Interface, ...])

    def routes(self) -> tuple[Route, ...]:
        """The main routing table."""
        return msgspec.convert(self._facts("routes"), tuple[Route, ...])

    def neighbours(self) -> tuple[Neighbour, ...]:
        """The ARP and NDP tables."""
        return msgspec.convert(self._facts("neighbours"), tuple[Neighbour, ...])

    def resolv_conf(self) -> ResolvConf:
        """The resolver's settings."""
        return msgspec.convert(self._facts("resolv_conf"), ResolvConf)

    def entries(self, path: str) -> tuple[str, ...]:
        """The names in a folder of the probe's own container. HarnessFault if it can't be read."""
        return tuple(self._call("facts", CALL_SECONDS, what="entries", path=path))

    def link_mtu(self) -> int:
        """MTU in bytes of the interface of the default route, 0 if there is no link but loopback."""
        return int(self._facts("link_mtu"))

    def counters(self) -> Counters:
        """What the machine and this network namespace have counted so far."""
        return msgspec.convert(self._facts("counters"), Counters)

    def has_sctp(self) -> bool:
        """Whether the kernel speaks SCTP now; looking does not have it load the module."""
        return bool(self._facts("has_sctp"))

    def programs(self) -> dict[str, int]:
        """How many eBPF programs each link of the probe's network namespace has, by the link's name.

        HarnessFault if the kernel does not tell: it wants the capabilities BPF and NET_ADMIN.
        """
        return msgspec.convert(self._facts("programs"), dict[str, int])

    def hops(self, host: str, port: int, *, most: int) -> int:
        """Routers on the way to the agent that answers UDP at `host`, as far as they count; 0 if none does.

        HarnessFault if nothing is answered with a time to live that passes `most` routers.
        """
        value = self._call(
            "hops", HOPS_TIMEOUT * (most + 1) + CALL_SECONDS, host=host, port=port, most=most, timeout=HOPS_TIMEOUT
        )
        if value is None:
            raise HarnessFault(f"{self!r}: {host}:{port} answered no datagram that may pass {most} routers")
        return int(value)

    def path_mtu(self, host: str, port: int, *, ceiling: int) -> int:
        """Bytes of the largest IP packet, up to `ceiling`, that the agent at `host` answers if it must stay whole.

        0 if not even the smallest is answered; HarnessFault if attempts had no verdict.
        """
        return largest_packet(self, host, port, ceiling=ceiling)

    def close(self) -> None:
        """End the stream of this process to the probe; the probe itself stays."""
        self.loop.run(self.session.close())

    def _facts(self, what: str) -> Any:
        return self._call("facts", CALL_SECONDS, what=what)

    def _call(self, do: str, deadline: float, **arguments: Any) -> Any:
        return self.loop.run(self.session.call(do, deadline, **arguments))

    def _first_nameserver(self) -> str:
        if not self._nameserver:
            servers = self.resolv_conf().nameservers
            if not servers:
                raise HarnessFault(f"probe {self.name}: its resolv.conf names no server; say which one to ask")
            self._nameserver = servers[0]
        return self._nameserver

    def _observation(self, attempt: Attempt, row: list[Any] | None, missing: str) -> Observation:
        if row is None:
            return Observation(
                source=self.name,
                source_node=self.node,
                attempt=attempt,
                outcome=Outcome.NO_VERDICT,
                error=f"probe {self.name}: {missing or 'its agent said nothing of this attempt'}",
            )
        return Observation(
            source=self.name,
            source_node=self.node,
            attempt=attempt,
            outcome=Outcome(row[1]),
            microseconds=row[2],
            started=row[3],
            answered_by=row[4],
            local_address=row[5],
            local_port=row[6],
            seen_address=row[7],
            seen_port=row[8],
            received=row[9],
            errno=row[10],
            error=row[11],
        )


class LocalProbe(Probe):
    """An agent that a command of this machine starts, such as the lab's outside host: same methods, no pod."""

    def __init__(
        self,
        argv: Sequence[str],
        name: str,
        node: str = "",
        addresses: Sequence[str] = (),
        ports: Mapping[str, int] = PROBE_PORTS,
    ) -> None:
        """`argv` runs `agent.pyz drive`; `addresses` are where others reach it, if anywhere."""
        loop, known = LoopThread(f"netassay-{name}"), tuple(addresses)
        super().__init__(loop, lambda: ChildChannel(argv), name=name, node=node, addresses=known, ports=ports)

    def close(self) -> None:
        """End the agent. Harmless when repeated."""
        if not self.loop.closed:
            super().close()
            self.loop.close()

    def __enter__(self) -> Self:
        """The probe; leaving closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def make_attempts(
    work: Mapping[Probe, Sequence[Attempt]], *, concurrency: int = CONCURRENCY
) -> dict[Probe, list[Observation]]:
    """Have all probes make their attempts at the same time, each at most `concurrency` at once."""
    return make_rounds([work], concurrency=concurrency)[0]


def make_rounds(
    rounds: Sequence[Mapping[Probe, Sequence[Attempt]]], *, apart: float = 0.0, concurrency: int = CONCURRENCY
) -> list[dict[Probe, list[Observation]]]:
    """As `make_attempts`, for rounds that begin `apart` seconds one after the other, ended or not."""
    running = [
        {
            probe: probe.loop.start(probe.gather(attempts, concurrency=concurrency, after=number * apart))
            for probe, attempts in work.items()
        }
        for number, work in enumerate(rounds)
    ]
    try:
        found = [{probe: future.result() for probe, future in futures.items()} for futures in running]
    except BaseException:
        for futures in running:
            for future in futures.values():
                future.cancel()
        raise
    for probe, observations in itertools.chain.from_iterable(seen.items() for seen in found):
        if probe.observer is not None and observations:
            probe.observer(observations)
    return found
