"""What a run creates, and which nodes it takes: pure functions of their arguments."""

from __future__ import annotations

import base64
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from netassay.agent import pack
from netassay.fleet import PROBE_PORTS, Run
from netassay.fleet.manifests import (
    PodOptions,
    agent_config_map,
    beside_name,
    namespace,
    probe_deployment,
    probe_pod,
    stateful_set,
)
from netassay.fleet.nodes import schedulable, why_not
from netassay.fleet.ports import host_ports
from netassay.fleet.readiness import hopeless
from netassay.runner.preflight import RIGHTS

RUN = Run("rtest1")
RBAC = Path(__file__).parents[2] / "deploy" / "rbac.yaml"


def pod(**options: Any) -> dict[str, Any]:
    return probe_pod(RUN, "probe-1", RUN.namespace, "python:3", PodOptions(**options))


def test_run_ids_are_fit_for_dns_and_differ() -> None:
    ids = {Run.new().id for _ in range(100)}
    assert len(ids) > 95
    assert all(re.fullmatch(r"r[a-z0-9]{5}", one) for one in ids)


def test_pods_meet_the_restricted_profile() -> None:
    spec = pod()["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {next(iter(set(volume) - {"name"})) for volume in spec["volumes"]} <= {"configMap", "emptyDir"}
    assert not spec["automountServiceAccountToken"]
    assert "hostNetwork" not in spec


def test_everything_carries_the_runs_labels() -> None:
    for made in (pod(labels={"app": "x"}), namespace(RUN, "n", "restricted"), agent_config_map(RUN, "n")):
        assert RUN.labels.items() <= made["metadata"]["labels"].items()


def test_the_runs_labels_cannot_be_replaced() -> None:
    assert pod(labels={"netassay.dev/run": "other"})["metadata"]["labels"]["netassay.dev/run"] == RUN.id


def test_config_map_holds_the_agent() -> None:
    data = agent_config_map(RUN, "n")["binaryData"]["agent.pyz"]
    assert base64.b64decode(data) == pack.zipapp()


def test_pinned_pods_go_through_the_scheduler() -> None:
    spec = pod(node="node-1")["spec"]
    assert "nodeName" not in spec
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms == [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}]


def test_options_of_pods() -> None:
    spec = pod(hostname="h", subdomain="s", ready=False, tolerate_taints=True, dns={"searches": ["a"]})["spec"]
    assert (spec["hostname"], spec["subdomain"], spec["dnsConfig"]) == ("h", "s", {"searches": ["a"]})
    assert spec["tolerations"] == [{"operator": "Exists"}]
    assert "--not-ready" in spec["containers"][0]["command"]


def test_a_pod_that_drains_is_given_the_time_for_it() -> None:
    spec = pod(linger=10, shared_processes=True)["spec"]
    assert "--linger" in spec["containers"][0]["command"]
    assert spec["terminationGracePeriodSeconds"] > 10
    assert spec["shareProcessNamespace"]
    assert "shareProcessNamespace" not in pod()["spec"]


def test_a_deployments_pods_are_probes_of_the_run_and_none_is_missing_while_it_is_rolled() -> None:
    made = probe_deployment(RUN, "web", RUN.namespace, "python:3", 2, PodOptions(labels={"app": "x"}))
    template = made["spec"]["template"]
    assert made["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert RUN.labels.items() <= made["metadata"]["labels"].items()
    assert RUN.labels.items() <= template["metadata"]["labels"].items()
    assert made["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    (name,) = (one for one in template["spec"]["containers"][0]["env"] if one["name"] == "POD_NAME")
    assert name["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_pods_that_differ_more() -> None:
    spec = pod(
        silent=True,
        linger=20,
        sysctls={"net.ipv4.ping_group_range": "0 1"},
        first=["attempt", "tcp", "web", "80"],
        beside={"tcp": 9090},
    )["spec"]
    first, (agent, second) = spec["initContainers"][0], spec["containers"]
    assert first["command"][-4:] == ["attempt", "tcp", "web", "80"]
    assert (agent["ports"], agent["command"][-2:], "readinessProbe" in agent) == ([], ["--linger", "20"], False)
    assert spec["terminationGracePeriodSeconds"] > 20
    assert spec["securityContext"]["sysctls"] == [{"name": "net.ipv4.ping_group_range", "value": "0 1"}]
    assert second["command"][-3:] == ["serve", "--tcp", "9090"]
    assert second["env"] == [{"name": "POD_NAME", "value": beside_name("probe-1")}]
    restricted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert all(each["securityContext"] == restricted for each in (first, agent, second))


def test_extended_resources_are_asked_for_as_their_limit() -> None:
    (agent,) = pod(resources={"aliyun/eni": "3"})["spec"]["containers"]
    assert agent["resources"]["requests"]["aliyun/eni"] == agent["resources"]["limits"]["aliyun/eni"] == "3"
    assert agent["resources"]["requests"]["cpu"]


def test_ports_and_folders_of_the_node_need_the_open_namespace() -> None:
    options = PodOptions(host_ports={"tcp": 27000}, host_ip="172.30.0.11")
    spec = probe_pod(RUN, "p", "n", "python:3", options)["spec"]
    ports = {port["name"]: port for port in spec["containers"][0]["ports"]}
    assert (ports["tcp"]["hostPort"], ports["tcp"]["hostIP"]) == (27000, "172.30.0.11")
    assert "hostPort" not in ports["udp"]
    assert options.open_space
    assert PodOptions(host_path="/var/lib/cni").open_space
    assert not PodOptions().open_space


def test_capabilities_are_of_the_agent_alone_and_need_the_open_namespace() -> None:
    options = PodOptions(capabilities=("BPF", "NET_ADMIN"), load_image="iperf3:1")
    agent, beside = probe_pod(RUN, "p", "n", "python:3", options)["spec"]["containers"]
    assert agent["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["BPF", "NET_ADMIN"]}
    assert agent["securityContext"]["runAsUser"] == 0
    assert not agent["securityContext"]["allowPrivilegeEscalation"]
    assert "add" not in beside["securityContext"]["capabilities"]
    assert "runAsUser" not in pod()["spec"]["containers"][0]["securityContext"]
    assert options.open_space


def test_pods_of_a_stateful_set_answer_by_their_own_names() -> None:
    made = stateful_set(RUN, "set-1", "python:3", service="headless-1", label="serves", count=2)
    template = made["spec"]["template"]
    env = {entry["name"]: entry for entry in template["spec"]["containers"][0]["env"]}
    assert env["POD_NAME"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert made["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert template["metadata"]["labels"]["serves"] == "yes"
    assert (made["spec"]["serviceName"], RUN.labels.items() <= made["metadata"]["labels"].items()) == (
        "headless-1",
        True,
    )


def test_each_port_is_declared_with_its_transport() -> None:
    declared = {port["name"]: port["protocol"] for port in pod()["spec"]["containers"][0]["ports"]}
    udp, sctp = dict.fromkeys(("udp", "udp2"), "UDP"), {"sctp": "SCTP"}
    assert declared == {"tcp": "TCP", "tcp2": "TCP", "http": "TCP", **udp, **sctp}


def test_host_probes_use_ports_of_their_own() -> None:
    spec = pod(host_network=True)["spec"]
    assert (spec["hostNetwork"], spec["dnsPolicy"]) == (True, "ClusterFirstWithHostNet")
    ports = {port["name"]: port["containerPort"] for port in spec["containers"][0]["ports"]}
    assert ports == host_ports(RUN.id)
    assert ports.keys() == PROBE_PORTS.keys()
    assert all(21_000 <= number < 30_000 for number in ports.values())
    assert len(set(ports.values())) == len(ports)


def node(name: str, *, ready: str = "True", taints: tuple[str, ...] = (), cordoned: bool = False) -> dict[str, Any]:
    spec = {"unschedulable": cordoned, "taints": [{"key": key, "effect": "NoSchedule"} for key in taints]}
    return {
        "metadata": {"name": name},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def test_nodes_that_take_probes() -> None:
    nodes = [
        node("b"),
        node("a"),
        node("down", ready="Unknown"),
        node("cordoned", cordoned=True, taints=("node.kubernetes.io/unschedulable",)),
        node("master", taints=("node-role.kubernetes.io/control-plane",)),
    ]
    names = [one["metadata"]["name"] for one in schedulable(nodes, tolerate_taints=False)]
    assert names == ["a", "b"]
    assert [one["metadata"]["name"] for one in schedulable(nodes, tolerate_taints=True)] == ["a", "b", "master"]
    assert [why_not(one, tolerate_taints=False) for one in nodes[2:]] == [
        "not Ready",
        "cordoned",
        "tainted node-role.kubernetes.io/control-plane:NoSchedule",
    ]


def waiting(reason: str) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": "as told by the kubelet"}}
    return {"metadata": {}, "status": {"containerStatuses": [{"image": "python:3", "state": state}]}}


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "ErrImageNeverPull", "CrashLoopBackOff", "RunContainerError"])
def test_hopeless_pods_are_given_up(reason: str) -> None:
    assert reason in hopeless(waiting(reason))
    assert "as told by the kubelet" in hopeless(waiting(reason))


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", "ErrImagePull"])
def test_pods_that_may_still_come_are_waited_for(reason: str) -> None:
    assert hopeless(waiting(reason)) == ""


@pytest.mark.parametrize(("age", "given_up"), [(1, False), (60, True)])
def test_unschedulable_pods_get_a_moment(age: int, given_up: bool) -> None:
    since = datetime.fromtimestamp(time.time() - age, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": since}
    told = hopeless({"metadata": {}, "status": {"conditions": [{**condition, "message": "0/2 nodes are available"}]}})
    assert bool(told) is given_up


def test_rbac_grants_what_preflight_asks_for() -> None:
    role = next(one for one in yaml.safe_load_all(RBAC.read_text()) if one["kind"] == "ClusterRole")
    granted = {
        (verb, resource, group)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
        for group in rule["apiGroups"]
    }
    assert {(right.verb, right.resource, right.group) for right in RIGHTS} <= granted
