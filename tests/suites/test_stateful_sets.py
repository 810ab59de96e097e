"""The control of addresses that stay: that of a pod that nothing keeps one for does not."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fixtures.stateful_sets import Replaced, StatefulSets
from netassay.errors import HarnessFault

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


@pytest.mark.parametrize(
    ("after", "ended"),
    [("10.0.2.7", nullcontext()), ("10.0.1.7", pytest.raises(HarnessFault, match="though nothing keeps it"))],
    ids=["changed", "stayed"],
)
def test_an_address_that_stays_though_nothing_keeps_it_spoils_the_control(
    after: str, ended: AbstractContextManager[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def move(_: object, node: str) -> Replaced:
        assert node == "node2"
        return Replaced(cast("Any", SimpleNamespace(addresses=(after,))), 1.0)

    made = (SimpleNamespace(move=move), None, [SimpleNamespace(addresses=("10.0.1.7",))])
    monkeypatch.setattr(StatefulSets, "running", lambda *_, **__: made)
    with ended:
        StatefulSets(*cast("Any", (None, None, None))).require_new_address_elsewhere("node1", "node2")
