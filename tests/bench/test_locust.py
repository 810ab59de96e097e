"""Locust as a child process, against an agent's web server; and when what it says is believed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from netassay.agent import pack
from netassay.bench import locust
from netassay.bench.cells import Level, LocustLoad, locust_loads

pytestmark = pytest.mark.whole

LEVEL = Level(title="", blocks=1, seconds=2, omit=0, paths=(), loads=())
FIXED = LocustLoad(title="", user="Web", rate=50)


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    agent = pack.write_zipapp(tmp_path_factory.mktemp("agent") / "agent.pyz")
    argv = [sys.executable, str(agent), "serve", "--http", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        port = json.loads(process.stdout.readline())["serving"]["http"][0]
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def test_a_child_asks_at_the_rate_and_counts_microseconds(web):
    run = locust.from_outside((), FIXED, locust.Target(url=web), LEVEL)
    assert run.reading.validity.valid, run.reading.validity.reasons
    assert run.reading.metrics["per_s"] == pytest.approx(50, rel=0.1)
    assert 0 < run.reading.metrics["p50_us"] <= run.reading.metrics["p999_us"]


def test_nobody_there_is_not_valid_and_says_what_was_seen():
    run = locust.from_outside((), FIXED, locust.Target(url="http://127.0.0.1:9"), LEVEL)
    assert not run.reading.validity.valid
    assert "nothing was answered (ConnectionRefusedError" in run.reading.validity.reasons[0]


def said(**changes):
    usual = {"times": {"50/s": [[400, 99], [9000, 1]]}, "errors": {}, "seconds": 2.0, "lost_workers": 0}
    return f"[info] noise\nNETASSAY {json.dumps({**usual, 'cpu_warning': False, **changes})}\n".encode()


def test_percentiles_and_answers_later_than_five_seconds():
    metrics = locust.read(said(times={"50/s": [[400, 99], [5_100_000, 1]]}), FIXED, LEVEL).metrics
    assert metrics["p50_us"] == pytest.approx(400, rel=0.01)
    assert metrics["slower_than_5_s"] == 1


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (said(lost_workers=1), "1 of the workers were missing"),
        (said(cpu_warning=True), "limit of its CPU"),
        (said(times={"50/s": [[400, 50]]}), "of 100 requests 50 were answered"),
        (said(errors={"status 503": 1}), "1 failed"),
        (b"Traceback: boom", "Locust summed nothing up: Traceback: boom"),
    ],
)
def test_what_is_not_to_be_believed_is_rejected_with_the_reason(output, reason):
    validity = locust.read(output, FIXED, LEVEL).validity
    assert not validity.valid
    assert reason in "; ".join(validity.reasons)


def test_the_ceiling_is_the_highest_step_that_kept_up():
    ramp = LocustLoad(title="", user="Web", rate=1000, ramp=True)
    # Two tenths of a second for each step.
    times = {"100/s": [[400, 20]], "200/s": [[400, 39]], "300/s": [[400, 40]]}
    assert locust.read(said(times=times), ramp, LEVEL).metrics["ceiling_per_s"] == 200


def test_locust_is_not_imported_into_this_process():
    assert "locust" not in sys.modules
    assert "gevent" not in sys.modules
    assert {load.user for load in locust_loads().values()} == {"Web", "Names"}
