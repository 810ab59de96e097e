"""Progress: events are followed while they are written, and shown as lines or in place."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from netassay.results.recorder import Recorder
from netassay.results.schema import Check, CheckRecord, Verdict
from netassay.runner.progress import Progress, Tail

if TYPE_CHECKING:
    from pathlib import Path

CHECKS = [Check(id=f"suites/dns/test_a.py::test_a[{n}]", claim="dns-a", title="a name resolves.") for n in range(3)]


def recorder(run_dir: Path, worker: str = "gw0") -> Recorder:
    return Recorder(run_dir / "events" / f"{worker}.jsonl")


def finished(check: Check, verdict: Verdict, message: str = "") -> CheckRecord:
    return CheckRecord(id=check.id, verdict=verdict, claim=check.claim, title=check.title, message=message, seconds=0.3)


def test_a_line_is_read_once_and_only_when_it_is_whole(tmp_path: Path) -> None:
    tail, events = Tail(tmp_path), recorder(tmp_path)
    assert list(tail.events()) == []
    events.check_started(CHECKS[0])
    with events.path.open("ab") as file:
        file.write(b'{"event":"noted","figure":{"check":"c",')
    assert [worker for worker, _ in tail.events()] == ["gw0"]
    assert list(tail.events()) == []
    with events.path.open("ab") as file:
        file.write(b'"key":"k","value":1}}\nno event at all\n')
    assert len(list(tail.events())) == 1
    recorder(tmp_path, "gw1").check_started(CHECKS[1])
    assert [worker for worker, _ in tail.events()] == ["gw1"]


def test_without_a_terminal_each_check_is_a_line(tmp_path: Path) -> None:
    out = io.StringIO()
    events = recorder(tmp_path)
    with Progress(Console(file=out, width=60), tmp_path) as progress:
        progress.phase("parallel")
        events.check_planned(CHECKS)
        for check, verdict in zip(CHECKS, (Verdict.HOLDS, Verdict.BROKEN, Verdict.INCONCLUSIVE), strict=True):
            events.check_started(check)
            events.check_finished(finished(check, verdict, "it did not\nand more"))
        progress.update()
        assert progress.planned == 3
    assert [line.rstrip() for line in out.getvalue().splitlines()] == [
        "phase parallel",
        "[  1/3] holds             Service name (A): a name resolves (0)  0.3 s",
        "[  2/3] broken            Service name (A): a name resolves (1)  0.3 s",
        "          it did not",
        "[  3/3] inconclusive      Service name (A): a name resolves (2)  0.3 s",
        "          it did not",
    ]


def test_on_a_terminal_it_is_drawn_in_place_and_only_alarms_stay(tmp_path: Path) -> None:
    out = io.StringIO()
    events = recorder(tmp_path)
    console = Console(file=out, width=100, force_terminal=True, color_system=None, legacy_windows=False)
    with Progress(console, tmp_path) as progress:
        progress.phase("parallel")
        events.check_planned(CHECKS)
        events.check_started(CHECKS[0])
        events.check_finished(finished(CHECKS[1], Verdict.HOLDS))
        events.check_finished(finished(CHECKS[2], Verdict.BROKEN, "it did not"))
        progress.update()
    drawn = out.getvalue()
    assert "2/3" in drawn
    assert "1 holds  1 broken" in drawn
    assert "a name resolves (0)" in drawn  # running
    assert "[  2/3] broken" in drawn
    assert "] holds" not in drawn
