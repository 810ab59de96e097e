"""One DNS query of our own, to a server of our choice: no search list, no cache, no retry."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

from . import kernel

if TYPE_CHECKING:
    import dns.message

MAX_DATAGRAM = 65535


def load() -> None:
    """Import dnspython: only for those who query, and before the clock runs."""
    import dns.flags  # noqa: PLC0415
    import dns.message  # noqa: PLC0415
    import dns.name  # noqa: PLC0415
    import dns.rcode  # noqa: PLC0415
    import dns.rdatatype  # noqa: PLC0415
    import dns.reversename  # noqa: F401, PLC0415


async def query(wanted: dict[str, Any]) -> dict[str, Any]:
    """Ask `server`:`port` for `name` and `rtype` over `protocol`; the answer, whatever became of it.

    With `edns`, the question says by EDNS that datagrams of so many bytes can be taken; 0 is a question without EDNS.
    The answer's `outcome` is "open" if any response came; `rcode` is its code, "" without one. Raises RuntimeError for
    a question that cannot be asked.
    """
    loop = asyncio.get_running_loop()
    try:
        await loop.run_in_executor(None, load)
        question = _question(wanted)
    except (ImportError, SyntaxError, TypeError) as error:
        # dnspython names its own needs in its metadata only; on an older Python it fails while it is being loaded.
        raise RuntimeError(f"DNS queries need Python 3.11 or newer in the probe's image: {error}") from None
    answer: dict[str, Any] = {
        "server": wanted["server"],
        "rcode": "",
        "records": [],
        "aliases": [],
        "ttl": 0,
        "flags": [],
        "asked": "",
        "authority": [],
        "edns": 0,
        "size": 0,
    }
    started, clock = time.time(), time.perf_counter()
    exchange = _over_tcp if wanted["protocol"] == "tcp" else _over_udp
    outcome, error_words = kernel.OPEN, ""
    try:
        response = await asyncio.wait_for(exchange(question, wanted["server"], wanted["port"]), wanted["timeout"])
    except asyncio.TimeoutError:
        outcome, error_words = kernel.TIMED_OUT, f"no answer in {wanted['timeout']:g} s"
    except OSError as error:
        outcome, error_words = kernel.outcome_of(error.errno or 0), kernel.words_of(error.errno or 0)
    else:
        answer.update(_told(question, response))
    micros = int((time.perf_counter() - clock) * 1e6)
    return {**answer, "outcome": outcome, "error": error_words, "microseconds": micros, "started": started}


def _question(wanted: dict[str, Any]) -> dns.message.QueryMessage:
    import dns.exception  # noqa: PLC0415
    import dns.message  # noqa: PLC0415
    import dns.name  # noqa: PLC0415
    import dns.reversename  # noqa: PLC0415

    name, rtype = wanted["name"], wanted["rtype"]
    try:
        if rtype == "PTR" and kernel.family_of(name):
            target = dns.reversename.from_address(str(ipaddress.ip_address(name)))
        else:
            target = dns.name.from_text(name)
        edns = wanted.get("edns", 0)
        return dns.message.make_query(target, rtype, use_edns=0 if edns else False, payload=edns or None)
    except (dns.exception.DNSException, ValueError) as error:
        raise RuntimeError(f"cannot ask for {name} {rtype}: {error or type(error).__name__}") from None


def _told(question: dns.message.QueryMessage, response: dns.message.Message) -> dict[str, Any]:
    import dns.flags  # noqa: PLC0415
    import dns.rcode  # noqa: PLC0415
    import dns.rdatatype  # noqa: PLC0415

    asked = question.question[0].rdtype
    records, aliases, lives = [], [], []
    for rrset in response.answer:
        lives.append(rrset.ttl)
        texts = [record.to_text() for record in rrset]
        if asked in (rrset.rdtype, dns.rdatatype.ANY):
            records += texts
        elif rrset.rdtype == dns.rdatatype.CNAME:
            aliases += texts
    return {
        "rcode": dns.rcode.to_text(response.rcode()),
        "records": records,
        "aliases": aliases,
        "ttl": min(lives, default=0),
        "flags": dns.flags.to_text(response.flags).split(),
        "asked": response.question[0].name.to_text() if response.question else "",
        "authority": [f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}" for rrset in response.authority],
        "edns": response.payload if response.edns >= 0 else 0,
        "size": len(response.wire or b""),
    }


async def _connected(kind: int, server: str, port: int) -> socket.socket:
    family = kernel.family_of(server)
    if not family:
        raise RuntimeError(f"the server of a query is an address, not {server!r}")
    sock = socket.socket(family, kind)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (server, port))
    except BaseException:
        sock.close()
        raise
    return sock


async def _over_udp(question: dns.message.QueryMessage, server: str, port: int) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    with await _connected(socket.SOCK_DGRAM, server, port) as sock:
        await loop.sock_sendall(sock, question.to_wire())
        while True:
            response = _parsed(question, await loop.sock_recv(sock, MAX_DATAGRAM))
            if response is not None:
                return response


async def _over_tcp(question: dns.message.QueryMessage, server: str, port: int) -> dns.message.Message:
    loop = asyncio.get_running_loop()

    async def exactly(size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = await loop.sock_recv(sock, size - len(data))
            if not more:
                raise ConnectionResetError(errno.ECONNRESET, "closed by the server before its answer")
            data += more
        return data

    with await _connected(socket.SOCK_STREAM, server, port) as sock:
        wire = question.to_wire()
        await loop.sock_sendall(sock, struct.pack("!H", len(wire)) + wire)
        (size,) = struct.unpack("!H", await exactly(2))
        response = _parsed(question, await exactly(size))
        if response is None:
            raise ConnectionResetError(errno.EPROTO, "what the server sent is no answer to this question")
        return response


def _parsed(question: dns.message.QueryMessage, wire: bytes) -> dns.message.Message | None:
    import dns.exception  # noqa: PLC0415
    import dns.message  # noqa: PLC0415

    try:
        response = dns.message.from_wire(wire, ignore_trailing=True)
    except dns.exception.DNSException:
        # Not DNS, or broken: no answer to us, as for any resolver.
        return None
    return response if question.is_response(response) else None
