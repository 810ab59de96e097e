"""New pods: a policy that was there before them counts from their first packet on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.expectations import require_closed
from netassay.policies.case import Step
from netassay.policies.generator.words import labels, one_way, pods_in, rule, spaces

if TYPE_CHECKING:
    from fixtures.arrivals import Arrivals
    from fixtures.policies import Policies
    from fixtures.verdicts import CheckInHand

A, NEW = labels(app="a"), labels(role="new")


@pytest.mark.claim("policy-new-pod")
def test_a_new_pod_is_protected_from_its_first_packet(
    policies: Policies, arrivals: Arrivals, verdict: CheckInHand
) -> None:
    """A pod that is created under a policy that denies everything to it is never reached, not even while it starts.

    There are two on each node. The control is a pod on each node that is created at the same moment, which no policy is
    about, and which is reached.
    """
    deny = Step("everything was denied to pods that are to come", apply=(one_way("ingress", target=NEW),))
    with policies.on_open_ground():
        policies.change(deny)
        newcomers = arrivals.newcomers("red", protected=NEW["matchLabels"], control={"role": "control"})
        verdict.note("controls reached after", newcomers.control_reached, "s")
        if newcomers.exposed:
            verdict.note("new pods unprotected, from first to last", newcomers.exposed_seconds, "s")
        verdict.judge(holds=not newcomers.exposed, seen=newcomers.describe())


@pytest.mark.claim("policy-later-pods")
def test_pods_that_come_later_are_let_through_by_rules_that_match_them(policies: Policies, arrivals: Arrivals) -> None:
    """A pod that comes while a policy is in force soon reaches what a rule allows to its labels, and no other pod does.

    Once it is gone again, everybody else reaches whom they may, as before.
    """
    asked, control = policies.probe("red/a"), policies.probe("blue/a")
    friends = one_way("ingress", rule("ingress", [pods_in(labels(team="green"), labels(role="friend"))]), target=A)
    with policies.on_open_ground():
        policies.change(Step("pods that nobody was were allowed to reach a pod", apply=(friends,)))
        with arrivals.pods("green", {"role": "friend"}, {"role": "stranger"}) as (friend, stranger):
            arrivals.require_let_through([friend], asked)
            require_closed(arrivals.tries(stranger, asked), control=arrivals.tries(stranger, control))
        policies.require_as_before()


@pytest.mark.claim("policy-later-pods")
def test_namespaces_that_come_later_are_let_through_by_rules_that_match_them(
    policies: Policies, arrivals: Arrivals
) -> None:
    """A pod of a namespace that comes while a policy is in force soon reaches what a rule allows to that namespace.

    A pod of another new namespace does not, though it reaches everybody else.
    """
    asked, control = policies.probe("red/a"), policies.probe("blue/a")
    late = one_way("ingress", rule("ingress", [spaces(labels(circle="late"))]), target=A)
    with policies.on_open_ground():
        policies.change(Step("namespaces that none was were allowed to reach a pod", apply=(late,)))
        with (
            arrivals.pods("late", {}, of={"circle": "late"}) as (friend,),
            arrivals.pods("strange", {}, of={"circle": "strange"}) as (stranger,),
        ):
            arrivals.require_let_through([friend], asked)
            require_closed(arrivals.tries(stranger, asked), control=arrivals.tries(stranger, control))
        policies.require_as_before()
