"""Which mode of its plug-in a cluster is in, told from objects of the shape that the plug-ins' own manifests give them.

None of these plug-ins runs in the lab, so the objects are written here, as their documentation shows them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml

from netassay.errors import HarnessFault
from netassay.modes import Detection, detect, load

if TYPE_CHECKING:
    from netassay.cluster import Cluster

SECRET = "LTAI5tPLANTEDplantedPLANTED"  # noqa: S105 - planted, to be looked for
TERWAY_NODE = "network.alibabacloud.com/v1beta1:Node"
POOL = "crd.projectcalico.org/v1:IPPool"
VXLAN = json.dumps({"Backend": {"Type": "vxlan"}})
INSTALLATION = "operator.tigera.io/v1:Installation"


class WrittenCluster:
    """A cluster that answers reads from objects; a kind that it was not given is one that it does not know."""

    server = "https://written.example:6443"

    def __init__(self, **objects: list[dict[str, Any]]) -> None:
        self.objects = objects

    def list(self, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        if kind not in self.objects:
            raise HarnessFault(f"list {kind}: there is no such kind")
        return [o for o in self.objects[kind] if namespace in (None, o["metadata"].get("namespace"))]

    def get(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        return next((o for o in self.list(kind, namespace) if o["metadata"]["name"] == name), None)


def node(name: str, *, labels: dict[str, str] | None = None, **allocatable: str) -> dict[str, Any]:
    can = {key.replace("aliyun_", "aliyun/").replace("_", "-"): value for key, value in allocatable.items()}
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": {}, "status": {"allocatable": can}}


def daemon(name: str, namespace: str = "kube-system", **env: str) -> dict[str, Any]:
    container = {"name": "agent", "env": [{"name": key, "value": value} for key, value in env.items()]}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"desiredNumberScheduled": 2, "numberReady": 2},
    }


def config(name: str, data: dict[str, str], namespace: str = "kube-system") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "data": data}


def detected(
    daemons: list[dict[str, Any]],
    configs: list[dict[str, Any]],
    nodes: list[dict[str, Any]] | None = None,
    **more: list[dict[str, Any]],
) -> Detection:
    cluster = WrittenCluster(Node=nodes or [node("n1"), node("n2")], DaemonSet=daemons, ConfigMap=configs)
    cluster.objects.update(more)
    return detect(cast("Cluster", cluster))


def told(detection: Detection) -> str:
    return "\n".join([*detection.evidence, *(line for one in detection.nodes for line in one.evidence)])


def eni_config(name: str = "eni-config", *, trunking: bool = False, **plugin: str) -> dict[str, Any]:
    eni = {
        "version": "1",
        "access_key": SECRET,
        "access_secret": "planted-secret-value",
        "service_cidr": "172.16.0.0/20",
        "security_group": "sg-1",
        "vswitches": {"cn-x-a": ["vsw-1"]},
        "enable_eni_trunking": trunking,
    }
    chain = {"plugins": [{"type": "terway", **plugin}, {"type": "cilium-cni"}]}
    return config(name, {"eni_conf": json.dumps(eni), "10-terway.conflist": json.dumps(chain)})


TERWAY = [daemon("terway-eniip")]


@pytest.mark.parametrize(
    ("plugin", "mode"),
    [
        ({"eniip_virtual_type": "Veth"}, "terway-shared"),
        ({"eniip_virtual_type": "datapathv2", "network_policy_provider": "ebpf"}, "terway-datapath-v2"),
        ({}, "terway-shared"),
        ({"eniip_virtual_type": "IPVlan"}, "generic"),
    ],
)
def test_terways_datapath_is_told_from_its_configuration(plugin: dict[str, str], mode: str) -> None:
    detection = detected(TERWAY, [eni_config(**plugin)])
    assert (detection.mode, detection.plug_in) == (mode, "terway")
    for key, value in plugin.items():
        assert f"{key}={value}" in told(detection)


def test_what_terway_says_of_a_node_counts_more_than_the_configuration() -> None:
    resource = {"metadata": {"name": "n1"}, "spec": {"datapath": {"type": "datapathv2"}}}
    detection = detected(TERWAY, [eni_config(eniip_virtual_type="Veth")], **{TERWAY_NODE: [resource]})
    assert [one.mode for one in detection.nodes] == ["terway-datapath-v2", "terway-shared"]
    assert detection.mode == "generic"
    assert "nodes differ" in told(detection)


def test_nodes_with_exclusive_interfaces_are_told_apart_from_the_others() -> None:
    nodes = [
        node("n1", labels={"k8s.aliyun.com/exclusive-mode-eni-type": "eniOnly"}, aliyun_eni="7"),
        node("n2"),
    ]
    detection = detected(TERWAY, [eni_config(eniip_virtual_type="datapathv2")], nodes)
    assert [one.mode for one in detection.nodes] == ["terway-exclusive", "terway-datapath-v2"]
    assert "allocatable aliyun/eni: 7" in told(detection)
    assert detected([daemon("terway-eni")], [eni_config()]).mode == "terway-exclusive"


EXCLUSIVE = "k8s.aliyun.com/exclusive-mode-eni-type"


@pytest.mark.parametrize(
    ("label", "taken", "eni", "mode", "because"),
    [
        ("eniOnly", "", "7", "terway-exclusive", f"label {EXCLUSIVE}=eniOnly"),
        ("eniOnly", "eniOnly", "7", "terway-exclusive", f"n1: label {EXCLUSIVE}=eniOnly"),
        ("default", "", "", "terway-shared", f"label {EXCLUSIVE}=default"),
        ("", "default", "", "terway-shared", f"n1: label {EXCLUSIVE}=default"),
        ("eniOnly", "default", "", "terway-shared", "was changed since it joined, which Terway refuses"),
        ("", "eniOnly", "7", "terway-exclusive", "was changed since it joined, which Terway refuses"),
        ("eniOnly", "", "", "terway-exclusive", "but no aliyun/eni is allocatable"),
    ],
)
def test_a_nodes_label_counts_as_terway_took_it_when_the_node_was_new(
    label: str, taken: str, eni: str, mode: str, because: str
) -> None:
    resource = {"metadata": {"name": "n1", "labels": {EXCLUSIVE: taken}}, "spec": {"datapath": {"type": "veth"}}}
    one = node("n1", labels={EXCLUSIVE: label}, **({"aliyun_eni": eni} if eni else {}))
    detection = detected(TERWAY, [eni_config()], [one], **{TERWAY_NODE: [resource]})
    assert detection.mode == mode
    assert because in told(detection)
    assert ("was changed" in told(detection)) is ("was changed" in because)
    assert ("no aliyun/eni" in told(detection)) is ("no aliyun/eni" in because)


@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize(
    ("word", "mode"), [("ENIMultiIP", "terway-shared"), ("ENIOnly", "terway-exclusive"), ("VPC", "generic")]
)
def test_what_terways_daemon_does_everywhere_is_told_by_how_it_is_started(
    word: str, mode: str, *, joined: bool
) -> None:
    started = daemon("terway")
    (container,) = started["spec"]["template"]["spec"]["containers"]
    container["command"] = ["/usr/bin/terwayd", "-log-level", "debug"]
    container["args"] = [f"-daemon-mode={word}"] if joined else ["-daemon-mode", word]
    detection = detected([started], [eni_config()])
    assert (detection.mode, detection.plug_in) == (mode, "terway")
    assert (f"started with -daemon-mode {word}" in told(detection)) is (word != "ENIMultiIP")


def test_trunking_counts_on_nodes_that_have_member_interfaces() -> None:
    nodes = [node("n1", aliyun_member_eni="10"), node("n2")]
    detection = detected(TERWAY, [eni_config(trunking=True)], nodes)
    assert [one.mode for one in detection.nodes] == ["terway-trunk", "terway-shared"]


def test_a_node_with_settings_of_its_own_is_told_by_those() -> None:
    nodes = [node("n1", labels={"terway-config": "of-pool-2"}), node("n2")]
    configs = [eni_config(eniip_virtual_type="Veth"), eni_config("of-pool-2", eniip_virtual_type="datapathv2")]
    detection = detected(TERWAY, configs, nodes)
    assert [one.mode for one in detection.nodes] == ["terway-datapath-v2", "terway-shared"]


def test_keys_of_the_cloud_account_never_come_into_the_evidence() -> None:
    detection = detected(TERWAY, [eni_config(eniip_virtual_type="Veth")])
    assert "service_cidr=172.16.0.0/20" in told(detection)
    assert SECRET not in told(detection)
    assert "planted" not in told(detection).lower()


@pytest.mark.parametrize(
    ("spec", "mode"),
    [
        ({"vxlanMode": "Always", "ipipMode": "Never"}, "calico-vxlan"),
        ({"vxlanMode": "CrossSubnet", "ipipMode": "Never"}, "calico-vxlan"),
        ({"ipipMode": "Always"}, "calico-ipip"),
        ({"ipipMode": "CrossSubnet"}, "calico-ipip"),
        ({"vxlanMode": "Never", "ipipMode": "Never"}, "calico-bgp"),
    ],
)
def test_calicos_mode_is_that_of_its_pools(spec: dict[str, str], mode: str) -> None:
    pool = {"metadata": {"name": "default"}, "spec": {"cidr": "10.1.0.0/16", **spec}}
    off = {"metadata": {"name": "old"}, "spec": {"cidr": "10.2.0.0/16", "disabled": True, "vxlanMode": "Always"}}
    detection = detected([daemon("calico-node", CALICO_NETWORKING_BACKEND="bird")], [], **{POOL: [pool, off]})
    assert (detection.mode, detection.plug_in) == (mode, "calico")
    assert "IPPool default: cidr=10.1.0.0/16" in told(detection)


def test_pools_are_found_where_calicos_crds_are_its_api() -> None:
    pool = {"metadata": {"name": "default"}, "spec": {"cidr": "10.1.0.0/16", "ipipMode": "Always"}}
    assert detected([daemon("calico-node")], [], **{"projectcalico.org/v3:IPPool": [pool]}).mode == "calico-ipip"


def test_without_the_right_to_read_pools_the_operators_installation_tells() -> None:
    installation = {
        "metadata": {"name": "default"},
        "spec": {"calicoNetwork": {"ipPools": [{"cidr": "10.1.0.0/16", "encapsulation": "IPIPCrossSubnet"}]}},
    }
    detection = detected([daemon("calico-node", "calico-system")], [], **{INSTALLATION: [installation]})
    assert detection.mode == "calico-ipip"
    assert "could not list IPPools" in told(detection)


def test_a_calico_that_only_enforces_policies_or_whose_pools_differ_is_not_guessed() -> None:
    detection = detected([daemon("calico-node", CALICO_NETWORKING_BACKEND="none")], [])
    assert detection.mode == "generic"
    assert "only enforces policies" in told(detection)
    pools = [{"metadata": {"name": name}, "spec": spec} for name, spec in (("a", {"ipipMode": "Always"}), ("b", {}))]
    assert detected([daemon("calico-node")], [], **{POOL: pools}).mode == "generic"


@pytest.mark.parametrize(
    ("data", "mode"),
    [
        ({"routing-mode": "native", "ipam": "kubernetes"}, "cilium-native"),
        ({"routing-mode": "native", "tunnel": "vxlan"}, "cilium-native"),
        ({"tunnel": "disabled"}, "cilium-native"),
        ({"routing-mode": "tunnel", "tunnel-protocol": "vxlan"}, "cilium-vxlan"),
        ({"routing-mode": "tunnel", "tunnel-protocol": "geneve"}, "cilium-geneve"),
        ({"tunnel": "geneve"}, "cilium-geneve"),
        ({}, "cilium-vxlan"),
        ({"routing-mode": "native", "ipam": "eni"}, "cilium-eni"),
        ({"routing-mode": "native", "ipam": "eni", "enable-wireguard": "true"}, "cilium-encrypted"),
        ({"tunnel-protocol": "vxlan", "enable-ipsec": "true"}, "cilium-encrypted"),
        ({"tunnel-protocol": "vxlan", "enable-ipsec": "false", "enable-wireguard": "false"}, "cilium-vxlan"),
        ({"routing-mode": "native", "ipam": "alibabacloud"}, "cilium-eni"),
        ({"routing-mode": "native", "cni-chaining-mode": "generic-veth"}, "generic"),
    ],
)
def test_ciliums_mode_is_that_of_its_configuration(data: dict[str, str], mode: str) -> None:
    detection = detected([daemon("cilium")], [config("cilium-config", data)])
    assert (detection.mode, detection.plug_in) == (mode, "cilium")
    for key, value in data.items():
        assert f"{key}={value}" in told(detection)


NODE_CONFIG = "cilium.io/v2:CiliumNodeConfig"


def node_config(name: str, defaults: dict[str, str], namespace: str = "kube-system") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"metadata": metadata, "spec": {"nodeSelector": {"matchLabels": {"pool": "new"}}, "defaults": defaults}}


def test_a_cilium_that_is_set_up_otherwise_on_some_nodes_is_told_by_node() -> None:
    nodes = [node("n1"), node("n2", labels={"pool": "new"})]
    data = {"routing-mode": "tunnel", "tunnel-protocol": "vxlan"}
    configs = [
        node_config("b", {"routing-mode": "native"}),
        node_config("a", {"routing-mode": "tunnel", "tunnel-protocol": "geneve"}),
        node_config("c", {"tunnel-protocol": "geneve", "routing-mode": "tunnel"}, namespace="elsewhere"),
    ]
    detection = detected([daemon("cilium")], [config("cilium-config", data)], nodes, **{NODE_CONFIG: configs})
    assert [one.mode for one in detection.nodes] == ["cilium-vxlan", "cilium-native"]
    assert detection.mode == "generic"
    assert "nodes differ: cilium-vxlan on 1 (n1); cilium-native on 1 (n2); nothing is assumed of any" in told(detection)
    assert "CiliumNodeConfig b: routing-mode=native" in detection.nodes[1].evidence
    assert not any("CiliumNodeConfig" in line for line in detection.nodes[0].evidence)


def test_plug_ins_with_one_mode_are_known_by_their_daemon_set() -> None:
    assert detected([daemon("kindnet")], []).mode == "kindnet"


@pytest.mark.parametrize("name", ["canal", "rke2-canal"])
def test_canals_backend_is_that_of_its_own_configuration(name: str) -> None:
    flannel = config(f"{name}-config", {"net-conf.json": VXLAN})
    detection = detected([daemon(name)], [flannel])
    assert (detection.mode, detection.plug_in) == ("canal", "canal")
    assert detected([daemon(name)], []).mode == "generic"


def test_flannel_is_known_by_the_daemon_sets_of_single_architectures_too() -> None:
    amd64, arm64, none = (daemon(f"kube-flannel-ds-{one}") for one in ("amd64", "arm64", "s390x"))
    none["status"] = {"desiredNumberScheduled": 0, "numberReady": 0}
    detection = detected([amd64, arm64, none], [config("kube-flannel-cfg", {"net-conf.json": VXLAN})])
    assert (detection.mode, detection.plug_in) == ("flannel-vxlan", "flannel")
    assert "kube-flannel-ds-s390x exists, but is meant for no node" in told(detection)
    assert detection.installed is not None
    assert [one.name for one in detection.installed.workloads] == ["kube-flannel-ds-amd64", "kube-flannel-ds-arm64"]


@pytest.mark.parametrize(
    ("agent", "mode"),
    [
        ({}, "antrea-geneve"),
        ({"trafficEncapMode": "noEncap"}, "generic"),
        ({"tunnelType": "vxlan"}, "generic"),
        ({"trafficEncryptionMode": "wireGuard"}, "generic"),
    ],
)
def test_antreas_mode_is_that_of_its_agents(agent: dict[str, str], mode: str) -> None:
    data = {"antrea-agent.conf": yaml.safe_dump(agent)}
    detection = detected([daemon("antrea-agent")], [config("antrea-config", data)])
    assert (detection.mode, detection.plug_in) == (mode, "antrea")


def test_antreas_settings_are_those_that_its_agent_mounts_and_are_not_guessed() -> None:
    agent = daemon("antrea-agent")
    hashed = "antrea-config-mf4t8c67c8"
    agent["spec"]["template"]["spec"]["volumes"] = [
        {"name": "host-proc", "hostPath": {"path": "/proc"}},
        {"name": "antrea-config", "configMap": {"name": hashed}},
    ]
    vxlan = config(hashed, {"antrea-agent.conf": "tunnelType: vxlan"})
    detection = detected([agent], [vxlan])
    assert detection.mode == "generic"
    assert f"ConfigMap kube-system/{hashed}: tunnelType=vxlan" in told(detection)
    assert detected([agent], [config(hashed, {"antrea-agent.conf": "#tunnelType: vxlan"})]).mode == "antrea-geneve"
    unread = detected([agent], [])
    assert unread.mode == "generic"
    assert f"there is no ConfigMap kube-system/{hashed}" in told(unread)


def test_flannel_on_routes_of_the_vpc_knows_how_many_nodes_it_is_meant_for() -> None:
    assert load("flannel-alloc").limits["nodes"].value == 1000
