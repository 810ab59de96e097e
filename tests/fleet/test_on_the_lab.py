"""The fleet in a real cluster: pods, streams that are cut, rights, and what is left behind, which is nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from netassay.cluster import Cluster, Forbidden
from netassay.errors import HarnessFault
from netassay.fleet import Fleet, Probe, Run, sweep_leftovers
from netassay.fleet.channel import ChannelLost, ExecChannel
from netassay.fleet.manifests import CONTAINER
from netassay.observation import USUAL_PROTOCOLS, Attempt, Outcome, Protocol
from netassay.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.state import LabState

pytestmark = pytest.mark.lab

MODE = "flannel-vxlan"
IMAGE = "netassay.lab/python:3.11"
RBAC = Path(__file__).parents[2] / "deploy" / "rbac.yaml"


@pytest.fixture(scope="module")
def lab() -> Iterator[LabState]:
    """The lab as it runs; if none does, one for as long as these tests take."""
    from lab import lifecycle, state  # noqa: PLC0415 - needs root, as all tests here
    from netassay.cli.lab import outside_agent  # noqa: PLC0415

    ours = state.running() is None
    yield state.running() or lifecycle.up(MODE, outside_agent=outside_agent())
    if ours:
        lifecycle.down()


@pytest.fixture(scope="module")
def cluster(lab: LabState) -> Iterator[Cluster]:
    with Cluster.connect(kubeconfig=lab.kubeconfig) as connected:
        yield connected


@pytest.fixture(scope="module")
def fleet(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    made = Fleet(cluster, Run.new(), image=IMAGE, lock_dir=tmp_path_factory.mktemp("locks"))
    yield made
    made.sweep()
    assert cluster.list("Namespace", labels=made.run.selector) == []


def in_pod(cluster: Cluster, probe: Probe, code: str) -> str:
    """What a few lines of Python print in the probe's pod."""
    channel = ExecChannel(cluster.objects.api, probe.namespace, probe.name, CONTAINER, ["python3", "-c", code])

    async def run() -> bytes:
        await channel.open()
        said = b""
        try:
            while True:
                said += await channel.receive()
        except ChannelLost as end:
            if channel.status != "Success":
                raise HarnessFault(f"in {probe}: {end}") from end
            return said
        finally:
            await channel.close()

    return cluster.run(run()).decode()


def drivers(cluster: Cluster, probe: Probe) -> int:
    """How many driving agents run in the pod."""
    code = (
        "import glob\nlines = []\n"
        "for path in glob.glob('/proc/[0-9]*/cmdline'):\n    lines.append(open(path, 'rb').read())\n"
        "print(sum(line.endswith(b'drive\\0') for line in lines))"
    )
    return int(in_pod(cluster, probe, code))


def kill_driver(cluster: Cluster, probe: Probe) -> None:
    in_pod(cluster, probe, f"import os; os.kill({probe.session.pid}, 9)")


def hanging(target: Probe) -> Attempt:
    """An attempt that takes its whole time: where HTTP is served, the server waits for the client to speak first."""
    return Attempt(protocol=Protocol.TCP, host=target.address, port=target.ports["http"], timeout=5)


def test_one_probe_per_node_reaches_all_others_by_all_protocols(fleet: Fleet) -> None:
    everybody = (*fleet.probes, *fleet.host_probes)
    assert [probe.node for probe in fleet.probes] == list(fleet.nodes)
    assert [probe.node for probe in fleet.host_probes] == list(fleet.nodes)
    attempts = [
        Attempt(protocol=protocol, host=target.address, port=target.ports[protocol])
        for target in everybody
        for protocol in USUAL_PROTOCOLS
    ]
    for source, seen in fleet.attempt_all(dict.fromkeys(everybody, attempts)).items():
        answered = [one.answered_by for one in seen]
        assert answered == [target.name for target in everybody for _ in USUAL_PROTOCOLS], source


def test_processes_of_one_run_share_the_pods(lab: LabState, fleet: Fleet, tmp_path: Path) -> None:
    folder = Path(fleet._lock.lock_file).parent
    with Cluster.connect(kubeconfig=lab.kubeconfig) as other:
        second = Fleet(other, fleet.run, image=IMAGE, lock_dir=folder)
        found: list[tuple[Probe, ...]] = []
        threads = [threading.Thread(target=lambda f=f: found.append(f.probes)) for f in (fleet, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [(p.name, p.address) for p in found[0]] == [(p.name, p.address) for p in found[1]]
        assert second.probes[0].tcp(fleet.probes[1].address, 8080).answered_by == fleet.probes[1].name
        second.close()


def test_host_probes_can_be_done_without(cluster: Cluster, fleet: Fleet, tmp_path: Path) -> None:
    without = Fleet(cluster, fleet.run, image=IMAGE, privileged=False, lock_dir=tmp_path)
    assert without.host_probes == ()
    assert without.why_no_host_probes


def test_names_go_by_the_clusters_dns(fleet: Fleet) -> None:
    probe = fleet.probes[0]
    said = probe.resolve("kubernetes.default.svc.cluster.local")
    assert said.rcode == "NOERROR"
    assert probe.lookup("kubernetes.default").addresses == said.records
    assert f"{fleet.run.namespace}.svc.cluster.local" in probe.resolv_conf().search


def test_link_and_path_agree_on_the_mtu(fleet: Fleet) -> None:
    source, target = fleet.probes[:2]
    assert source.path_mtu(target.address, target.ports["udp"], ceiling=9000) == source.link_mtu()


def test_readiness_follows_the_switch(cluster: Cluster, fleet: Fleet) -> None:
    probe = fleet.add(f"late-{fleet.run.id}", ready=False)

    def ready() -> bool:
        pod = cluster.get("Pod", probe.name, probe.namespace) or {}
        return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"])

    assert not ready()
    for wanted in (True, False):
        fleet.set_ready(probe, wanted)
        wait_until(f"{probe} ready: {wanted}", ready, lambda seen, w=wanted: seen is w, timeout=10, successes=1)
    fleet.remove(probe)
    assert cluster.get("Pod", probe.name, probe.namespace) is None


def test_many_at_once_and_their_names_cannot_be_taken_twice(fleet: Fleet) -> None:
    names = [f"many-{index}-{fleet.run.id}" for index in range(4)]
    probes = fleet.add_many(names)
    assert len({probe.address for probe in probes}) == len(names)
    with pytest.raises(HarnessFault, match="already exists"):
        fleet.add(names[0])
    for probe in probes:
        fleet.remove(probe, wait=False)


def test_cut_stream_is_reopened_once(cluster: Cluster, fleet: Fleet) -> None:
    probe, target = fleet.add(f"cut-{fleet.run.id}"), fleet.probes[0]
    good = Attempt(protocol=Protocol.TCP, host=target.address, port=target.ports["tcp"])
    assert probe.attempt([good])[0].outcome is Outcome.OPEN
    for reopened in (True, False):
        killer = threading.Timer(0.5, kill_driver, (cluster, probe))
        killer.start()
        seen = probe.attempt([good, hanging(target)])
        killer.join()
        assert [one.outcome for one in seen] == [Outcome.OPEN, Outcome.NO_VERDICT]
        after = probe.attempt([good])[0]
        assert after.outcome is (Outcome.OPEN if reopened else Outcome.NO_VERDICT), after.describe()
    assert "lost for good" in probe.lost
    fleet.remove(probe)


def test_killed_pod_has_no_verdict(cluster: Cluster, fleet: Fleet) -> None:
    probe, target = fleet.add(f"killed-{fleet.run.id}"), fleet.probes[0]
    probe.attempt([Attempt(protocol=Protocol.TCP, host=target.address, port=target.ports["tcp"])])
    killer = threading.Timer(0.5, cluster.delete, ("Pod", probe.name, probe.namespace))
    killer.start()
    seen = probe.attempt([hanging(target)] * 3)
    killer.join()
    assert {one.outcome for one in seen} == {Outcome.NO_VERDICT}
    with pytest.raises(HarnessFault, match=probe.name):
        probe.link_mtu()
    fleet.remove(probe)


def test_no_driver_stays_in_a_pod(cluster: Cluster, fleet: Fleet) -> None:
    probe = fleet.add(f"left-{fleet.run.id}")
    assert probe.link_mtu()
    assert drivers(cluster, probe) == 1
    probe.close()
    wait_until("no driver is left", lambda: drivers(cluster, probe), lambda n: n == 0, timeout=10, successes=1)
    fleet.remove(probe)


def test_pod_that_cannot_start_is_explained(cluster: Cluster, fleet: Fleet, tmp_path: Path) -> None:
    # An image without Python, which every node of the lab has: nothing is pulled.
    strange = Fleet(cluster, fleet.run, image="netassay.lab/pause:1", lock_dir=tmp_path)
    name = f"strange-{fleet.run.id}"
    with pytest.raises(HarnessFault, match=rf"probe pod {name} in {fleet.run.namespace} .*python3") as caught:
        strange.add(name)
    assert "--image" in str(caught.value)


def test_pod_that_fits_nowhere_is_explained(fleet: Fleet) -> None:
    with pytest.raises(HarnessFault, match=r"Unschedulable|no node yet"):
        fleet.add(f"nowhere-{fleet.run.id}", node="no-such-node", timeout=15)


@pytest.fixture
def account(lab: LabState, cluster: Cluster, tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig that has the rights of deploy/rbac.yaml and no others."""
    manifests = list(yaml.safe_load_all(RBAC.read_text()))
    for manifest in manifests:
        cluster.apply(manifest)
    path = "/api/v1/namespaces/netassay/serviceaccounts/assay/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    made = cluster.run(cluster.objects.api.json("get a token", "POST", path, body=body))
    config: dict[str, Any] = yaml.safe_load(Path(lab.kubeconfig).read_text())
    context = {"cluster": config["clusters"][0]["name"], "user": "assay"}
    config["users"] = [{"name": "assay", "user": {"token": made["status"]["token"]}}]
    config["contexts"] = [{"name": "assay", "context": context}]
    config["current-context"] = "assay"
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    yield file
    for manifest in reversed(manifests):
        cluster.delete(manifest["kind"], manifest["metadata"]["name"], manifest["metadata"].get("namespace"))


def test_the_rights_in_deploy_suffice_and_no_more_are_had(account: Path, tmp_path: Path) -> None:
    with Cluster.connect(kubeconfig=str(account)) as limited:
        with pytest.raises(Forbidden, match=r"list Secrets in kube-system: .* cannot list resource .secrets."):
            limited.list("Secret", "kube-system")
        with pytest.raises(Forbidden):
            limited.get("ConfigMap", "coredns", "kube-system")
        fleet = Fleet(limited, Run.new(), image=IMAGE, lock_dir=tmp_path)
        try:
            source, target = fleet.probes[:2]
            assert source.tcp(target.address, target.ports["tcp"]).answered_by == target.name
            assert len(fleet.host_probes) == len(fleet.nodes)
            fleet.remove(fleet.add(f"more-{fleet.run.id}"))
        finally:
            assert fleet.sweep() == [fleet.run.namespace, fleet.run.host_namespace]


def test_leftovers_of_other_runs_are_swept_by_age(cluster: Cluster, tmp_path: Path) -> None:
    left = Fleet(cluster, Run.new(), image=IMAGE, lock_dir=tmp_path)
    left.add("forgotten", wait=False)
    assert left.run.namespace not in sweep_leftovers(cluster, older_than=3600)
    assert left.run.namespace in left.sweep()
