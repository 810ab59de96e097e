"""A CNI mode: what it claims of each promise, and its parameters. Each is one TOML file in this folder."""

from __future__ import annotations

import fnmatch
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from netassay.claims import CLAIMS, claim
from netassay.disruption import limits as disruption
from netassay.errors import HarnessFault, UsageError

GENERIC: Final = "generic"
"""The mode of a cluster whose plug-in is not known: what Kubernetes itself promises, and nothing more."""


BASES: Final = ("cilium",)
"""What several modes have in common and extend, in `bases/`: no modes themselves, as no cluster is just that."""


class Expectation(StrEnum):
    """What a mode says about a claim."""

    HOLDS = "holds"
    ABSENT = "absent"  # by design: seeing it kept is a finding
    UNKNOWN = "unknown"  # measure and report


class Stance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mode's expectation of one claim, and the source that says so."""

    expect: Expectation
    source: str


class Shortfall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By how many bytes something falls short of what is promised, and the source that says so."""

    bytes: int
    source: str


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of a mode; None (or "unknown") where the mode does not fix them.

    `encapsulation`: "vxlan", "none" … `mtu_overhead`: bytes by which a pod's MTU is less than its node's. `masquerade`:
    whether a pod's packets leave the cluster under its node's address (False: under its own). `outside_routes_pods`:
    whether hosts outside the cluster have a route to pods. `pod_range_per_node`: whether a node's pods get addresses
    of the node's own `podCIDR`. `ipv6_shortfall`: by how much the largest IPv6 packet that passes between nodes falls
    short of the pod's MTU, where that was reckoned for IPv4. `lease_store`: the folder of each node in which its IPAM
    keeps a file for every address that is taken, "" if there is none. `hops` are the routers between pods on different
    nodes, and `hops_of_the_cloud` how many more there may be in between, if its network counts as routers do and not as
    a switch. `service_source` is whose address endpoints see through a cluster IP: the "pod"'s, or that of its "node".
    `metadata_address`: where a cloud tells its machines about themselves. `policies_followed_seconds`: within how many
    seconds every node follows a change of policies or labels. Kubernetes' own tests allow 30; Cilium's agents wait for
    up to 30 before they look at a changed label (identity-max-jitter), and 5 more (identity-change-grace-period).
    """

    encapsulation: str = "unknown"
    mtu_overhead: int | None = None
    masquerade: bool | None = None
    outside_routes_pods: bool | None = None
    pod_range_per_node: bool | None = None
    ipv6_shortfall: Shortfall | None = None
    lease_store: str = ""
    hops: int | None = None
    hops_of_the_cloud: int = 0
    service_source: str = ""
    metadata_address: str = "169.254.169.254"
    policies_followed_seconds: float = 30.0


LIMITED: Final = {"nodes": "nodes", "routes": "routes, one for each node"}
"""What a mode may limit → in words. All are counted by the nodes of a cluster."""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a mode is meant to go, and the source that says so."""

    value: int
    source: str


class Density(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The resource of a node (of its `allocatable`) that bounds how many pods it takes, and the source that says so."""

    resource: str
    source: str


class Mode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A CNI mode. What its file does not name is as in the mode that it `extends`, or in one of the `bases/`.

    `limits` are how many there may be of what `LIMITED` names, and `density` is what bounds the pods of a node, beside
    what its kubelet takes; `tolerances` are how much an event may do to flows, by the names and in the units of
    `disruption.limits.LIMITS`. `deviations` are those of
    `netassay/policies/deviations.py` that its policy engine shows, each with its source.
    """

    name: str
    title: str
    plug_in: str
    summary: str
    claims: dict[str, Stance]
    parameters: Parameters = Parameters()
    extends: str = ""
    limits: dict[str, Limit] = {}
    density: Density | None = None
    tolerances: dict[str, disruption.Limit] = {}
    deviations: dict[str, str] = {}

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
    """Read a mode by its name, or a file of the user's own; `UsageError` if there is none.

    `HarnessFault` if the file is not valid.
    """
    if name.endswith(".toml"):
        own = Path(name)
        if not own.is_file():
            raise UsageError(f"there is no mode file {name}")
        return read(own.read_bytes(), name)
    if name not in names():
        raise UsageError(f"there is no mode {name!r}: choose one of {', '.join(names())}, a file of yours, or auto")
    return _read_ours(f"{name}.toml")


@cache
def _read_ours(path: str) -> Mode:
    file = resources.files("netassay.modes").joinpath(path)
    return read(file.read_bytes(), str(file))


def read(text: bytes, file: str) -> Mode:
    """Read a mode file, of which `file` is the name in messages, on top of the mode that it extends.

    A claim that the file names as a pattern, such as `policy-*`, stands for all that match; one named in full counts
    more. `HarnessFault` if the file is not valid.
    """
    try:
        raw = msgspec.toml.decode(text)
        mode = msgspec.convert(raw, type=Mode)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise HarnessFault(f"mode file {file} is not valid: {error}") from error
    claims = _spelt_out(mode.claims, file)
    disruption.checked(mode.tolerances, f"mode file {file}")
    for what in mode.limits.keys() - LIMITED.keys():
        raise HarnessFault(f"mode file {file} limits {what!r}, and only these are counted: {', '.join(LIMITED)}")
    if not mode.extends:
        return msgspec.structs.replace(mode, claims=claims)
    base = _read_ours(f"bases/{mode.extends}.toml") if mode.extends in BASES else load(mode.extends)
    named = {key: getattr(mode.parameters, key) for key in raw.get("parameters", {})}
    parameters = msgspec.structs.replace(base.parameters, **named)
    tolerances = {**base.tolerances, **mode.tolerances}
    return msgspec.structs.replace(
        mode,
        claims={**base.claims, **claims},
        parameters=parameters,
        tolerances=tolerances,
        limits={**base.limits, **mode.limits},
        density=mode.density or base.density,
        deviations={**base.deviations, **mode.deviations},
    )


def _spelt_out(stances: dict[str, Stance], file: str) -> dict[str, Stance]:
    """Put the claims that a pattern stands for in its place."""
    found: dict[str, Stance] = {}
    for pattern in (key for key in stances if "*" in key):
        meant = fnmatch.filter(CLAIMS, pattern)
        if not meant:
            raise HarnessFault(f"mode file {file} speaks of claims {pattern!r}, of which there are none")
        found |= dict.fromkeys(meant, stances[pattern])
    for claim_id in (key for key in stances if "*" not in key):
        found[claim(claim_id).id] = stances[claim_id]
    return found
