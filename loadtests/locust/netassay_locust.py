"""Locust for netassay: HTTP and DNS at a fixed rate or a rising one, whether or not answers have come (open loop).

Run headless, alone or as master and workers; settings come from the environment:

    NETASSAY_RATE      arrivals per second, over all workers
    NETASSAY_RAMP      if set, the rate rises from a tenth of it to all of it in ten steps: the ceiling is where answers
                       fall behind
    NETASSAY_WORKERS   over how many workers the rate is spread (1)
    NETASSAY_HOST_HEADER, NETASSAY_DNS_SERVER, NETASSAY_DNS_NAME   for HTTP and DNS
    NETASSAY_TIMEOUT   seconds after which an answer counts as missing (5)

Locust keeps times in milliseconds. Here each is counted by microseconds, from when its request was due and not from
when there was room to send it, so that a stall is not hidden by the requests that it held up. The master sums up its
workers and writes one line, `NETASSAY {json}`, at the end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from http import HTTPStatus
from typing import Any

import dns.exception
import dns.message
import dns.query
import gevent
import gevent.pool
from locust import FastHttpUser, LoadTestShape, User, events, task
from locust.runners import MasterRunner, WorkerRunner

RATE = float(os.environ.get("NETASSAY_RATE", "100"))
WORKERS = int(os.environ.get("NETASSAY_WORKERS", "1"))
TIMEOUT = float(os.environ.get("NETASSAY_TIMEOUT", "5"))
RAMP = bool(os.environ.get("NETASSAY_RAMP"))
STEPS = 10
IN_FLIGHT = 1000

times: dict[str, Counter[int]] = {}
errors: Counter[str] = Counter()
seen: dict[str, Any] = {"began": 0.0, "workers": 0, "lost_workers": 0, "cpu_warning": False, "dropped": 0}


class Arrivals:
    """Spawns work when it is due, at the rate of this worker's share, and never waits for it."""

    def __init__(self) -> None:
        """Begin now."""
        self._pool = gevent.pool.Pool(IN_FLIGHT)
        self._began = time.perf_counter()
        self._due = self._began

    def next(self, work: Any, seconds: float) -> None:
        """Sleep until the next arrival, then have `work` done; it is told when it was due."""
        step = min(int(STEPS * (time.perf_counter() - self._began) / seconds) + 1, STEPS) if RAMP else STEPS
        self._due += WORKERS / (RATE * step / STEPS)
        gevent.sleep(max(self._due - time.perf_counter(), 0))
        if self._pool.full():
            seen["dropped"] += 1
            return
        self._pool.spawn(work, f"{RATE * step / STEPS:g}/s", self._due)


def took(step: str, due: float) -> None:
    """Count an answer."""
    times.setdefault(step, Counter())[round((time.perf_counter() - due) * 1e6)] += 1


class Web(FastHttpUser):
    """Asks one URL."""

    concurrency = IN_FLIGHT
    connection_timeout = TIMEOUT
    network_timeout = TIMEOUT

    def on_start(self) -> None:
        """Begin to count arrivals."""
        self._arrivals = Arrivals()

    @task
    def ask(self) -> None:
        """Have the next request made when it is due."""
        self._arrivals.next(self._one, _seconds())

    def _one(self, step: str, due: float) -> None:
        header = os.environ.get("NETASSAY_HOST_HEADER")
        with self.client.get("/", headers={"Host": header} if header else {}, catch_response=True) as answer:
            if answer.status_code == HTTPStatus.OK:
                took(step, due)
                answer.success()
            else:
                errors[f"status {answer.status_code}" if answer.status_code else type(answer.error).__name__] += 1


class Names(User):
    """Asks a name server by UDP, once each time."""

    def on_start(self) -> None:
        """Begin to count arrivals."""
        self._arrivals = Arrivals()

    @task
    def ask(self) -> None:
        """Have the next request made when it is due."""
        self._arrivals.next(self._one, _seconds())

    def _one(self, step: str, due: float) -> None:
        query = dns.message.make_query(os.environ["NETASSAY_DNS_NAME"], "A")
        try:
            answer = dns.query.udp(query, os.environ["NETASSAY_DNS_SERVER"], timeout=TIMEOUT)
        except (dns.exception.Timeout, OSError) as error:
            errors[type(error).__name__] += 1
            return
        if answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            took(step, due)
        else:
            errors[dns.rcode.to_text(answer.rcode())] += 1


class AllAtOnce(LoadTestShape):
    """One user on each worker from the beginning: it is arrivals that make the load, not users."""

    def tick(self) -> tuple[int, float] | None:
        """How many users there are to be, None at the end."""
        if self.get_run_time() >= _seconds():
            return None
        return WORKERS, float(WORKERS)


def _seconds() -> float:
    return float(os.environ.get("NETASSAY_SECONDS", "10"))


@events.report_to_master.add_listener
def _report(client_id: str, data: dict[str, Any], **_: Any) -> None:
    data["netassay"] = {
        "times": {step: list(counts.items()) for step, counts in times.items()},
        "errors": dict(errors),
        "dropped": seen["dropped"],
    }
    times.clear()
    errors.clear()
    seen["dropped"] = 0


@events.worker_report.add_listener
def _reported(client_id: str, data: dict[str, Any], **_: Any) -> None:
    said = data.get("netassay", {})
    for step, counts in said.get("times", {}).items():
        times.setdefault(step, Counter()).update({int(us): n for us, n in counts})
    errors.update(said.get("errors", {}))
    seen["dropped"] += said.get("dropped", 0)


@events.test_start.add_listener
def _started(environment: Any, **_: Any) -> None:
    seen["began"] = time.time()
    if isinstance(environment.runner, MasterRunner):
        seen["workers"] = environment.runner.worker_count


@events.cpu_warning.add_listener
def _warned(**_: Any) -> None:
    seen["cpu_warning"] = True


@events.quitting.add_listener
def _sum_up(environment: Any, **_: Any) -> None:
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        return
    said = {
        **seen,
        "seconds": _seconds(),
        "times": {step: sorted(counts.items()) for step, counts in times.items()},
        "errors": dict(errors),
    }
    if isinstance(runner, MasterRunner):
        said["lost_workers"] = WORKERS - seen["workers"]
        said["cpu_warning"] = seen["cpu_warning"] or runner.worker_cpu_warning_emitted
    sys.stdout.write(f"\nNETASSAY {json.dumps(said)}\n")
    sys.stdout.flush()
