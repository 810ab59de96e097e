"""Every mode of the lab, either kind of kube-proxy and either IP family keep the promises that their mode makes.

The default mode is assayed whole elsewhere; here those suites are made that have to do with what is different.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lab import lifecycle, modes
from netassay.cli.lab import outside_agent
from tests.lab.assays import SETTLED, Assay

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.lab


@dataclass(frozen=True)
class Variant:
    """A lab, and the suites that are made in it."""

    mode: str
    suites: str
    proxy_mode: str = "nftables"
    nodes: int = 2
    ip_family: str = "ipv4"
    detected: str = ""
    """The mode that is detected, where it is not called as the lab's."""

    def __str__(self) -> str:
        return f"{self.mode}-{self.proxy_mode}-{self.ip_family}-{self.nodes}"


OF_THE_PROXY = "services/test_cluster_ip.py,services/test_node_port.py,services/test_local_traffic.py"

VARIANTS = [
    Variant("flannel-policy", "network_policy"),
    Variant("flannel-hostgw", "pod_network,reachability"),
    Variant(modes.DEFAULT, OF_THE_PROXY, proxy_mode="iptables", nodes=3),
    Variant(
        modes.DEFAULT, "reachability,services/test_cluster_ip.py,services/test_load_balancer.py,dns", ip_family="ipv6"
    ),
    Variant(modes.DEFAULT, "reachability", ip_family="dual"),
    Variant("bridge", "cni_modes", detected="generic"),
    Variant("flannel-alloc", "cni_modes"),
    Variant("eni-exclusive", "cni_modes,services/test_cluster_ip.py", detected="terway-exclusive"),
    Variant("eni-shared", "cni_modes,services/test_cluster_ip.py", detected="terway-shared"),
]
NOT_BUILT_HERE = {"cilium", "cilium-vxlan", "datapath-v2"}
"""Modes whose programs take longer to build than all others together: they are tried by hand (docs/lab.md)."""


def test_every_mode_is_assayed() -> None:
    assert {variant.mode for variant in VARIANTS} | {modes.DEFAULT} | NOT_BUILT_HERE == set(modes.names())


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_the_mode_conforms(tmp_path: Path, variant: Variant) -> None:
    lifecycle.down()
    try:
        lifecycle.up(
            variant.mode,
            nodes=variant.nodes,
            proxy_mode=variant.proxy_mode,
            ip_family=variant.ip_family,
            outside_agent=outside_agent(),
        )
        assay = Assay(tmp_path / "run", "--select", variant.suites, mode=variant.mode)
    finally:
        lifecycle.down()
    assert assay.exit_code == 0, assay.said
    assert {check["verdict"] for check in assay.run["checks"]} <= SETTLED, assay.said
    assert assay.run["mode"] == (variant.detected or variant.mode)
    assert assay.run["cluster"]["lab"] == variant.mode
    assert assay.run["cluster"].get("stands_in_for", "") == modes.node_labels(modes.load(variant.mode)).get(
        "netassay.dev/stand-in-for", ""
    ).replace("_", " ")
    assert len(assay.run["cluster"]["nodes"]) == variant.nodes
    assert assay.run["cluster"]["service_proxy"] == variant.proxy_mode
    families = {check.get("parameters", {}).get("family") for check in assay.run["checks"]} - {None}
    assert families == ({"ipv4", "ipv6"} if variant.ip_family == "dual" else {variant.ip_family})
