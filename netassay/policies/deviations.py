"""How engines are known to read policies otherwise than the API means them, each deviation exactly.

A mode names the deviations of its engine, with the place in the engine's source that shows each. Where one shows, the
network must be as the deviation says, in every single cell: anything else is a finding, the API's own meaning included.

    enforced = as_enforced(scene, mode.deviations)
    enforced.ruling(source, target, "TCP", 8080)
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Final

from netassay.errors import HarnessFault
from netassay.policies.model import address_of
from netassay.policies.rules import PodPeer, Policy
from netassay.policies.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from netassay.policies.case import Json
    from netassay.policies.model import Flow, Pod
    from netassay.policies.rules import Direction
    from netassay.policies.scene import Scene

_NOBODY: Final[Json] = {"matchExpressions": [{"key": "app", "operator": one} for one in ("Exists", "DoesNotExist")]}
"""A selector that matches nothing."""

_SIDES: Final[dict[Direction, str]] = {"ingress": "from", "egress": "to"}


class SharedChains(Simulator):
    """An engine that keeps the rules of both directions of a policy in one chain, and runs all of it at either end.

    Between two pods that the policy selects, what it allows in one direction is thereby allowed in the other as well.
    """

    def allowed_by(self, policy: Policy, direction: Direction, flow: Flow) -> bool:
        """Whether any rule of the policy, of whichever direction, lets the flow through."""
        if super().allowed_by(policy, direction, flow):
            return True
        other: Direction = "egress" if direction == "ingress" else "ingress"
        return (
            other in policy.rules
            and policy.selects(flow.source)
            and policy.selects(flow.target)
            and super().allowed_by(policy, other, flow)
        )


def one_set_of_blocks(policy: Json, scene: Scene) -> Json:
    """All ipBlocks of a rule are entries of one set, of which the longest prefix that holds an address decides.

    So an exception of one block takes from another what is no longer than it, and a block within an exception of
    another gives back. Of equal ranges, the last counts.
    """

    def read(_: Direction, rule: Json, side: str) -> list[Json]:
        peers = rule.get(side) or []
        return [{**rule, side: _merged(peers)}] if any("ipBlock" in peer for peer in peers) else [rule]

    return _with_rules(policy, read)


def _merged(peers: list[Json]) -> list[Json]:
    entries: dict[IPv4Network | IPv6Network, bool] = {}
    for block in (peer["ipBlock"] for peer in peers if "ipBlock" in peer):
        entries |= dict.fromkeys(_halves(block["cidr"]), True)
        for each in block.get("except", []):
            entries |= dict.fromkeys(_halves(each), False)
    blocks: list[Json] = [
        {"ipBlock": {"cidr": str(one), "except": [str(x) for x, taken in entries.items() if not taken and _in(x, one)]}}
        for one, taken in entries.items()
        if taken
    ]
    # A rule whose peers are none is about everybody: so one that is left with none keeps a peer that nobody is.
    return [peer for peer in peers if "ipBlock" not in peer] + (blocks or [{"podSelector": _NOBODY}])


def _halves(cidr: str) -> Iterable[IPv4Network | IPv6Network]:
    """Give a range as such sets hold it: everything is two entries, since none may have the length 0."""
    network = ip_network(cidr)
    return network.subnets() if not network.prefixlen else [network]


def _in(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def names_of_ports_unheard_of(policy: Json, scene: Scene) -> Json:
    """A rule for pods whose ports are all names that no pod of them has opens all ports to them, and not none."""

    def read(direction: Direction, rule: Json, side: str) -> list[Json]:
        pods = [peer for peer in rule.get(side) or [] if "ipBlock" not in peer]
        targets = _targets(policy, scene) if direction == "ingress" else _peers(policy, scene, pods)
        if not pods or not rule.get("ports") or any(_numbers(port, targets) for port in rule["ports"]):
            return [rule]
        if not any(_peers(policy, scene, pods)):
            return [rule]
        return [rule, {side: pods}]

    return _with_rules(policy, read)


def no_names_of_ports_in_blocks_of_egress(policy: Json, scene: Scene) -> Json:
    """Ports that an egress rule gives by name count for its pods, and not for its ipBlocks."""

    def read(direction: Direction, rule: Json, side: str) -> list[Json]:
        peers, ports = rule.get(side) or [], rule.get("ports") or []
        blocks = [peer for peer in peers if "ipBlock" in peer]
        by_number = [port for port in ports if not isinstance(port.get("port"), str)]
        if direction == "ingress" or not blocks or len(by_number) == len(ports):
            return [rule]
        pods = [peer for peer in peers if "ipBlock" not in peer]
        return [
            *([{**rule, side: pods}] if pods else []),
            *([{**rule, side: blocks, "ports": by_number}] if by_number else []),
        ]

    return _with_rules(policy, read)


def names_of_ports_of_own_namespace(policy: Json, scene: Scene) -> Json:
    """An egress rule for everybody looks its ports' names up in the policy's own namespace alone.

    The numbers found there are then open to everybody, whatever they call them.
    """

    def read(direction: Direction, rule: Json, side: str) -> list[Json]:
        ports = rule.get("ports") or []
        if direction == "ingress" or rule.get(side) or not any(isinstance(port.get("port"), str) for port in ports):
            return [rule]
        home = [pod for pod in scene.pods.values() if pod.namespace == policy["metadata"]["namespace"]]
        numbers = [{**port, "port": number} for port in ports for number in _numbers(port, home)]
        return [{**rule, "ports": numbers}] if numbers else []

    return _with_rules(policy, read)


def blocks_without_pods(policy: Json, scene: Scene) -> Json:
    """An ipBlock is about addresses outside the cluster, and includes no pod, whatever its address."""
    pods = [str(ip_network(address_of(pod, scene.family))) for pod in scene.pods.values()]

    def read(_: Direction, rule: Json, side: str) -> list[Json]:
        peers = [
            {"ipBlock": {**block, "except": [*(block.get("except") or []), *pods]}} if block else peer
            for peer in rule.get(side) or []
            for block in [peer.get("ipBlock")]
        ]
        return [{**rule, side: peers}] if peers else [rule]

    return _with_rules(policy, read)


def types_of_all_rules(policy: Json, scene: Scene) -> Json:
    """A policy that has rules of a direction isolates in that direction, whatever its types say."""
    spec = policy["spec"]
    types = [
        direction.title() for direction in _SIDES if direction in Policy.from_api(policy).rules or spec.get(direction)
    ]
    return {**policy, "spec": {**spec, "policyTypes": types}}


def nothing_over_ipv6(policy: Json, scene: Scene) -> Json:
    """Between IPv6 addresses, a policy is about no pod."""
    if scene.family == 4:  # noqa: PLR2004 - the IP version
        return policy
    return {**policy, "spec": {**policy["spec"], "podSelector": _NOBODY}}


DEVIATIONS: Final[dict[str, Callable[[Json, Scene], Json] | type[Simulator]]] = {
    "both-types-share-a-chain": SharedChains,
    "blocks-of-a-rule-share-a-set": one_set_of_blocks,
    "unknown-port-names-open-all-ports": names_of_ports_unheard_of,
    "no-port-names-for-blocks-in-egress": no_names_of_ports_in_blocks_of_egress,
    "port-names-of-own-namespace-in-egress": names_of_ports_of_own_namespace,
    "no-policies-over-ipv6": nothing_over_ipv6,
    "blocks-include-no-pods": blocks_without_pods,
    "rules-isolate-whatever-the-types": types_of_all_rules,
}
"""Every known deviation by the name that modes give it: how a policy is read, or what is made of what was read."""


def as_enforced(scene: Scene, deviations: Collection[str]) -> Scene:
    """Give the scene as an engine with these deviations takes it. HarnessFault for one that nobody knows."""
    for name in deviations:
        if name not in DEVIATIONS:
            raise HarnessFault(f"there is no deviation {name!r}; known are {', '.join(DEVIATIONS)}")
        found = DEVIATIONS[name]
        if isinstance(found, type):
            scene = replace(scene, simulator=found)
        else:
            scene = replace(scene, policies={key: found(one, scene) for key, one in scene.policies.items()})
    return scene


def _with_rules(policy: Json, read: Callable[[Direction, Json, str], list[Json]]) -> Json:
    """Give the policy with each rule replaced by what is read in its place."""
    spec = policy["spec"]
    # What types a policy without them has depends on its rules, which may all go.
    types = [direction.title() for direction in Policy.from_api(policy).rules]
    rules = {
        direction: [each for rule in spec.get(direction) or [] for each in read(direction, rule, side)]
        for direction, side in _SIDES.items()
    }
    return {**policy, "spec": {**spec, **rules, "policyTypes": types}}


def _targets(policy: Json, scene: Scene) -> list[Pod]:
    """Give the pods that the policy is about."""
    read = Policy.from_api(policy)
    return [pod for pod in scene.pods.values() if read.selects(pod)]


def _peers(policy: Json, scene: Scene, peers: Iterable[Json]) -> list[Pod]:
    """Give the pods that these peers, none of which is an ipBlock, select."""
    home = policy["metadata"]["namespace"]
    spaces = {space.name: space for space in scene.namespaces.values()}
    read = [PodPeer(peer.get("podSelector"), peer.get("namespaceSelector")) for peer in peers]
    return [pod for pod in scene.pods.values() if any(peer.selects(pod, home, spaces) for peer in read)]


def _numbers(port: Json, pods: Iterable[Pod]) -> list[int | None]:
    """Give the numbers that a port of a rule has among these pods; one that is no name is what it is."""
    wanted = port.get("port")
    if not isinstance(wanted, str):
        return [wanted]
    over = port.get("protocol") or "TCP"
    named = (one.number for pod in pods for one in pod.ports if one.name == wanted and one.transport == over)
    return list(dict.fromkeys(named))
