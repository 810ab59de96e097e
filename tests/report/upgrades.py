"""A watch and a gate for the pages' tests: with something of everything, and names that try to inject."""

from __future__ import annotations

import samples

from netassay.disruption import Outage, Timeline, Watched
from netassay.disruption.timeline import Lost
from netassay.gate import Decision, GateRecord, Item, Ruling
from netassay.gate.schema import Side
from netassay.observation import Protocol
from netassay.results.schema import ClusterFacts
from netassay.watch import FlowRecord, Mark, Unwatched, WatchRecord

LONG = "a-name-that-has-no-place-to-break-" * 5


def _flow(target: str, *outages: Outage, kept: bool = False, gap: bool = False) -> FlowRecord:
    flow = Watched(
        source="watch-source-1",
        source_node="node1",
        target=target,
        protocol=Protocol.TCP,
        host="10.96.0.7",
        port=8080,
        kept=kept,
        interval=0.01,
        timeout=0.9,
    )
    timeline = Timeline(
        flow=flow,
        since=-1.0,
        until=60.0,
        attempts=6000,
        failed=sum(one.failed for one in outages),
        unjudged=0,
        latest=0.002,
        unsure=0.001,
        outages=outages,
        answering=(),
        lost=(Lost(at=31.0, peer=samples.HOSTILE, unanswered=2, words="closed by the peer"),) if kept else (),
    )
    unwatched = (Unwatched(began=40, ended=42, why="its source was replaced"),) if gap else ()
    return FlowRecord(path="service", way="east-west", timeline=timeline, unwatched=unwatched)


def watched() -> WatchRecord:
    """A watch in which flows were disturbed, lost, and not watched all the time."""
    out = Outage(began=30.0, ended=30.512, failed=51, words=(f"51 {samples.HOSTILE}",))
    return WatchRecord(
        run_id="r7k2m9",
        started=1.7e9,
        finished=1.7e9 + 60,
        mode="flannel-vxlan",
        cluster=ClusterFacts(lab="flannel-vxlan"),
        event=f"upgrade.sh {LONG}",
        exit_code=0,
        marks=[Mark(29.9, samples.HOSTILE), Mark(45.0, LONG)],
        notes=[samples.HOSTILE],
        flows=[
            _flow("Service", out),
            _flow("Service", kept=True),
            _flow("cluster DNS", gap=True),
            _flow("NodePort of node2"),
        ],
    )


def judged() -> GateRecord:
    """A gate with an item of every ruling."""
    items = [
        Item(key=f"conformance/{ruling.name}/{LONG}", ruling=ruling, text=f"{ruling}: {samples.HOSTILE}")
        for ruling in Ruling
    ]
    return GateRecord(
        decision=Decision.NO_GO,
        reason=f"{samples.HOSTILE} {LONG}",
        baseline=Side(folder="gate/before", run_id="r1", mode="flannel-vxlan", lab="flannel-vxlan", evidence=[LONG]),
        candidate=Side(folder=f"gate/{LONG}", run_id="r2", mode="flannel-vxlan", version="v1.37.2"),
        judged={"conformance": "3 of 4 checks as before or better", "performance": "not judged"},
        items=items,
    )
