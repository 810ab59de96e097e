"""Every feature of the NetworkPolicy API, in generated cases: whom do the policies let reach whom?

Tried are nine pods in three namespaces, each to each, over TCP and UDP at two ports, after each step of a case. What is
expected is computed from the policies themselves. A case takes the place of the one before it; what it closes must have
been seen open not long before, and if it was not, everything is made open first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netassay.policies.generator import CASES

if TYPE_CHECKING:
    from fixtures.policies import Policies
    from netassay.policies.case import Case


def cases_of(claim: str) -> pytest.MarkDecorator:
    """Have a check made for every case of a claim."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES if case.claim == claim])


@pytest.mark.claim("policy-targets")
@cases_of("policy-targets")
def test_a_policy_isolates_the_pods_that_it_selects(policies: Policies, case: Case) -> None:
    """A policy that allows nothing closes everything to the pods that its selector matches, and nothing to others."""
    policies.require_followed(case.steps)


@pytest.mark.claim("policy-peers")
@cases_of("policy-peers")
def test_a_rule_lets_its_peers_through(policies: Policies, case: Case) -> None:
    """A rule lets those pods through that its selectors of pods and namespaces match, and no others."""
    policies.require_followed(case.steps)


@pytest.mark.claim("policy-ip-blocks")
@cases_of("policy-ip-blocks")
def test_a_rule_lets_its_address_ranges_through(policies: Policies, case: Case) -> None:
    """A rule with an ipBlock lets the addresses in it through, but for those that it excepts."""
    policies.require_followed(case.steps)


@pytest.mark.claim("policy-ports")
@cases_of("policy-ports")
def test_a_rule_opens_its_ports(policies: Policies, case: Case) -> None:
    """A rule opens the ports that it gives by number, name, range or protocol, and no others."""
    policies.require_followed(case.steps)


@pytest.mark.claim("policy-rules")
@cases_of("policy-rules")
def test_a_rule_wants_peer_and_port_and_any_rule_is_enough(policies: Policies, case: Case) -> None:
    """A rule lets through what matches its peers and its ports; of several rules, each lets through what it allows."""
    policies.require_followed(case.steps)


@pytest.mark.claim("policy-conflicts")
@cases_of("policy-conflicts")
def test_policies_add_up_and_both_ends_must_agree(policies: Policies, case: Case) -> None:
    """What any policy of a pod allows is allowed; a flow needs leave to go out of its source and into its target."""
    policies.require_followed(case.steps)


@pytest.mark.claim("policy-changes")
@cases_of("policy-changes")
def test_changes_are_followed_while_policies_are_in_force(policies: Policies, case: Case) -> None:
    """Policies that are added, updated or deleted, and pods and namespaces that are relabelled, are soon followed."""
    policies.require_followed(case.steps)
