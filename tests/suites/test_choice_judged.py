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
    selecting=lambda **_: nullcontext({}), misplaced=lambda *_, **__: "chosen: not there"
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
    """StatefulSets whose pods have another address each time."""

    def require_new_address_elsewhere(self, node: str, other: str) -> None:
        assert (node, other) == ("1", "2")

    def running(self, *_: object, **__: object) -> tuple[Any, None, list[Any]]:
        return self, None, [pod("set-0", "10.0.1.2")]

    def replace(self, _: Any) -> SimpleNamespace:
        return SimpleNamespace(pod=pod("set-0", "10.0.1.3"), seconds=1.0)

    def move(self, _: Any, node: str) -> SimpleNamespace:
        return SimpleNamespace(pod=pod("set-0", f"10.0.{node}.4"), seconds=1.0)


def on_a_vswitch(verdict: CheckInHand) -> None:
    check = choice.test_pods_that_are_given_a_vswitch_have_addresses_of_it
    check(NETWORKINGS, "vsw-2", GUESTS, cast("Any", PROBES), TRAFFIC, verdict)


def in_a_group(verdict: CheckInHand) -> None:
    check = choice.test_a_security_group_separates_its_pods_from_others
    check(NETWORKINGS, "sg-closed", GUESTS, cast("Any", PROBES), TRAFFIC, verdict)


def with_a_fixed_address(verdict: CheckInHand) -> None:
    check = choice.test_a_stateful_sets_pod_keeps_its_address
    check(NETWORKINGS, cast("Any", Sets()), cast("Any", PROBES), TRAFFIC, verdict)


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
    def in_hand() -> CheckInHand:
        return CheckInHand(Check(id="x", claim=claim, feature="cni_modes", title="", phase=""), pytestconfig)

    with pytest.raises(NetworkFault, match=seen):
        check(in_hand())
    foreseen = in_hand()
    foreseen.foresee_absence("for a test")
    check(foreseen)
    assert seen in foreseen.absence
