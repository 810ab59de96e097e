"""Every mode of the lab, either kind of kube-proxy and either IP family keep the promises that their mode makes.

The default mode is assayed whole elsewhere; here those suites are made that have to do with what is different. And what
makes a mode is broken for real: each claim is seen to turn red by a fault of the network.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from lab import lifecycle, modes, state
from lab.objects import read_manifest
from lab.progress import Progress
from netassay.claims import CLAIMS
from netassay.cli.lab import outside_agent
from netassay.report import COMPARISON_HTML
from netassay.results.naming import claim_title
from tests.lab import test_assay
from tests.lab.assays import SETTLED, Assay
from tests.lab.mode_breaks import BREAKS
from tests.modes.swaps import swapped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.state import LabState


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
    Variant(modes.DEFAULT, OF_THE_PROXY, proxy_mode="iptables", nodes=3),
    Variant(
        modes.DEFAULT, "reachability,services/test_cluster_ip.py,services/test_load_balancer.py,dns", ip_family="ipv6"
    ),
    Variant(modes.DEFAULT, "reachability", ip_family="dual"),
    Variant("flannel-alloc", "cni_modes"),
    Variant("eni-exclusive", "cni_modes", detected="terway-exclusive", turned_round=True),
    Variant("eni-shared", "cni_modes", detected="terway-shared"),
]
CILIUMS = [
    Variant("cilium", "cni_modes,reachability", detected="cilium-native"),
    Variant("cilium-vxlan", "cni_modes,reachability"),
    Variant("datapath-v2", "cni_modes,reachability", detected="terway-datapath-v2"),
]
SIDE_BY_SIDE = {"flannel-hostgw": "flannel-hostgw", "bridge": "generic"}
"""Lab modes that one run assays, and what they are detected as."""
BROKEN_ELSEWHERE = {
    "plugin-unchanged": (
        test_assay.test_a_plug_in_that_was_changed_since_a_baseline_is_told_and_one_that_was_restarted_is_not
    )
}
SWITCHED_WITHIN = 60.0
"""Seconds from one mode to another, where the programs of both are built."""


def test_every_mode_is_assayed() -> None:
    assayed = {variant.mode for variant in [*VARIANTS, *CILIUMS]}
    assert assayed | {modes.DEFAULT} | SIDE_BY_SIDE.keys() == set(modes.names())


def test_every_claim_that_makes_a_mode_is_broken_for_real() -> None:
    broken = [claim for each in BREAKS.values() for claim in each.claims]
    claims = {claim for claim in CLAIMS if CLAIMS[claim].feature == "cni_modes"}
    assert sorted([*broken, *BROKEN_ELSEWHERE]) == sorted(claims)
    assert BREAKS.keys() <= {variant.mode for variant in [*VARIANTS, *CILIUMS]}


@contextmanager
def lab_of(variant: Variant) -> Iterator[LabState]:
    lifecycle.down()
    try:
        yield lifecycle.up(
            variant.mode,
            nodes=variant.nodes,
            proxy_mode=variant.proxy_mode,
            ip_family=variant.ip_family,
            outside_agent=outside_agent(),
        )
    finally:
        lifecycle.down()


@pytest.mark.lab
@pytest.mark.parametrize(
    "variant", [*VARIANTS, *(pytest.param(each, marks=pytest.mark.cilium) for each in CILIUMS)], ids=str
)
def test_the_mode_conforms_and_is_told_where_it_does_not(tmp_path: Path, variant: Variant) -> None:
    with lab_of(variant) as lab:
        assay = Assay(tmp_path / "run", "--select", variant.suites, mode=variant.mode)
        turned = halves_turned_round(assay, tmp_path) if variant.turned_round else {}
        broken = BREAKS.get(variant.mode)
        if broken:
            with broken.make(lab):
                found = Assay(tmp_path / "broken", "--select", broken.suites, mode=variant.mode)
    assert assay.exit_code == 0, assay.said
    assert {check["verdict"] for check in assay.run["checks"]} <= SETTLED, assay.said
    assert assay.run["mode"] == (variant.detected or variant.mode)
    assert assay.run["cluster"]["lab"] == variant.mode
    assert assay.run["cluster"].get("stands_in_for", "") == label_of(variant.mode).replace("_", " ")
    assert len(assay.run["cluster"]["nodes"]) == variant.nodes
    proxy = variant.proxy_mode if modes.load(variant.mode).service_proxy else None
    assert assay.run["cluster"].get("service_proxy") == proxy
    families = {check.get("parameters", {}).get("family") for check in assay.run["checks"]} - {None}
    assert families == ({"ipv4", "ipv6"} if variant.ip_family == "dual" else {variant.ip_family})
    assert_no_secret(assay.folder)
    if broken:
        assert found.exit_code == 1, found.said
        assert found.claims("broken") == broken.claims, found.said
        assert {check["verdict"] for check in found.run["checks"]} <= {*SETTLED, "broken"}, found.said
    for half, again in turned.items():
        assert len(half) > 4, assay.said
        assert again.claims("broken") == set(half), again.said
        for kept in ("holds", "absent by design"):
            assert again.claims(kept) == assay.claims(kept) - set(half), again.said


@pytest.mark.lab
def test_modes_are_assayed_one_after_the_other_and_put_side_by_side(tmp_path: Path) -> None:
    lifecycle.down()
    out, suites = tmp_path / "side-by-side", "cni_modes,pod_network/test_addresses.py,reachability/test_pod_to_pod.py"
    command = [sys.executable, "-m", "netassay", "run", "--lab", ",".join(SIDE_BY_SIDE), "-s", suites, "--out", out]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert state.running() is None
    runs = {mode: json.loads((out / mode / "run.json").read_text()) for mode in SIDE_BY_SIDE}
    assert {mode: run["mode"] for mode, run in runs.items()} == SIDE_BY_SIDE
    assert all(check["verdict"] in SETTLED for run in runs.values() for check in run["checks"]), said
    cells = cells_of(out / COMPARISON_HTML)
    for column, (mode, run) in enumerate(runs.items()):
        for claim in {check["claim"] for check in run["checks"]}:
            verdict, link = cells[claim_title(claim)][column]
            assert verdict in {check["verdict"] for check in run["checks"] if check["claim"] == claim}
            assert link == f"{mode}/report.html#claim-{claim}"
            assert f'id="claim-{claim}"' in (out / mode / "report.html").read_text()
    # Of a plug-in that does not show in the API nothing is promised that makes a mode.
    for claim, verdict in (("hop-count", "holds"), ("service-through-node", "absent by design")):
        assert [said for said, _ in cells[claim_title(claim)]] == [verdict, "not applicable"]


def cells_of(page: Path) -> dict[str, list[tuple[str, str]]]:
    """The verdict and the link of each column, by claim, as the page of several runs shows them in a browser."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(test_assay.CHROMIUM_OPTIONS))
        shown = browser.new_page()
        shown.goto(page.as_uri())
        rows = shown.eval_on_selector_all("#claims tbody tr", ROWS)
        browser.close()
    return {title: [(verdict, link) for verdict, link in cells] for title, cells in rows}


ROWS = """rows => rows.map(row => [
  row.querySelector("th").firstChild.textContent.trim(),
  [...row.querySelectorAll("td")].map(cell => [
    cell.querySelector(".chip")?.lastChild.textContent, cell.querySelector("a")?.getAttribute("href")
  ])
])"""


@pytest.mark.lab
@pytest.mark.cilium
def test_from_flannel_to_cilium_it_takes_a_minute_at_most(tmp_path: Path) -> None:
    lifecycle.prepare("cilium", Progress())
    with lab_of(Variant(modes.DEFAULT, "")):
        started = time.monotonic()
        with lab_of(Variant("cilium", "")):
            took = time.monotonic() - started
            assay = Assay(tmp_path / "run", "--select", "reachability/test_pod_to_pod.py", mode="cilium")
    assert assay.exit_code == 0, assay.said
    assert "pod-to-pod-tcp" in assay.claims("holds")
    assert took <= SWITCHED_WITHIN, f"the change took {took:.0f} s"


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
