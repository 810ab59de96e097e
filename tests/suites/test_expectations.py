"""What checks demand of observations, and whom they blame."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.expectations import REJECTED, require_closed, require_open, require_received, require_source
from netassay.errors import HarnessFault, NetworkFault
from netassay.observation import Attempt, Observation, Outcome, Protocol


def seen(outcome: Outcome, by: str = "", *, source: str = "probe-1", payload: int = 0, **more: Any) -> Observation:
    attempt = Attempt(protocol=Protocol.TCP, host="10.0.0.2", port=8080, payload=payload)
    return Observation(source=source, source_node="node-1", attempt=attempt, outcome=outcome, answered_by=by, **more)


OPEN, LOST = seen(Outcome.OPEN, "pod-2"), seen(Outcome.NO_VERDICT)
TIMED_OUT, REFUSED = seen(Outcome.TIMED_OUT), seen(Outcome.REFUSED)


def test_open_is_demanded_and_both_ends_are_named() -> None:
    require_open([OPEN], by={"pod-2"})
    with pytest.raises(NetworkFault, match=r"1 of 2 .*\n.*probe-1 \(node-1\) → tcp 10.0.0.2:8080: timed out"):
        require_open([OPEN, TIMED_OUT])


def test_the_wrong_pods_answer_is_not_open() -> None:
    with pytest.raises(NetworkFault, match="should have been answered by pod-3"):
        require_open([OPEN], by={"pod-3"})


def test_an_attempt_without_a_verdict_is_the_harnesss_fault_even_beside_a_finding() -> None:
    for demand in (lambda: require_open([LOST, TIMED_OUT]), lambda: require_closed([LOST, REFUSED], control=[OPEN])):
        with pytest.raises(HarnessFault, match="no verdict"):
            demand()


def test_nothing_attempted_proves_nothing() -> None:
    with pytest.raises(HarnessFault):
        require_open([])


def test_closed_is_believed_beside_a_control_of_the_same_source() -> None:
    require_closed([TIMED_OUT, REFUSED], control=[OPEN])
    for control in ([seen(Outcome.OPEN, "pod-2", source="probe-2")], [TIMED_OUT]):
        with pytest.raises(HarnessFault, match="probe-1 reached nothing else either"):
            require_closed([TIMED_OUT], control=control)


def test_open_where_closed_is_demanded_is_a_finding() -> None:
    with pytest.raises(NetworkFault, match="should have been closed"):
        require_closed([OPEN], control=[OPEN])


def test_silence_where_a_refusal_is_demanded_is_a_finding() -> None:
    require_closed([REFUSED], control=[OPEN], how=REJECTED)
    with pytest.raises(NetworkFault, match="should have been refused or"):
        require_closed([TIMED_OUT], control=[OPEN], how=REJECTED)


def test_the_address_that_the_peer_saw_is_demanded() -> None:
    through = seen(Outcome.OPEN, "pod-2", seen_address="172.30.0.11")
    require_source([through], addresses=["172.30.0.11"], what="node-1")
    with pytest.raises(NetworkFault, match=r"probe-1 itself \(10.0.0.1\):\n.*which saw 172.30.0.11"):
        require_source([through], addresses=["10.0.0.1"], what="probe-1 itself")


def test_a_payload_that_arrives_in_part_is_a_finding() -> None:
    require_received([seen(Outcome.OPEN, "pod-2", payload=9000, received=9000)])
    with pytest.raises(NetworkFault, match="1448 of 9000 bytes"):
        require_received([seen(Outcome.OPEN, "pod-2", payload=9000, received=1448)])
