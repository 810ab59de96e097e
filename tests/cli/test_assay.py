"""`netassay run` from beginning to end, with checks of every kind, against an API server that only answers reads."""

from __future__ import annotations

import json
import resource
import signal
import time
from typing import TYPE_CHECKING

import pytest
from bundles import BROKEN, DOUBT, HOLDS, Bundle
from junitparser import JUnitXml
from recorded_api import recorded_api

from netassay.results.collect import collect
from netassay.results.schema import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.whole

CRASH = """
    @pytest.mark.claim("dns-nxdomain")
    def test_the_worker_dies():
        os._exit(9)
"""

SLOW = """
    @pytest.mark.claim("dns-latency")
    def test_it_takes_long():
        time.sleep(60)
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Iterator[Bundle]:
    with recorded_api(tmp_path) as kubeconfig:
        yield Bundle(tmp_path, kubeconfig)


def summary(output: str) -> list[str]:
    """The lines after the last empty one: what is said at the end."""
    return output.rpartition("\n\n")[2].splitlines()


def test_a_network_that_keeps_its_promises_conforms(bundle: Bundle) -> None:
    bundle.suite(HOLDS)
    said = summary(bundle.run("-n", "0", code=0))
    assert said[0] == "The network conforms: 2 of 2 checks found its promises kept"
    assert "report.html" in said[-4]
    assert {"run.json", "junit.xml", "report.html", "allure-results", "logs", "events"} <= {
        p.name for p in bundle.out.iterdir()
    }
    run = bundle.record()
    assert (run.mode, run.cluster.version, run.faults, run.notes) == ("flannel-vxlan", "v1.37.2", [], [])
    assert {record.phase for record in run.checks} == {"parallel", "serial"}
    assert [figure.value for figure in run.figures] == [1.5]
    assert "Conforms" in (bundle.out / "report.html").read_text()
    assert (bundle.out / "allure-results" / "environment.properties").exists()
    assert "holds the results of another run" in bundle.run(code=2)


def test_findings_doubt_and_reasons_are_told_apart(bundle: Bundle) -> None:
    bundle.suite(HOLDS, BROKEN, DOUBT)
    said = summary(bundle.run("-n", "2", code=1))
    assert said[0] == "The network is broken: 2 of 6 checks found it so, and 2 could not be completed"
    assert "probe-1 (node-1, 10.1.0.2) got no answer here" in "\n".join(said)
    assert "--select 'dns/test_sample.py::test_it_is_broken[here]'" in "\n".join(said)
    assert bundle.verdicts() == {
        "test_it_holds": Verdict.HOLDS,
        "test_it_holds_alone": Verdict.HOLDS,
        "test_it_is_broken[here]": Verdict.BROKEN,
        "test_it_is_broken[there]": Verdict.BROKEN,
        "test_the_harness_fails": Verdict.INCONCLUSIVE,
        "test_the_check_has_a_mistake": Verdict.INCONCLUSIVE,
        "test_it_does_not_apply": Verdict.NOT_APPLICABLE,
    }
    assert JUnitXml.fromfile(str(bundle.out / "junit.xml")).tests == 7
    statuses = [
        json.loads(path.read_text())["status"] for path in (bundle.out / "allure-results").glob("*-result.json")
    ]
    assert sorted(statuses) == ["broken", "broken", "failed", "failed", "passed", "passed", "skipped"]


def test_a_worker_that_dies_takes_no_check_with_it_unnoticed(bundle: Bundle) -> None:
    bundle.suite(HOLDS, CRASH, DOUBT)
    said = bundle.run("-n", "2", code=3)
    assert summary(said)[0].startswith("No conclusion: 3 of 5 checks could not be completed")
    verdicts = bundle.verdicts()
    assert verdicts["test_the_worker_dies"] is Verdict.INCONCLUSIVE
    assert (verdicts["test_it_holds"], verdicts["test_it_holds_alone"]) == (Verdict.HOLDS, Verdict.HOLDS)


def test_when_the_only_process_dies_what_it_left_undone_is_told(bundle: Bundle) -> None:
    bundle.suite(CRASH, HOLDS)
    said = bundle.run("-n", "0", code=3)
    assert "phase parallel broke off (exit code 9)" in said
    assert bundle.verdicts() == {
        "test_the_worker_dies": Verdict.INCONCLUSIVE,
        "test_it_holds": Verdict.INCONCLUSIVE,
        "test_it_holds_alone": Verdict.HOLDS,
    }


def test_a_suite_that_cannot_be_read_is_shown(bundle: Bundle) -> None:
    bundle.suite("\n    import no_such_module\n")
    said = bundle.run("-n", "0", code=3)
    assert "phase parallel broke off (exit code 2)" in said
    assert "No module named 'no_such_module'" in said


def test_a_run_without_checks_does_not_pass(bundle: Bundle) -> None:
    bundle.suite("\n    def helper(): pass\n")
    said = bundle.run("-n", "0", code=3)
    assert "no check was found to be made; pytest said" in said


def interrupt(bundle: Bundle, *signals: int) -> tuple[int, str, float]:
    """Start a run, send signals once a slow check has begun: exit code, output, and the seconds it then took to end."""
    process = bundle.start("-n", "1")
    end = time.monotonic() + 30
    while not any(b'"started"' in path.read_bytes() for path in bundle.out.glob("events/*.jsonl")):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.02)
    told = time.monotonic()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.3)
    output, _ = process.communicate(timeout=30)
    return process.returncode, output, time.monotonic() - told


def test_the_first_signal_ends_the_run_in_order(bundle: Bundle) -> None:
    bundle.suite(SLOW)
    returned, output, seconds = interrupt(bundle, signal.SIGTERM)
    assert returned == 143, output
    assert seconds < 10
    assert bundle.verdicts() == {"test_it_takes_long": Verdict.INCONCLUSIVE}
    assert "before all checks were made" in bundle.record().faults[0]
    assert summary(output)[0].startswith("No conclusion: 1 of 1 check could not be completed")


def test_the_second_signal_ends_it_at_once(bundle: Bundle) -> None:
    # A check that can't be interrupted: the first signal alone would have to wait for it.
    bundle.suite(SLOW.replace("time.sleep", "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep"))
    returned, output, seconds = interrupt(bundle, signal.SIGINT, signal.SIGINT)
    assert returned == 130
    assert seconds < 5
    assert "left behind; remove them with `netassay sweep`" in output
    assert len(collect(bundle.out).checks) == 1


def test_results_that_cannot_be_written_are_told(bundle: Bundle) -> None:
    bundle.suite(HOLDS)

    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))

    said = bundle.run("-n", "0", code=3, before=small_disk)
    assert "could not write" in said
    assert "Free some space or choose another folder" in said
    assert not (bundle.out / "run.json").exists()
