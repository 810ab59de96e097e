"""Reserved addresses and pods that do not agree, look by look."""

from __future__ import annotations

from fixtures.leases import Odd
from fixtures.starting import FirstEnds

ORPHAN = {("node-1", "10.244.0.9"): "node-1: 10.244.0.9 is reserved, and no pod has it"}
UNRESERVED = {("node-1", "10.244.0.7"): "shop/web (node-1) has 10.244.0.7, which is not reserved on node-1"}


def test_what_was_odd_in_every_look_stays_odd() -> None:
    first = Odd(ORPHAN, UNRESERVED).since(None)
    assert Odd(ORPHAN, {}).since(first) == Odd(ORPHAN, {})
    assert Odd({("node-2", "10.244.1.9"): "another"}, UNRESERVED).since(first) == Odd({}, UNRESERVED)


def test_what_is_odd_is_named() -> None:
    assert Odd(ORPHAN, UNRESERVED).describe().count("\n") == 1
    assert "all reserved addresses are pods'" in Odd({}, {}).describe()


def test_init_containers_are_waited_for_until_all_have_ended() -> None:
    assert not FirstEnds({"a": (0, ""), "b": None}).complete()
    ended = FirstEnds({"a": (1, '{"outcome": "timed out"}')})
    assert ended.complete()
    assert ended.describe() == 'a: exit code 1 {"outcome": "timed out"}'
