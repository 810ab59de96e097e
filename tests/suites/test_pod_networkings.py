"""PodNetworkings: none is relied on before Terway has got it ready, and pods are where it puts them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fixtures.pod_networkings import PodNetworkings
from netassay import terway
from netassay.errors import HarnessFault, NetworkFault

if TYPE_CHECKING:
    from collections.abc import Iterator


class TerwaysCluster:
    """An API server whose PodNetworkings have one state after another, and PodENIs as given."""

    def __init__(self, *statuses: dict[str, Any], enis: list[dict[str, Any]] | None = None) -> None:
        self._statuses: Iterator[dict[str, Any]] = iter(statuses)
        self._enis, self._last = enis or [], {}
        self.made: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    def list(self, kind: str, *, labels: str = "") -> list[dict[str, Any]]:
        if kind == terway.POD_ENI:
            return self._enis
        assert (kind, labels) == ("Namespace", "run=1")
        return [{"metadata": {"name": "space", "uid": "uid-1"}}]

    def create(self, manifest: dict[str, Any]) -> None:
        self.made.append(manifest)

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        assert (kind, name) == (terway.POD_NETWORKING, self.made[-1]["metadata"]["name"])
        self._last = next(self._statuses, self._last)
        return {**self.made[-1], "status": self._last} if self._last else self.made[-1]

    def delete(self, kind: str, name: str) -> None:
        assert kind == terway.POD_NETWORKING
        self.deleted.append(name)

    def all_statuses_seen(self) -> bool:
        return next(self._statuses, None) is None


def pod_networkings(cluster: TerwaysCluster, *, exclusive: bool = False) -> PodNetworkings:
    run = SimpleNamespace(id="1", namespace="space", selector="run=1", labels={})
    return PodNetworkings(cast("Any", SimpleNamespace(run=run, cluster=cluster)), "w0", exclusive=exclusive)


def test_pods_are_made_only_once_a_pod_networking_is_ready() -> None:
    cluster = TerwaysCluster({}, {"status": "Fail", "message": "no answer from the cloud"}, {"status": "Ready"})
    with pod_networkings(cluster).selecting(vswitch="vsw-1") as labels:
        assert cluster.all_statuses_seen()
        assert cluster.made[0]["spec"]["selector"]["podSelector"]["matchLabels"] == labels
    assert cluster.deleted == [cluster.made[0]["metadata"]["name"]]


def test_one_that_does_not_get_ready_says_nothing_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.pod_networkings.READY_WITHIN", 0.01)
    cluster = TerwaysCluster({"status": "Fail", "message": "no vsw-1"})
    with pytest.raises(HarnessFault, match="no vsw-1"), pod_networkings(cluster).selecting(vswitch="vsw-1"):
        pytest.fail("pods were made that nothing selects")
    assert cluster.deleted == [cluster.made[0]["metadata"]["name"]]


@pytest.mark.parametrize(("exclusive", "options"), [(True, {"eniType": "ENI"}), (False, None)])
def test_only_where_pods_share_no_interface_is_one_of_their_own_asked_for(
    exclusive: bool, options: dict[str, str] | None
) -> None:
    cluster = TerwaysCluster({"status": "Ready"})
    with pod_networkings(cluster, exclusive=exclusive).selecting(fixed=True):
        assert cluster.made[0]["spec"].get("eniOptions") == options


def pod(name: str, address: str) -> Any:
    return SimpleNamespace(name=name, namespace="space", address=address)


def pod_eni(name: str, address: str, vswitch: str, address_range: str) -> dict[str, Any]:
    """As Terway writes it for a pod on a trunk."""
    allocation = {"eni": {"id": f"eni-{name}", "vSwitchID": vswitch}, "ipv4": address, "ipv4CIDR": address_range}
    return {
        "metadata": {"namespace": "space", "name": name},
        "spec": {"allocations": [allocation]},
        "status": {"eniInfos": {f"eni-{name}": {"type": "Member"}}},
    }


MEMBER = pod_eni("chosen", "10.2.0.5", "vsw-2", "10.2.0.0/16")


@pytest.mark.parametrize(
    ("enis", "told"),
    [
        ([MEMBER], ""),
        ([MEMBER, pod_eni("usual", "10.1.0.5", "vsw-1", "10.1.0.0/16")], ""),
        ([], "should have an address of vsw-2, and its PodENI says None"),
        ([pod_eni("chosen", "10.2.0.5", "vsw-1", "10.1.0.0/16")], "should have an address of vsw-2"),
        ([pod_eni("chosen", "10.2.0.5", "vsw-2", "10.3.0.0/16")], "should have an address of vsw-2"),
    ],
    ids=["shared", "own", "not-written", "on-the-usual", "out-of-range"],
)
def test_pods_are_where_they_are_put_whether_or_not_others_have_an_interface_of_their_own(
    enis: list[dict[str, Any]], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.pod_networkings.SHOWN_WITHIN", 0.01)
    networkings = pod_networkings(TerwaysCluster(enis=enis))
    chosen, usual = [pod("chosen", "10.2.0.5")], [pod("usual", "10.1.0.5")]
    (said,) = networkings.misplaced("vsw-2", chosen=chosen, usual=usual).values()
    assert said.startswith(told)
    assert bool(said) is bool(told)


@pytest.mark.parametrize(
    ("usual_address", "enis"),
    [
        ("10.2.0.6", [MEMBER]),
        ("10.1.0.5", [MEMBER, pod_eni("usual", "10.1.0.5", "vsw-2", "10.2.0.0/16")]),
    ],
    ids=["by-its-range", "as-it-is-written"],
)
def test_a_pod_on_a_vswitch_that_was_not_chosen_for_it_is_a_finding_by_itself(
    usual_address: str, enis: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.pod_networkings.SHOWN_WITHIN", 0.01)
    networkings = pod_networkings(TerwaysCluster(enis=enis))
    with pytest.raises(NetworkFault, match=r"usual.* should not be on vsw-2"):
        networkings.misplaced("vsw-2", chosen=[pod("chosen", "10.2.0.5")], usual=[pod("usual", usual_address)])
