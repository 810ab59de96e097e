"""What a cluster's network promises: the register of claims that checks put to the test.

A claim is named by its id everywhere (marks on checks, modes, results, reports). What a mode expects of each claim is
in `netassay/modes/*.toml`; a new claim is added here and there.
"""

from __future__ import annotations

from typing import Final

import msgspec

from netassay.errors import HarnessFault


class Claim(msgspec.Struct, frozen=True):
    """One promise: `title` is a short noun phrase, `meaning` the whole promise in one sentence."""

    id: str
    title: str
    feature: str
    meaning: str


FEATURES: Final[dict[str, str]] = {
    "pod_network": "Pod network",
    "reachability": "Reachability",
    "services": "Services",
    "dns": "DNS-based service discovery",
    "network_policy": "Network policies",
}
"""Features in the order of reports: id (also the folder of its suite) → title."""

_PROMISES: Final = {
    "pod_network": {
        "pod-ip-unique": ("Own address", "Every pod has an address of its own, and it answers as that pod."),
        "pod-ip-in-node-range": ("Address from the pool", "A pod's address comes from its node's pod range."),
        "pod-join": ("Join on creation", "A new pod is reachable from every node as soon as it is Ready."),
        "pod-leave": ("Leave on deletion", "Of a deleted pod no address, link, route or lease is left behind."),
        "pod-churn": ("Churn", "Pods that come and go in numbers never share an address, and all are reachable."),
    },
    "reachability": {
        "pod-to-pod-tcp": ("Pod to pod, TCP", "Every pod reaches every pod over TCP, on its own node and across."),
        "pod-to-pod-udp": ("Pod to pod, UDP", "Every pod reaches every pod over UDP, on its own node and across."),
        "pod-to-pod-http": ("Pod to pod, HTTP", "Every pod reaches every pod over HTTP, on its own node and across."),
        "node-to-pod": ("Node to pod", "Every node reaches every pod."),
        "pod-to-node": ("Pod to node", "Every pod reaches every node's own address."),
        "hairpin-self": ("Hairpin", "A pod reaches itself by its own address."),
        "no-snat-between-pods": ("No SNAT between pods", "A pod sees the very address of the pod that calls it."),
        "payload-tcp": ("Payloads, TCP", "Payloads of up to 64 KiB arrive whole over TCP."),
        "payload-udp": ("Payloads, UDP", "The largest UDP datagram arrives whole."),
        "path-mtu": ("Path MTU", "Packets as large as the pod's own MTU pass unfragmented between nodes."),
        "pod-to-outside-address": ("Pod to outside", "Every pod reaches an address outside the cluster."),
        "pod-to-outside-name": ("Pod to outside by name", "Every pod reaches an outside host by its DNS name."),
        "source-seen-outside": ("Source seen outside", "Outside, a pod appears with the address that the mode says."),
        "outside-to-pod": ("Outside to pod", "A host outside the cluster reaches a pod by its own address."),
    },
    "services": {
        "cluster-ip-tcp": (
            "ClusterIP, TCP",
            "A Service's cluster IP leads to its endpoints over TCP, from every node.",
        ),
        "cluster-ip-udp": (
            "ClusterIP, UDP",
            "A Service's cluster IP leads to its endpoints over UDP, from every node.",
        ),
        "service-ports": ("Several ports", "Each port of a Service leads to its own target port."),
        "service-named-ports": ("Named ports", "A named target port is looked up in each pod."),
        "service-same-port-both-protocols": (
            "One port, TCP and UDP",
            "The same port number serves TCP and UDP side by side.",
        ),
        "service-balance": ("Balance", "New connections are spread over all endpoints."),
        "node-port": ("NodePort", "A NodePort answers on every node, wherever the endpoint runs."),
        "headless": ("Headless", "A headless Service's name resolves to the addresses of its endpoints, which answer."),
        "external-name": ("ExternalName", "An ExternalName Service is an alias of an outside name, which answers."),
        "session-affinity": (
            "Session affinity",
            "ClientIP affinity keeps a client on one endpoint until it times out.",
        ),
        "no-endpoints-refused": ("No endpoints", "A Service without endpoints refuses connections at once."),
        "endpoint-added": ("Endpoint added", "A new endpoint is soon given connections."),
        "endpoint-removed": ("Endpoint removed", "A removed endpoint is soon given no more connections."),
        "endpoint-replaced": ("Endpoint replaced", "When all endpoints are replaced, connections soon follow."),
        "hairpin-cluster-ip": ("Hairpin through ClusterIP", "A pod reaches itself through its own Service."),
    },
    "dns": {
        "dns-a": ("Service name (A)", "A Service's name resolves to its cluster IP."),
        "dns-srv": ("Named port (SRV)", "A Service's named port has an SRV record."),
        "dns-ptr": ("Reverse (PTR)", "A cluster IP resolves back to the name of its Service."),
        "dns-headless": ("Headless names", "A headless Service's name lists exactly its ready endpoints."),
        "dns-statefulset": ("Names of single pods", "A pod with hostname and subdomain has a name of its own."),
        "dns-search": ("Search list", "Short names are completed by the pod's search list."),
        "dns-external-name": ("ExternalName (CNAME)", "An ExternalName Service's name is a CNAME."),
        "dns-outside": ("Outside names", "Names outside the cluster are resolved."),
        "dns-nxdomain": ("Negative answers", "A name that does not exist is answered NXDOMAIN, at once."),
        "dns-tcp": ("DNS over TCP", "The cluster's DNS answers over TCP as over UDP."),
        "dns-each-replica": ("Each DNS replica", "Each replica of the cluster's DNS answers by itself."),
        "dns-latency": ("DNS latency", "Answers come fast, and none is kept waiting for a retry."),
    },
    "network_policy": {
        "policy-enforced": ("Enforcement", "Policies that deny everything close everything."),
        "policy-latency": (
            "Enforcement in time",
            "A policy is soon enforced on every node, and soon no more once deleted.",
        ),
        "policy-targets": ("Target selectors", "A policy isolates the pods that it selects, and no others."),
        "policy-peers": (
            "Pods and namespaces",
            "A rule lets the pods through that its selectors match, and no others.",
        ),
        "policy-ip-blocks": ("IPBlock", "A rule lets an ipBlock's addresses through, but for those that it excepts."),
        "policy-ports": ("Ports", "A rule opens its ports, by number, name, range or protocol, and no others."),
        "policy-rules": ("Rules", "A rule wants peer and port; of several rules, any is enough."),
        "policy-conflicts": ("Several policies", "Policies add up, and both ends of a flow must let it through."),
        "policy-changes": ("Changes", "Changes of policies and labels are followed while policies are in force."),
        "policy-replies": ("Replies", "Replies of an allowed flow pass, whatever its target may send of its own."),
        "policy-established": ("Flows from before", "What becomes of flows that a new policy would not let begin."),
        "policy-service-path": (
            "Through a Service",
            "Policies count for a pod's traffic through a cluster IP as well.",
        ),
        "policy-node-port": (
            "Through a NodePort",
            "Nobody gets through a NodePort to a pod that everything is denied to.",
        ),
        "policy-kubelet-probes": (
            "Probes of the kubelet",
            "The kubelet's probes reach pods that all else is denied to.",
        ),
        "policy-host-network": ("Nodes", "A node reaches its own pods always, and others if its address is allowed."),
        "policy-own-node": ("Own node", "A pod reaches its own node, whatever policies deny it."),
        "policy-new-pod": (
            "New pods",
            "A pod is protected from its first packet by policies that were there before it.",
        ),
        "policy-later-pods": (
            "Pods that come later",
            "Pods and namespaces that come later are let through by the rules that match them, and no others.",
        ),
        "policy-random": ("Random policies", "Random sets of policies mean what the API says."),
    },
}

CLAIMS: Final[dict[str, Claim]] = {
    id_: Claim(id=id_, title=title, feature=feature, meaning=meaning)
    for feature, promises in _PROMISES.items()
    for id_, (title, meaning) in promises.items()
}
"""Every claim by its id, in the order of reports."""


def claim(id_: str) -> Claim:
    """Give the claim of that id; `HarnessFault` if there is none (a check's mark is mistyped)."""
    try:
        return CLAIMS[id_]
    except KeyError:
        raise HarnessFault(f"there is no claim {id_!r}: add it to netassay/claims.py, or mend the mark") from None
