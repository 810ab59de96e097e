"""The generated cases: enough of them, each of its own, all valid, and each able to tell right from wrong."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, get_args

import pytest

from netassay.errors import HarnessFault
from netassay.policies.case import Case, Step
from netassay.policies.cells import cells_of, changed, ruling
from netassay.policies.generator import BY_ID, CASES
from netassay.policies.generator.sctp import SCTP_CASES
from netassay.policies.generator.words import block, one_way, policy, rule
from netassay.policies.model import Family
from tests.policies.scenes import scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netassay.policies.scene import Scene

ALL_OPEN = {
    *(f"peers-{name}-{way}" for name in ("missing", "empty", "namespaces-all") for way in ("ingress", "egress")),
    *(f"blocks-{name}-{way}" for name in ("all", "except-in-one-of-two") for way in ("ingress", "egress")),
    *(f"ports-empty-{way}" for way in ("ingress", "egress")),
    *(f"rules-second-is-everything-{way}" for way in ("ingress", "egress")),
    "target-labels-of-nobody-ingress",
    "target-labels-of-nobody-egress",
    "target-labels-of-nobody-both",
    "policies-allow-everything-beside-deny",
}
"""Cases whose policies change nothing: an engine that closes something for them is wrong."""


def states(case: Case, family: Family = 4, *ports: str) -> Iterator[tuple[Scene, Scene]]:
    now = replace(scene(family), ports=(*scene().ports, *ports))
    for step in case.steps:
        before, now = now, now.after(step)
        yield before, now


def test_there_are_enough_and_each_has_its_own_stable_name() -> None:
    assert len(CASES) >= 216
    assert len(BY_ID) == len(CASES)
    assert all(case.id.replace("-", "").isalnum() and case.id == case.id.lower() for case in CASES)
    assert {case.claim for case in CASES} == {
        "policy-targets",
        "policy-peers",
        "policy-ip-blocks",
        "policy-ports",
        "policy-rules",
        "policy-conflicts",
        "policy-changes",
    }


def test_no_two_cases_do_the_same() -> None:
    told = [json.dumps([(s.apply, s.delete, s.pod_labels, s.namespace_labels) for s in case.steps]) for case in CASES]
    assert len(set(told)) == len(CASES)


@pytest.mark.whole
@pytest.mark.parametrize("ip_version", get_args(Family))
def test_every_case_is_valid_and_every_step_of_a_change_opens_or_closes_something(ip_version: Family) -> None:
    # What addresses have no part in is the same in both families.
    for case in CASES if ip_version == 4 else [one for one in CASES if one.claim == "policy-ip-blocks"]:
        for before, after in states(case, ip_version):
            assert not re.search(r"\{[a-z/:]+\}", json.dumps(list(after.policies.values())))
            assert bool(changed(before, after)) != (case.id in ALL_OPEN), case.id


def test_rules_over_sctp_open_what_they_say_and_every_step_changes_that() -> None:
    assert [case.id for case in SCTP_CASES] == ["sctp-ingress", "sctp-egress"]
    for case, far in zip(SCTP_CASES, ("source", "target"), strict=True):
        opened = []
        for before, after in states(case, 4, "sctp"):
            assert changed(before, after)
            to_red = [
                cell
                for cell in cells_of(after)
                if "red" not in getattr(cell, far) and "red" in cell.target + cell.source
            ]
            opened.append({cell.port for cell in to_red if ruling(after, cell).open})
        assert opened == [{"sctp"}, {"tcp"}, {"sctp"}, set(), {"sctp"}, {"tcp", "tcp2"}]


def test_exceptions_lie_within_their_blocks() -> None:
    for case in CASES:
        for _, after in states(case):
            for found in after.policies.values():
                for one in blocks_of(found["spec"]):
                    whole = ip_network(one["cidr"])
                    assert all(ip_network(e).subnet_of(whole) and e != one["cidr"] for e in one.get("except", []))  # type: ignore[arg-type]


def blocks_of(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for each in spec.get(direction, []):
            yield from (peer["ipBlock"] for peer in each.get(side, []) if "ipBlock" in peer)


def test_tags_name_every_feature_of_the_api() -> None:
    tags = {tag for case in CASES for tag in case.tags}
    operators = {"In", "NotIn", "Exists", "DoesNotExist"}
    assert tags >= {f"target: {each}" for each in {*operators, "all", "labels"}}
    assert tags >= {f"peers by {each}" for each in {*operators, "all", "labels"}}
    assert tags >= {f"direction: {each}" for each in ("ingress", "egress", "by default")}
    assert tags >= {
        f"peers: {each}"
        for each in ("everybody", "pods", "namespaces", "pods in namespaces", "IPBlock", "IPBlock except", "several")
    }
    kinds = ("all", "number", "name", "range", "protocol only", "several", "TCP", "UDP", "protocol by default")
    assert tags >= {f"ports: {each}" for each in kinds}
    assert tags >= {"rules: none", "rules: several", "policies: several"}
    assert {tag for tag in tags if tag.startswith("step: ")} == {
        "step: policy added",
        "step: policy updated",
        "step: policy deleted",
        "step: pod relabelled",
        "step: namespace relabelled",
    }
    assert BY_ID["blocks-except-one-egress"].tags == {
        "direction: egress",
        "target: all",
        "peers: IPBlock except",
        "ports: all",
    }


def test_symbols_get_real_names_and_addresses() -> None:
    peers = [block("{red/a}"), block("{all}", "{green/b:net}"), block("{nowhere}")]
    written = one_way("ingress", rule("ingress", peers), namespace="blue")
    cidrs = {
        4: ["10.244.1.10/32", "0.0.0.0/0", "192.0.2.0/24"],
        6: ["fd00:1::a/128", "::/0", "2001:db8::/32"],
    }
    for family, expected in cidrs.items():
        bound = scene(family).bind(written)  # type: ignore[arg-type]
        assert bound["metadata"]["namespace"] == "run-blue"
        assert [each["cidr"] for each in blocks_of(bound["spec"])] == expected
    assert list(blocks_of(scene().bind(written)["spec"]))[1]["except"] == ["10.244.1.0/24"]
    assert written["metadata"]["namespace"] == "blue", "the case's own data is left as it was"
    with pytest.raises(HarnessFault, match=r"\{pink/a\}, which is neither"):
        scene().bind(one_way("ingress", rule("ingress", [block("{pink/a}")])))


def test_a_step_changes_policies_and_labels() -> None:
    first = scene().after(Step("", apply=(policy("one"), policy("two", namespace="green"))))
    assert set(first.policies) == {"red/one", "green/two"}
    second = first.after(
        Step(
            "",
            delete=("red/one",),
            pod_labels={"red/a": {"app": None, "new": "yes"}},
            namespace_labels={"blue": {"team": "grey"}},
        )
    )
    assert set(second.policies) == {"green/two"}
    assert second.pods["red/a"].labels == {"tier": "front", "new": "yes"}
    assert second.namespaces["blue"].labels["team"] == "grey"
    assert first.pods["red/a"].labels["app"] == "a", "the state before is left as it was"
    assert len(second.pods) == 9
