"""Deviations of engines: which cells each of them opens or closes, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netassay.errors import HarnessFault
from netassay.modes import load, names
from netassay.policies.case import Step
from netassay.policies.cells import Cell, differing, ruling
from netassay.policies.deviations import as_enforced
from netassay.policies.generator import BY_ID, CASES
from netassay.policies.generator.words import TCP, UDP, block, labels, one_way, pods, policy, rule, spaces
from tests.policies.scenes import scene

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netassay.policies.case import Json

RED_A = "{red/a}"
NAMED: Json = {"protocol": "TCP", "port": "tcp"}
GOPHER: Json = {"protocol": "TCP", "port": "gopher"}
ELSEWHERE = spaces(labels(team="green"))


def shown(deviation: str, *policies: Json) -> tuple[set[Cell], set[Cell]]:
    """Give the cells that the deviation opens, and those that it closes, with these policies in force."""
    meant = scene().after(Step("", apply=policies))
    enforced = as_enforced(meant, [deviation])
    cells = differing(meant, enforced)
    opened = {cell for cell in cells if ruling(enforced, cell).open}
    return opened, set(cells) - opened


def cells(sources: Iterable[str], targets: Iterable[str], *ports: str) -> set[Cell]:
    targets = list(targets)
    return {Cell(s, t, port) for s in sources for t in targets for port in ports if s != t}


ALL_PORTS = ("tcp", "tcp2", "udp", "udp2")
RED = ("red/a", "red/b", "red/c")


def test_what_a_shared_chain_allows_one_way_between_pods_of_the_policy_is_allowed_the_other_way_as_well() -> None:
    opened, closed = shown(
        "both-types-share-a-chain",
        policy(types=["ingress", "egress"], egress=[rule("egress", ports=[TCP])]),
    )
    assert (opened, closed) == (cells(RED, RED, "tcp"), set())
    assert shown("both-types-share-a-chain", one_way("ingress"), one_way("egress", rule("egress"), name="out")) == (
        set(),
        set(),
    )


def test_blocks_of_one_rule_are_one_set_in_which_the_longest_prefix_decides() -> None:
    deviation = "blocks-of-a-rule-share-a-set"
    everybody_but_a, a_alone = block("{all}", "{green/a}"), block("{green/a:net}", "{green/b}")
    # An exception takes away from another block that is as wide as it or wider …
    excepted = one_way("ingress", rule("ingress", [everybody_but_a, block("{green/a:net}")]))
    assert shown(deviation, excepted) == (set(), cells(["green/a"], RED, *ALL_PORTS))
    # … a narrower block gives back what it excepts in the API's sense as well …
    given_back = one_way("ingress", rule("ingress", [block("{all}", "{green/a:net}"), block("{green/a}")]))
    assert shown(deviation, given_back) == (set(), set())
    # … and of two that are the same, the last counts.
    last = one_way("ingress", rule("ingress", [everybody_but_a, block("{green/a}")]))
    first = one_way("ingress", rule("ingress", [block("{green/a}"), everybody_but_a]))
    assert shown(deviation, last) == (set(), set())
    assert shown(deviation, first) == (set(), cells(["green/a"], RED, *ALL_PORTS))
    apart = one_way("ingress", rule("ingress", [everybody_but_a]), rule("ingress", [a_alone]))
    assert shown(deviation, apart) == (set(), set())


def test_everything_excepted_leaves_a_rule_about_nobody_and_not_one_about_everybody() -> None:
    nothing = one_way("ingress", rule("ingress", [block("{all}"), block("{green/a}", "{green/a}")]))
    opened, closed = shown("blocks-of-a-rule-share-a-set", nothing)
    assert (opened, closed) == (set(), cells(["green/a"], RED, *ALL_PORTS))
    none = one_way("egress", rule("egress", [block("{green/a}", "{green/a}")]))
    assert shown("blocks-of-a-rule-share-a-set", none) == (set(), set())


def test_a_rule_for_pods_whose_port_names_nobody_has_opens_all_ports_to_them() -> None:
    deviation = "unknown-port-names-open-all-ports"
    green = ("green/a", "green/b", "green/c")
    assert shown(deviation, one_way("ingress", rule("ingress", [ELSEWHERE], [GOPHER]))) == (
        cells(green, RED, *ALL_PORTS),
        set(),
    )
    assert shown(deviation, one_way("egress", rule("egress", [ELSEWHERE], [GOPHER]))) == (
        cells(RED, green, *ALL_PORTS),
        set(),
    )
    for harmless in (
        rule("egress", [ELSEWHERE], [GOPHER, UDP]),
        rule("egress", [ELSEWHERE], [NAMED]),
        rule("egress", ports=[GOPHER]),
        rule("egress", [block("{green/a}")], [GOPHER]),
        rule("egress", [pods(labels(app="nobody"))], [GOPHER]),
        rule("egress", [ELSEWHERE]),
    ):
        assert shown(deviation, one_way("egress", harmless)) == (set(), set()), harmless


def test_names_of_ports_count_for_no_blocks_of_egress() -> None:
    deviation = "no-port-names-for-blocks-in-egress"
    both = rule("egress", [block("{green/a}"), pods(labels(app="b"))], [NAMED, UDP])
    assert shown(deviation, one_way("egress", both)) == (set(), cells(RED, ["green/a"], "tcp"))
    only = rule("egress", [block("{green/a}")], [NAMED])
    assert shown(deviation, one_way("egress", only)) == (set(), cells(RED, ["green/a"], "tcp"))
    assert shown(deviation, one_way("ingress", rule("ingress", [block("{green/a}")], [NAMED]))) == (set(), set())


def test_names_of_ports_of_everybody_are_those_of_the_own_namespace() -> None:
    deviation = "port-names-of-own-namespace-in-egress"
    everybody = one_way("egress", rule("egress", ports=[NAMED, GOPHER]))
    # All pods of the scene call their ports the same, so nothing shows …
    assert shown(deviation, everybody) == (set(), set())
    # … and the policy is read as one of numbers, or as nothing if nobody there has such a name.
    enforced = as_enforced(scene().after(Step("", apply=(everybody,))), [deviation])
    assert enforced.policies["red/policy"]["spec"]["egress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]
    gopher = scene().after(Step("", apply=(one_way("egress", rule("egress", ports=[GOPHER])),)))
    assert as_enforced(gopher, [deviation]).policies["red/policy"]["spec"]["egress"] == []


def test_blocks_that_include_no_pods_let_none_through_and_leave_selectors_alone() -> None:
    deviation = "blocks-include-no-pods"
    for blocks in ([block("{all}")], [block("{green/a}"), block("{green/b:net}", "{green/b}")]):
        for direction, ends in (("ingress", ("green", "red")), ("egress", ("red", "green"))):
            opened, closed = shown(deviation, one_way(direction, rule(direction, blocks)))
            assert not opened
            sources, targets = ([f"{space}/a" for space in ends][:1], [f"{space}/a" for space in ends][1:])
            assert cells(sources, targets, *ALL_PORTS) <= closed
    beside = rule("ingress", [block("{green/a}"), pods(labels(app="b"))])
    assert shown(deviation, one_way("ingress", beside)) == (set(), cells(["green/a"], RED, *ALL_PORTS))
    for harmless in (rule("ingress"), rule("ingress", [block("{nowhere}")]), rule("ingress", [ELSEWHERE], [NAMED])):
        assert shown(deviation, one_way("ingress", harmless)) == (set(), set()), harmless


def test_rules_isolate_though_the_types_leave_their_direction_out() -> None:
    deviation = "rules-isolate-whatever-the-types"
    only_egress = policy(types=["egress"], ingress=[rule("ingress", [ELSEWHERE])], egress=[rule("egress")])
    opened, closed = shown(deviation, only_egress)
    assert not opened
    assert closed == cells([pod for pod in scene().pods if not pod.startswith("green")], RED, *ALL_PORTS)
    for harmless in (one_way("ingress"), one_way("egress", rule("egress", [ELSEWHERE])), policy(types=["egress"])):
        assert shown(deviation, harmless) == (set(), set()), harmless


def test_an_engine_without_ipv6_closes_nothing_there_and_all_that_it_should_over_ipv4() -> None:
    for family, enforced in ((4, True), (6, False)):
        meant = scene(family).after(Step("", apply=(one_way("ingress"), one_way("egress", name="out"))))
        same = not differing(meant, as_enforced(meant, ["no-policies-over-ipv6"]))
        assert same is enforced
    assert not differing(scene(6), as_enforced(meant, ["no-policies-over-ipv6"]))


def test_a_policy_keeps_the_types_that_it_had_by_default() -> None:
    silent = policy(egress=[rule("egress", [block("{green/a}")], [NAMED])])
    enforced = as_enforced(scene().after(Step("", apply=(silent,))), ["no-port-names-for-blocks-in-egress"])
    assert enforced.policies["red/policy"]["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_without_deviations_every_case_is_as_the_api_means_it() -> None:
    for case in CASES:
        now = scene()
        for step in case.steps:
            now = now.after(step)
        assert as_enforced(now, []) is now


@pytest.mark.parametrize("name", names())
def test_every_deviation_that_a_mode_names_is_known(name: str) -> None:
    mode = load(name)
    as_enforced(scene(), mode.deviations)
    assert all(mode.deviations.values())


def test_a_deviation_that_nobody_knows_is_told() -> None:
    with pytest.raises(HarnessFault, match="there is no deviation 'magic'; known are both-types"):
        as_enforced(scene(), ["magic"])


def test_kube_router_deviates_in_a_few_cases_only() -> None:
    deviating = set()
    for case in CASES:
        now = scene()
        for step in case.steps:
            now = now.after(step)
            if differing(now, as_enforced(now, load("flannel-policy").deviations)):
                deviating.add(case.id)
    assert {case.claim for case in map(BY_ID.__getitem__, deviating)} == {
        "policy-conflicts",
        "policy-ip-blocks",
        "policy-rules",
    }
    assert len(deviating) < len(CASES) / 20, sorted(deviating)
