"""The records of a run, as `run.json` holds them. `SCHEMA` changes whenever their meaning does."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from netassay.disruption.timeline import Timeline  # noqa: TC001 - msgspec reads it at run time
from netassay.modes.detection import Detection  # noqa: TC001 - msgspec reads it at run time
from netassay.modes.surroundings import what_a_lab_is
from netassay.observation import Observation  # noqa: TC001 - msgspec reads it at run time

SCHEMA: Final = "netassay.run/1"


class Verdict(StrEnum):
    """What a check says about its claim. There is no other way for a check to end."""

    HOLDS = "holds"
    BROKEN = "broken"
    ABSENT_BY_DESIGN = "absent by design"
    NOT_APPLICABLE = "not applicable"
    INCONCLUSIVE = "inconclusive"


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something to read beside a verdict: `text` is shown as it is, with its line breaks."""

    title: str
    text: str


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A check by itself: which, and of what claim. `id` is its node id, without names that change from run to run.

    `tags` are the features of an API that a generated check uses, such as "peers: IPBlock except".
    """

    id: str
    claim: str = ""
    feature: str = ""
    title: str = ""
    phase: str = ""
    parameters: dict[str, str] = {}
    tags: list[str] = []


class CheckRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A check that was made, or was meant to be.

    `message` says why the verdict is what it is: the finding, the reason, or what the harness lacked. `started` is in
    seconds since the epoch, `seconds` how long it took, set-up included; `worker` is the process that made it.
    """

    id: str
    verdict: Verdict
    claim: str = ""
    feature: str = ""
    title: str = ""
    message: str = ""
    seconds: float = 0.0
    started: float = 0.0
    phase: str = ""
    worker: str = ""
    evidence: list[Evidence] = []
    parameters: dict[str, str] = {}
    tags: list[str] = []


class Figure(msgspec.Struct, frozen=True):
    """A measured value: `key` names it within its check, `unit` is as printed ("s", "ms", "bytes", "")."""

    check: str
    key: str
    value: float
    unit: str = ""


class MatrixCell(msgspec.Struct, frozen=True, omit_defaults=True):
    """One cell: `state` is a `netassay.cell.State`, `outcome` what was seen, in words, `detail` the whole line."""

    state: str
    outcome: str
    detail: str = ""


class MatrixBlock(msgspec.Struct, frozen=True, array_like=True):
    """Cells between two groups of nodes: how many were tried, how many are wrong, and how many have no verdict."""

    tried: int
    wrong: int
    unknown: int


class MatrixRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A truth table with its difference: `cells` by source, then by target; None where nothing was expected, or tried.

    `sample` says how pairs were chosen, "" if none was left out. Of a table that is too large to be looked at, `size`
    is its number of sources and targets, `cells` an excerpt (where something differs), `states` the number of all cells
    in each `netassay.cell.State`, and `blocks` counts them by `groups` of nodes, those of sources first.
    """

    check: str
    title: str
    sources: list[str]
    targets: list[str]
    cells: list[list[MatrixCell | None]]
    sample: str = ""
    size: tuple[int, int] = (0, 0)
    states: dict[str, int] = {}
    groups: list[str] = []
    blocks: list[list[MatrixBlock]] = []


class TimelineRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What an event (in words) of one check did to the flows that were watched; times in seconds from the event."""

    check: str
    event: str
    timelines: list[Timeline]


class NodeFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One node, as the API shows it."""

    name: str
    ready: bool = False
    addresses: list[str] = []
    pod_ranges: list[str] = []
    kubelet: str = ""
    runtime: str = ""
    kernel: str = ""
    system: str = ""
    architecture: str = ""
    taints: list[str] = []


class ClusterFacts(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The cluster that was assayed.

    `lab` is the embedded cluster's mode if it is that, and reports must call it so; `stands_in_for` is the system that
    it imitates, where it is not that system itself. `service_proxy` is kube-proxy's mode, as its
    ConfigMap says. `unread` says what could not be read, and why.
    """

    server: str = ""
    version: str = ""
    nodes: list[NodeFacts] = []
    service_proxy: str = ""
    dns_address: str = ""
    lab: str = ""
    stands_in_for: str = ""
    unread: list[str] = []


def lab_name(cluster: ClusterFacts) -> str:
    """Give the words for the embedded cluster, "" for any other.

    As in `lab:eni-exclusive, a lab stand-in for Terway exclusive ENI`, or `lab:cilium, a lab` where it runs the system
    itself.
    """
    if not cluster.lab:
        return ""
    return f"lab:{cluster.lab}, {what_a_lab_is(cluster.stands_in_for)}"


class RunRecord(msgspec.Struct, kw_only=True):
    """Everything that one run found.

    Times are in seconds since the epoch. `command` is how to do the run again. `mode` is the mode whose expectations
    were used: the detected one, unless the user named another. `faults` are what went wrong with the harness itself:
    with any of them, a run without findings is inconclusive; `notes` are what else a reader should know.
    `observations` are by check id, in the order made.
    """

    run_id: str
    schema: str = SCHEMA
    netassay: str = ""
    started: float = 0.0
    finished: float = 0.0
    command: list[str] = []
    cluster: ClusterFacts = msgspec.field(default_factory=ClusterFacts)
    detection: Detection | None = None
    mode: str = ""
    faults: list[str] = []
    notes: list[str] = []
    checks: list[CheckRecord] = []
    figures: list[Figure] = []
    matrices: list[MatrixRecord] = []
    timelines: list[TimelineRecord] = []
    observations: dict[str, list[Observation]] = {}
