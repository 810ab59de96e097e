"""What attempts see, against real sockets on loopback: each outcome, and what the peer saw."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from netassay.observation import USUAL_PROTOCOLS, Attempt, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from netassay.agent.local import LocalAgent
    from netassay.fleet import LocalProbe

HOSTS = ["127.0.0.1", "::1"]


@contextlib.contextmanager
def tcp_server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that treats its only connection as told."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, _ = listener.accept()
            # The client may be done, and reset the connection, before the server is.
            with connection, contextlib.suppress(ConnectionError):
                serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, and nobody else takes meanwhile."""
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        udp.close()
        yield port


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("protocol", USUAL_PROTOCOLS)
def test_open_tells_who_answered_and_what_it_saw(
    probe: LocalProbe, agent: LocalAgent, host: str, protocol: Protocol
) -> None:
    seen = probe.attempt([Attempt(protocol=protocol, host=host, port=agent.ports[protocol], payload=100)])[0]
    assert seen.outcome is Outcome.OPEN
    assert seen.answered_by == "server-1"
    assert seen.received == 100
    assert seen.local_address == seen.seen_address == host
    assert seen.local_port == seen.seen_port != 0
    assert (seen.source, seen.source_node) == ("client-1", "here")
    assert 0 < seen.microseconds < 1_000_000


def test_http_on_a_second_port_of_the_same_protocol(probe: LocalProbe, agent: LocalAgent) -> None:
    assert probe.tcp("127.0.0.1", agent.ports["tcp2"]).answered_by == "server-1"
    assert probe.udp("127.0.0.1", agent.ports["udp2"]).answered_by == "server-1"


@pytest.mark.parametrize("size", [0, 1, 1400, 65_536, 1_000_000])
@pytest.mark.parametrize("protocol", [Protocol.TCP, Protocol.HTTP])
def test_payload_arrives_whole(probe: LocalProbe, agent: LocalAgent, protocol: Protocol, size: int) -> None:
    seen = probe.attempt([Attempt(protocol=protocol, host="127.0.0.1", port=agent.ports[protocol], payload=size)])[0]
    assert (seen.outcome, seen.received) == (Outcome.OPEN, size)


@pytest.mark.parametrize("size", [0, 1, 1472, 65_507])
def test_datagram_arrives_whole(probe: LocalProbe, agent: LocalAgent, size: int) -> None:
    seen = probe.udp("127.0.0.1", agent.ports["udp"], payload=size, dont_fragment=True)
    assert (seen.outcome, seen.received) == (Outcome.OPEN, size)


def test_datagram_larger_than_the_link_is_unreachable(probe: LocalProbe, agent: LocalAgent) -> None:
    seen = probe.udp("127.0.0.1", agent.ports["udp"], payload=65_508, dont_fragment=True)
    assert (seen.outcome, seen.errno) == (Outcome.UNREACHABLE, errno.EMSGSIZE)


@pytest.mark.parametrize("protocol", USUAL_PROTOCOLS)
def test_closed_port_refuses(probe: LocalProbe, closed_port: int, protocol: Protocol) -> None:
    seen = probe.attempt([Attempt(protocol=protocol, host="127.0.0.1", port=closed_port)])[0]
    assert (seen.outcome, seen.errno) == (Outcome.REFUSED, errno.ECONNREFUSED)
    assert "ECONNREFUSED" in seen.error


def test_full_backlog_times_out(probe: LocalProbe) -> None:
    with socket.socket() as full, socket.socket() as queued:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queued.connect(full.getsockname())
        attempts = [Attempt(protocol=Protocol.TCP, host="127.0.0.1", port=full.getsockname()[1], timeout=0.3)] * 3
        last = probe.attempt(attempts)[-1]
    assert (last.outcome, last.errno) == (Outcome.TIMED_OUT, errno.ETIMEDOUT)
    assert 290_000 < last.microseconds < 5_000_000


def test_silent_udp_port_times_out(probe: LocalProbe) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert probe.udp("127.0.0.1", silent.getsockname()[1], timeout=0.2).outcome is Outcome.TIMED_OUT


@pytest.mark.parametrize("protocol", USUAL_PROTOCOLS)
def test_no_route_is_unreachable(isolated: LocalProbe, protocol: Protocol) -> None:
    seen = isolated.attempt([Attempt(protocol=protocol, host="192.0.2.1", port=80, timeout=0.2)])[0]
    assert (seen.outcome, seen.errno) == (Outcome.UNREACHABLE, errno.ENETUNREACH)


def test_reset_after_the_handshake(probe: LocalProbe) -> None:
    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with tcp_server(reset) as port:
        assert probe.tcp("127.0.0.1", port).outcome is Outcome.RESET


def test_stranger_is_open_but_nobody(probe: LocalProbe) -> None:
    with tcp_server(lambda connection: connection.sendall(b"220 mail.example ESMTP\r\n")) as port:
        seen = probe.tcp("127.0.0.1", port)
    assert (seen.outcome, seen.answered_by) == (Outcome.OPEN, "")
    assert seen.error == "the answer is not an agent's"


def test_silent_stranger_is_open_but_nobody(probe: LocalProbe, agent: LocalAgent) -> None:
    # An HTTP server waits for the client to speak first.
    seen = probe.tcp("127.0.0.1", agent.ports["http"], timeout=0.2)
    assert (seen.outcome, seen.answered_by) == (Outcome.OPEN, "")


def test_payload_that_never_arrives_times_out(probe: LocalProbe) -> None:
    def greet_and_stall(connection: socket.socket) -> None:
        connection.sendall(b'{"agent":"stalled","address":"127.0.0.1","port":1,"received":0}\n')
        connection.recv(1)
        threading.Event().wait(0.5)

    with tcp_server(greet_and_stall) as port:
        seen = probe.tcp("127.0.0.1", port, payload=10, timeout=0.3)
    assert seen.outcome is Outcome.TIMED_OUT
    assert seen.error == "connected, but no answer to 10 bytes in 0.3 s"
    assert seen.answered_by == "stalled"


def test_unknown_name_is_a_name_error(isolated: LocalProbe) -> None:
    seen = isolated.tcp("no-such-host.invalid", 80)
    assert (seen.outcome, seen.local_address) == (Outcome.NAME_ERROR, "")


def test_known_name_is_resolved(probe: LocalProbe, agent: LocalAgent) -> None:
    assert probe.tcp("localhost", agent.ports["tcp"]).answered_by == "server-1"


def test_source_port_is_kept(probe: LocalProbe, agent: LocalAgent, closed_port: int) -> None:
    for protocol in (Protocol.TCP, Protocol.UDP):
        wanted = Attempt(protocol=protocol, host="127.0.0.1", port=agent.ports[protocol], source_port=closed_port + 1)
        seen = probe.attempt([wanted, wanted], concurrency=1)
        assert [one.seen_port for one in seen] == [closed_port + 1] * 2


def test_port_that_we_cannot_have_is_no_verdict(probe: LocalProbe, agent: LocalAgent) -> None:
    taken = agent.ports["udp"]
    seen = probe.udp("127.0.0.1", agent.ports["udp2"], source_port=taken)
    assert seen.outcome is Outcome.NO_VERDICT
    assert not seen.outcome.closed


@pytest.mark.parametrize(
    "response",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n{"agent":"a","address":"10.0.0.1","port":1,"received":0}',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'1b\r\n{"agent":"a","address":"10.\r\n1d\r\n0.0.1","port":1,"received":0}\r\n0\r\n\r\n',
        b'HTTP/1.0 200 OK\r\n\r\n{"agent":"a","address":"10.0.0.1","port":1,"received":0}',
    ],
    ids=["length", "chunked", "until closed"],
)
def test_http_bodies_of_all_shapes(probe: LocalProbe, response: bytes) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(response)

    with tcp_server(answer) as port:
        seen = probe.http("127.0.0.1", port)
    assert (seen.outcome, seen.answered_by, seen.seen_address, seen.error) == (Outcome.OPEN, "a", "10.0.0.1", "")


def test_http_error_status_is_open_and_told(probe: LocalProbe) -> None:
    def fail(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    with tcp_server(fail) as port:
        seen = probe.http("127.0.0.1", port)
    assert (seen.outcome, seen.error) == (Outcome.OPEN, "HTTP 502")


def test_many_at_once_keep_their_order(probe: LocalProbe, agent: LocalAgent, closed_port: int) -> None:
    good = Attempt(protocol=Protocol.TCP, host="127.0.0.1", port=agent.ports["tcp"])
    bad = Attempt(protocol=Protocol.TCP, host="127.0.0.1", port=closed_port)
    seen = probe.attempt([good, bad] * 1000)
    assert [one.outcome for one in seen] == [Outcome.OPEN, Outcome.REFUSED] * 1000
