"""Timelines, baselines and limits of recordings that were made up. Beats are every 10 ms; the event is at 1 s."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netassay.disruption import (
    Limit,
    Recorded,
    Watched,
    from_replies,
    one_lost_alone,
    overridden,
    require_baseline,
    require_within,
    timeline,
)
from netassay.disruption.limits import LIMITS
from netassay.disruption.recorded import Fault, Gap, Link, Row, Run, Span, read_reply
from netassay.errors import HarnessFault, NetworkFault, NotConverged, UsageError
from netassay.modes import load, names
from netassay.observation import Outcome, Protocol

BEGAN = 5000.0
EVENT = BEGAN + 1
MS = 1000
BEAT = 10 * MS
OPEN, REFUSED, LATE, NOTHING = Outcome.OPEN, Outcome.REFUSED, Outcome.TIMED_OUT, Outcome.NO_VERDICT


def flow(*, kept: bool = False, protocol: Protocol = Protocol.TCP) -> Watched:
    return Watched(
        source="probe-1",
        source_node="node-1",
        target="Service web",
        protocol=protocol,
        host="10.0.0.1",
        port=80,
        kept=kept,
        interval=0.01,
        timeout=0.9,
    )


def recorded(*rows: Row, length: int = 3000, kept: bool = False, protocol: Protocol = Protocol.TCP) -> Recorded:
    return Recorded(
        flow=flow(kept=kept, protocol=protocol),
        began=BEGAN,
        unsure=0.001,
        length=length * MS,
        sent=length // 10,
        missed=0,
        latest=900,
        rows=rows,
    )


def runs(*parts: tuple[int, Outcome]) -> list[Run]:
    """One run for each part that was answered, one for each beat of those that were not; attempts take 1 ms."""
    made, beat = [], 0
    for count, outcome in parts:
        step = count if outcome is OPEN else 1
        words = "" if outcome is OPEN else "so it was"
        for first in range(beat, beat + count, step):
            sent, last = first * BEAT, (first + step - 1) * BEAT
            made.append(Run(first, step, outcome, words, sent, last, sent + MS, last + MS))
        beat += count
    return made


def test_without_a_failure_there_is_no_outage() -> None:
    seen = timeline(recorded(*runs((300, OPEN)), Span("web-1", 300, 0, 2990 * MS, 2991 * MS)), EVENT)
    assert (seen.outages, seen.failed, seen.disturbed, seen.attempts) == ((), 0, 0.0, 300)
    assert seen.recovered
    assert seen.since == -1.0
    assert "300 attempts, 0 failed" in seen.describe()


def test_an_outage_lies_between_the_attempts_that_failed_and_those_that_were_answered() -> None:
    """Beats are 10 ms apart, and an answer takes 1 ms."""
    seen = timeline(recorded(*runs((120, OPEN), (50, LATE), (130, OPEN))), EVENT)
    (outage,) = seen.outages
    assert (outage.began, outage.ended) == (pytest.approx(0.2), pytest.approx(0.7))
    assert (outage.start, outage.over, outage.seconds) == tuple(map(pytest.approx, (0.195, 0.695, 0.5)))
    assert (outage.least, outage.most) == (pytest.approx(0.489), pytest.approx(0.511))
    assert str(outage) == "500 ms (489 to 511) from 195 ms on (50 so it was)"
    assert (outage.failed, outage.words, outage.recovered) == (50, ("50 so it was",), True)
    assert seen.disturbed == pytest.approx(0.5)


def test_failures_among_successes_are_several_outages_of_one_disturbance() -> None:
    seen = timeline(
        recorded(*runs((110, OPEN), (1, REFUSED), (1, OPEN), (2, REFUSED), (1, OPEN), (1, REFUSED), (99, OPEN))), EVENT
    )
    assert [round(outage.seconds, 3) for outage in seen.outages] == [0.01, 0.02, 0.01]
    assert seen.longest == pytest.approx(0.02)
    assert seen.disturbed == pytest.approx(0.06)
    assert seen.failed == 4


def test_an_outage_that_is_not_over_lasts_until_the_recording_was() -> None:
    seen = timeline(recorded(*runs((150, OPEN), (150, LATE))), EVENT)
    (outage,) = seen.outages
    assert not outage.recovered
    assert not seen.recovered
    assert outage.ended == pytest.approx(2.0)
    assert "not over when the recording was" in seen.describe()


def test_a_failure_that_was_in_flight_at_the_event_counts() -> None:
    """It was sent 10 ms before the event, and timed out after it."""
    rows = runs((99, OPEN), (1, LATE), (100, OPEN))
    rows[1] = msgspec.structs.replace(rows[1], ended=1890 * MS, last_ended=1890 * MS)
    recording = recorded(*rows)
    require_baseline(recording, EVENT, beats=90)
    seen = timeline(recording, EVENT)
    assert seen.failed == 1
    assert seen.outages[0].began == pytest.approx(-0.01)


def test_beats_that_were_not_sent_are_no_outage_by_themselves() -> None:
    seen = timeline(recorded(*runs((120, OPEN), (30, NOTHING), (150, OPEN))), EVENT)
    assert (seen.outages, seen.failed, seen.unjudged) == ((), 0, 30)


def test_beats_that_were_not_sent_within_an_outage_are_told_beside_it() -> None:
    seen = timeline(
        recorded(
            *runs((120, OPEN), (5, NOTHING), (10, REFUSED), (20, NOTHING), (1, REFUSED), (4, NOTHING), (99, OPEN))
        ),
        EVENT,
    )
    (outage,) = seen.outages
    assert (outage.good_until, outage.began) == (pytest.approx(0.19), pytest.approx(0.25))
    assert (outage.failed_until, outage.ended) == (pytest.approx(0.55), pytest.approx(0.6))
    assert outage.seconds == pytest.approx(0.355), "half of what was not sent at either end"
    assert outage.unsure == pytest.approx(0.2), "between failures"
    assert outage.least == pytest.approx(0.1 - 0.001)
    assert outage.most == pytest.approx(0.41 + 0.001)
    assert seen.unjudged_seconds == pytest.approx(0.411 - 0.099)


def test_what_the_sender_missed_when_the_break_began_does_not_shorten_what_is_told() -> None:
    """500 ms from 1.2 s on; the sender stood still for the first 50 ms of them, and for 40 ms at the end."""
    gone = recorded(*runs((120, OPEN), (5, NOTHING), (41, LATE), (8, NOTHING), (126, OPEN)))
    (outage,) = timeline(gone, EVENT).outages
    assert outage.least < 0.5 < outage.most
    assert outage.most - outage.least == pytest.approx(0.06 + 0.09 + 0.002), "both gaps, and two answers"
    assert abs(outage.seconds - 0.5) < 0.03
    (untold,) = timeline(recorded(*runs((150, LATE), (150, OPEN))), BEGAN).outages
    assert untold.most == pytest.approx(1.501), "it may have begun with the recording"


def test_rows_may_come_in_any_order() -> None:
    rows = runs((120, OPEN), (2, REFUSED), (100, OPEN))
    assert timeline(recorded(*reversed(rows)), EVENT) == timeline(recorded(*rows), EVENT)


def test_who_answered_last_and_first() -> None:
    spans = [
        Span("web-1", 60, 0, 1400 * MS, 1402 * MS),
        Span("web-2", 60, 0, 2900 * MS, 2901 * MS),
        Span("web-1", 9, 2600 * MS, 2900 * MS, 2901 * MS),
        Span("web-3", 9, 1700 * MS, 2900 * MS, 2901 * MS),
    ]
    seen = timeline(recorded(*runs((300, OPEN)), *spans), EVENT)
    assert seen.last_answer({"web-1"}) == pytest.approx(1.9)
    assert seen.first_answer({"web-3"}) == pytest.approx(0.7)
    assert seen.first_answer({"web-1"}) == pytest.approx(1.6), "it began to answer anew"
    assert seen.first_answer({"web-2"}) is None
    assert seen.last_answer({"web-9"}) is None


def test_a_kept_flow_is_out_between_two_answers_that_are_too_far_apart() -> None:
    rows: list[Row] = [
        Link("web-1", 0, 2 * MS, 1200 * MS, 1690 * MS, 3, "ECONNRESET: Connection reset by peer"),
        Gap(1200 * MS, 1750 * MS, 40 * MS),
        Fault(1700 * MS, 1740 * MS, 5, "ECONNREFUSED: Connection refused"),
        Link("web-2", 1745 * MS, 1750 * MS, 2995 * MS, -1, 1, ""),
    ]
    recording = recorded(*rows, kept=True)
    require_baseline(recording, EVENT, beats=90)
    seen = timeline(recording, EVENT)
    (outage,) = seen.outages
    assert (outage.began, outage.ended) == (pytest.approx(0.21), pytest.approx(0.75))
    assert outage.unsure == pytest.approx(0.04)
    assert outage.words == ("5 ECONNREFUSED: Connection refused",)
    (lost,) = seen.lost
    assert (lost.peer, lost.unanswered, lost.at) == ("web-1", 3, pytest.approx(0.69))
    assert seen.lost_with_others_than({"web-1"}) == []
    assert seen.lost_with_others_than({"web-2"}) == [lost]
    assert "the one with web-1 at 690 ms" in seen.describe()


def test_a_kept_flow_is_over_when_that_was_asked_which_was_answered_first() -> None:
    """That answer took 30 ms: the network was there again before it, but for how long is not known."""
    gap = Gap(1200 * MS, 1730 * MS, 0, 30 * MS)
    (outage,) = timeline(recorded(Link("web-1", 0, 0, 2995 * MS, -1, 0, ""), gap, kept=True), EVENT).outages
    assert (outage.start, outage.over, outage.seconds) == tuple(map(pytest.approx, (0.205, 0.695, 0.49)))
    assert (outage.least, outage.most) == (pytest.approx(0.45), pytest.approx(0.53))


def test_a_kept_flow_that_is_not_answered_at_the_end_has_not_recovered() -> None:
    seen = timeline(recorded(Link("web-1", 0, 0, 1200 * MS, -1, 9, ""), Gap(1200 * MS, 3000 * MS, 0), kept=True), EVENT)
    assert not seen.recovered


@pytest.mark.parametrize(
    ("protocol", "words"),
    [(Protocol.HTTP, "the peer asked for a new connection"), (Protocol.UDP, "answered by another from here on")],
)
def test_a_connection_that_ends_in_order_is_not_lost(protocol: Protocol, words: str) -> None:
    links = [
        Link("web-1", 0, 0, 1200 * MS, 1201 * MS, 0, words),
        Link("web-2", 1202 * MS, 1203 * MS, 2999 * MS, -1, 0, ""),
    ]
    assert timeline(recorded(*links, kept=True, protocol=protocol), EVENT).lost == ()


@pytest.mark.parametrize("kept", [False, True])
def test_what_failed_before_the_event_is_no_baseline(kept: bool) -> None:
    rows = (
        [Fault(0, 500 * MS, 50, "refused"), Link("web-1", 0, 500 * MS, 2900 * MS, -1, 0, "")]
        if kept
        else runs((50, LATE), (250, OPEN))
    )
    with pytest.raises(NotConverged, match=r"probe-1 \(node-1\) → Service web.*before anything was done"):
        require_baseline(recorded(*rows, kept=kept), EVENT, beats=20)


BROKEN = st.tuples(st.integers(1_100_000, 1_500_000), st.integers(30_000, 900_000))
"""When the network breaks, and for how long; in microseconds."""
STALLS = st.lists(st.tuples(st.integers(900_000, 2_500_000), st.integers(20_000, 200_000)), max_size=4)
"""When the sender stands still, and for how long."""


@given(BROKEN, STALLS, st.integers(0, 9_999), st.integers(200, 45_000))
def test_whenever_the_sender_stands_still_the_truth_is_within_what_is_told(
    broken: tuple[int, int], stalls: list[tuple[int, int]], phase: int, delay: int
) -> None:
    """However long packets wait on a busy machine, where what is lost waits as long as what is answered."""
    start, length = broken
    made: list[Run] = []
    for beat in range(400):
        due = phase + beat * BEAT
        until = max((since + pause for since, pause in stalls if since <= due < since + pause), default=due)
        if until - due >= BEAT:
            made.append(Run(beat, 1, NOTHING, "not sent", due, due, due, due))
            continue
        arrives = until + delay
        failed = start <= arrives < start + length
        ended = until + 900 * MS if failed else arrives
        made.append(Run(beat, 1, LATE if failed else OPEN, "lost" if failed else "", until, until, ended, ended))
    for outage in timeline(recorded(*made, length=4900), EVENT).outages:
        assert outage.least - 1e-6 <= length / 1e6 <= outage.most + 1e-6
        assert abs(outage.seconds - length / 1e6) <= (outage.most - outage.least) / 2 + 1e-6


@pytest.mark.parametrize("kept", [False, True])
def test_too_few_beats_before_the_event_are_the_harness_s_fault(kept: bool) -> None:
    rows = [Link("web-1", 950 * MS, 960 * MS, 2900 * MS, -1, 0, "")] if kept else runs((90, NOTHING), (210, OPEN))
    with pytest.raises(HarnessFault, match=r"only \d+ attempts were answered before the event, not 20"):
        require_baseline(recorded(*rows, kept=kept), EVENT, beats=20)


def test_a_baseline_ends_at_the_event_though_the_run_goes_on() -> None:
    require_baseline(recorded(*runs((300, OPEN))), EVENT, beats=99)
    with pytest.raises(HarnessFault, match="only 100"):
        require_baseline(recorded(*runs((300, OPEN))), EVENT, beats=110)


def test_a_limit_that_is_exceeded_is_told_with_the_flow_and_the_source() -> None:
    good, bad = (
        timeline(recorded(*runs(*parts)), EVENT) for parts in ([(300, OPEN)], [(120, OPEN), (50, LATE), (99, OPEN)])
    )
    limit = Limit(0, "said so")
    require_within("failover-graceful-lost", limit, [good], lambda one: one.failed, event="web-1 left")
    with pytest.raises(
        NetworkFault, match=r"web-1 left: 1 of 2 flows exceed.*failover-graceful-lost: 0, said so(.|\n)*50: probe-1"
    ):
        require_within("failover-graceful-lost", limit, [good, bad], lambda one: one.failed, event="web-1 left")


def test_a_limit_that_is_exceeded_by_the_sender_alone_is_the_harness_s_fault() -> None:
    few, many = (runs((120, OPEN), (10, REFUSED), (count, NOTHING), (180, OPEN)) for count in (50, 400))

    def require(milliseconds: float, rows: list[Run]) -> None:
        require_within(
            "failover-killed-ms",
            Limit(milliseconds, "test"),
            [timeline(recorded(*rows), EVENT)],
            lambda one: one.disturbed_at_most * 1000,
            event="web-1 was killed",
            unsure=lambda one: one.unjudged_seconds * 1000,
        )

    require(612, few)
    with pytest.raises(HarnessFault, match="senders stood still"):
        require(500, few)
    with pytest.raises(NetworkFault):
        require(50, few)
    with pytest.raises(HarnessFault, match=r"too busy to tell.*: probe-1 missed 56% of its beats"):
        require(50, many)


def test_one_new_connection_that_was_lost_by_itself_is_told_from_more() -> None:
    good, one, two = (
        timeline(recorded(*runs(*parts)), EVENT)
        for parts in ([(300, OPEN)], [(120, OPEN), (1, REFUSED), (179, OPEN)], [(120, OPEN), (2, LATE), (178, OPEN)])
    )
    assert one_lost_alone([good, one, good])
    for others in ([good], [two], [one, one], [one, two]):
        assert not one_lost_alone(others)


def test_users_may_set_limits() -> None:
    limits = overridden(load("generic").tolerances, ["failover-killed-ms=3000", "failover-graceful-lost=2"])
    assert (limits["failover-killed-ms"].value, limits["failover-graceful-lost"].value) == (3000, 2)
    assert "--limit" in limits["failover-killed-ms"].source
    assert limits["failover-unready-ms"] == load("generic").tolerances["failover-unready-ms"]
    for wrong in ("failover-kiled-ms=1", "failover-killed-ms", "failover-killed-ms=soon", "failover-killed-ms=-1"):
        with pytest.raises(UsageError, match="--limit"):
            overridden({}, [wrong])


@pytest.mark.parametrize("name", names())
def test_every_mode_says_what_an_event_may_do(name: str) -> None:
    assert set(load(name).tolerances) == set(LIMITS)
    assert all(limit.source for limit in load(name).tolerances.values())


def _reply(now: int, rows: list[list[object]], unfinished: list[list[object]], **more: object) -> dict[str, object]:
    usual = {"next": 0, "more": False, "began": 1.0, "ended": now, "interval": BEAT}
    counts = {"sent": 7, "missed": 1, "latest": 5, "in_flight": 0, "untold": 0}
    return {**usual, **counts, "now": now, "rows": rows, "unfinished": unfinished, **more}


def test_hand_overs_are_put_together_on_the_harnesss_clock() -> None:
    first = ["run", 0, 2, "open", "", 0, BEAT, MS, BEAT + MS]
    growing = ["run", 2, 1, "open", "", 2 * BEAT, 2 * BEAT, 2 * BEAT, 2 * BEAT]
    grown = ["run", 2, 5, "open", "", 2 * BEAT, 6 * BEAT, 2 * BEAT, 6 * BEAT]
    replies = [
        read_reply(_reply(1_000_000, [first], [growing]), 100.0, 100.4),
        read_reply(_reply(2_000_000, [], [grown]), 101.0, 101.02),
    ]
    whole = from_replies(flow(), replies)
    assert [run.count for run in whole.runs] == [2, 5]
    assert (whole.began, whole.unsure) == (pytest.approx(99.01), pytest.approx(0.01)), "by the shortest exchange"
    assert whole.moment(500_000) == pytest.approx(99.51)


def test_what_an_agent_had_to_leave_out_is_told() -> None:
    with pytest.raises(HarnessFault, match="lost 3 rows"):
        from_replies(flow(), [read_reply(_reply(1, [], [], untold=3), 0.0, 0.1)])
