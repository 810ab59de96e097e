"""Requests and answers by the agent, over loopback, and what is made of their times."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time

import pytest

from netassay.agent import pack
from netassay.bench import requests
from netassay.bench.cells import requests as loads
from netassay.fleet.rounds import NOBODY_YET


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    return [sys.executable, str(pack.write_zipapp(tmp_path_factory.mktemp("agent") / "agent.pyz")), "rounds"]


@pytest.fixture
def server(agent, request):
    with socket.socket() as free:
        free.bind(("", 0))
        port = str(free.getsockname()[1])
    fresh = ["--fresh"] if request.param else []
    with subprocess.Popen([*agent, "serve", port, *fresh], stdout=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline()) == {"serving": int(port)}
        yield port, fresh, process
        process.kill()


@pytest.mark.parametrize("connections", [1, 8])
@pytest.mark.parametrize("server", [False, True], indirect=True, ids=["rr", "crr"])
def test_requests_are_answered_and_timed(agent, server, connections):
    port, fresh, _ = server
    asked = [*agent, "ask", port, "--host", "127.0.0.1", "--seconds", "0.5", "--omit", "0.1", *fresh]
    done = subprocess.run([*asked, "--connections", str(connections)], capture_output=True, check=True, timeout=30)
    reading = requests.read(done.stdout)
    assert reading.validity.valid, reading.validity.reasons
    assert reading.metrics["failed"] == 0
    assert reading.metrics["per_s"] > 100
    assert 0 < reading.metrics["p50_us"] <= reading.metrics["p90_us"] <= reading.metrics["p99_us"]


def test_that_nobody_serves_yet_is_told_apart_from_requests_that_fail(agent):
    """So the harness knows when to ask again: not once requests have been answered."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        asked = [*agent, "ask", str(taken.getsockname()[1]), "--host", "127.0.0.1", "--seconds", "0.2", "--omit", "0.1"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{NOBODY_YET}: [Errno 111]")


@pytest.mark.whole
@pytest.mark.parametrize("server", [True], indirect=True, ids=["crr"])
def test_a_server_waits_for_a_connection_that_is_asked_for_a_third_time_and_is_then_gone(agent, server):
    port, fresh, process = server
    asked = [*agent, "ask", port, "--host", "127.0.0.1", "--seconds", "0.2", "--omit", "0.1", *fresh]
    for pause in (3.2, 0):
        subprocess.run(asked, capture_output=True, check=True, timeout=30)
        time.sleep(pause)
    # Whoever has the port next must not meet it.
    assert process.wait(10) == 0


def test_percentiles_are_those_of_the_counts():
    counts = [[microseconds, 1] for microseconds in range(1, 1001)]
    reading = requests.read(json.dumps({"counts": counts, "errors": {}, "seconds": 2}).encode())
    assert reading.metrics["p50_us"] == pytest.approx(500, abs=1)
    assert reading.metrics["p99_us"] == pytest.approx(990, abs=1)
    assert reading.metrics["per_s"] == 500


def test_failures_are_apart_from_times_and_many_of_them_invalidate():
    few = requests.read(b'{"counts": [[100, 10000]], "errors": {"TimeoutError": 1}, "seconds": 1}')
    assert few.validity.valid
    assert few.metrics["failed"] == 1
    many = requests.read(b'{"counts": [[100, 100]], "errors": {"TimeoutError": 1}, "seconds": 1}')
    assert many.validity.reasons == ["1 requests failed (TimeoutError) beside 100 answered"]
    assert not requests.read(b'{"counts": [], "errors": {}, "seconds": 1}').validity.valid


def test_loads_name_what_they_do():
    for name, load in loads().items():
        assert name == f"{'crr' if load.fresh else 'rr'}-{load.connections}"
