"""Checks of pods with a network of their own: where the mode says that there is none, its absence is no fault."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fixtures.verdicts import CheckInHand
from netassay.errors import NetworkFault
from netassay.observation import Attempt, Observation, Outcome
from netassay.results.schema import Check
from suites.cni_modes import test_choice as choice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROBES = [SimpleNamespace(name=f"probe-{node}", node=node, address=f"10.0.{node}.1") for node in ("1", "2")]
NETWORKINGS: Any = SimpleNamespace(
    selecting=lambda **_: nullcontext({}), misplaced=lambda *_, **__: {"chosen": "not there"}
)


def pod(name: str, address: str) -> Any:
    return SimpleNamespace(name=name, node="1", address=address, addresses=(address,))


MEMBERS = [pod("member", "10.0.1.9")]
GUESTS: Any = SimpleNamespace(join=lambda **_: MEMBERS)


class OpenTraffic:
    """Everything reaches everything, whatever a security group says."""

    def from_each(
        self, sources: Sequence[Any], targets: Sequence[Any], attempt: Callable[[Any], Attempt]
    ) -> list[Observation]:
        return [
            Observation(
                source=source.name,
                source_node=source.node,
                attempt=attempt(target),
                outcome=Outcome.OPEN,
                answered_by=target.name,
            )
            for source in sources
            for target in targets
        ]

    def all_to_all(self, *_: object, **__: object) -> SimpleNamespace:
        return SimpleNamespace(require=lambda: None)


TRAFFIC = cast("Any", OpenTraffic())


class Sets:
    """StatefulSets whose pods have another address each time, or one of these."""

    def __init__(self, replaced: str = "10.0.1.3", moved: str = "10.0.2.4") -> None:
        self._replaced, self._moved = replaced, moved

    def require_new_address_elsewhere(self, node: str, other: str) -> None:
        assert (node, other) == ("1", "2")

    def running(self, *_: object, **__: object) -> tuple[Any, None, list[Any]]:
        return self, None, [pod("set-0", "10.0.1.2")]

    def replace(self, _: Any) -> SimpleNamespace:
        return SimpleNamespace(pod=pod("set-0", self._replaced), seconds=1.0)

    def move(self, _: Any, node: str) -> SimpleNamespace:
        assert node == "2"
        return SimpleNamespace(pod=pod("set-0", self._moved), seconds=1.0)


def on_a_vswitch(verdict: CheckInHand) -> None:
    check = choice.test_pods_that_are_given_a_vswitch_have_addresses_of_it
    check(NETWORKINGS, "vsw-2", GUESTS, cast("Any", PROBES), TRAFFIC, verdict)


def in_a_group(verdict: CheckInHand) -> None:
    check = choice.test_a_security_group_separates_its_pods_from_others
    check(NETWORKINGS, "sg-closed", GUESTS, cast("Any", PROBES), TRAFFIC, verdict)


def with_a_fixed_address(verdict: CheckInHand, **addresses: str) -> None:
    check = choice.test_a_stateful_sets_pod_keeps_its_address
    check(NETWORKINGS, cast("Any", Sets(**addresses)), cast("Any", PROBES), TRAFFIC, verdict)


@pytest.mark.parametrize(
    ("claim", "check", "seen"),
    [
        ("vswitch-choice", on_a_vswitch, "not there"),
        ("security-group", in_a_group, "not of sg-closed reach all"),
        ("fixed-address", with_a_fixed_address, "should have stayed"),
    ],
)
def test_what_is_not_seen_is_broken_or_absent_as_the_mode_says(
    claim: str, check: Callable[[CheckInHand], None], seen: str, pytestconfig: pytest.Config
) -> None:
    with pytest.raises(NetworkFault, match=seen):
        check(in_hand(claim, pytestconfig))
    foreseen = in_hand(claim, pytestconfig, absent=True)
    check(foreseen)
    assert seen in foreseen.absence


def in_hand(claim: str, config: pytest.Config, *, absent: bool = False) -> CheckInHand:
    found = CheckInHand(Check(id="x", claim=claim, feature="cni_modes", title="", phase=""), config)
    if absent:
        found.foresee_absence("for a test")
    return found


FIRST = "10.0.1.2"


def test_an_address_that_is_given_out_again_by_chance_is_none_that_stays(pytestconfig: pytest.Config) -> None:
    foreseen = in_hand("fixed-address", pytestconfig, absent=True)
    with_a_fixed_address(foreseen, replaced=FIRST)
    assert "should have stayed" in foreseen.absence
    with pytest.raises(NetworkFault, match="should have stayed"):
        with_a_fixed_address(in_hand("fixed-address", pytestconfig), replaced=FIRST)


def test_an_address_that_stays_only_when_the_pod_moves_is_a_finding_in_every_mode(pytestconfig: pytest.Config) -> None:
    with pytest.raises(NetworkFault, match="as it did when the pod moved"):
        with_a_fixed_address(in_hand("fixed-address", pytestconfig, absent=True), moved=FIRST)
    kept = in_hand("fixed-address", pytestconfig)
    with_a_fixed_address(kept, replaced=FIRST, moved=FIRST)
    assert not kept.absence
