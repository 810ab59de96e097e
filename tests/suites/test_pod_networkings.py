"""PodNetworkings: none is relied on before Terway has got it ready."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fixtures.pod_networkings import PodNetworkings
from netassay import terway
from netassay.errors import HarnessFault

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
