"""Faults of the lab's network that break what a CNI mode promises, as many promises at once as one fault does."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubernetes import client, config

from lab import paths, plan
from lab.cloud.addresses import Lease, Wish
from lab.cloud.terway import ENI, GROUP, VERSION, node_resource
from lab.components import PKI
from lab.modes import Cloud
from tests.lab import breaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from lab.state import LabState

TUNNEL = "netassay-break"
TUNNEL_NETWORK = "192.0.2"  # for documentation: no other network of the lab's
FEWER_HOPS_DROPPED = f"""\
table ip {TUNNEL} {{
  chain forward {{
    type filter hook forward priority 0;
    ip saddr {plan.POD_NETWORK} ip daddr {plan.POD_NETWORK} ip ttl < 5 drop
  }}
}}
"""
IPAM = "/opt/cni/bin/vpc-ipam"
DETACH = "while sleep 0.05; do rm -f /sys/fs/bpf/cilium/endpoints/*/links/cil_from_container; done"

ADDRESSES_OF_ITS_OWN = """\
#!/bin/sh
given=$({ipam}.sound); ended=$?
if [ "$CNI_COMMAND" = ADD ] && [ $ended = 0 ]; then
  exec 9>/run/vpc-ipam.lock; flock 9
  last=$(cat /run/vpc-ipam.last 2>/dev/null || echo 9)
  echo $((last + 1)) >/run/vpc-ipam.last
  given=$(echo "$given" | sed "s#\\"address\\": \\"[0-9.]*/#\\"address\\": \\"{prefix}.$((last + 1))/#")
fi
echo "$given"
exit $ended
"""

INTERFACES_NOT_COUNTED = f"""\
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {{kubeconfig: {PKI}/kube-scheduler.kubeconfig}}
leaderElection: {{leaderElect: false}}
profiles:
- pluginConfig:
  - {{name: NodeResourcesFit, args: {{ignoredResources: [{ENI}]}}}}
"""


@dataclass(frozen=True)
class Break:
    """A fault, the checks that have to do with it, and the claims that it breaks: those and no others."""

    make: Callable[[LabState], AbstractContextManager[None]]
    suites: str
    claims: frozenset[str]


@contextmanager
def tunneled_under_the_nodes_addresses(lab: LabState) -> Iterator[None]:
    """Have packets between two nodes' pods go through a VXLAN, and those to Services under the node's address.

    The route through the tunnel is more specific than the way by the VPC's router, which is so passed by. That makes
    fewer routers, which a cloud may have as well: so nodes let only through what has some more to pass.
    """
    api = client.CoreV1Api(config.new_client_from_config(lab.kubeconfig))
    pods = {node: api.read_node(node).spec.pod_cidr for node in lab.nodes}
    nodes = {host.name: str(host.address.ip) for host in plan.node_hosts(len(lab.nodes))}
    one, other = lab.nodes
    with ExitStack() as undo:
        for number, (near, far) in enumerate(((one, other), (other, one)), 1):
            link = ["type", "vxlan", "id", "77", "dstport", "4790", "dev", "eth0"]
            ends = ["local", nodes[near], "remote", nodes[far]]
            breaks.run(lab, near, "ip", "link", "add", TUNNEL, *link, *ends)
            undo.callback(breaks.run, lab, near, "ip", "link", "delete", TUNNEL)
            breaks.run(lab, near, "ip", "address", "add", f"{TUNNEL_NETWORK}.{number}/30", "dev", TUNNEL)
            breaks.run(lab, near, "ip", "link", "set", TUNNEL, "up")
            breaks.run(lab, near, "ip", "route", "add", pods[far], "via", f"{TUNNEL_NETWORK}.{3 - number}")
            breaks.run(lab, near, "nft", "-f", "-", given=FEWER_HOPS_DROPPED)
            undo.callback(breaks.run, lab, near, "nft", "delete", "table", "ip", TUNNEL)
            within = ["--source", str(plan.POD_NETWORK), "--destination", str(plan.POD_NETWORK)]
            rule = [*within, "--match", "conntrack", "--ctstate", "DNAT", "--jump", "SNAT", "--to-source", nodes[near]]
            breaks.run(lab, near, "iptables", "--table", "nat", "--insert", "POSTROUTING", *rule)
            undo.callback(breaks.run, lab, near, "iptables", "--table", "nat", "--delete", "POSTROUTING", *rule)
        yield


@contextmanager
def own_addresses_and_interfaces_not_counted(lab: LabState) -> Iterator[None]:
    """Have each node give pods addresses that the cloud knows nothing of, and the scheduler count no interfaces.

    The addresses are of the VPC, and work; but no vSwitch, PodENI, security group or PodNetworking is of them, and none
    is given twice.
    """
    with ExitStack() as undo:
        for node in lab.nodes:
            script = ADDRESSES_OF_ITS_OWN.format(ipam=IPAM, prefix=f"172.30.20{plan.number_of(node)}")
            breaks.run(lab, node, "mv", IPAM, f"{IPAM}.sound")
            undo.callback(breaks.run, lab, node, "mv", f"{IPAM}.sound", IPAM)
            breaks.run(lab, node, "sh", "-c", f"cat >{IPAM} && chmod +x {IPAM}", given=script)
        undo.enter_context(_scheduler_replaced(lab, INTERFACES_NOT_COUNTED))
        yield


@contextmanager
def _scheduler_replaced(lab: LabState, configuration: str) -> Iterator[None]:
    """Have another kube-scheduler, of this configuration, do the work of the lab's own, which stands still."""
    file = paths.STATE / "kube-scheduler-break.yaml"
    file.write_text(configuration)
    command = [f"{paths.INSIDE_BIN}/kube-scheduler", f"--config={paths.INSIDE / file.name}", "--secure-port=0"]
    with breaks.stopped(lab, "kube-scheduler"), _running(lab, plan.CONTROL_PLANE_HOST, *command):
        yield


@contextmanager
def interfaces_claimed_by_a_node_that_is_gone(lab: LabState) -> Iterator[None]:
    """Have the record of a node that is gone claim every address that the nodes' interfaces give to pods."""
    api = client.CustomObjectsApi(config.new_client_from_config(lab.kubeconfig))
    name = "node-gone"
    claimed = [
        Lease("", node, "gone", f"pod-{address}", address, interface, Wish())
        for node in lab.nodes
        for interface, addresses in plan.slices(node).items()
        for address in addresses
    ]
    body = node_resource(name, claimed, Cloud(interfaces="shared", datapath="veth"))
    api.create_cluster_custom_object(GROUP, VERSION, "nodes", body)
    try:
        yield
    finally:
        api.delete_cluster_custom_object(GROUP, VERSION, "nodes", name)


@contextmanager
def programs_detached(lab: LabState) -> Iterator[None]:
    """Take the eBPF programs off the links that lead to pods, again and again: the agent attaches them to new ones."""
    with ExitStack() as loops:
        for node in lab.nodes:
            loops.enter_context(_running(lab, node, "sh", "-c", DETACH))
        yield


@contextmanager
def _running(lab: LabState, host: str, *command: str) -> Iterator[None]:
    """Run a program on a host of the lab for as long as held; it has not ended by itself meanwhile."""
    # In its namespace of processes it would be a child of what entered, which hands on no signal.
    enter = [part for part in lab.enter(host) if part != "--pid"]
    with (paths.LOGS / f"break@{host}.log").open("wb") as log:
        process = subprocess.Popen([*enter, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield
    finally:
        ended = process.poll()
        process.terminate()
        process.wait()
        assert ended is None, f"{command[0]} ended with {ended} on {host} before it should"


BREAKS = {
    "flannel-alloc": Break(
        tunneled_under_the_nodes_addresses,
        "cni_modes/test_ways.py",
        frozenset({"encapsulation", "hop-count", "source-through-service", "service-through-node"}),
    ),
    "eni-exclusive": Break(
        own_addresses_and_interfaces_not_counted,
        "cni_modes",
        frozenset(
            {
                "dedicated-interface",
                "address-from-vswitch",
                "vswitch-choice",
                "fixed-address",
                "security-group",
                "interface-density",
            }
        ),
    ),
    "eni-shared": Break(
        interfaces_claimed_by_a_node_that_is_gone, "cni_modes/test_interfaces.py", frozenset({"shared-interface"})
    ),
    "cilium": Break(programs_detached, "cni_modes/test_datapath.py", frozenset({"ebpf-datapath"})),
}
"""By the lab mode in which they are made. What changes the plug-in since a baseline is in test_assay.py."""
