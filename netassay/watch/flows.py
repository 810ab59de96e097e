"""Which flows are watched: over each kind of path, from every node, and from outside where something is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from netassay.disruption import Watched
from netassay.observation import USUAL_PROTOCOLS, Attempt, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from netassay.fleet import Probe
    from netassay.watch.stage import Stage

INTERVAL: Final = 0.01
"""Seconds between two new connections of a stream over TCP. Other streams have half as many: what TCP sees, they see as
well, and each new UDP flow stays in the nodes' connection tracking for half a minute."""

KEPT_INTERVAL: Final = 0.05
"""Seconds between two questions on a kept connection. What becomes of it shows at any beat; how long new connections
fail, the streams tell."""

PATHS: Final = ("pods", "service", "dns", "egress", "nodeport", "ingress")
"""What can be chosen to be watched."""

TIMEOUT: Final = 0.9
"""Less than the second after which TCP sends a lost SYN again, so that it shows (RFC 6298)."""

EAST_WEST: Final = "east-west"
NORTH_SOUTH: Final = "north-south"
OUTSIDE: Final = "outside"
"""Where the source is that is on no node."""

NAME: Final = "kubernetes.default.svc.cluster.local"
HTTP_PORT: Final = 80


class Line(NamedTuple):
    """A flow to be watched. `at` is its source's node, or `OUTSIDE`; `to` the node of the source that it leads to."""

    at: str
    path: str
    way: str
    flow: Watched
    to: str = ""

    @property
    def attempt(self) -> Attempt:
        """One attempt as the flow makes them."""
        flow = self.flow
        return Attempt(
            protocol=flow.protocol, host=flow.host, port=flow.port, timeout=3.0, host_header=flow.host_header
        )


class Ends(NamedTuple):
    """Between what flows are watched: `nodes` are addresses by name, `far` is the address of a host outside."""

    stage: Stage
    nodes: Mapping[str, str]
    outside: Probe | None
    far: str
    dns: str
    domain_name: str = NAME


def lines(ends: Ends, *, interval: float = INTERVAL, paths: Collection[str] = PATHS) -> list[Line]:
    """All flows that are watched between these ends, over these paths."""
    return [line for line in (*_from_nodes(ends, interval), *_from_outside(ends, interval)) if line.path in paths]


def to_next_node(sources: Mapping[str, Probe], node: str, interval: float) -> Iterator[Line]:
    """The flows from a node's source to that of the next node, so that each is source and target."""
    names = sorted(sources)
    other = names[(names.index(node) + 1) % len(names)]
    if other == node:
        return
    source, target = sources[node], sources[other]
    for protocol in (Protocol.TCP, Protocol.UDP):
        for kept in (False, True):
            to = (f"pod on {other}", target.address, target.ports[str(protocol)])
            flow = _flow(source, to, protocol, 2 * interval, kept=kept)
            yield Line(node, "pods", EAST_WEST, flow, to=other)


def _from_nodes(ends: Ends, interval: float) -> Iterator[Line]:
    stage = ends.stage
    for node, source in sorted(stage.sources.items()):
        yield from to_next_node(stage.sources, node, interval)
        for protocol in USUAL_PROTOCOLS:
            to = ("Service", stage.cluster_ip, source.ports[str(protocol)])
            yield from _both(node, source, "service", EAST_WEST, to, protocol, interval)
        if ends.dns:
            flow = _flow(source, ("cluster DNS", ends.dns, 53), Protocol.DNS, 2 * interval, host=ends.domain_name)
            yield Line(node, "dns", EAST_WEST, flow)
        if ends.far:
            to = ("a host outside", ends.far, source.ports["tcp"])
            yield from _both(node, source, "egress", NORTH_SOUTH, to, Protocol.TCP, 2 * interval)


def _from_outside(ends: Ends, interval: float) -> Iterator[Line]:
    stage, source = ends.stage, ends.outside
    if source is not None:
        for node, address in sorted(ends.nodes.items()):
            for protocol in (Protocol.TCP, Protocol.UDP):
                to = (f"NodePort of {node}", address, stage.node_port(str(protocol)))
                yield from _both(OUTSIDE, source, "nodeport", NORTH_SOUTH, to, protocol, interval)
    if stage.ingress_address:
        # Without anything outside, a pod asks: what is behind the controller's address is watched all the same.
        at, asker = (OUTSIDE, source) if source is not None else min(stage.sources.items())
        to = (f"Ingress {stage.ingress_class}", stage.ingress_address, HTTP_PORT)
        for kept in (False, True):
            flow = _flow(asker, to, Protocol.HTTP, 2 * interval, kept=kept, host=stage.host)
            yield Line(at, "ingress", NORTH_SOUTH, flow)


def _both(
    at: str, source: Probe, path: str, way: str, to: tuple[str, str, int], protocol: Protocol, interval: float
) -> Iterator[Line]:
    """Give a stream of new connections and a kept flow."""
    beat = interval if protocol is Protocol.TCP else 2 * interval
    for kept in (False, True):
        yield Line(at, path, way, _flow(source, to, protocol, beat, kept=kept))


def _flow(
    source: Probe, to: tuple[str, str, int], protocol: Protocol, beat: float, *, kept: bool = False, host: str = ""
) -> Watched:
    target, address, port = to
    return Watched(
        source=source.name,
        source_node=source.node,
        target=target,
        protocol=protocol,
        host=address,
        port=port,
        kept=kept,
        interval=max(KEPT_INTERVAL, beat) if kept else beat,
        timeout=TIMEOUT,
        host_header=host,
    )


def by_source(found: Sequence[Line]) -> dict[str, list[Line]]:
    """The flows of each source."""
    sorted_out: dict[str, list[Line]] = {}
    for line in found:
        sorted_out.setdefault(line.at, []).append(line)
    return sorted_out
