"""Web requests of the agent, against its own server, a TLS server with certificates of our own, and HTTP/2's rules."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from netassay.agent.code import http2, websocket
from netassay.certificates import Authority, Certificate, names_in
from netassay.fleet import Request
from netassay.observation import Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from netassay.agent.local import LocalAgent
    from netassay.fleet import LocalProbe, Response
    from netassay.observation import Observation

HOSTS = ("shop.example.test", "blog.example.test")


def to(agent: LocalAgent, path: str = "/", **fields: object) -> Request:
    return Request(host="127.0.0.1", port=agent.ports["http"], host_header=HOSTS[0], path=path, **fields)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("test authority")


@pytest.fixture(scope="module")
def certificates(authority: Authority) -> dict[str, Certificate]:
    return {host: authority.issue(host) for host in HOSTS}


@pytest.fixture(scope="module")
def contexts(
    certificates: dict[str, Certificate], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, ssl.SSLContext]:
    return {host: _server_context(made, tmp_path_factory.mktemp("pem")) for host, made in certificates.items()}


@pytest.fixture(scope="module")
def tls_port(contexts: dict[str, ssl.SSLContext]) -> Iterator[int]:
    """A TLS server that chooses its certificate by SNI, and speaks HTTP/2 to who offers it."""

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = contexts.get(name or "", contexts[HOSTS[0]])

    contexts[HOSTS[0]].sni_callback = choose
    with _serving(_serve, contexts[HOSTS[0]]) as port:
        yield port


@pytest.fixture(scope="module")
def grpc_port(contexts: dict[str, ssl.SSLContext], agent: LocalAgent) -> Iterator[int]:
    """Takes TLS off, as a proxy would, and leads to the agent."""

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward = await asyncio.open_connection("127.0.0.1", agent.ports["http"])
        await asyncio.gather(_pipe(reader, onward[1]), _pipe(onward[0], writer))

    with _serving(lead, contexts[HOSTS[1]]) as port:
        yield port


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@contextlib.contextmanager
def _serving(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], context: ssl.SSLContext
) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
    loop.close()


def _server_context(made: Certificate, folder: Path) -> ssl.SSLContext:
    (folder / "pem").write_text(made.key + made.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pem")
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = json.dumps({"agent": "tls-server"}).encode()
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        if writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2":
            await reader.readexactly(24)
            settings = http2.frame(http2.SETTINGS, 0, 0, b"")
            # A shrunk table, then the literal status 418 in Huffman's code, then one more literal header, padded.
            block = b"\x20\x48" + _huffman("418") + b"\x00\x01a\x01b"
            heads = http2.frame(http2.HEADERS, http2.END_HEADERS | http2.PADDED, 1, bytes([3]) + block + bytes(3))
            halves = [http2.frame(http2.DATA, 0, 1, body[:5]), http2.frame(http2.DATA, http2.END_STREAM, 1, body[5:])]
            writer.write(b"".join([settings, heads, *halves]))
            await reader.read()
        else:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nX-Here: yes\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def _huffman(digits: str) -> bytes:
    codes = {digit: code for code, digit in http2._DIGITS.items()}
    bits = "".join(codes[digit] for digit in digits)
    bits += "1" * (-len(bits) % 8)
    size = len(bits) // 8
    return bytes([0x80 | size]) + int(bits, 2).to_bytes(size, "big")


def over_tls(probe: LocalProbe, port: int, host: str, **fields: object) -> Response:
    request = Request(host="127.0.0.1", port=port, host_header=host, tls=True, **fields)  # type: ignore[arg-type]
    return probe.fetch([request])[0]


def test_tells_what_the_backend_saw(probe: LocalProbe, agent: LocalAgent) -> None:
    wanted = to(agent, "/a?b=c", method="PUT", headers=(("X-Tag", "7"),), payload=11)
    (response,) = probe.fetch([wanted])
    assert (response.outcome, response.status, response.protocol) == (Outcome.OPEN, 200, "http/1.1")
    assert response.headers["cache-control"] == "no-store"
    assert response.answered_by == "server-1"
    seen = response.seen
    assert seen is not None
    assert (seen.method, seen.path, seen.host, seen.received) == ("PUT", "/a?b=c", HOSTS[0], 11)
    assert (seen.headers["x-tag"], seen.address, seen.port) == ("7", "127.0.0.1", response.local_port)
    assert f"PUT http://{HOSTS[0]}/a?b=c, X-Tag: 7 at 127.0.0.1" in response.describe()


def test_many_requests_keep_their_order(probe: LocalProbe, agent: LocalAgent) -> None:
    responses = probe.fetch([to(agent, f"/{number}") for number in range(100)])
    assert [response.seen and response.seen.path for response in responses] == [f"/{n}" for n in range(100)]
    assert probe.fetch([]) == []


def test_requests_are_told_to_the_observer(probe: LocalProbe, agent: LocalAgent) -> None:
    told: list[Observation] = []
    probe.observer = told.extend
    try:
        probe.fetch(
            [
                to(agent, "/x"),
                to(agent, "/readyz-not"),
                to(agent, method="POST", headers=(("transfer-encoding", "chunked"),)),
            ]
        )
    finally:
        probe.observer = None
    assert [(one.outcome, one.answered_by, one.error) for one in told] == [
        (Outcome.OPEN, "server-1", ""),
        (Outcome.OPEN, "server-1", ""),
        (Outcome.OPEN, "server-1", "HTTP 501"),
    ]
    assert {(one.attempt.protocol, one.attempt.host_header) for one in told} == {(Protocol.HTTP, HOSTS[0])}
    assert told[0].attempt.path == "/x"


@pytest.mark.parametrize("host", HOSTS)
def test_the_certificate_is_told_by_server_name(
    probe: LocalProbe, tls_port: int, certificates: dict[str, Certificate], host: str
) -> None:
    response = over_tls(probe, tls_port, host)
    assert (response.outcome, response.status, response.answered_by) == (Outcome.OPEN, 200, "tls-server")
    assert response.certificate == certificates[host].der
    assert names_in(response.certificate) == (host,)
    assert response.headers["x-here"] == "yes"


def test_the_server_name_may_differ_from_the_host(probe: LocalProbe, tls_port: int) -> None:
    response = over_tls(probe, tls_port, HOSTS[0], server_name=HOSTS[1])
    assert names_in(response.certificate) == (HOSTS[1],)


def test_an_authority_is_enforced_if_given(probe: LocalProbe, tls_port: int, authority: Authority) -> None:
    assert over_tls(probe, tls_port, HOSTS[1], authority=authority.pem).status == 200
    stranger = over_tls(probe, tls_port, HOSTS[1], authority=Authority("another").pem)
    assert (stranger.outcome, stranger.status) == (Outcome.RESET, 0)
    assert "CERTIFICATE_VERIFY_FAILED" in stranger.error
    misnamed = over_tls(probe, tls_port, "www.example.test", authority=authority.pem)
    assert "CERTIFICATE_VERIFY_FAILED" in misnamed.error


def test_http2_is_spoken_if_agreed_on(probe: LocalProbe, tls_port: int) -> None:
    response = over_tls(probe, tls_port, HOSTS[0], alpn=("h2", "http/1.1"))
    assert (response.protocol, response.status, response.answered_by) == ("h2", 418, "tls-server")
    assert over_tls(probe, tls_port, HOSTS[0], alpn=("http/1.1",)).protocol == "http/1.1"


@pytest.mark.parametrize(
    ("block", "status"),
    [
        (b"\x88", 200),
        (b"\x20\x8d\x00", 404),
        (b"\x3f\xe1\x1f\x8e", 500),
        (b"\x08\x03502", 502),
        (b"\x48" + _huffman("308"), 308),
        (b"\x5f\x03abc", 0),
    ],
)
def test_the_status_of_http2_is_understood(block: bytes, status: int) -> None:
    assert http2.status_of(block) == status


def test_grpc_is_answered_with_trailers(probe: LocalProbe, grpc_port: int) -> None:
    response = over_tls(probe, grpc_port, HOSTS[1], path="/netassay.Echo/Call", grpc=True, alpn=("h2",))
    assert (response.protocol, response.status, response.error) == ("h2", 200, "")
    assert response.answered_by == "server-1"


def test_grpc_without_trailers_or_http2_has_failed(probe: LocalProbe, tls_port: int) -> None:
    cut = over_tls(probe, tls_port, HOSTS[0], grpc=True, alpn=("h2",))
    assert (cut.answered_by, cut.error) == ("", "no trailers came, so that the call has no status")
    old = over_tls(probe, tls_port, HOSTS[0], grpc=True, alpn=("http/1.1",))
    assert (old.outcome, old.status) == (Outcome.RESET, 0)
    assert "HTTP/2 was not agreed on" in old.error


def test_grpc_calls_are_many_on_one_connection(agent: LocalAgent) -> None:
    """More than what fits the first window, in frames that come in pieces."""
    call = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, b"\x83")
    payload = bytes(16_384)

    async def talk() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", agent.ports["http"])
        writer.write(http2.PREFACE[:20])
        await writer.drain()
        writer.write(http2.PREFACE[20:] + http2.frame(http2.PING, 0, 0, b"12345678"))
        buffer, window, answered = bytearray(), 65_535, 0
        for number in range(10):
            assert window >= len(payload)
            window -= len(payload)
            stream = 2 * number + 1
            writer.write(call[:5] + stream.to_bytes(4, "big") + call[9:])
            writer.write(http2.frame(http2.DATA, http2.END_STREAM, stream, payload))
            while answered <= number:
                buffer += await reader.read(65_536)
                while (taken := http2.take_frame(buffer)) is not None:
                    kind, flags, _, told = taken
                    answered += kind == http2.HEADERS and bool(flags & http2.END_STREAM)
                    window += int.from_bytes(told, "big") if kind == http2.WINDOW_UPDATE else 0
        writer.close()
        return answered

    assert asyncio.run(asyncio.wait_for(talk(), 10)) == 10


@pytest.mark.parametrize("size", [3, 126, 70_000])
def test_a_websocket_echoes(probe: LocalProbe, agent: LocalAgent, size: int) -> None:
    (response,) = probe.fetch([to(agent, "/ws", message="m" * size)])
    assert (response.outcome, response.status, response.error) == (Outcome.OPEN, 101, "")
    assert response.seen is not None
    assert (response.seen.message, response.seen.path) == ("m" * size, "/ws")


def test_a_websocket_that_is_refused_is_an_ordinary_response(probe: LocalProbe, tls_port: int) -> None:
    response = over_tls(probe, tls_port, HOSTS[0], message="hello")
    assert (response.status, response.answered_by) == (200, "tls-server")


def test_a_websocket_answers_pings_and_closes_when_told(agent: LocalAgent) -> None:
    mask = b"abcd"
    with socket.create_connection(("127.0.0.1", agent.ports["http"]), 5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        data = b""
        while b"\r\n\r\n" not in data:
            data += client.recv(4096)
        # The example of RFC 6455, 1.3.
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in data
        ping = websocket.frame(websocket.PING, b"still there?", mask)
        client.sendall(ping[:3])
        client.sendall(ping[3:] + websocket.frame(websocket.CLOSE, b"", mask))
        buffer = bytearray()
        while more := client.recv(4096):
            buffer += more
    assert websocket.take_frame(buffer) == (websocket.PONG, b"still there?")
    assert websocket.take_frame(buffer) == (websocket.CLOSE, b"")
    assert websocket.take_frame(buffer) is None


def test_what_goes_wrong_is_an_outcome(probe: LocalProbe, agent: LocalAgent) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        closed = socket.create_server(("127.0.0.1", 0))
        port, unused = mute.getsockname()[1], closed.getsockname()[1]
        closed.close()
        at = {"host": "127.0.0.1", "host_header": HOSTS[0], "timeout": 0.3}
        silent, refused, unnamed, not_http, not_tls = probe.fetch(
            [
                Request(port=port, **at),  # type: ignore[arg-type]
                Request(port=unused, **at),  # type: ignore[arg-type]
                Request(**{**at, "host": "no-such-name.invalid", "timeout": 5.0}, port=80),  # type: ignore[arg-type]
                Request(port=agent.ports["tcp"], **at),  # type: ignore[arg-type]
                Request(port=agent.ports["tcp"], tls=True, **at),  # type: ignore[arg-type]
            ]
        )
    assert (silent.outcome, silent.error) == (Outcome.TIMED_OUT, "connected, but no answer in 0.3 s")
    assert (refused.outcome, refused.error) == (Outcome.REFUSED, "ECONNREFUSED: Connection refused")
    assert unnamed.outcome is Outcome.NAME_ERROR
    assert (not_http.outcome, not_http.status) == (Outcome.TIMED_OUT, 0)
    assert not_tls.outcome is Outcome.RESET
    assert not_tls.error.startswith("TLS: ")


def test_names_in_no_certificate_are_none() -> None:
    assert names_in(b"") == ()
