"""What a set of NetworkPolicies means: whether a flow is let through, and why.

    simulator = Simulator(cluster.list("NetworkPolicy"), namespaces)
    ruling = simulator.ruling(Flow(source, target, "TCP", 8080))
    ruling.open, ruling.reason

It is the oracle of the suite: expected truth tables are computed by it, never typed by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netassay.errors import HarnessFault
from netassay.policies.model import Pod, address_of
from netassay.policies.rules import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from netassay.policies.model import End, Flow, Namespace
    from netassay.policies.rules import Direction


@dataclass(frozen=True)
class Side:
    """What the policies of one end say of a flow: its source's of egress, its target's of ingress.

    `isolating` are the policies that isolate that end in that direction, `allowing` those of them that let the flow
    through. `exempt` is why policies do not matter here, "" if they do.
    """

    direction: Direction
    end: str
    isolating: tuple[str, ...] = ()
    allowing: tuple[str, ...] = ()
    exempt: str = ""

    @property
    def open(self) -> bool:
        """Whether this end lets the flow through."""
        return bool(self.exempt or self.allowing or not self.isolating)

    @property
    def reason(self) -> str:
        """Say why, in one clause."""
        if self.exempt:
            return self.exempt
        if not self.isolating:
            return f"no policy isolates {self.end} for {self.direction}"
        if self.allowing:
            return f"{self.direction} is allowed by {', '.join(self.allowing)}"
        return f"{self.direction} of {self.end} is isolated by {', '.join(self.isolating)}, and nothing allows it"


@dataclass(frozen=True)
class Ruling:
    """Whether a flow is let through: only if both ends let it."""

    egress: Side
    ingress: Side

    @property
    def open(self) -> bool:
        """Whether the flow is let through."""
        return self.egress.open and self.ingress.open

    @property
    def reason(self) -> str:
        """Say why: what closes it, or else what both ends say."""
        sides = (self.egress, self.ingress)
        closing = [side for side in sides if not side.open]
        return "; ".join(dict.fromkeys(side.reason for side in closing or sides))


class Simulator:
    """A set of policies in a cluster's namespaces."""

    def __init__(self, policies: Iterable[Mapping[str, Any]], namespaces: Iterable[Namespace]) -> None:
        """Read NetworkPolicies, as plain JSON. HarnessFault for what the API would refuse."""
        self._policies = tuple(map(Policy.from_api, policies))
        self._namespaces = {namespace.name: namespace for namespace in namespaces}

    def ruling(self, flow: Flow) -> Ruling:
        """Say whether the flow is let through.

        HarnessFault if an end has no address of the flow's family, or is in a namespace that nobody told of.
        """
        for end in (flow.source, flow.target):
            if not address_of(end, flow.family):
                raise HarnessFault(f"{end.title} has no IPv{flow.family} address, so the flow cannot be")
            if isinstance(end, Pod) and end.namespace not in self._namespaces:
                raise HarnessFault(f"{end.title} is in a namespace that the simulator was not told of")
        exempt = _exempt(flow)
        return Ruling(self._side("egress", flow, flow.source, exempt), self._side("ingress", flow, flow.target, exempt))

    def allowed_by(self, policy: Policy, direction: Direction, flow: Flow) -> bool:
        """Whether a rule of the policy, of this direction, lets the flow through."""
        peer = flow.target if direction == "egress" else flow.source
        return any(rule.allows(flow, peer, policy.namespace, self._namespaces) for rule in policy.rules[direction])

    def _side(self, direction: Direction, flow: Flow, end: End, exempt: str) -> Side:
        if exempt:
            return Side(direction, end.title, exempt=exempt)
        isolating = [each for each in self._policies if direction in each.rules and each.selects(end)]
        allowing = [each for each in isolating if self.allowed_by(each, direction, flow)]
        return Side(direction, end.title, tuple(p.title for p in isolating), tuple(p.title for p in allowing))


def _exempt(flow: Flow) -> str:
    """Why no policy can close the flow, or "".

    "A Pod cannot block access to itself", and "traffic to and from the node where a Pod is running is always allowed,
    regardless of the IP address of the Pod or the node".
    """
    source, target = flow.source, flow.target
    if source == target:
        return f"{source.title} cannot be kept from itself"
    if source.node and source.node == target.node and (_on_node(source) or _on_node(target)):
        return f"a node and its own pods ({source.node}) cannot be kept apart"
    return ""


def _on_node(end: End) -> bool:
    """Whether the end uses its node's own network."""
    return not isinstance(end, Pod) or end.host_network
