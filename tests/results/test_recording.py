"""Recording and collecting: nothing gets lost, and what does get lost is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from netassay.disruption import Recorded, Watched, timeline
from netassay.disruption.recorded import Run
from netassay.errors import HarnessFault, UsageError
from netassay.matrix import Expected
from netassay.observation import Attempt, Observation, Outcome, Protocol
from netassay.results.collect import collect, read_header, read_run, write_header, write_run_json
from netassay.results.files import write_whole
from netassay.results.recorder import Recorder
from netassay.results.schema import SCHEMA, Check, CheckRecord, ClusterFacts, Evidence, Figure, RunRecord, Verdict

CHECK = Check(
    id="suites/dns/test_a.py::test_a", claim="dns-a", feature="dns", title="a name resolves", phase="parallel"
)


def finished(check: Check = CHECK, verdict: Verdict = Verdict.HOLDS, message: str = "") -> CheckRecord:
    return CheckRecord(
        id=check.id,
        verdict=verdict,
        claim=check.claim,
        feature=check.feature,
        message=message,
        parameters=check.parameters,
    )


def observation(outcome: Outcome = Outcome.OPEN, error: str = "") -> Observation:
    attempt = Attempt(protocol=Protocol.TCP, host="10.1.0.2", port=8080)
    return Observation(source="a", source_node="n1", attempt=attempt, outcome=outcome, error=error)


def recorder(run_dir: Path, worker: str = "gw0") -> Recorder:
    return Recorder(run_dir / "events" / f"{worker}.jsonl")


def test_what_several_processes_record_becomes_one_run(tmp_path: Path) -> None:
    write_header(tmp_path, RunRecord(run_id="r1", netassay="0.1.0", cluster=ClusterFacts(version="v1.37.2")))
    for worker in ("gw0", "gw1"):
        events = recorder(tmp_path, worker)
        check = Check(id=f"{CHECK.id}_{worker}", claim=CHECK.claim, feature=CHECK.feature)
        events.check_planned([check])
        events.check_started(check)
        events.observations(check.id, [observation(), observation(Outcome.TIMED_OUT, "no answer")])
        events.note(check.id, "join", 1.5, "s")
        events.check_finished(finished(check))
        events.close()
    path = write_run_json(tmp_path, collect(tmp_path))
    run = read_run(tmp_path)
    assert path == tmp_path / "run.json"
    assert (run.schema, run.run_id, run.cluster.version, run.faults) == (SCHEMA, "r1", "v1.37.2", [])
    assert [(record.worker, record.verdict) for record in run.checks] == [("gw0", "holds"), ("gw1", "holds")]
    assert run.observations[f"{CHECK.id}_gw1"] == [observation(), observation(Outcome.TIMED_OUT, "no answer")]
    assert run.figures[0] == Figure(f"{CHECK.id}_gw0", "join", 1.5, "s")


def test_what_is_known_of_a_run_can_be_read_while_it_goes_on(tmp_path: Path) -> None:
    with pytest.raises(HarnessFault, match=r"could not read .*header\.json: .*No such file"):
        read_header(tmp_path)
    write_header(tmp_path, RunRecord(run_id="r1", cluster=ClusterFacts(version="v1.37.2")))
    assert read_header(tmp_path).cluster.version == "v1.37.2"


def test_a_matrix_is_kept_with_its_wrong_cells(tmp_path: Path) -> None:
    class Pod:
        def __init__(self, name: str) -> None:
            self.name, self.node, self.address = name, "n1", "10.1.0.2"

    pods = [Pod("a"), Pod("b")]
    expected = Expected.all_open(pods, pods).without(from_=pods[1], to=pods[1])
    seen = {pod: [observation(Outcome.TIMED_OUT) for _ in range(2 if pod is pods[0] else 1)] for pod in pods}
    events = recorder(tmp_path)
    events.matrix(CHECK.id, "TCP", expected.difference(expected.observed(seen)))
    [matrix] = collect(tmp_path).matrices
    assert (matrix.sources, matrix.targets) == (["a (n1)", "b (n1)"], ["a (n1)", "b (n1)"])
    assert matrix.cells[1][1] is None
    cell = matrix.cells[0][1]
    assert cell is not None
    assert (cell.state, cell.outcome) == ("wrong", "timed out")
    assert cell.detail == "a (n1, 10.1.0.2) → b (n1, 10.1.0.2:8080) tcp timed out"


def test_timelines_are_kept_as_they_are(tmp_path: Path) -> None:
    flow = Watched(
        source="probe-1",
        source_node="node-1",
        target="Service web",
        protocol=Protocol.TCP,
        host="10.96.0.7",
        port=80,
        kept=False,
        interval=0.01,
        timeout=0.9,
    )
    runs = (Run(0, 9, Outcome.OPEN, "", 0, 80, 1, 81), Run(9, 1, Outcome.RESET, "reset", 90, 90, 91, 91))
    recorded = Recorded(flow=flow, began=5.0, unsure=0.0, length=100, sent=10, missed=0, latest=0, rows=runs)
    seen = [timeline(recorded, 5.0)]
    made = recorder(tmp_path)
    made.timelines(CHECK.id, "a backend is killed", seen)
    made.close()
    (record,) = collect(tmp_path).timelines
    assert (record.check, record.event, record.timelines) == (CHECK.id, "a backend is killed", seen)


def test_a_check_that_was_begun_and_not_finished_is_inconclusive(tmp_path: Path) -> None:
    events = recorder(tmp_path)
    events.check_planned([CHECK, Check(id="never begun")])
    events.check_started(CHECK)
    run = collect(tmp_path)
    assert {record.id: record.verdict for record in run.checks} == {
        CHECK.id: "inconclusive",
        "never begun": "inconclusive",
    }
    assert "begun and never finished" in run.checks[0].message
    assert "never begun" in run.checks[1].message
    assert (run.checks[0].claim, run.checks[0].worker, run.checks[0].phase) == ("dns-a", "gw0", "parallel")


def test_checks_with_one_id_are_told_apart_by_their_parameters(tmp_path: Path) -> None:
    first, second = (Check(id="c", parameters={"protocol": protocol}) for protocol in ("tcp", "udp"))
    events = recorder(tmp_path)
    for check in (first, second):
        events.check_started(check)
    events.check_finished(finished(second))
    assert {r.parameters["protocol"]: r.verdict for r in collect(tmp_path).checks} == {
        "tcp": "inconclusive",
        "udp": "holds",
    }


def test_a_check_that_was_made_again_after_its_process_died_counts_once(tmp_path: Path) -> None:
    for worker in ("gw0", "gw1", "gw2"):
        events = recorder(tmp_path, worker)
        events.check_started(CHECK)
    assert [record.verdict for record in collect(tmp_path).checks] == ["inconclusive"]
    events.check_finished(finished(verdict=Verdict.BROKEN))
    assert [record.verdict for record in collect(tmp_path).checks] == ["broken"]


def test_a_killed_process_loses_no_more_than_the_event_it_was_writing(tmp_path: Path) -> None:
    script = f"""
        from pathlib import Path
        from netassay.results.recorder import Recorder
        from netassay.results.schema import Check, CheckRecord, Verdict
        recorder = Recorder(Path({str(tmp_path)!r}) / "events" / "gw0.jsonl")
        number = 0
        while True:
            recorder.check_started(Check(id=str(number)))
            recorder.check_finished(CheckRecord(id=str(number), verdict=Verdict.HOLDS, message="x" * 3000))
            number += 1
            print(number, flush=True)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        seen = [int(process.stdout.readline()) for _ in range(50)][-1]
        process.send_signal(signal.SIGKILL)
    run = collect(tmp_path)
    assert sum(record.verdict is Verdict.HOLDS for record in run.checks) >= seen
    assert sum(record.verdict is Verdict.INCONCLUSIVE for record in run.checks) <= 1
    assert run.faults == []


def test_a_torn_last_line_is_passed_over_and_a_torn_line_before_it_is_told(tmp_path: Path) -> None:
    events = recorder(tmp_path)
    events.check_finished(finished())
    with events.path.open("ab") as file:
        file.write(b'{"event":"fini')
    assert len(collect(tmp_path).checks) == 1
    assert collect(tmp_path).faults == []
    with events.path.open("ab") as file:
        file.write(b"\n")
    assert collect(tmp_path).faults == ["1 events of gw0 can't be read, and are missing from the results"]


def test_threads_share_a_recorder(tmp_path: Path) -> None:
    events = recorder(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: events.note("c", str(number), number), range(400)))
    assert sorted(figure.value for figure in collect(tmp_path).figures) == list(range(400))


def test_secrets_never_reach_the_disk(tmp_path: Path) -> None:
    events = recorder(tmp_path)
    evidence = [Evidence("eni-config", '{"access_key": "LTAI5tSecretSecretXYZ", "access_secret": "c2VjcmV0"}')]
    record = CheckRecord(
        id="c", verdict=Verdict.BROKEN, message="sent Authorization: Bearer abcdefghijkl", evidence=evidence
    )
    events.check_finished(record)
    events.observations("c", [observation(error="token=t0ps3cr3t refused")])
    write_run_json(tmp_path, collect(tmp_path))
    for file in (events.path, tmp_path / "run.json"):
        text = file.read_text()
        for secret in ("LTAI5", "c2VjcmV0", "abcdefghijkl", "t0ps3cr3t"):
            assert secret not in text
        assert "[redacted]" in text


def test_a_full_disk_is_told_and_what_to_do() -> None:
    events = Recorder(Path("/dev/full"))
    with pytest.raises(HarnessFault, match=r"could not write /dev/full: No space left.*Free some space"):
        events.check_finished(finished())


def test_after_a_write_that_broke_off_the_next_event_is_whole(tmp_path: Path) -> None:
    events = recorder(tmp_path)
    kept = os.dup(events._file)
    os.dup2(os.open("/dev/full", os.O_WRONLY), events._file)
    with pytest.raises(HarnessFault):
        events.check_started(CHECK)
    os.write(kept, b'{"event":"star')  # what a partial write leaves behind
    os.dup2(kept, events._file)
    events.check_finished(finished())
    run = collect(tmp_path)
    assert [record.verdict for record in run.checks] == ["holds"]
    assert len(run.faults) == 1


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_whole(path, "old")
    script = f"""
        import resource, signal
        from pathlib import Path
        from netassay.results.files import write_whole
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        write_whole(Path({str(path)!r}), b"x" * 100_000)
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert "could not write" in ran.stderr
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No such file.*name the folder of a run"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text('{"run_id": "r", "schema": "netassay.run/99"}')
    with pytest.raises(UsageError, match=r"schema netassay.run/99, and this netassay reads netassay.run/1"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("no JSON")
    with pytest.raises(UsageError, match="not the record of a run"):
        read_run(tmp_path / "run.json")
