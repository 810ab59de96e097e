"""How many interfaces a node has left: pods ask for what is counted, whoever else would add the request."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fixtures.eni_limits import EniLimits
from fixtures.probes import Guests

if TYPE_CHECKING:
    from netassay.families import Family

NODE = "node1"


class Scheduler:
    """A fleet and a cluster whose node has three interfaces, of which pods have what they ask for, and no more."""

    def __init__(self) -> None:
        self.run = SimpleNamespace(id="1")
        self.pods: list[dict[str, Any]] = []

    def add(self, name: str, *, node: str, wait: bool, resources: dict[str, str] | None = None) -> Any:
        assert not wait
        container = {"resources": {"requests": resources or {}}}
        self.pods.append({"spec": {"nodeName": node, "containers": [container]}})
        return SimpleNamespace(name=name, over=lambda _: SimpleNamespace(name=name))

    def add_many(self, names: list[str], **options: Any) -> list[Any]:
        return [self.add(name, wait=False, **options) for name in names]

    def get(self, _: str, node: str) -> dict[str, Any]:
        return {"status": {"allocatable": {"aliyun/eni": "3"} if node == NODE else {}}}

    def list(self, _: str) -> list[dict[str, Any]]:
        return self.pods


def eni_limits() -> EniLimits:
    scheduler = cast("Any", Scheduler())
    return EniLimits(scheduler, Guests(scheduler, [NODE], cast("Family", None), "w0", itertools.count()))


def test_one_pod_more_asks_for_an_interface_itself() -> None:
    limits = eni_limits()
    limits.take_all(NODE)
    assert limits.left_on(NODE) == 0
    limits.one_more(NODE)
    assert limits.left_on(NODE) == -1


def test_a_node_that_has_interfaces_to_give_is_tried_wherever_it_is_among_the_others() -> None:
    limits = eni_limits()
    probes: Any = [SimpleNamespace(node="node0"), SimpleNamespace(node=NODE)]
    assert limits.node_with_some(probes) == NODE
    limits.take_all(NODE)
    with pytest.raises(pytest.skip.Exception, match="no node has aliyun/eni to give"):
        limits.node_with_some(probes)


def test_a_pod_that_is_not_refused_is_told_with_where_it_went(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = eni_limits()
    pod: Any = SimpleNamespace(name="guest-1", namespace="netassay-1")
    running = {"spec": {"nodeName": NODE}, "status": {"phase": "Running", "conditions": [{"type": "Ready"}]}}
    monkeypatch.setattr(limits._cluster, "get", lambda *_: running)
    assert limits._said_of(pod) == "scheduled to node1, Running: nothing is said of it"
