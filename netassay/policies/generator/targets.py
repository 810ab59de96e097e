"""Which pods a policy is about: everything is denied to them, one way or both, and nothing to all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netassay.policies.generator.words import ALL, all_of, case, key, labels, policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netassay.policies.case import Case, Json
    from netassay.policies.rules import Direction

TARGETS: Final[dict[str, Json]] = {
    "all": ALL,
    "label": labels(app="a"),
    "labels": labels(app="b", tier="back"),
    "labels-of-nobody": labels(app="a", tier="back"),
    "in-one": key("app", "In", "c"),
    "in-two": key("app", "In", "a", "c"),
    "not-in": key("app", "NotIn", "a"),
    "not-in-without-key": key("tier", "NotIn", "front"),
    "exists": key("tier", "Exists"),
    "does-not-exist": key("tier", "DoesNotExist"),
    "two-expressions": all_of(key("tier", "Exists"), key("app", "NotIn", "a")),
    "label-and-expression": all_of(labels(app="a"), key("tier", "In", "front", "back")),
}

WAYS: Final[dict[str, tuple[Direction, ...]]] = {
    "ingress": ("ingress",),
    "egress": ("egress",),
    "both": ("ingress", "egress"),
}


def cases() -> Iterator[Case]:
    """Give the cases."""
    for way, types in WAYS.items():
        for name, target in TARGETS.items():
            yield case(f"target-{name}-{way}", "policy-targets", policy(target=target, types=types))
