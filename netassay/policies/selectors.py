"""Label selectors: which labels they match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netassay.errors import HarnessFault

if TYPE_CHECKING:
    from collections.abc import Mapping


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; an empty one matches everything.

    HarnessFault for an operator that Kubernetes does not know.
    """
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_satisfied(expression, labels) for expression in selector.get("matchExpressions") or [])


def _satisfied(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            # A label that is not there is in no list.
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case other:
            raise HarnessFault(f"a label selector has the operator {other!r}, which Kubernetes does not know")
