"""What a watch makes of recordings: flows in pieces, times that nobody saw, the verdict, and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from netassay.cli.watch import duration
from netassay.disruption import Outage, Recorded, Timeline, Watched, timeline
from netassay.disruption.recorded import Run
from netassay.disruption.timeline import Lost
from netassay.errors import UsageError
from netassay.observation import Outcome, Protocol
from netassay.report.watch import render_watch
from netassay.watch import Disturbance, FlowRecord, Mark, Unwatched, WatchRecord, conclude, read_watch, write_watch
from netassay.watch.follow import merged, unwatched

if TYPE_CHECKING:
    from pathlib import Path

ZERO = 1000.0


def flow(*, kept: bool = False, protocol: Protocol = Protocol.TCP, target: str = "Service") -> Watched:
    return Watched(
        source="watch-source-abc",
        source_node="node1",
        target=target,
        protocol=protocol,
        host="10.96.0.7",
        port=8080,
        kept=kept,
        interval=0.01,
        timeout=0.9,
    )


def seen(*outages: Outage, lost: tuple[Lost, ...] = (), unjudged: int = 0, **kind: object) -> Timeline:
    return Timeline(
        flow=flow(**kind),  # type: ignore[arg-type]
        since=-0.5,
        until=10.0,
        attempts=1000,
        failed=sum(one.failed for one in outages),
        unjudged=unjudged,
        latest=0.001,
        unsure=0.001,
        outages=outages,
        answering=(),
        lost=lost,
    )


def outage(began: float, seconds: float, failed: int = 50, *, recovered: bool = True) -> Outage:
    return Outage(began=began, ended=began + seconds, failed=failed, words=("50 refused",), recovered=recovered)


def record(*flows: FlowRecord, **more: object) -> WatchRecord:
    return WatchRecord(run_id="r1", started=100.0, finished=110.0, flows=list(flows), **more)  # type: ignore[arg-type]


def line(made: Timeline, *gaps: Unwatched) -> FlowRecord:
    return FlowRecord(path="Service", way="east-west", timeline=made, unwatched=gaps)


GONE = Unwatched(began=3.0, ended=5.0, why="its source was replaced")
ENDED = Lost(at=4.0, peer="watch-target-1", unanswered=1, words="closed by the peer")


@pytest.mark.parametrize(
    ("watched", "disturbance", "words"),
    [
        (record(line(seen())), Disturbance.NONE, "Nothing was lost: 1 flows were answered all the time, for 10 s"),
        (record(line(seen(outage(4, 0.5)))), Disturbance.SOME, "the longest outage took 500 ms (node1 → Service, new"),
        (record(line(seen(lost=(ENDED,), kept=True))), Disturbance.SOME, "1 kept connections ended"),
        (record(line(seen(outage(4, 0.02, 1), protocol=Protocol.UDP))), Disturbance.NONE, "Nothing was lost"),
        (record(line(seen(outage(4, 0.3), kept=True))), Disturbance.NONE, "Nothing was lost"),
        (record(line(seen(outage(4, 1.5), kept=True))), Disturbance.SOME, "took 1500 ms"),
        (
            record(line(seen(), GONE)),
            Disturbance.UNKNOWN,
            "be watched all the time (its source was replaced)",
        ),
        (record(line(seen(outage(4, 0.5), unjudged=500))), Disturbance.UNKNOWN, "the machines of 1 were too busy"),
        (record(line(seen(outage(4, 0.5))), line(seen(), GONE)), Disturbance.SOME, "1 of 2 flows were disturbed"),
        (record(), Disturbance.UNKNOWN, "nothing was watched"),
        (record(line(seen()), exit_code=7), Disturbance.UNKNOWN, "failed with exit code 7"),
    ],
)
def test_the_verdict(watched: WatchRecord, disturbance: Disturbance, words: str) -> None:
    concluded = conclude(watched)
    assert concluded.disturbance is disturbance, concluded.headline
    assert words in concluded.headline


def test_the_pieces_of_a_flow_are_one_timeline_and_what_nobody_saw_is_told() -> None:
    def piece(began: float, *runs: Run, host: str = "10.96.0.7") -> Recorded:
        changed = msgspec.structs.replace(flow(), host=host)
        return Recorded(
            flow=changed, began=began, unsure=0.001, length=2_000_000, sent=200, missed=0, latest=900, rows=runs
        )

    good = Run(0, 150, Outcome.OPEN, "", 0, 1_490_000, 1_000, 1_491_000)
    bad = Run(150, 1, Outcome.TIMED_OUT, "no answer", 1_500_000, 1_500_000, 1_990_000, 1_990_000)
    pieces = [piece(ZERO, good, bad), piece(ZERO + 5, good)]
    one = merged([timeline(each, ZERO) for each in pieces])
    assert (one.since, one.until, one.attempts) == (0, 7, 301)
    assert [(each.began, each.ended) for each in one.outages] == [(1.5, 2.0)]
    (gap,) = unwatched(pieces, ZERO, ZERO + 7, "")
    assert (gap.began, gap.ended) == (2, 5)
    assert "started anew" in gap.why
    (gap,) = unwatched([pieces[0], piece(ZERO + 2.5, good, host="10.244.1.9")], ZERO, ZERO + 4.5, "")
    assert gap.why == "what it leads to was replaced"
    (gap,) = unwatched(pieces[:1], ZERO, ZERO + 9, "its agent could not be reached any more")
    assert (gap.began, gap.ended) == (2, 9)


def test_the_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    made = record(line(seen(outage(4, 0.5))), event="netassay lab upgrade kube-proxy", exit_code=0)
    write_watch(tmp_path, made)
    assert read_watch(tmp_path) == made
    (tmp_path / "watch.json").write_text('{"run_id": "r1", "schema": "netassay.watch/9"}')
    with pytest.raises(UsageError, match=r"netassay\.watch/9"):
        read_watch(tmp_path)
    with pytest.raises(UsageError, match="name the folder"):
        read_watch(tmp_path / "nothing")


def test_the_page_says_what_was_lost_and_escapes_what_was_said() -> None:
    hostile = Mark(2.0, "<script>alert(1)</script>")
    page = render_watch(
        record(line(seen(outage(4, 0.5))), line(seen(target="cluster DNS"), GONE), line(seen()), marks=[hostile])
    )
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "1 of 3 flows were disturbed" in page
    assert "500 ms from 4000 ms on (50 refused)" in page
    assert "not watched from 3.00 s to 5.00 s: its source was replaced" in page


@pytest.mark.parametrize(("text", "seconds"), [("45", 45), ("90s", 90), ("1.5m", 90), ("2h", 7200)])
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "10 minutes", "-3s", "5d"])
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="as in 90s"):
        duration(text)
