"""The serving side, spoken to by plain sockets and HTTP clients: what anybody in the network can see and do."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from netassay.agent.local import LocalAgent
from netassay.errors import HarnessFault
from netassay.fleet import LocalProbe
from netassay.observation import USUAL_PROTOCOLS, Attempt, Outcome

if TYPE_CHECKING:
    from pathlib import Path


def http_client(agent: LocalAgent) -> contextlib.closing[http.client.HTTPConnection]:
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", agent.ports["http"], timeout=5))


def test_tcp_greets_and_counts_lines(agent: LocalAgent) -> None:
    with socket.create_connection(("127.0.0.1", agent.ports["tcp"]), 5) as client, client.makefile("rwb") as lines:
        greeting = json.loads(lines.readline())
        assert greeting == {
            "agent": "server-1",
            "address": "127.0.0.1",
            "port": client.getsockname()[1],
            "received": 0,
        }
        for size in (5, 70_000):
            lines.write(b"x" * (size - 1) + b"\n")
            lines.flush()
            assert json.loads(lines.readline())["received"] == size


def test_tcp_answers_many_lines_that_come_together(agent: LocalAgent) -> None:
    with socket.create_connection(("127.0.0.1", agent.ports["tcp"]), 5) as client, client.makefile("rwb") as lines:
        lines.readline()
        lines.write(b"12")
        lines.flush()
        lines.write(b"34\n" + b"beat\n" * 2000)
        lines.flush()
        assert json.loads(lines.readline())["received"] == 5
        assert {json.loads(lines.readline())["received"] for _ in range(2000)} == {5}


def test_nothing_on_the_network_commands_it(agent: LocalAgent) -> None:
    command = b'{"do":"ready","value":false}\n'
    with socket.create_connection(("127.0.0.1", agent.ports["tcp"]), 5) as client:
        client.sendall(command)
    with http_client(agent) as client:
        client.request("POST", "/readyz", command)
        assert client.getresponse().status == 200


def test_answers_no_agents_answer(agent: LocalAgent) -> None:
    """Two agents that were made to talk to each other by a forged source would never stop."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", agent.ports["udp"]))
        client.settimeout(5)
        client.send(b"hello")
        answer = client.recv(65535)
        client.send(answer)
        client.send(b"again")
        assert json.loads(client.recv(65535))["received"] == len(b"again")


def test_udp_answers_stay_small(agent: LocalAgent) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", agent.ports["udp"]))
        client.settimeout(5)
        client.send(b"x" * 60_000)
        assert len(client.recv(65535)) < 200


def test_http_tells_the_request(agent: LocalAgent) -> None:
    with http_client(agent) as client:
        for path in ("/a?b=c", "/second-on-the-same-connection"):
            client.request("PUT", path, b"12345", {"Host": "www.example.com", "X-Tag": "7"})
            said = json.loads(client.getresponse().read())
            assert said["agent"] == "server-1"
            assert (said["method"], said["path"], said["host"]) == ("PUT", path, "www.example.com")
            assert (said["headers"]["x-tag"], said["received"], said["address"]) == ("7", 5, "127.0.0.1")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"501"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, b"431"),
        (b"GET / HTTP/1.0\r\n\r\n", b"200"),
    ],
)
def test_http_refuses_what_it_does_not_serve_and_closes(agent: LocalAgent, request_bytes: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", agent.ports["http"]), 5) as client:
        client.sendall(request_bytes)
        data = b""
        while more := client.recv(65536):
            data += more
    assert data.split(b" ")[1] == status


def test_readiness_is_switched_from_inside_only(agent: LocalAgent, probe: LocalProbe) -> None:
    def ready() -> str:
        return probe.http("127.0.0.1", agent.ports["http"], path="/readyz").error

    assert ready() == ""
    probe.control({"do": "ready", "value": False})
    assert ready() == "HTTP 503"
    assert probe.http("127.0.0.1", agent.ports["http"], path="/healthz").error == ""
    probe.control({"do": "ready", "value": True})
    assert ready() == ""


def test_starts_unready_if_told_so(tmp_path: Path) -> None:
    with LocalAgent(tmp_path, "late", ready=False) as agent, http_client(agent) as client:
        client.request("GET", "/readyz")
        assert client.getresponse().status == 503


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_further_listeners_live_as_long_as_held(probe: LocalProbe, protocol: str) -> None:
    def outcome() -> Outcome:
        attempt = probe.tcp if protocol == "tcp" else probe.udp
        return attempt("127.0.0.1", port, timeout=1).outcome

    with probe.listen(protocol, 0) as port:  # type: ignore[arg-type]
        assert outcome() is Outcome.OPEN
        with probe.listen(protocol, port):  # type: ignore[arg-type]
            assert outcome() is Outcome.OPEN
        assert outcome() is Outcome.OPEN
    assert outcome() is Outcome.REFUSED


def test_taken_port_is_a_harness_fault_that_says_so(agent: LocalAgent, probe: LocalProbe) -> None:
    with (
        pytest.raises(HarnessFault, match=r"listen tcp \d+: Address already in use"),
        probe.listen("tcp", agent.ports["http"]),
    ):
        pass


def test_does_not_start_on_a_taken_port(agent: LocalAgent, tmp_path: Path) -> None:
    with pytest.raises(HarnessFault, match=r"cannot serve on tcp port \d+: Address already in use"):
        LocalAgent(tmp_path, "second", ports={"tcp": agent.ports["tcp"]})


def test_stops_at_once_when_told(tmp_path: Path) -> None:
    agent = LocalAgent(tmp_path, "short")
    started = time.monotonic()
    agent.stop()
    assert agent.process.returncode == 0
    assert time.monotonic() - started < 2


def test_serves_where_ipv6_is_switched_off(agent: LocalAgent) -> None:
    """In a network namespace of its own, whose only link is its loopback."""
    script = (
        "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up; "
        '"$@" --control "" serve --tcp 8080 --udp 8080 --http 8000 >&2 & '
        'exec "$@" drive'
    )
    alone = ["unshare", "--map-root-user", "--net", "--mount-proc", "--pid", "--fork", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    with LocalProbe([*alone, "sh", "-c", script, "sh", *agent.drive_command[:-1]], "alone") as probe:
        attempts = [Attempt(protocol=p, host="127.0.0.1", port=8000 if p == "http" else 8080) for p in USUAL_PROTOCOLS]
        over = time.monotonic() + 5
        while (seen := probe.attempt(attempts))[0].outcome is Outcome.REFUSED and time.monotonic() < over:
            time.sleep(0.05)
    assert [(one.outcome, one.seen_address) for one in seen] == [(Outcome.OPEN, "127.0.0.1")] * 3


@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.99", "::1"])
def test_udp_answers_from_the_address_that_was_asked(agent: LocalAgent, asked: str) -> None:
    family = socket.AF_INET6 if ":" in asked else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"hello", (asked, agent.ports["udp"]))
        assert client.recvfrom(65535)[1][0] == asked
