"""A second opinion: the same rules told another way, for the simulator to be compared with."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from netassay.policies.model import End, Flow, Pod
from tests.policies.worlds import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]


def chosen(selector: Json, has: Mapping[str, str]) -> bool:
    exact = set(selector.get("matchLabels", {}).items()) <= set(has.items())
    return exact and all(_true(one, has) for one in selector.get("matchExpressions", []))


def _true(one: Json, has: Mapping[str, str]) -> bool:
    among = {one["key"]: has[one["key"]]}.items() if one["key"] in has else set()
    listed = {(one["key"], value) for value in one.get("values", [])}
    told = {"In": among & listed, "NotIn": not among & listed, "Exists": among, "DoesNotExist": not among}
    return bool(told[one["operator"]])


def is_open(policies: list[Json], flow: Flow) -> bool:
    """Say whether the flow gets through, by whole sets: all that is forbidden less all that is allowed."""
    if flow.source == flow.target:
        return True
    is_node = not (isinstance(flow.source, Pod) and isinstance(flow.target, Pod))
    if is_node and "" != flow.source.node == flow.target.node:
        return True
    closed = set()
    opened = set()
    for direction, end, peer, side in (
        ("Ingress", flow.target, flow.source, "from"),
        ("Egress", flow.source, flow.target, "to"),
    ):
        for policy in policies:
            spec, home = policy["spec"], policy["metadata"]["namespace"]
            types = spec.get("policyTypes", ["Ingress", "Egress"] if spec["egress"] else ["Ingress"])
            if direction not in types or not isinstance(end, Pod) or end.namespace != home:
                continue
            if not chosen(spec["podSelector"], end.labels):
                continue
            closed.add(direction)
            for rule in spec[direction.lower()]:
                if _ports(rule, flow) and _peers(rule.get(side), peer, home, flow.family):
                    opened.add(direction)
    return closed <= opened


def _ports(rule: Json, flow: Flow) -> bool:
    if not rule.get("ports"):
        return True
    named = {(p.name, p.transport, p.number) for p in flow.target.ports} if isinstance(flow.target, Pod) else set()
    for port in rule["ports"]:
        if (port["protocol"] or "TCP") != flow.transport:
            continue
        number = port.get("port")
        if number is None or (number, flow.transport, flow.port) in named:
            return True
        if isinstance(number, int) and flow.port in range(number, port.get("endPort", number) + 1):
            return True
    return False


def _peers(peers: list[Json] | None, peer: End, home: str, family: int) -> bool:
    if not peers:
        return True
    labels = {space.name: space.labels for space in NAMESPACES}
    for one in peers:
        if block := one.get("ipBlock"):
            (address,) = (a for a in map(ip_address, peer.addresses) if a.version == family)
            inside = [each for each in [block["cidr"], *block["except"]] if address in ip_network(each)]
            if inside == [block["cidr"]]:
                return True
        elif isinstance(peer, Pod):
            spaces = one.get("namespaceSelector")
            near = peer.namespace == home if spaces is None else chosen(spaces, labels[peer.namespace])
            if near and chosen(one.get("podSelector", {}), peer.labels):
                return True
    return False
