"""Several policies, and both directions: allowances add up, isolation by anyone counts, and both ends must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netassay.policies.generator.words import (
    ALL,
    TCP,
    TCP_TOO,
    UDP,
    block,
    case,
    key,
    labels,
    one_way,
    pods,
    pods_in,
    policy,
    rule,
    spaces,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netassay.policies.case import Case, Json

A, B = labels(app="a"), labels(app="b")
GREEN = spaces(labels(team="green"))


def cases() -> Iterator[Case]:
    """Give the cases."""
    for name, policies in {**_stacked(), **_both_ends(), **_both_ways()}.items():
        yield case(f"policies-{name}", "policy-conflicts", *policies)


def _stacked() -> dict[str, list[Json]]:
    """Write several policies for the same pods and direction."""
    return {
        "deny-and-allow-ingress": [
            one_way("ingress", name="deny"),
            one_way("ingress", rule("ingress", [GREEN]), name="allow", target=A),
        ],
        "deny-and-allow-egress": [
            one_way("egress", name="deny"),
            one_way("egress", rule("egress", [GREEN]), name="allow", target=A),
        ],
        "allow-and-allow-ingress": [
            one_way("ingress", rule("ingress", [GREEN], [TCP]), name="one"),
            one_way("ingress", rule("ingress", [pods(B)], [UDP]), name="two"),
        ],
        "allow-and-allow-egress": [
            one_way("egress", rule("egress", [GREEN], [TCP]), name="one"),
            one_way("egress", rule("egress", [pods(B)], [UDP]), name="two"),
        ],
        "allow-everything-beside-deny": [
            one_way("ingress", name="deny"),
            one_way("ingress", rule("ingress"), name="allow"),
        ],
        "overlapping-targets": [
            one_way("ingress", rule("ingress", [GREEN]), name="one", target=key("app", "In", "a", "b")),
            one_way("ingress", rule("ingress", [pods(ALL)]), name="two", target=key("app", "In", "b", "c")),
        ],
        "same-exception-allowed-elsewhere": [
            one_way("ingress", rule("ingress", [block("{all}", "{green/a:net}")]), name="one"),
            one_way("ingress", rule("ingress", [block("{green/a}")], [TCP]), name="two"),
        ],
        "same-name-in-two-namespaces": [
            one_way("ingress", rule("ingress", [pods(ALL)]), namespace="red"),
            one_way("ingress", rule("ingress", [pods(ALL)]), namespace="green"),
        ],
        "all-namespaces-denied": [one_way("ingress", namespace=each) for each in ("red", "green", "blue")],
        "all-namespaces-denied-both-ways": [
            policy(namespace=each, types=["ingress", "egress"]) for each in ("red", "green", "blue")
        ],
    }


def _both_ends() -> dict[str, list[Json]]:
    """Write policies of which one is about the source, and one about the target."""
    return {
        "egress-allowed-ingress-denied": [
            one_way("egress", rule("egress", [GREEN]), name="out"),
            one_way("ingress", name="in", namespace="green"),
        ],
        "egress-denied-ingress-allowed": [
            one_way("egress", name="out"),
            one_way("ingress", rule("ingress", [spaces(labels(team="red"))]), name="in", namespace="green"),
        ],
        "egress-and-ingress-allowed": [
            one_way("egress", rule("egress", [GREEN], [TCP]), name="out"),
            one_way("ingress", rule("ingress", [spaces(labels(team="red"))]), name="in", namespace="green"),
        ],
        "egress-and-ingress-allow-different-ports": [
            one_way("egress", rule("egress", [GREEN], [TCP]), name="out"),
            one_way("ingress", rule("ingress", ports=[TCP_TOO]), name="in", namespace="green"),
        ],
        "egress-and-ingress-in-one-namespace": [
            one_way("egress", rule("egress", [pods(B)]), name="out", target=A),
            one_way("ingress", rule("ingress", [pods(A)], [UDP]), name="in", target=B),
        ],
    }


def _both_ways() -> dict[str, list[Json]]:
    """Write single policies that are about both directions, or say nothing of them."""
    elsewhere = pods_in(labels(team="blue"), A)
    return {
        "both-ways-in-from-one-out-to-another": [
            policy(
                types=["ingress", "egress"],
                ingress=[rule("ingress", [GREEN], [TCP])],
                egress=[rule("egress", [elsewhere])],
            )
        ],
        "both-ways-nothing-in-everything-out": [policy(types=["ingress", "egress"], egress=[rule("egress")])],
        "both-ways-everything-in-nothing-out": [policy(types=["ingress", "egress"], ingress=[rule("ingress")])],
        "types-by-default-ingress": [policy(ingress=[rule("ingress", [GREEN])])],
        "types-by-default-no-rules": [policy(target=A)],
        "types-by-default-egress-rules-isolate-both-ways": [policy(target=A, egress=[rule("egress", [GREEN])])],
        "types-ingress-only-though-egress-rules": [
            policy(types=["ingress"], ingress=[rule("ingress", [GREEN])], egress=[rule("egress", [elsewhere])])
        ],
        "types-egress-only-though-ingress-rules": [
            policy(types=["egress"], ingress=[rule("ingress", [GREEN])], egress=[rule("egress", [elsewhere])])
        ],
    }
