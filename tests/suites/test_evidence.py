"""Evidence of a failed check: read from a real agent, at the ends that the check saw trouble with."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from fixtures.evidence import gather
from netassay.agent import pack
from netassay.fleet import LocalProbe
from netassay.fleet.answers import Neighbour, Route
from netassay.observation import Attempt, Observation, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProbe]:
    agent: Path = pack.write_zipapp(tmp_path_factory.mktemp("agent") / "agent.pyz")
    with LocalProbe(
        [sys.executable, str(agent), "drive"], name="probe-1", node="node-1", addresses=["127.0.0.1"]
    ) as made:
        yield made


def in_hand(*seen: Observation) -> Any:
    return SimpleNamespace(seen=seen)


def attempt(outcome: Outcome, *, source: str = "probe-1", host: str = "127.0.0.9") -> Observation:
    wanted = Attempt(protocol=Protocol.TCP, host=host, port=8080)
    return Observation(source=source, source_node="node-1", attempt=wanted, outcome=outcome)


def test_the_state_of_the_ends_in_trouble_is_read(probe: LocalProbe) -> None:
    seen = [attempt(Outcome.OPEN, host="127.0.0.3"), attempt(Outcome.TIMED_OUT)]
    attempts, state = gather(cast("Any", in_hand(*seen)), None, [probe])
    assert "127.0.0.9:8080: timed out" in attempts.text
    assert "127.0.0.3" not in attempts.text
    assert state.title == "State of pod probe-1 (node-1, 127.0.0.1)"
    assert "lo mtu" in state.text
    assert "routes:" in state.text


def test_of_many_neighbours_those_are_listed_that_matter() -> None:
    entries = [Neighbour(address=f"10.0.0.{n}", mac="aa", interface="eth0", state="stale") for n in range(3, 43)]
    entries.append(Neighbour(address="10.0.0.2", mac="", interface="eth0", state="failed"))
    entries.append(Neighbour(address="10.0.0.1", mac="bb", interface="eth0", state="reachable"))
    gateway = Route(to="default", via="10.0.0.1", interface="eth0", metric=0)

    class Crowded:
        name, node, addresses, host_network = "probe-1", "node-1", ("10.0.0.50",), False
        interfaces, routes, neighbours = (lambda _: []), (lambda _: [gateway]), (lambda _: entries)

    crowded: Any = Crowded()
    _, state = gather(in_hand(attempt(Outcome.TIMED_OUT, host="10.0.0.7")), None, [crowded])
    listed = [line.split()[0] for line in state.text.partition("neighbours:\n")[2].splitlines()]
    assert listed == ["10.0.0.7", "10.0.0.2", "10.0.0.1", "…"], "the one tried, the one not found, the gateway"
    assert "and 39 more" in state.text


def test_the_called_end_is_found_by_its_address(probe: LocalProbe) -> None:
    found = gather(in_hand(attempt(Outcome.REFUSED, source="elsewhere", host="127.0.0.1")), None, [probe])
    assert [piece.title for piece in found[1:]] == ["State of pod probe-1 (node-1, 127.0.0.1)"]


def test_an_end_that_cannot_be_asked_does_not_hide_the_finding() -> None:
    with LocalProbe([sys.executable, "-c", "print(0)"], name="probe-1", node="node-1") as lost:
        _, state = gather(in_hand(attempt(Outcome.TIMED_OUT)), None, [lost])
    assert "could not be read" in state.text


def test_a_check_that_attempted_nothing_has_no_evidence_of_attempts() -> None:
    assert gather(in_hand(), None, []) == []
