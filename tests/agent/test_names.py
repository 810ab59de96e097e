"""DNS queries of our own against a real (small) server on loopback, and the C library's path."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rrset
import pytest

from netassay.errors import HarnessFault
from netassay.observation import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from netassay.fleet import LocalProbe

RECORDS = {
    ("web.example.", "A"): ["60 IN A 192.0.2.7", "60 IN A 192.0.2.8"],
    ("alias.example.", "A"): ["300 IN CNAME web.example."],
    ("_http._tcp.web.example.", "SRV"): ["30 IN SRV 0 50 80 web.example."],
    ("7.2.0.192.in-addr.arpa.", "PTR"): ["5 IN PTR web.example."],
}


def answer(wire: bytes, *, over_tcp: bool) -> bytes | None:
    query = dns.message.from_wire(wire)
    question = query.question[0]
    name, rtype = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
    if name == "silent.example.":
        return None
    response = dns.message.make_response(query)
    if name == "large.example." and not over_tcp:
        response.flags |= dns.flags.TC
    elif name == "large.example.":
        response.answer.append(dns.rrset.from_text(name, 60, "IN", rtype, *(f"192.0.2.{i}" for i in range(200))))
    elif (name, rtype) in RECORDS:
        for line in RECORDS[name, rtype]:
            ttl, _, kind, data = line.split(" ", 3)
            response.answer.append(dns.rrset.from_text(name, int(ttl), "IN", kind, data))
        if name == "alias.example.":
            response.answer.append(dns.rrset.from_text("web.example.", 60, "IN", "A", "192.0.2.7"))
    else:
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response.to_wire()


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """A DNS server for `example.` on UDP and TCP of one port."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(tcp.getsockname())

        def serve_udp() -> None:
            wire, peer = udp.recvfrom(4096)
            response = answer(wire, over_tcp=False)
            # A forger's guess first: it must not be taken for the answer.
            udp.sendto(b"\x00" * 12, peer)
            if response:
                udp.sendto(response, peer)

        def serve_tcp() -> None:
            connection, _ = tcp.accept()
            with connection:
                wire = connection.recv(4096)[2:]
                response = answer(wire, over_tcp=True) or b""
                framed = struct.pack("!H", len(response)) + response
                connection.sendall(framed[:10])
                connection.sendall(framed[10:])

        def keep(serve: Callable[[], None]) -> None:
            while tcp.fileno() >= 0:
                # A client that has gone, or the sockets closed at the end of the tests.
                with contextlib.suppress(OSError):
                    serve()

        for serve in (serve_udp, serve_tcp):
            threading.Thread(target=keep, args=(serve,), daemon=True).start()
        yield tcp.getsockname()[1]


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_records_and_ttl(probe: LocalProbe, server: int, protocol: str) -> None:
    said = probe.resolve("web.example", server="127.0.0.1", port=server, protocol=protocol)  # type: ignore[arg-type]
    assert (said.outcome, said.rcode, said.ttl) == (Outcome.OPEN, "NOERROR", 60)
    assert set(said.records) == {"192.0.2.7", "192.0.2.8"}
    assert "QR" in said.flags
    assert said.microseconds > 0
    assert "NOERROR, 192.0.2." in said.describe()


def test_srv_and_ptr_by_address(probe: LocalProbe, server: int) -> None:
    srv = probe.resolve("_http._tcp.web.example", "SRV", server="127.0.0.1", port=server)
    assert srv.records == ("0 50 80 web.example.",)
    assert probe.resolve("192.0.2.7", "PTR", server="127.0.0.1", port=server).records == ("web.example.",)


def test_alias_is_told_apart(probe: LocalProbe, server: int) -> None:
    said = probe.resolve("alias.example.", server="127.0.0.1", port=server)
    assert (said.records, said.aliases, said.ttl) == (("192.0.2.7",), ("web.example.",), 60)


def test_unknown_name(probe: LocalProbe, server: int) -> None:
    said = probe.resolve("nobody.example", server="127.0.0.1", port=server)
    assert (said.outcome, said.rcode, said.records) == (Outcome.OPEN, "NXDOMAIN", ())


def test_truncated_then_whole_over_tcp(probe: LocalProbe, server: int) -> None:
    assert probe.resolve("large.example", server="127.0.0.1", port=server).truncated
    whole = probe.resolve("large.example", server="127.0.0.1", port=server, protocol="tcp")
    assert not whole.truncated
    assert len(whole.records) == 200


@pytest.mark.parametrize(("protocol", "outcome"), [("udp", Outcome.TIMED_OUT), ("tcp", Outcome.UNREACHABLE)])
def test_no_answer(probe: LocalProbe, server: int, protocol: str, outcome: Outcome) -> None:
    said = probe.resolve("silent.example", server="127.0.0.1", port=server, protocol=protocol, timeout=0.3)  # type: ignore[arg-type]
    assert (said.outcome, said.rcode) == (outcome, "")


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_no_server(probe: LocalProbe, protocol: str) -> None:
    said = probe.resolve("web.example", server="127.0.0.1", port=1, protocol=protocol)  # type: ignore[arg-type]
    assert (said.outcome, said.rcode) == (Outcome.REFUSED, "")


def test_question_that_cannot_be_asked(probe: LocalProbe) -> None:
    with pytest.raises(HarnessFault, match=r"cannot ask for a\.\.b A"):
        probe.resolve("a..b", server="127.0.0.1")


def test_lookup_goes_by_the_c_library(probe: LocalProbe) -> None:
    found = probe.lookup("localhost")
    assert found.outcome is Outcome.OPEN
    assert set(found.addresses) & {"127.0.0.1", "::1"}
    assert found.canonical


def test_lookup_of_an_unknown_name(isolated: LocalProbe) -> None:
    found = isolated.lookup("no-such-host.invalid")
    assert (found.outcome, found.addresses) == (Outcome.NAME_ERROR, ())
    assert "EAI_" in found.error


def test_edns_is_asked_and_told(probe: LocalProbe, server: int) -> None:
    plain = probe.resolve("web.example", server="127.0.0.1", port=server)
    assert (plain.edns, plain.size > 12) == (0, True)
    assert probe.resolve("web.example", server="127.0.0.1", port=server, edns=1232).edns > 0


def test_the_question_is_told_as_the_server_repeats_it(probe: LocalProbe, server: int) -> None:
    assert probe.resolve("nO-SucH.exAmple", server="127.0.0.1", port=server).asked == "nO-SucH.exAmple."


def test_a_name_server_that_knows_nothing_remembers_what_it_was_asked(probe: LocalProbe) -> None:
    with probe.listen("dns", 0) as port:
        said = probe.resolve("Web.example", "SRV", server="127.0.0.1", port=port)
        assert (said.outcome, said.rcode, said.asked) == (Outcome.OPEN, "NXDOMAIN", "Web.example.")
        assert "RD" in said.flags
        probe.resolve("192.0.2.7", "PTR", server="127.0.0.1", port=port)
        asked = probe.questions(port)
    assert [(one.name, one.rtype, one.client) for one in asked] == [
        ("Web.example.", "SRV", "127.0.0.1"),
        ("7.2.0.192.in-addr.arpa.", "PTR", "127.0.0.1"),
    ]
    with pytest.raises(HarnessFault, match="asked"):
        probe.questions(port)


@pytest.mark.parametrize("wire", [b"", b"\x00" * 12, b"\x00\x01\x80\x00\x00\x01" + b"\x00" * 6 + b"\x01a\x00\x00\x01"])
def test_a_name_server_is_silent_to_what_is_no_question(probe: LocalProbe, wire: bytes) -> None:
    with probe.listen("dns", 0) as port, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(wire, ("127.0.0.1", port))
        assert probe.resolve("control.example", server="127.0.0.1", port=port).rcode == "NXDOMAIN"
        assert [one.name for one in probe.questions(port)] == ["control.example."]


def test_steady_questions_are_all_accounted_for(probe: LocalProbe) -> None:
    with probe.listen("dns", 0) as port:
        question = {"name": "x.example", "rtype": "A", "protocol": "udp", "server": "127.0.0.1", "port": port}
        call = probe.session.call("resolve-steadily", 10, question={**question, "timeout": 2.0}, count=30, rate=300.0)
        said = probe.loop.run(call)
        assert len(probe.questions(port)) == 30
    assert said["stood_still"] < 5
    assert [(outcome, error) for outcome, _, error in said["rows"]] == [("open", "NXDOMAIN")] * 30
    found = probe.lookup_steadily("localhost", count=20, rate=1000, timeout=2.0)
    assert {(one.outcome, one.error) for one in found.rows} == {(Outcome.OPEN, "")}
