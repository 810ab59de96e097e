"""A probe driven over a stream: flows, path MTU, readings, and what is left when the stream dies."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from netassay.errors import HarnessFault
from netassay.fleet import LocalProbe
from netassay.fleet.probe import make_attempts, make_rounds
from netassay.observation import Attempt, Observation, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from netassay.agent.local import LocalAgent


@pytest.fixture
def fresh(agent: LocalAgent) -> Iterator[LocalProbe]:
    """A driver that a test may kill."""
    with LocalProbe(agent.drive_command, "mortal") as driving:
        yield driving


def test_path_mtu_is_the_links(probe: LocalProbe, agent: LocalAgent) -> None:
    assert probe.path_mtu("127.0.0.1", agent.ports["udp"], ceiling=9000) == 9000
    assert probe.path_mtu("127.0.0.1", agent.ports["udp"], ceiling=100_000) == 65_535
    assert probe.path_mtu("::1", agent.ports["udp"], ceiling=9001) == 9001


def test_path_mtu_without_an_answer_is_none(probe: LocalProbe) -> None:
    assert probe.path_mtu("127.0.0.1", 1, ceiling=1500) == 0


def test_readings(probe: LocalProbe) -> None:
    loopback = next(link for link in probe.interfaces() if link.name == "lo")
    assert loopback.mtu >= 1500
    assert "127.0.0.1/8" in loopback.addresses
    assert isinstance(probe.routes(), tuple)
    assert isinstance(probe.neighbours(), tuple)
    assert isinstance(probe.resolv_conf().search, tuple)
    assert probe.link_mtu() >= 0


def test_in_a_nodes_network_any_links_address_is_its_own_but_loopbacks(fresh: LocalProbe) -> None:
    assert fresh.own_addresses == ()
    fresh.host_network = True
    of_links = {address.partition("/")[0] for link in fresh.interfaces() for address in link.addresses}
    assert "127.0.0.1" in of_links
    assert "127.0.0.1" not in fresh.own_addresses
    assert set(fresh.own_addresses) >= {address for address in of_links if not address.startswith(("127.", "::1"))}


def test_observer_is_told_of_everything(agent: LocalAgent) -> None:
    seen: list[Observation] = []

    def observe(observations: Sequence[Observation]) -> None:
        seen.extend(observations)

    with LocalProbe(agent.drive_command, "told") as probe:
        probe.observer = observe
        made = probe.attempt([Attempt(protocol=Protocol.TCP, host="127.0.0.1", port=agent.ports["tcp"])] * 3)
    assert seen == made


def test_probes_work_at_the_same_time(agent: LocalAgent) -> None:
    waiting = [Attempt(protocol=Protocol.TCP, host="127.0.0.1", port=agent.ports["http"], timeout=1.0)]
    with LocalProbe(agent.drive_command, "one") as one, LocalProbe(agent.drive_command, "two") as two:
        make_attempts({one: waiting, two: waiting})
        started = time.monotonic()
        found = make_attempts({one: waiting, two: waiting})
        assert time.monotonic() - started < 1.8
    assert [seen[0].source for seen in found.values()] == ["one", "two"]


def test_a_round_begins_before_the_one_before_it_ended(agent: LocalAgent) -> None:
    waiting = Attempt(protocol=Protocol.TCP, host="127.0.0.1", port=agent.ports["http"], timeout=1.0)
    with LocalProbe(agent.drive_command, "one") as probe:
        make_attempts({probe: [waiting]})
        started = time.monotonic()
        first, second = make_rounds([{probe: [waiting]}, {probe: [waiting]}], apart=0.4)
        assert time.monotonic() - started < 1.9
    assert second[probe][0].started - first[probe][0].started == pytest.approx(0.4, abs=0.15)


def test_cut_stream_loses_only_what_was_in_flight(fresh: LocalProbe, agent: LocalAgent) -> None:
    good = Attempt(protocol=Protocol.TCP, host="127.0.0.1", port=agent.ports["tcp"])
    hanging = Attempt(protocol=Protocol.TCP, host="127.0.0.1", port=agent.ports["http"], timeout=20)
    assert fresh.attempt([good])[0].outcome is Outcome.OPEN
    threading.Timer(0.7, os.kill, (fresh.session.pid, signal.SIGKILL)).start()
    first, second = fresh.attempt([good, hanging])
    assert first.outcome is Outcome.OPEN
    assert second.outcome is Outcome.NO_VERDICT
    assert not second.outcome.closed
    assert "stream was cut" in second.error
    # Reopened once …
    assert fresh.attempt([good])[0].outcome is Outcome.OPEN
    # … and not twice.
    threading.Timer(0.7, os.kill, (fresh.session.pid, signal.SIGKILL)).start()
    assert fresh.attempt([hanging])[0].outcome is Outcome.NO_VERDICT
    assert "lost for good" in fresh.lost
    assert fresh.attempt([good])[0].outcome is Outcome.NO_VERDICT
    with pytest.raises(HarnessFault, match="mortal: facts: lost for good"):
        fresh.link_mtu()


def test_agent_that_cannot_be_started(tmp_path: Path) -> None:
    with LocalProbe([str(tmp_path / "nothing")], "absent") as probe:
        seen = probe.tcp("127.0.0.1", 1)
        assert seen.outcome is Outcome.NO_VERDICT
        assert "No such file" in seen.error


def test_what_is_not_an_agent() -> None:
    with LocalProbe([sys.executable, "-c", "print('hello'); input()"], "stranger") as probe:
        seen = probe.tcp("127.0.0.1", 1)
    assert seen.outcome is Outcome.NO_VERDICT
    assert "not an agent" in seen.error


def test_driver_ends_with_its_stream(agent: LocalAgent) -> None:
    probe = LocalProbe(agent.drive_command, "leaver")
    probe.tcp("127.0.0.1", agent.ports["tcp"])
    pid = probe.session.pid
    probe.close()
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110


def test_deadline_leaves_no_verdict_and_a_usable_stream(
    fresh: LocalProbe, agent: LocalAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Attempt(protocol=Protocol.TCP, host="127.0.0.1", port=agent.ports["tcp"])
    hanging = Attempt(protocol=Protocol.TCP, host="127.0.0.1", port=agent.ports["http"], timeout=20)
    fresh.attempt([good])
    monkeypatch.setattr("netassay.fleet.session.longest", lambda *_: 1.0)
    seen = fresh.attempt([good, hanging])
    assert [one.outcome for one in seen] == [Outcome.OPEN, Outcome.NO_VERDICT]
    assert "did not finish within" in seen[1].error
    assert fresh.attempt([good])[0].outcome is Outcome.OPEN
