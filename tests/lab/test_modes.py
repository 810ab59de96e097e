"""Every mode of the lab, either kind of kube-proxy and either IP family keep the promises that their mode makes.

The default mode is assayed whole elsewhere; here those suites are made that have to do with what is different.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lab import lifecycle, modes
from lab.objects import read_manifest
from netassay.claims import CLAIMS
from netassay.cli.lab import outside_agent
from tests.lab.assays import SETTLED, Assay
from tests.modes.swaps import swapped

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    turned_round: bool = False

    def __str__(self) -> str:
        return f"{self.mode}-{self.proxy_mode}-{self.ip_family}-{self.nodes}"


# One case of policies in three, those that an engine most easily gets wrong; the generated cases are all alike in how
# they are made, and `netassay run --lab flannel-policy` makes them all.
OF_POLICIES = ",".join(
    f"network_policy/test_{name}"
    for name in (
        "enforcement.py",
        "flows.py",
        "new_pods.py",
        "nodes.py",
        "cases.py::test_a_rule_lets_its_address_ranges_through",
        "cases.py::test_policies_add_up_and_both_ends_must_agree",
        "cases.py::test_changes_are_followed_while_policies_are_in_force",
    )
)
OF_THE_PROXY = "services/test_cluster_ip.py,services/test_node_port.py,services/test_local_traffic.py"

VARIANTS = [
    Variant("flannel-policy", OF_POLICIES),
    Variant("flannel-hostgw", "pod_network/test_addresses.py,pod_network/test_lifecycle.py,reachability"),
    Variant(modes.DEFAULT, OF_THE_PROXY, proxy_mode="iptables", nodes=3),
    Variant(
        modes.DEFAULT, "reachability,services/test_cluster_ip.py,services/test_load_balancer.py,dns", ip_family="ipv6"
    ),
    Variant(modes.DEFAULT, "reachability", ip_family="dual"),
    Variant("flannel-alloc", "cni_modes"),
    Variant("eni-exclusive", "cni_modes", detected="terway-exclusive", turned_round=True),
    Variant("eni-shared", "cni_modes", detected="terway-shared"),
]
BY_HAND = {"bridge", "cilium", "cilium-vxlan", "datapath-v2"}
"""Cilium takes as long to build as Kubernetes does; of the reference plug-ins, the other modes have all."""


def test_every_mode_is_assayed() -> None:
    assert {variant.mode for variant in VARIANTS} | {modes.DEFAULT} | BY_HAND == set(modes.names())


@contextmanager
def lab_of(variant: Variant) -> Iterator[None]:
    lifecycle.down()
    try:
        lifecycle.up(
            variant.mode,
            nodes=variant.nodes,
            proxy_mode=variant.proxy_mode,
            ip_family=variant.ip_family,
            outside_agent=outside_agent(),
        )
        yield
    finally:
        lifecycle.down()


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_the_mode_conforms(tmp_path: Path, variant: Variant) -> None:
    with lab_of(variant):
        assay = Assay(tmp_path / "run", "--select", variant.suites, mode=variant.mode)
        turned = halves_turned_round(assay, tmp_path) if variant.turned_round else {}
    assert assay.exit_code == 0, assay.said
    assert {check["verdict"] for check in assay.run["checks"]} <= SETTLED, assay.said
    assert assay.run["mode"] == (variant.detected or variant.mode)
    assert assay.run["cluster"]["lab"] == variant.mode
    assert assay.run["cluster"].get("stands_in_for", "") == label_of(variant.mode).replace("_", " ")
    assert len(assay.run["cluster"]["nodes"]) == variant.nodes
    assert assay.run["cluster"]["service_proxy"] == variant.proxy_mode
    families = {check.get("parameters", {}).get("family") for check in assay.run["checks"]} - {None}
    assert families == ({"ipv4", "ipv6"} if variant.ip_family == "dual" else {variant.ip_family})
    assert_no_secret(assay.folder)
    for half, again in turned.items():
        assert len(half) > 4, assay.said
        assert again.claims("broken") == set(half), again.said
        for kept in ("holds", "absent by design"):
            assert again.claims(kept) == assay.claims(kept) - set(half), again.said


def label_of(mode: str) -> str:
    return modes.node_labels(modes.load(mode)).get("netassay.dev/stand-in-for", "")


def halves_turned_round(assay: Assay, folder: Path) -> dict[tuple[str, ...], Assay]:
    """The same twice more, where the opposite is expected of one half of the judged claims, and then of the other.

    So each claim is seen to turn red by its own expectation, and to keep its verdict where others' are turned round.
    """
    judged = assay.claims("holds", "absent by design")
    claims = [claim for claim in CLAIMS if CLAIMS[claim].feature == "cni_modes" and claim in judged]
    lab, found = assay.run["cluster"]["lab"], {}
    for half in (tuple(claims[::2]), tuple(claims[1::2])):
        file = folder / f"but-{half[0]}.toml"
        file.write_text(swapped(assay.run["mode"], *half))
        found[half] = Assay(folder / file.stem, "--select", "cni_modes", "--mode", str(file), mode=lab)
    return found


def assert_no_secret(folder: Path) -> None:
    """See that no file of the run holds the keys that the lab's stand-in for Terway has in its eni_conf."""
    objects = read_manifest("terway", {"service_networks": "", "virtual_type": ""})
    (config,) = (found for found in objects if found["kind"] == "ConfigMap")
    eni = json.loads(config["data"]["eni_conf"])
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert folder / "run.json" in files
    for secret in (eni["access_key"], eni["access_secret"]):
        assert secret
        assert not [file for file in files if secret.encode() in file.read_bytes()]
