"""What holds of every set of policies, whatever is in it: hypothesis looks for one of which it does not."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from netassay.policies.model import Flow, Outside, Pod
from netassay.policies.simulator import Simulator
from tests.policies import oracle
from tests.policies.strategies import flows, policies, policy_sets, rules
from tests.policies.worlds import NAMESPACES

Json = dict[str, Any]

tried = settings(max_examples=60, deadline=None)


def ruling(found: list[Json], flow: Flow) -> Any:
    return Simulator(found, NAMESPACES).ruling(flow)


@tried
@given(policy_sets, flows)
def test_it_agrees_with_a_second_opinion(found: list[Json], flow: Flow) -> None:
    assert ruling(found, flow).open == oracle.is_open(found, flow)


@tried
@given(policy_sets, flows, st.randoms(use_true_random=False))
def test_the_order_of_policies_rules_peers_and_ports_does_not_matter(
    found: list[Json], flow: Flow, random: Any
) -> None:
    shuffled = copy.deepcopy(found)
    random.shuffle(shuffled)
    for policy in shuffled:
        for direction, side in (("ingress", "from"), ("egress", "to")):
            random.shuffle(policy["spec"][direction])
            for rule in policy["spec"][direction]:
                random.shuffle(rule.get(side, []))
                random.shuffle(rule.get("ports", []))
    assert ruling(shuffled, flow).open == ruling(found, flow).open


@tried
@given(policy_sets, flows, st.data())
def test_adding_a_rule_never_closes(found: list[Json], flow: Flow, data: st.DataObject) -> None:
    if not found or not ruling(found, flow).open:
        return
    more = copy.deepcopy(found)
    direction, side = data.draw(st.sampled_from([("ingress", "from"), ("egress", "to")]))
    spec = data.draw(st.sampled_from(more))["spec"]
    # Without policyTypes, a first egress rule would isolate for egress as well.
    spec.setdefault("policyTypes", ["Ingress", *(["Egress"] if spec["egress"] else [])])
    spec[direction].append(data.draw(rules(side)))
    assert ruling(more, flow).open


@tried
@given(policy_sets, policies("one-more"), flows)
def test_a_policy_for_what_is_isolated_already_never_closes(found: list[Json], more: Json, flow: Flow) -> None:
    before, after = ruling(found, flow), ruling([*found, more], flow)
    for old, new in ((before.egress, after.egress), (before.ingress, after.ingress)):
        if old.isolating and old.open:
            assert new.open


@tried
@given(policy_sets, flows)
def test_removing_all_that_isolate_opens(found: list[Json], flow: Flow) -> None:
    said = ruling(found, flow)
    isolating = {*said.egress.isolating, *said.ingress.isolating}
    rest = [p for p in found if f"{p['metadata']['namespace']}/{p['metadata']['name']}" not in isolating]
    assert ruling(rest, flow).open
    assert not ruling(rest, flow).ingress.isolating


@tried
@given(policy_sets, flows)
def test_no_selecting_policy_means_open(found: list[Json], flow: Flow) -> None:
    homes = {end.namespace for end in (flow.source, flow.target) if isinstance(end, Pod)}
    elsewhere = [policy for policy in found if policy["metadata"]["namespace"] not in homes]
    assert ruling(elsewhere, flow).open


@tried
@given(policy_sets, flows)
def test_denying_everything_closes_every_flow_of_pods_but_to_themselves(found: list[Json], flow: Flow) -> None:
    denied = copy.deepcopy(found)
    for policy in denied:
        policy["spec"] |= {"ingress": [], "egress": []}
    for namespace in NAMESPACES:
        spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        denied.append({"metadata": {"namespace": namespace.name, "name": "deny"}, "spec": spec})
    said = ruling(denied, flow)
    pods = isinstance(flow.source, Pod) or isinstance(flow.target, Pod)
    assert said.open == (bool(said.ingress.exempt) or not pods)


@tried
@given(policies("one"), flows)
def test_one_policy_of_many_rules_is_many_policies_of_one_rule(policy: Json, flow: Flow) -> None:
    spec = policy["spec"]
    types = spec.get("policyTypes", ["Ingress", *(["Egress"] if spec["egress"] else [])])
    none = {"podSelector": spec["podSelector"], "policyTypes": types}
    parts: list[Json] = [none]
    parts += [{**none, "ingress": [rule]} for rule in spec["ingress"]]
    parts += [{**none, "egress": [rule]} for rule in spec["egress"]]
    home = policy["metadata"]["namespace"]
    split = [{"metadata": {"namespace": home, "name": f"part-{n}"}, "spec": part} for n, part in enumerate(parts)]
    assert ruling(split, flow).open == ruling([policy], flow).open


@tried
@given(policy_sets, flows)
def test_pods_in_their_nodes_network_are_treated_as_hosts(found: list[Json], flow: Flow) -> None:
    def as_host(end: Any) -> Any:
        return Outside(end.title, end.addresses, end.node) if isinstance(end, Pod) else end

    def on_node(end: Any) -> Any:
        return Pod(**{**end.__dict__, "host_network": True}) if isinstance(end, Pod) else end

    hosts = Flow(as_host(flow.source), flow.target, flow.transport, flow.port, flow.family)
    agents = Flow(on_node(flow.source), flow.target, flow.transport, flow.port, flow.family)
    if flow.source != flow.target:
        assert ruling(found, agents).open == ruling(found, hosts).open


@tried
@given(policy_sets, flows)
def test_the_reason_says_what_the_ruling_says(found: list[Json], flow: Flow) -> None:
    said = ruling(found, flow)
    assert said.open != ("nothing allows it" in said.reason)
    assert set(said.ingress.allowing) <= set(said.ingress.isolating)
    assert set(said.egress.allowing) <= set(said.egress.isolating)
