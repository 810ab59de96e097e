"""Terway of Alibaba Cloud: interfaces shared by pods or given to one each, told node by node.

`eni_conf` may hold access keys: only settings that say how the network works are ever shown.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from netassay.modes.mode import GENERIC
from netassay.modes.surroundings import NodeDetection, labels_of, name_of, parsed, settings, words

if TYPE_CHECKING:
    from netassay.modes.surroundings import Surroundings

SHARED, DATAPATH_V2, EXCLUSIVE, TRUNK = "terway-shared", "terway-datapath-v2", "terway-exclusive", "terway-trunk"

EXCLUSIVE_LABEL: Final = "k8s.aliyun.com/exclusive-mode-eni-type"
EXCLUSIVE_VALUE: Final = "eniOnly"
CONFIG_LABEL: Final = "terway-config"
CONFIG: Final = "eni-config"
NODES: Final = "network.alibabacloud.com/v1beta1:Node"
ENI, MEMBER_ENI = "aliyun/eni", "aliyun/member-eni"

DATAPATHS: Final = {"veth": SHARED, "datapathv2": DATAPATH_V2}
"""Terway's own word for the plumbing → mode; ipvlan, which it no longer sets up, has none."""

ENI_KEYS: Final = (
    "security_group",
    "security_groups",
    "service_cidr",
    "ip_stack",
    "enable_eni_trunking",
    "ipam_type",
    "max_pool_size",
)
DAEMON_MODE: Final = "-daemon-mode"
DAEMON_MODES: Final = {"enionly": EXCLUSIVE, "vpc": GENERIC}
"""What Terway's daemon does on all nodes alike, by the word after that; ENIMultiIP leaves it to the nodes."""

PLUGIN_KEYS: Final = ("eniip_virtual_type", "network_policy_provider", "host_stack_cidrs", "mtu", "datapath")


def terway(around: Surroundings, daemon: dict[str, Any]) -> list[NodeDetection]:
    """Tell the mode of each node: a node's own label, then its Node resource, then its ConfigMap."""
    everywhere = _daemon_mode(daemon)
    resources = {name_of(node): node for node in around.objects(NODES, optional=True)}
    configs: dict[str, tuple[str, bool]] = {}
    per_node = []
    for node in around.nodes:
        name, labels = name_of(node), labels_of(node)
        resource = resources.get(name, {"metadata": {}})
        exclusive, seen = _exclusive(node, resource)
        if exclusive:
            per_node.append(NodeDetection(name, EXCLUSIVE, [*seen, *_capacity(node)]))
            continue
        config = labels.get(CONFIG_LABEL, CONFIG)
        if config not in configs:
            configs[config] = _configured(around, config)
        datapath, trunk = configs[config]
        if config != CONFIG:
            seen.append(f"label {CONFIG_LABEL}={config}: this node has settings of its own")
        own = (resource.get("spec", {}).get("datapath") or {}).get("type", "")
        if own:
            seen.append(f"nodes.network.alibabacloud.com/{name}: spec.datapath.type={own}")
        datapath = own or datapath
        seen += _capacity(node)
        if everywhere:
            mode, because = everywhere
            per_node.append(NodeDetection(name, mode, [*seen, because]))
        else:
            per_node.append(NodeDetection(name, _mode(node, datapath, trunk=trunk, seen=seen), seen))
    return per_node


def _daemon_mode(daemon: dict[str, Any]) -> tuple[str, str] | None:
    """Tell the mode of a Terway whose daemon does the same on all nodes, and why; None if nodes say which it is."""
    if name_of(daemon) == "terway-eni":
        return EXCLUSIVE, "DaemonSet terway-eni: the older exclusive mode, one interface for each pod"
    given = [part for word in words(daemon) for part in word.split("=", 1)]
    value = next((after for word, after in pairwise(given) if word.lstrip("-") == DAEMON_MODE.lstrip("-")), "")
    mode = DAEMON_MODES.get(value.lower())
    if mode is None:
        return None
    missing = ", and there is no mode for that yet" if mode == GENERIC else ""
    return mode, f"DaemonSet {name_of(daemon)} is started with {DAEMON_MODE} {value}{missing}"


def _exclusive(node: dict[str, Any], resource: dict[str, Any]) -> tuple[bool, list[str]]:
    """Say whether a node's pods have an interface each, and by what: its label, as Terway took it when it was new.

    Terway keeps that in its own resource of the node, and refuses a label that says otherwise later (Terway,
    ReconcileNode.createOrUpdate). Any other value than eniOnly is as good as none (types.NodeExclusiveENIMode).
    """
    now, taken = labels_of(node).get(EXCLUSIVE_LABEL, ""), labels_of(resource).get(EXCLUSIVE_LABEL, "")
    exclusive = (taken or now) == EXCLUSIVE_VALUE
    seen = [f"label {EXCLUSIVE_LABEL}={now}"] if now else []
    if taken:
        seen.append(f"nodes.network.alibabacloud.com/{name_of(node)}: label {EXCLUSIVE_LABEL}={taken}")
    if taken and (taken == EXCLUSIVE_VALUE) != (now == EXCLUSIVE_VALUE):
        seen.append("the node's label was changed since it joined, which Terway refuses: it counts what it was then")
    if exclusive and _allocatable(node, ENI) in ("", "0"):
        seen.append(f"but no {ENI} is allocatable, as it is on every node on which exclusive ENI is in force")
    return exclusive, seen


def _mode(node: dict[str, Any], datapath: str, *, trunk: bool, seen: list[str]) -> str:
    if trunk and _allocatable(node, MEMBER_ENI) not in ("", "0"):
        seen.append("trunking is enabled, and the node has member interfaces to give")
        return TRUNK
    if not datapath:
        seen.append("nothing says which datapath is in force; Terway's default is veth")
    mode = DATAPATHS.get((datapath or "veth").lower(), GENERIC)
    if mode == GENERIC:
        seen.append(f"there is no mode for Terway's datapath {datapath} yet")
    return mode


def _configured(around: Surroundings, config: str) -> tuple[str, bool]:
    """Read a ConfigMap of Terway's: the datapath that it asks for ("" if it does not say), and whether it trunks."""
    data = around.config_map(config) or {}
    conf = parsed(data.get("eni_conf", ""))
    plugin = _plugin(data)
    said = [*settings(conf, *ENI_KEYS), *settings(plugin, *PLUGIN_KEYS)]
    if data:
        around.evidence.append(f"ConfigMap kube-system/{config}: {' '.join(said) or 'says nothing of the network'}")
    datapath = str(plugin.get("eniip_virtual_type") or plugin.get("datapath") or "").lower()
    return datapath, bool(conf.get("enable_eni_trunking"))


def _plugin(data: dict[str, str]) -> dict[str, Any]:
    """Give Terway's own part of its CNI configuration, be that a single plug-in or a chain."""
    for key in ("10-terway.conflist", "10-terway.conf"):
        found = parsed(data.get(key, ""))
        chain = found.get("plugins", [found])
        for plugin in chain if isinstance(chain, list) else []:
            if isinstance(plugin, dict) and plugin.get("type") == "terway":
                return plugin
    return {}


def _capacity(node: dict[str, Any]) -> list[str]:
    return [f"allocatable {name}: {count}" for name in (ENI, MEMBER_ENI) if (count := _allocatable(node, name))]


def _allocatable(node: dict[str, Any], name: str) -> str:
    return str(node.get("status", {}).get("allocatable", {}).get(name, ""))
