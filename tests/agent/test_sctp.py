"""SCTP: a kernel without it costs nothing but SCTP itself; with it, it is as TCP to whoever asks and answers."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

import pytest

from netassay.errors import HarnessFault
from netassay.observation import Attempt, Outcome, Protocol

if TYPE_CHECKING:
    from netassay.agent.local import LocalAgent
    from netassay.fleet import LocalProbe


def _speaks_sctp() -> bool:
    # Unlike the agent, which only looks, this has a kernel load the module if it can.
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP).close()
    except OSError:
        return False
    return True


SPEAKS_SCTP = _speaks_sctp()
with_sctp = pytest.mark.skipif(not SPEAKS_SCTP, reason="this kernel has no SCTP")
without_sctp = pytest.mark.skipif(SPEAKS_SCTP, reason="this kernel has SCTP")

HOSTS = ["127.0.0.1", "::1"]


def over_sctp(host: str, port: int, *, payload: int = 0, source_port: int = 0) -> Attempt:
    return Attempt(protocol=Protocol.SCTP, host=host, port=port, payload=payload, source_port=source_port)


@without_sctp
@pytest.mark.parametrize("host", HOSTS)
def test_without_it_an_attempt_has_no_verdict_and_says_why(probe: LocalProbe, host: str) -> None:
    (seen,) = probe.attempt([over_sctp(host, 8080)])
    assert (seen.outcome, seen.errno) == (Outcome.NO_VERDICT, errno.EPROTONOSUPPORT)
    assert seen.error == "cannot open a socket: Protocol not supported"
    assert not seen.outcome.closed


@without_sctp
def test_without_it_the_agent_serves_all_else(probe: LocalProbe, agent: LocalAgent) -> None:
    assert not probe.has_sctp()
    assert "sctp" not in agent.ports
    assert probe.tcp("127.0.0.1", agent.ports["tcp"]).answered_by == "server-1"


@without_sctp
def test_without_it_a_further_listener_is_a_harness_fault_that_says_so(probe: LocalProbe) -> None:
    with pytest.raises(HarnessFault, match="listen sctp 0: Protocol not supported"), probe.listen("sctp", 0):
        pass


def test_kept_flows_are_not_recorded_over_it(probe: LocalProbe) -> None:
    with (
        pytest.raises(HarnessFault, match="no kept flow is recorded over SCTP"),
        probe.flow(Protocol.SCTP, "127.0.0.1", 8080),
    ):
        pass


@with_sctp
@pytest.mark.parametrize("host", HOSTS)
def test_open_tells_who_answered_and_what_it_saw(probe: LocalProbe, agent: LocalAgent, host: str) -> None:
    assert probe.has_sctp()
    (seen,) = probe.attempt([over_sctp(host, agent.ports["sctp"], payload=100)])
    assert (seen.outcome, seen.answered_by, seen.received, seen.error) == (Outcome.OPEN, "server-1", 100, "")
    assert seen.local_address == seen.seen_address == host
    assert seen.local_port == seen.seen_port != 0


@with_sctp
@pytest.mark.parametrize("size", [0, 1, 1400, 9000, 65_536, 1_000_000])
@pytest.mark.parametrize("host", HOSTS)
def test_payload_arrives_whole(probe: LocalProbe, agent: LocalAgent, host: str, size: int) -> None:
    (seen,) = probe.attempt([over_sctp(host, agent.ports["sctp"], payload=size)])
    assert (seen.outcome, seen.received) == (Outcome.OPEN, size)


@with_sctp
@pytest.mark.parametrize("host", HOSTS)
def test_closed_port_refuses(probe: LocalProbe, host: str) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_SCTP) as bound:
        bound.bind(("::", 0))
        (seen,) = probe.attempt([over_sctp(host, bound.getsockname()[1])])
    assert (seen.outcome, seen.errno) == (Outcome.REFUSED, errno.ECONNREFUSED)


@with_sctp
def test_source_port_is_kept(probe: LocalProbe, agent: LocalAgent) -> None:
    wanted = over_sctp("127.0.0.1", agent.ports["sctp"], source_port=20_100)
    seen = probe.attempt([wanted, wanted], concurrency=1)
    assert [(one.outcome, one.seen_port) for one in seen] == [(Outcome.OPEN, 20_100)] * 2


@with_sctp
def test_further_listeners_live_as_long_as_held(probe: LocalProbe) -> None:
    with probe.listen("sctp", 0) as port:
        assert probe.attempt([over_sctp("127.0.0.1", port)])[0].outcome is Outcome.OPEN
    assert probe.attempt([over_sctp("127.0.0.1", port)])[0].outcome is Outcome.REFUSED


@with_sctp
def test_many_at_once(probe: LocalProbe, agent: LocalAgent) -> None:
    seen = probe.attempt([over_sctp("127.0.0.1", agent.ports["sctp"], payload=1000)] * 500)
    assert [(one.outcome, one.received) for one in seen] == [(Outcome.OPEN, 1000)] * 500
