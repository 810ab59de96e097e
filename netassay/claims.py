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
    "ingress": "Ingress and Gateway",
    "disruption": "Failover and disruption",
    "cni_modes": "CNI mode",
    "throughput": "Load",
}
"""Features in the order of reports: id (also the folder of its suite) → title."""

_PROMISES: Final = {
    "pod_network": {
        "pod-ip-unique": ("Own address", "Every pod has an address of its own, and it answers as that pod."),
        "pod-ip-in-node-range": ("Address from the pool", "A pod's address comes from its node's pod range."),
        "pod-join": ("Join on creation", "A new pod is reachable from every node as soon as it is Ready."),
        "pod-leave": ("Leave on deletion", "Of a deleted pod no address, link, route or lease is left behind."),
        "pod-address-released": ("Addresses come back", "On every node, what is reserved is what its pods have."),
        "host-port": ("hostPort", "A pod's hostPort answers at its node's address, and is given back when it goes."),
        "host-network": ("hostNetwork", "A hostNetwork pod has its node's address."),
        "init-container-network": ("Init containers", "An init container has the network, names included."),
        "shared-network": ("Containers of a pod", "The containers of a pod share its addresses and its loopback."),
        "terminating-pod": ("Terminating pods", "A terminating pod answers at its address, and is no endpoint."),
        "stateful-set-identity": ("StatefulSet identity", "A StatefulSet's pod comes back under its name."),
        "pod-density": ("Density", "As many pods as were asked for join at once, each with an address that answers."),
        "pod-address-reused": (
            "Addresses given again",
            "The address of a deleted pod is given out again, and answers.",
        ),
        "pod-churn": ("Churn", "Pods that come and go in numbers never share an address, and all are reachable."),
    },
    "reachability": {
        "pod-to-pod-tcp": ("Pod to pod, TCP", "Every pod reaches every pod over TCP, on its own node and across."),
        "pod-to-pod-udp": ("Pod to pod, UDP", "Every pod reaches every pod over UDP, on its own node and across."),
        "pod-to-pod-http": ("Pod to pod, HTTP", "Every pod reaches every pod over HTTP, on its own node and across."),
        "pod-to-pod-sctp": ("Pod to pod, SCTP", "Every pod reaches every pod over SCTP, on its own node and across."),
        "node-to-pod": ("Node to pod", "Every node reaches every pod."),
        "pod-to-node": ("Pod to node", "Every pod reaches every node's own address."),
        "hairpin-self": ("Hairpin", "A pod reaches itself by its own address."),
        "no-snat-between-pods": ("No SNAT between pods", "A pod sees the very address of the pod that calls it."),
        "payload-tcp": ("Payloads, TCP", "Payloads of up to 64 KiB arrive whole over TCP."),
        "payload-udp": ("Payloads, UDP", "The largest UDP datagram arrives whole."),
        "path-mtu": ("Path MTU", "Packets as large as the pod's own MTU pass unfragmented between nodes."),
        "pod-to-outside-address": ("Pod to outside", "Every pod reaches an address outside the cluster."),
        "pod-to-outside-name": ("Pod to outside by name", "Every pod reaches an outside host by its DNS name."),
        "egress-payload": ("Payloads to outside", "Large payloads leave the cluster, and come back, whole."),
        "pod-to-api-server": ("Pod to API server", "Every pod reaches the API server, by its Service and directly."),
        "metadata-address": ("Pod to metadata", "Pods reach the address of the cloud's metadata."),
        "icmp-pod-to-pod": ("ICMP echo, pods", "Every pod answers every pod's ICMP echo requests."),
        "icmp-to-outside": ("ICMP echo, others", "Nodes and outside hosts answer pods' ICMP echo requests."),
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
        "cluster-ip-sctp": (
            "ClusterIP, SCTP",
            "A Service's cluster IP leads to all of its endpoints over SCTP, from every node.",
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
        "udp-after-no-endpoints": (
            "UDP after no endpoints",
            "A UDP flow outlives that its Service has no endpoints for a while.",
        ),
        "session-affinity-switched": ("Affinity on and off", "ClientIP affinity can be switched on and off."),
        "service-ports-changed": ("Changed ports", "Connections follow a Service's changed port and target port."),
        "service-type-changes": (
            "Type changes",
            "A Service follows each change of its type, and what it gives up is closed.",
        ),
        "service-deleted": ("Service deleted", "A deleted Service is closed, at its cluster IP and its NodePorts."),
        "cluster-ip-allocated": (
            "ClusterIP range",
            "Cluster IPs are unique and from the Service range, and can be asked for.",
        ),
        "node-port-released": ("NodePort released", "A NodePort is one Service's at a time, and can be had again."),
        "publish-not-ready": (
            "publishNotReadyAddresses",
            "Pods that are not ready are endpoints where, and only where, a Service says so.",
        ),
        "terminating-fallback": (
            "Terminating endpoints",
            "Endpoints that are being deleted serve as long as there are no others.",
        ),
        "endpoint-slices-merged": ("Several EndpointSlices", "All EndpointSlices of a Service are its endpoints."),
        "endpoints-by-hand": ("Manual Endpoints", "A Service without a selector leads where its Endpoints say."),
        "external-ip": ("externalIPs", "A Service's external IPs lead to its endpoints."),
        "internal-traffic-local": (
            "internalTrafficPolicy Local",
            "Traffic from pods stays on their node, or is not served.",
        ),
        "external-traffic-local": (
            "externalTrafficPolicy Local",
            "Endpoints see the true address of clients outside.",
        ),
        "external-traffic-local-elsewhere": (
            "externalTrafficPolicy Local elsewhere",
            "A node without an endpoint does not forward to one that has.",
        ),
        "health-check-node-port": (
            "healthCheckNodePort",
            "Nodes tell load balancers whether they have endpoints of a Service.",
        ),
        "traffic-distribution": ("trafficDistribution", "Near endpoints are preferred, as far as there are any."),
        "load-balancer": ("LoadBalancer", "The outside reaches a LoadBalancer's endpoints at its address."),
        "load-balancer-local": (
            "LoadBalancer, Local",
            "Endpoints behind a LoadBalancer with externalTrafficPolicy Local see the true client.",
        ),
        "load-balancer-source-ranges": ("LoadBalancer source ranges", "Only clients of these ranges get through."),
        "load-balancer-no-node-ports": (
            "LoadBalancer without NodePorts",
            "A LoadBalancer that wants no NodePorts has none, and answers.",
        ),
        "load-balancer-class": ("LoadBalancer class", "A LoadBalancer of a class that nobody serves is left alone."),
        "load-balancer-given-up": ("LoadBalancer given up", "An address that is given back is closed."),
    },
    "dns": {
        "dns-a": ("Service name (A)", "A Service's name resolves to its cluster IP."),
        "dns-srv": ("Named port (SRV)", "A Service's named port has an SRV record."),
        "dns-ptr": ("Reverse (PTR)", "A cluster IP resolves back to the name of its Service."),
        "dns-headless": ("Headless names", "A headless Service's name lists exactly its ready endpoints."),
        "dns-follows-endpoints": ("Names follow", "Each DNS server soon follows the endpoints of a headless Service."),
        "dns-hostname": ("Names of single pods", "A pod with hostname and subdomain has a name of its own."),
        "dns-statefulset": ("StatefulSet names", "A StatefulSet's pod has a name that follows it to a new address."),
        "dns-ptr-endpoint": ("Reverse of a pod", "The address of a pod with a name resolves back to that name."),
        "dns-pod-address": ("Address as a name", "A pod's address with dashes is a name that resolves to it."),
        "dns-namespaces": ("Namesakes", "Services of one name in two namespaces are told apart."),
        "dns-schema-version": ("Schema version", "A TXT record says which version of the specification is followed."),
        "dns-search": ("Search list", "Short names are completed by the pod's search list."),
        "dns-search-order": ("Search order", "Resolvers ask for names in the order that search list and ndots give."),
        "dns-policy-default": ("dnsPolicy Default", "A pod with policy Default has its node's resolver."),
        "dns-policy-host-network": (
            "ClusterFirstWithHostNet",
            "A pod in its node's network finds Services, if its policy says so.",
        ),
        "dns-policy-none": ("dnsPolicy None", "A pod with policy None has the resolver that its dnsConfig says."),
        "dns-config": ("dnsConfig", "What a pod's dnsConfig adds comes after its policy, and its options win."),
        "dns-external-name": ("ExternalName (CNAME)", "An ExternalName Service's name is a CNAME."),
        "dns-outside": ("Outside names", "Names outside the cluster are resolved."),
        "dns-nxdomain": ("Negative answers", "A name that does not exist is answered NXDOMAIN, at once."),
        "dns-negative-soa": ("SOA of negative answers", "A negative answer brings the zone's SOA."),
        "dns-truncation": ("Truncation", "An answer that is too large is cut over UDP, and whole over TCP."),
        "dns-edns": ("EDNS", "Answers are no larger than a client says that it can take."),
        "dns-case": ("Case", "Names are found in whatever case, and are repeated as they were asked."),
        "dns-server-address": ("DNS server of pods", "Pods are told the cluster IP of the DNS Service."),
        "dns-tcp": ("DNS over TCP", "The cluster's DNS answers over TCP as over UDP."),
        "dns-each-replica": ("Each DNS replica", "Each replica of the cluster's DNS answers by itself."),
        "dns-latency": ("DNS latency", "Answers come fast, and none is kept waiting for a retry."),
        "dns-outliers": ("DNS outliers", "Of many queries at a steady rate, none is lost or takes seconds."),
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
        "policy-sctp": ("Ports over SCTP", "A rule opens SCTP where it says so, and none that says another does."),
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
        "policy-host-network": ("Nodes", "A node reaches its own pods always, and no others that are closed to it."),
        "policy-node-blocks": ("Nodes by address", "A policy that allows a node's address lets that node in."),
        "policy-own-node": ("Own node", "A pod reaches its own node, whatever policies deny it."),
        "policy-new-pod": (
            "New pods",
            "A pod is protected from its first packet by policies that were there before it.",
        ),
        "policy-later-pods": (
            "Pods that come later",
            "Pods and namespaces that come later are let through by the rules that match them, and no others.",
        ),
        "admin-policy": ("Administrators' policies", "What an AdminNetworkPolicy denies is closed."),
        "policy-random": ("Random policies", "Random sets of policies mean what the API says."),
    },
    "ingress": {
        "ingress-host": ("Exact host", "A rule is followed for its own host, and for no other."),
        "ingress-host-wildcard": ("Wildcard host", "A wildcard stands for exactly one label."),
        "ingress-host-precedence": ("Exact host first", "A rule for a host goes before one for a wildcard."),
        "ingress-host-shared": ("Several Ingresses, one host", "Paths that several Ingresses give one host all count."),
        "ingress-host-any": ("Any host", "A rule without a host is followed for every host."),
        "ingress-path-exact": ("Path, Exact", "An Exact path matches itself, case and trailing slash included."),
        "ingress-path-prefix": ("Path, Prefix", "A Prefix path matches element by element, whatever the last slash."),
        "ingress-path-longest": ("Longest path", "Of the paths that match, the longest is followed."),
        "ingress-path-longest-exact": ("Longer Exact path", "An Exact path goes before a shorter Prefix."),
        "ingress-path-exact-first": (
            "Exact before Prefix",
            "Of two equal paths that match, the Exact one is followed.",
        ),
        "ingress-path-own": ("Path, ImplementationSpecific", "A path of the controller's own kind matches itself."),
        "ingress-path-kept": ("Path kept", "The backend is asked for the path that the client asked for."),
        "ingress-tls": ("TLS", "Each host presents the certificate of its own Secret, and is served over TLS."),
        "ingress-tls-change": ("Certificate changed", "A host soon presents the certificate that its rule now names."),
        "ingress-default-backend": ("Default backend", "What no rule matches goes to the default backend."),
        "ingress-unmatched": ("No match", "What no rule matches, where there is no default backend, is answered 404."),
        "ingress-port-name": ("Port by name", "A backend's port may be given by its name."),
        "ingress-balance": ("Balance over backends", "Requests are spread over all endpoints of a backend."),
        "ingress-dead-backend": (
            "Dead endpoint",
            "An endpoint that is gone soon gets no more requests, and none is lost.",
        ),
        "ingress-class": ("Class", "A controller serves the Ingresses of its class, and no others."),
        "ingress-class-default": ("Default class", "An Ingress without a class is given the default one."),
        "ingress-status": ("Address in the status", "An Ingress's status says where it is reached."),
        "ingress-change": ("Rule changed", "A rule that is added, changed or removed is soon followed."),
        "ingress-forwarded": (
            "Forwarded headers",
            "The backend is told who asked for which host, and by which scheme.",
        ),
        "ingress-websocket": ("WebSocket", "A client can speak WebSocket with a backend."),
        "ingress-http2": ("HTTP/2", "A client that offers HTTP/2 over TLS is served by it."),
        "ingress-grpc": ("gRPC", "Calls are handed on to the backend, and come back with their status."),
        "gateway-status": (
            "Gateway in its status",
            "A Gateway is accepted and programmed, and says where it is reached.",
        ),
        "gateway-host": ("Hostnames of a route", "A route is followed for its hosts, and the most specific one wins."),
        "gateway-path": (
            "Paths of a route",
            "Exact and PathPrefix match as specified, and the most specific one wins.",
        ),
        "gateway-header": ("Headers of a route", "A route is followed for requests that have all of its headers."),
        "gateway-weight": ("Weights", "Requests are shared between backends by their weights."),
        "gateway-unmatched": ("No route", "What no route matches is answered 404."),
        "gateway-tls": ("TLS of a listener", "A listener presents its own certificate, and leads to its routes."),
        "gateway-grpc": ("gRPC", "Calls are led by service and method, and come back with their status."),
        "gateway-change": ("Route changed", "A route that is changed or removed is soon followed."),
    },
    "throughput": {
        "requests-flow": (
            "Requests between pods",
            "Requests made as fast as they are answered neither fail nor stall.",
        ),
        "requests-flow-service": ("Requests by a Service", "The same holds by a Service's ClusterIP."),
    },
    "disruption": {
        "failover-graceful": ("Backend leaves", "A backend that leaves with a drain takes no connection with it."),
        "failover-killed": ("Backend killed", "When a backend is killed, new connections soon reach the others."),
        "failover-unready": ("Backend unready", "A backend that becomes unready is soon given no more connections."),
        "failover-rollout": ("Rollout", "While a Deployment is rolled, no connection to its Service is lost."),
        "failover-proxy-restart": (
            "Proxy restarted",
            "While kube-proxy is restarted, connections go on and new ones are made.",
        ),
        "failover-node-frozen": (
            "Node frozen",
            "When a node freezes, new connections avoid its backends, and return later.",
        ),
    },
    "cni_modes": {
        "encapsulation": ("Tunnel or none", "Packets between nodes are encapsulated as the mode says, or not at all."),
        "hop-count": ("Hops", "Between pods on two nodes there are as many routers as the mode says."),
        "source-through-service": ("Source through a Service", "Endpoints see the address that the mode says."),
        "service-through-node": (
            "Services through the node",
            "What a pod sends to Services passes its node, and leaves it under the node's address.",
        ),
        "dedicated-interface": ("Dedicated interface", "Every pod has a network interface to itself."),
        "shared-interface": ("Shared interfaces", "Pods of a node share its interfaces, each with an address of one."),
        "address-from-vswitch": ("Address from the vSwitch", "A pod's address is of a vSwitch that the plug-in uses."),
        "vswitch-choice": ("Choice of vSwitch", "Pods that are given a vSwitch of their own have addresses of it."),
        "fixed-address": ("Fixed address", "A StatefulSet's pod keeps its address when it is replaced or moves."),
        "security-group": ("Security group", "Pods in a group of their own reach others that do not reach them."),
        "interface-density": ("Limit of interfaces", "A pod more than there are interfaces waits until one is free."),
        "ebpf-datapath": ("eBPF datapath", "Pods and Services are joined by eBPF, on every node."),
        "plugin-unchanged": ("Plug-in unchanged", "The network plug-in is what it was in the baseline."),
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
