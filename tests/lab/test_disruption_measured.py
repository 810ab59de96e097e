"""An outage made on purpose is measured for what it was: a node's kernel drops packets for 500 ms by its own clock."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from lab import lifecycle, modes, state
from netassay.cli.lab import outside_agent
from netassay.cluster import Cluster
from netassay.disruption import Timeline, Watched, require_baseline, timeline
from netassay.fleet import Fleet, Probe, Run
from netassay.fleet.recordings import Recorder
from netassay.observation import USUAL_PROTOCOLS, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.state import LabState

pytestmark = pytest.mark.lab

IMAGE = "netassay.lab/python:3.11"
BROKEN_MS = 500
WITHIN_MS = 20
TIMES = 5
TABLE = "netassay-broken"
# An address in the set is dropped until its time is over; the kernel sees to that, and not a program that may be late.
RULES = f"""
table ip {TABLE} {{
  set broken {{ type ipv4_addr; flags timeout; }}
  chain broken {{ type filter hook prerouting priority raw; ip daddr @broken drop; }}
}}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[LabState]:
    """The lab as it runs; if none does, one for as long as these tests take."""
    ours = state.running() is None
    yield state.running() or lifecycle.up(modes.DEFAULT, outside_agent=outside_agent())
    if ours:
        lifecycle.down()


@pytest.fixture(scope="module")
def pair(lab: LabState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Probe]]:
    """Two probes on two nodes."""
    with Cluster.connect(kubeconfig=lab.kubeconfig) as cluster:
        fleet = Fleet(cluster, Run.new(), image=IMAGE, lock_dir=tmp_path_factory.mktemp("locks"))
        yield fleet.probes[:2]
        fleet.sweep()


@pytest.fixture(scope="module")
def breakable(lab: LabState, pair: Sequence[Probe]) -> Iterator[list[str]]:
    """What to run to drop everything for the second probe, for so long, on its node."""
    _, server = pair
    enter = lab.enter(server.node)
    subprocess.run([*enter, "nft", "-f", "-"], input=RULES, text=True, check=True)
    element = f"{{ {server.address} timeout {BROKEN_MS}ms }}"
    yield [*enter, "nft", "add", "element", "ip", TABLE, "broken", element]
    subprocess.run([*enter, "nft", "delete", "table", "ip", TABLE], check=True)


def _flow(client: Probe, server: Probe, protocol: Protocol, *, kept: bool) -> Watched:
    return Watched(
        source=client.name,
        source_node=client.node,
        target=repr(server),
        protocol=protocol,
        host=server.address,
        port=server.ports[str(protocol)],
        kept=kept,
        interval=0.01,
        timeout=0.9,
    )


@pytest.mark.parametrize("time_", range(TIMES))
def test_an_outage_of_half_a_second_is_measured_within_20_ms(
    pair: Sequence[Probe], breakable: list[str], time_: int
) -> None:
    client, server = pair
    recorder = Recorder()
    flows = [_flow(client, server, protocol, kept=kept) for protocol in USUAL_PROTOCOLS for kept in (False, True)]
    recorder.begin([(client, flow) for flow in flows], seconds=60)
    try:
        time.sleep(1.0)
        event = time.monotonic()
        subprocess.run(breakable, check=True)
        time.sleep(BROKEN_MS / 1000 + 2.0)
        recorded = recorder.finish()
    finally:
        recorder.forget()
    for one in recorded:
        require_baseline(one, event, beats=30)
    seen = {(one.flow.protocol, one.flow.kept): timeline(one, event) for one in recorded}
    for (protocol, kept), one in seen.items():
        (outage,) = one.outages
        assert outage.recovered, one.describe()
        assert not one.lost, one.describe()
        # TCP sends again at growing distances, so that a connection is silent for longer than the network.
        _require_measured(one, longer=2 * BROKEN_MS if kept and protocol is not Protocol.UDP else 0)


def _require_measured(one: Timeline, *, longer: int) -> None:
    (outage,) = one.outages
    # What a busy machine kept the sender from seeing is no error of the measurement, and is told beside it.
    doubt = (outage.most - outage.least) / 2 * 1000
    within = max(WITHIN_MS, doubt)
    assert BROKEN_MS - within <= outage.seconds * 1000 <= BROKEN_MS + longer + within, one.describe()
    assert outage.unsure < WITHIN_MS * 5 / 1000, one.describe()
