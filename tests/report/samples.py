"""Runs as they come, for looking at their pages: a healthy one, a broken one, one that could not tell."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netassay.claims import CLAIMS
from netassay.disruption import Outage, Timeline, Watched
from netassay.disruption.timeline import Lost
from netassay.matrix import Expected, Observed
from netassay.modes import Detection, NodeDetection
from netassay.observation import USUAL_PROTOCOLS, Attempt, Observation, Outcome, Protocol
from netassay.results.schema import (
    CheckRecord,
    ClusterFacts,
    Evidence,
    Figure,
    NodeFacts,
    RunRecord,
    TimelineRecord,
    Verdict,
)
from netassay.results.tables import matrix_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from netassay.results.schema import MatrixRecord

STARTED = 1_795_183_387.0
HOSTILE = "<script>alert('pod')</script><img src=http://evil.example/x onerror=alert(1)>"


@dataclass(frozen=True)
class Pod:
    name: str
    node: str
    address: str


PODS = [Pod(f"probe-node-{n}", f"node-{n}", f"10.244.{n - 1}.{n + 3}") for n in (1, 2, 3)]


def node(number: int) -> NodeFacts:
    return NodeFacts(
        name=f"node-{number}",
        ready=True,
        addresses=[f"172.30.0.{10 + number}"],
        pod_ranges=[f"10.244.{number - 1}.0/24"],
        kubelet="v1.37.2",
        runtime="containerd://2.4.2",
        kernel="6.1.0-31-amd64",
        system="Debian GNU/Linux 12 (bookworm)",
        architecture="amd64",
    )


def check_id(claim_id: str) -> str:
    return f"suites/{CLAIMS[claim_id].feature}/test_{claim_id.replace('-', '_')}.py::test_{claim_id.replace('-', '_')}"


def check(claim_id: str, verdict: Verdict = Verdict.HOLDS, message: str = "", **more: object) -> CheckRecord:
    claim = CLAIMS[claim_id]
    settings = {"title": claim.meaning.rstrip("."), "seconds": 0.3 + len(claim_id) / 10, "phase": "parallel", **more}
    record = {
        "id": check_id(claim_id),
        "claim": claim_id,
        "feature": claim.feature,
        "started": STARTED,
        "worker": "gw1",
    }
    return CheckRecord(verdict=verdict, message=message, **{**record, **settings})  # type: ignore[arg-type]


def observation(source: Pod, target: Pod, protocol: Protocol, outcome: Outcome) -> Observation:
    return Observation(
        source=source.name,
        source_node=source.node,
        attempt=Attempt(protocol=protocol, host=target.address, port=8080),
        outcome=outcome,
        microseconds=1200,
        started=STARTED,
        answered_by=target.name if outcome is Outcome.OPEN else "",
    )


def observed(protocol: Protocol, outcome: Callable[[Pod, Pod], Outcome]) -> tuple[MatrixRecord, list[Observation], str]:
    """Make a matrix among the pods: its record, its observations, and what it says of itself."""
    expected = Expected.all_open(PODS, PODS)
    seen, everything = Observed(), []
    for source, target in expected.pairs():
        one = observation(source, target, protocol, outcome(source, target))
        seen.add(source, target, one)
        everything.append(one)
    difference = expected.difference(seen)
    record = matrix_record(check_id(f"pod-to-pod-{protocol}"), f"Pod to pod, {protocol.upper()}", difference)
    return record, everything, difference.describe()


def healthy() -> RunRecord:
    """A lab in mode flannel-vxlan in which everything is as it should be."""
    chance = random.Random(7)  # noqa: S311 - for dots on a page
    checks = [check(claim_id) for claim_id in CLAIMS]
    replaced = {
        "outside-to-pod": check(
            "outside-to-pod",
            Verdict.ABSENT_BY_DESIGN,
            "outside-host got no answer from any of 3 pods, and from their nodes it did\n"
            "as foreseen: flannel backends, vxlan: only nodes know a way to pods",
        ),
        "dns-each-replica": check("dns-each-replica", Verdict.NOT_APPLICABLE, "the cluster's DNS has one replica"),
    }
    run = RunRecord(
        run_id="r7k2m9",
        netassay="0.1.0",
        started=STARTED,
        finished=STARTED + 71,
        command=["netassay", "run", "--lab=flannel-vxlan"],
        cluster=ClusterFacts(
            server="https://172.30.0.10:6443",
            version="v1.37.2",
            nodes=[node(number) for number in (1, 2, 3)],
            service_proxy="nftables",
            dns_address="10.96.0.10",
            lab="flannel-vxlan",
        ),
        detection=Detection(
            mode="flannel-vxlan",
            plug_in="flannel",
            evidence=[
                "DaemonSet kube-flannel/kube-flannel-ds is ready on 3 of 3 nodes",
                'ConfigMap kube-flannel/kube-flannel-cfg: net-conf.json Backend {"Type": "vxlan"}',
            ],
            nodes=[
                NodeDetection(f"node-{n}", "flannel-vxlan", ["annotation flannel.alpha.coreos.com/backend-type: vxlan"])
                for n in (1, 2, 3)
            ],
        ),
        mode="flannel-vxlan",
        checks=[replaced.get(one.claim, one) for one in checks],
    )
    for protocol in USUAL_PROTOCOLS:
        record, seen, _ = observed(protocol, lambda _s, _t: Outcome.OPEN)
        run.matrices.append(record)
        run.observations[record.check] = seen
    run.figures += [
        Figure(check_id("pod-join"), "creation to first answer", chance.gauss(1.9, 0.2), "s") for _ in range(12)
    ]
    run.figures += [
        Figure(check_id("dns-latency"), "answer over UDP", chance.lognormvariate(0, 0.4), "ms") for _ in range(80)
    ]
    run.figures += [Figure(check_id("endpoint-replaced"), "until followed", 0.412, "s")]
    run.figures += [Figure(check_id("path-mtu"), "path MTU between nodes", 1450, "bytes")]
    return run


def broken() -> RunRecord:
    """The same lab, with UDP 8472 dropped from node 1 to node 2, and a worker lost on the way."""
    run = healthy()
    run.matrices.clear()
    tunnel = lambda s, t: Outcome.TIMED_OUT if (s.node, t.node) == ("node-1", "node-2") else Outcome.OPEN  # noqa: E731
    lost = lambda s, _t: Outcome.NO_VERDICT if s.node == "node-3" else Outcome.OPEN  # noqa: E731
    found = {}
    for protocol, how in ((Protocol.TCP, tunnel), (Protocol.UDP, tunnel), (Protocol.HTTP, lost)):
        record, seen, says = observed(protocol, how)
        run.matrices.append(record)
        run.observations[record.check] = seen
        verdict = Verdict.INCONCLUSIVE if how is lost else Verdict.BROKEN
        found[f"pod-to-pod-{protocol}"] = check(
            f"pod-to-pod-{protocol}",
            verdict,
            says,
            evidence=[
                Evidence(
                    "Routes of probe-node-1",
                    "default via 10.244.0.1 dev eth0\n10.244.0.0/24 dev eth0 scope link src 10.244.0.4",
                ),
                Evidence("Neighbours of node-1", "10.244.1.0 dev flannel.1 lladdr 1a:5f:0e:3c:77:10 PERMANENT"),
            ]
            if verdict is Verdict.BROKEN
            else [],
        )
    found["dns-a"] = check(
        "dns-a",
        Verdict.INCONCLUSIVE,
        "the check was begun and never finished: its process ended or was killed while it ran",
    )
    found["session-affinity"] = check(
        "session-affinity",
        Verdict.BROKEN,
        f"12 connections of {HOSTILE} were answered by 3 endpoints, and should be by one",
        parameters={"from": "node-1"},
        evidence=[Evidence(f"Labels of {HOSTILE}", f"app={HOSTILE}")],
        phase="serial",
    )
    run.checks = [found.get(one.claim, one) for one in run.checks]
    run.timelines.append(disturbed())
    run.faults.append("phase parallel broke off (exit code 3); the end of what pytest said:\nINTERNALERROR> OSError: …")
    run.notes.append("leftovers of earlier runs could not be swept: list Namespace: forbidden")
    return run


def disturbed() -> TimelineRecord:
    """A backend is killed: one flow is out for a while, another loses its connection, a third notices nothing."""

    def timeline(source: Pod, *, kept: bool, outages: tuple[Outage, ...] = (), lost: tuple[Lost, ...] = ()) -> Timeline:
        flow = Watched(
            source=source.name,
            source_node=source.node,
            target=f"Service {HOSTILE}",
            protocol=Protocol.TCP,
            host="10.96.0.7",
            port=8080,
            kept=kept,
            interval=0.01,
            timeout=0.9,
        )
        return Timeline(
            flow=flow,
            since=-1.5,
            until=6.5,
            attempts=800,
            failed=sum(outage.failed for outage in outages),
            unjudged=0,
            latest=0.004,
            unsure=0.001,
            outages=outages,
            answering=(),
            lost=lost,
        )

    outages = tuple(Outage(began=0.02 * n, ended=0.02 * n + 0.01, failed=1, words=("1 refused",)) for n in range(60))
    lost = Lost(at=0.01, peer="web-1", unanswered=1, words="ECONNRESET: Connection reset by peer")
    return TimelineRecord(
        check=check_id("failover-killed"),
        event=f"the process of {HOSTILE} is killed",
        timelines=[
            timeline(PODS[0], kept=False, outages=outages),
            timeline(PODS[1], kept=True, lost=(lost,)),
            timeline(PODS[2], kept=False),
        ],
    )


def large(size: int, outcome: Callable[[Pod, Pod], Outcome], *, sample: str = "") -> MatrixRecord:
    """A matrix of so many pods that try each other all; with `sample`, each tries itself and nine others."""
    pods = [Pod(f"probe-{number:04}", f"node-{number:04}", "10.244.0.2") for number in range(size)]
    tried = [
        (pod, [pods[(number + step * step) % size] for step in range(10)] if sample else pods)
        for number, pod in enumerate(pods)
    ]
    expected = Expected.open_among(tried, pods, sample=sample)
    seen = Observed()
    for source, target in expected.pairs():
        seen.add(source, target, observation(source, target, Protocol.TCP, outcome(source, target)))
    return matrix_record("", "All pods", expected.difference(seen))


def wrong_at(source: str, target: str) -> Callable[[Pod, Pod], Outcome]:
    """One cell times out."""
    return lambda one, other: Outcome.TIMED_OUT if (one.name, other.name) == (source, target) else Outcome.OPEN
