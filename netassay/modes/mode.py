"""A CNI mode: what it claims of each promise, and its parameters. Each is one TOML file in this folder."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from netassay.claims import claim
from netassay.errors import HarnessFault, UsageError

GENERIC: Final = "generic"
"""The mode of a cluster whose plug-in is not known: what Kubernetes itself promises, and nothing more."""


class Expectation(StrEnum):
    """What a mode says about a claim."""

    HOLDS = "holds"
    ABSENT = "absent"  # by design: seeing it kept is a finding
    UNKNOWN = "unknown"  # measure and report


class Stance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mode's expectation of one claim, and the source that says so."""

    expect: Expectation
    source: str


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of a mode; None (or "unknown") where the mode does not fix them.

    `encapsulation`: "vxlan", "none" … `mtu_overhead`: bytes by which a pod's MTU is less than its node's. `masquerade`:
    whether a pod's packets leave the cluster under its node's address (False: under its own). `outside_routes_pods`:
    whether hosts outside the cluster have a route to pods. `pod_range_per_node`: whether a node's pods get addresses of
    the node's own `podCIDR`.
    """

    encapsulation: str = "unknown"
    mtu_overhead: int | None = None
    masquerade: bool | None = None
    outside_routes_pods: bool | None = None
    pod_range_per_node: bool | None = None


class Mode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A CNI mode. Claims that it does not name are as in the mode that it `extends`."""

    name: str
    title: str
    plug_in: str
    summary: str
    claims: dict[str, Stance]
    parameters: Parameters = Parameters()
    extends: str = ""

    def stance(self, claim_id: str) -> Stance:
        """Give the expectation of a claim with its source; `HarnessFault` if there is no such claim."""
        claim(claim_id)
        return self.claims.get(claim_id, Stance(Expectation.UNKNOWN, f"mode {self.name} does not say"))

    def expects(self, claim_id: str) -> Expectation:
        """Give the expectation of a claim; `HarnessFault` if there is no such claim."""
        return self.stance(claim_id).expect


def names() -> list[str]:
    """Give the names of all modes."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in resources.files("netassay.modes").iterdir()
        if entry.name.endswith(".toml")
    )


@cache
def load(name: str) -> Mode:
    """Read a mode by its name; `UsageError` if there is none, `HarnessFault` if its file is not valid."""
    if name not in names():
        raise UsageError(f"there is no mode {name!r}: choose one of {', '.join(names())}, or auto")
    file = resources.files("netassay.modes").joinpath(f"{name}.toml")
    try:
        mode = msgspec.toml.decode(file.read_bytes(), type=Mode)
    except msgspec.DecodeError as error:
        raise HarnessFault(f"mode file {file} is not valid: {error}") from error
    for claim_id in mode.claims:
        claim(claim_id)
    if not mode.extends:
        return mode
    return msgspec.structs.replace(mode, claims={**load(mode.extends).claims, **mode.claims})
