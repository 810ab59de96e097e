"""Which metrics are gated: those of the policy, or the list that travels with the load tests."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

import msgspec

from netassay import bundle
from netassay.errors import HarnessFault
from netassay.gate.policy import GatedMetric, PerformancePolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

MARGINS: Final = "loadtests/margins.toml"


def gated_metrics(policy: PerformancePolicy) -> Sequence[GatedMetric]:
    """The metrics that a gate decides on. HarnessFault if the list that travels with netassay is not valid."""
    if policy.gated:
        return policy.gated
    file = bundle.root() / MARGINS
    try:
        return msgspec.convert(tomllib.loads(file.read_text())["gated"], list[GatedMetric])
    except (OSError, KeyError, ValueError, msgspec.ValidationError) as error:
        raise HarnessFault(f"{file} does not say what is gated: {error}") from error
