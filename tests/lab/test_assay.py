"""The main job on the real thing: a healthy cluster conforms, a broken one is told by the right checks, and heals."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from kubernetes import client, config
from playwright.sync_api import sync_playwright

from lab import lifecycle, modes
from lab.upgrade import upgrade
from netassay.cli.lab import outside_agent
from tests.lab import breaks
from tests.lab.assays import SETTLED, Assay
from tests.lab.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.state import LabState

pytestmark = pytest.mark.lab

# What the breaks are about: each vain wait of any other check would cost seconds.
SERVICES = ",".join(
    f"services/test_cluster_ip.py::test_{name}"
    for name in (
        "a_cluster_ip_leads_to_its_endpoints_over_tcp",
        "a_cluster_ip_leads_to_its_endpoints_over_udp",
        "a_named_target_port_is_looked_up_in_the_pod",
    )
)
ACROSS = "reachability/test_pod_to_pod.py,reachability/test_outside.py"
ADDRESSES = "pod_network/test_addresses.py"
PACKETS = "reachability/test_mtu.py"
PLUG_IN = "cni_modes/test_baseline.py"
NAMES = "dns/test_services.py::test_a_services_name_is_its_cluster_ip"

# Chromium looks for its makers' hosts at every start unless told not to.
CHROMIUM_OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="module")
def lab() -> Iterator[LabState]:
    """The lab in its default mode, as it is after `netassay lab up`."""
    lifecycle.down()
    before = Traces.now()
    yield lifecycle.up(modes.DEFAULT, outside_agent=outside_agent())
    lifecycle.down()
    assert Traces.now() == before


@pytest.fixture(scope="module")
def sound(lab: LabState, tmp_path_factory: pytest.TempPathFactory) -> Assay:
    """The whole assay of the lab before anything was broken: the baseline of every gate."""
    assay = Assay(tmp_path_factory.mktemp("sound") / "run")
    assert assay.exit_code == 0, assay.said
    assert_nothing_left_behind(lab)
    return assay


def assert_no_go(before: Assay, after: Assay) -> None:
    """The gate holds the second back, and its first line says why."""
    exit_code, decision = before.gate(after)
    assert exit_code == 1, decision
    assert decision.startswith("NO-GO: "), decision


def assert_go(before: Assay, after: Assay) -> None:
    """The gate lets the second pass."""
    exit_code, decision = before.gate(after)
    assert exit_code == 0, decision
    assert decision.startswith("GO: "), decision


def test_a_healthy_cluster_conforms_is_left_as_it_was_and_the_report_asks_no_other_host(sound: Assay) -> None:
    assert {check["verdict"] for check in sound.run["checks"]} <= SETTLED, sound.said
    assert len(sound.claims("holds")) > 35, sorted(sound.claims("holds"))
    assert "outside-to-pod" in sound.claims("absent by design")
    assert (sound.folder / "junit.xml").exists()
    assert any((sound.folder / "allure-results").iterdir())
    took = sound.run["finished"] - sound.run["started"]
    assert took < 600, f"the assay took {took:.0f} s"

    requests: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_OPTIONS))
        page = browser.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((sound.folder / "report.html").as_uri())
        shown = page.inner_text("body")
        browser.close()
    assert all(url.startswith(("file:", "data:")) for url in requests), requests
    assert not complaints
    assert "conforms" in shown.lower()
    assert f"lab:{modes.DEFAULT}" in shown


def assert_nothing_left_behind(lab: LabState) -> None:
    """Neither a run's namespace, nor the lease of an address without its pod."""
    api = client.CoreV1Api(config.new_client_from_config(lab.kubeconfig))
    assert not [n.metadata.name for n in api.list_namespace(label_selector="netassay.dev/run").items]
    pods = [pod for pod in api.list_pod_for_all_namespaces().items if not pod.spec.host_network]
    for node in lab.nodes:
        held = {pod.status.pod_ip for pod in pods if pod.spec.node_name == node}
        assert set(breaks.leases(lab, node)) == held, f"{node}: leases and pods differ"


def test_a_service_proxy_that_stands_still_on_one_node_is_told_by_the_services(
    lab: LabState, sound: Assay, tmp_path: Path
) -> None:
    with breaks.service_proxy_stopped(lab, "node2"):
        broken = Assay(tmp_path / "broken", "--select", SERVICES)
    assert broken.exit_code == 1, broken.said
    assert "cluster-ip-tcp" in broken.claims("broken"), broken.said
    assert "node2" in "".join(broken.messages(claim) for claim in broken.claims("broken"))
    assert_no_go(sound, broken)
    healed = Assay(tmp_path / "healed", "--select", SERVICES)
    assert healed.exit_code == 0, healed.said
    assert_go(sound, healed)


def test_a_tunnel_cut_between_two_nodes_is_told_by_reachability_across_them(
    lab: LabState, sound: Assay, tmp_path: Path
) -> None:
    with breaks.tunnel_cut(lab, "node1", "node2"):
        broken = Assay(tmp_path / "broken", "--select", ACROSS)
    assert broken.exit_code == 1, broken.said
    assert {"pod-to-pod-tcp", "pod-to-pod-udp", "pod-to-pod-http"} <= broken.claims("broken"), broken.said
    # What stays on one node, or leaves the cluster, has nothing to do with the tunnel.
    apart = {"hairpin-self", "pod-to-outside-address", "source-seen-outside"}
    assert apart <= broken.claims("holds"), broken.said
    told = broken.messages("pod-to-pod-tcp")
    assert "node1" in told
    assert "node2" in told
    assert_no_go(sound, broken)
    healed = Assay(tmp_path / "healed", "--select", ACROSS)
    assert healed.exit_code == 0, healed.said
    assert_go(sound, healed)


def test_two_pods_with_one_address_are_told_by_name(lab: LabState, sound: Assay, tmp_path: Path) -> None:
    with breaks.one_address_twice(lab, "node1") as address:
        broken = Assay(tmp_path / "broken", "--select", ADDRESSES)
    assert broken.exit_code == 1, broken.said
    assert "pod-ip-unique" in broken.claims("broken"), broken.said
    told = broken.messages("pod-ip-unique")
    assert address in told
    assert f"{breaks.TENANT}/first" in told
    assert f"{breaks.TENANT}/second" in told
    assert_no_go(sound, broken)
    healed = Assay(tmp_path / "healed", "--select", ADDRESSES)
    assert healed.exit_code == 0, healed.said
    assert_go(sound, healed)


def test_lost_large_packets_are_told_and_keep_an_upgrade_back(lab: LabState, sound: Assay, tmp_path: Path) -> None:
    with breaks.large_packets_lost(lab, "node2"):
        broken = Assay(tmp_path / "broken", "--select", PACKETS)
    assert broken.claims("broken") == {"path-mtu"}, broken.said
    assert_no_go(sound, broken)


def test_a_cluster_without_a_name_server_is_told_and_keeps_an_upgrade_back(
    lab: LabState, sound: Assay, tmp_path: Path
) -> None:
    with breaks.no_name_server(lab):
        broken = Assay(tmp_path / "broken", "--select", NAMES)
    assert_no_go(sound, broken)


def test_a_plug_in_that_was_changed_since_a_baseline_is_told_and_one_that_was_restarted_is_not(
    lab: LabState, sound: Assay, tmp_path: Path
) -> None:
    assert "plugin-unchanged" in sound.claims("not applicable"), sound.said
    since = ("--select", PLUG_IN, "--baseline", str(sound.folder))
    upgrade("flannel", lambda _: None)
    same = Assay(tmp_path / "same", *since)
    assert same.claims("holds") == {"plugin-unchanged"}, same.said
    with breaks.plug_in_given_another_setting(lab):
        broken = Assay(tmp_path / "broken", *since)
    assert broken.exit_code == 1, broken.said
    said = broken.messages("plugin-unchanged")
    assert said.startswith("ConfigMap kube-flannel/kube-flannel-cfg: its data was "), said
    assert "\n" not in said


def test_an_installed_wheel_assays_from_another_folder(
    lab: LabState, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    root = request.config.rootpath
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(root)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    install = [str(tmp_path / "venv/bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--require-hashes", "-r", str(root / "requirements/run.txt")], check=True)
    subprocess.run([*install, "--no-deps", str(wheel)], check=True)
    command = [str(tmp_path / "venv/bin/netassay"), "run", "--kubeconfig", lab.kubeconfig, "--out", "results"]
    options = ["--image", "netassay.lab/python:3.11", "--select", f"{ADDRESSES},dns/test_services.py"]
    done = subprocess.run([*command, *options], cwd=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (elsewhere / "results/report.html").exists()
    assert {file.name for file in elsewhere.iterdir()} == {"results"}
