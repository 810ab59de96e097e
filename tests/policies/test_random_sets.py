"""Random sets: valid for the API, and shrunk to what is essential when a network takes them otherwise."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from netassay.errors import HarnessFault
from netassay.policies.case import Step
from netassay.policies.cells import differing
from netassay.policies.deviations import DEVIATIONS, as_enforced
from netassay.policies.random_sets import MOST_POLICIES, policy_sets, search
from tests.policies.scenes import scene

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from netassay.policies.case import Json
    from netassay.policies.scene import Scene

pytestmark = pytest.mark.whole


def put_in_force(policies: Sequence[Json]) -> Scene:
    return scene().after(Step("", apply=tuple(policies)))


class Network:
    """A network whose engine has these deviations: says how many cells differ."""

    def __init__(self, deviations: Collection[str]) -> None:
        self.deviations, self.tries = deviations, 0

    def __call__(self, policies: Sequence[Json]) -> str:
        self.tries += 1
        meant = put_in_force(policies)
        wrong = differing(meant, as_enforced(meant, self.deviations))
        return f"{len(wrong)} wrong" if wrong else ""


@given(policy_sets)
@settings(max_examples=60, deadline=None)
def test_every_set_is_one_that_the_api_takes(policies: list[Json]) -> None:
    bound = put_in_force(policies)
    assert len(bound.policies) == len(policies) <= MOST_POLICIES
    as_enforced(bound, DEVIATIONS)
    for policy in bound.policies.values():
        for side, direction in (("from", "ingress"), ("to", "egress")):
            for rule in policy["spec"].get(direction) or []:
                for block in (peer["ipBlock"] for peer in rule.get(side) or [] if "ipBlock" in peer):
                    outer = ip_network(block["cidr"])
                    assert all(ip_network(one).subnet_of(outer) for one in block.get("except", []))  # type: ignore[arg-type]
                assert all(
                    isinstance(port["port"], int) and port["endPort"] >= port["port"]
                    for port in rule.get("ports") or []
                    if "endPort" in port
                )


def test_a_network_that_does_as_it_should_shows_nothing() -> None:
    network = Network([])
    assert search(network, count=30, seed=1, shrink_seconds=10) is None
    assert network.tries == 30


@pytest.mark.parametrize("seed", [1, 2])
def test_a_set_that_differs_is_shrunk_to_a_single_policy(seed: int) -> None:
    found = search(Network(["both-types-share-a-chain"]), count=400, seed=seed, shrink_seconds=60)
    assert found is not None
    assert len(found.policies) == 1, found
    assert found.said.endswith("wrong")
    assert len(found.policies[0]["spec"].get("egress") or []) + len(found.policies[0]["spec"].get("ingress") or []) == 1


def test_the_same_seed_finds_the_same() -> None:
    first, second = (search(Network(DEVIATIONS), count=200, seed=7, shrink_seconds=60) for _ in range(2))
    assert first == second is not None


def test_without_time_to_shrink_the_first_set_is_shown() -> None:
    network = Network(DEVIATIONS)
    found = search(network, count=200, seed=7, shrink_seconds=0)
    assert found is not None
    assert network(found.policies)
    assert found.tries <= 200


def test_what_the_harness_cannot_do_ends_the_search() -> None:
    tries = 0

    def blind(_: Sequence[Json]) -> str:
        nonlocal tries
        tries += 1
        raise HarnessFault("the machine is too busy")

    with pytest.raises(HarnessFault, match="too busy"):
        search(blind, count=20, seed=1, shrink_seconds=10)
    assert tries == 1
