"""A watch over an upgrade of the lab: an outage of known length is told for what it was, and the rest is left alone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from lab import lifecycle, modes, state
from netassay.cli.lab import outside_agent
from netassay.cluster import Cluster
from netassay.fleet import LocalProbe, Run
from netassay.watch.session import Wanted, watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.state import LabState
    from netassay.watch import WatchRecord

pytestmark = pytest.mark.lab

IMAGE = "netassay.lab/python:3.11"
BROKEN_MS, BEAT_MS = 500, 20
CLOCK_MS = 5
"""The kernel's own grain: it ends the break at a tick."""
BROKEN_AFTER = 2.0
NODE = "node1"
TABLE = "netassay-watched"
# An address in the set is dropped until its time is over; the kernel sees to that, and not a program that may be late.
RULES = f"""
table ip {TABLE} {{
  set broken {{ type ipv4_addr; flags timeout; }}
  chain broken {{ type filter hook prerouting priority raw; ip saddr @broken drop; ip daddr @broken drop; }}
}}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[LabState]:
    """The lab as it runs; if none does, one for as long as these tests take."""
    ours = state.running() is None
    yield state.running() or lifecycle.up(modes.DEFAULT, outside_agent=outside_agent())
    if ours:
        lifecycle.down()


@pytest.fixture
def breakable(lab: LabState) -> Iterator[LabState]:
    """The lab, with a set of addresses on one node whose packets are dropped."""
    subprocess.run([*lab.enter(NODE), "nft", "-f", "-"], input=RULES, text=True, check=True)
    yield lab
    subprocess.run([*lab.enter(NODE), "nft", "delete", "table", "ip", TABLE], check=True)


def _break_later(lab: LabState, cluster: Cluster) -> None:
    """Drop everything from and to the watch's pod on the node, for half a second."""
    (pod,) = [
        pod for pod in cluster.list("Pod", labels="netassay.dev/probe=watch-source") if pod["spec"]["nodeName"] == NODE
    ]
    time.sleep(BROKEN_AFTER)
    element = f"{{ {pod['status']['podIP']} timeout {BROKEN_MS}ms }}"
    subprocess.run([*lab.enter(NODE), "nft", "add", "element", "ip", TABLE, "broken", element], check=True)


def test_an_outage_during_an_upgrade_is_told_within_a_beat_and_what_beats_were_late(
    breakable: LabState, tmp_path: Path
) -> None:
    upgrade = (sys.executable, "-m", "netassay", "lab", "upgrade", "apiserver")
    with (
        Cluster.connect(kubeconfig=breakable.kubeconfig) as cluster,
        LocalProbe(state.drive_outside(breakable, outside_agent()), "outside") as outside,
    ):
        breaker = threading.Thread(target=_break_later, args=(breakable, cluster))

        def tell(words: str) -> None:
            if words.startswith("watching"):
                breaker.start()

        wanted = Wanted(image=IMAGE, command=upgrade, paths=("service", "dns", "nodeport"), interval=BEAT_MS / 1000)
        record = watch(cluster, Run.new(), wanted, outside=outside, folder=tmp_path, tell=tell, progress=lambda _: None)
        breaker.join()
        assert not cluster.list("Namespace", labels="netassay.dev/run")
    assert record.exit_code == 0, record.marks
    assert any("kube-apiserver: ready again" in mark.words for mark in record.marks)
    assert not any(flow.unwatched for flow in record.flows), "agents keep recording while the API server is away"
    _require_told(record)


def _require_told(record: WatchRecord) -> None:
    broken = [one for one in record.flows if one.timeline.flow.source_node == NODE and not one.timeline.flow.kept]
    assert {str(one.timeline.flow.protocol) for one in broken} == {"tcp", "udp", "http", "dns"}
    for one in broken:
        outage = max(one.timeline.outages, key=lambda outage: outage.seconds, default=None)
        assert outage is not None, one.timeline.describe()
        # The truth is within what is told; that is no wider than a beat of the flow at either end, and by as much as
        # beats were late: beside an API server that starts, and on a busy machine, senders wait for their turn.
        assert outage.least * 1000 - CLOCK_MS <= BROKEN_MS <= outage.most * 1000 + CLOCK_MS, one.timeline.describe()
        beat, late = one.timeline.flow.interval * 1000, one.timeline.latest * 1000
        off = abs(outage.seconds * 1000 - BROKEN_MS)
        assert off <= beat + late + CLOCK_MS, one.timeline.describe()
        unsure = (outage.most - outage.least - outage.answer - outage.unsure) * 1000
        assert unsure <= 2 * (beat + late + CLOCK_MS), one.timeline.describe()
    others = [one for one in record.flows if one.timeline.flow.source_node != NODE and not one.timeline.flow.kept]
    for one in others:
        began, ended = (getattr(broken[0].timeline.outages[0], end) for end in ("began", "ended"))
        meanwhile = [each for each in one.timeline.outages if each.began < ended and began < each.ended]
        assert not any(each.least > BROKEN_MS / 2000 for each in meanwhile), one.timeline.describe()
