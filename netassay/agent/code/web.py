"""Web requests as browsers make them, for any host at any address, over TLS, HTTP/2 and WebSocket.

One connection each. Slower than attempts, and richer: the answer holds what the backend behind a proxy saw.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import os
import socket
import ssl
import time
from typing import Any

from . import http2, kernel, websocket
from .attempt import MAX_RESPONSE, READ_SIZE, parse_head, parse_response, payload_line

HTTP2 = "h2"
HTTP1 = "http/1.1"
# gRPC's: not compressed, and of no length.
EMPTY_MESSAGE = bytes(5)


async def fetch(command: dict[str, Any]) -> list[dict[str, Any]]:
    """Make the command's `requests`, at most `concurrency` at once: one answer for each, in the same order."""
    gate = asyncio.Semaphore(max(1, command["concurrency"]))

    async def one(wanted: dict[str, Any]) -> dict[str, Any]:
        async with gate:
            return await _answer(wanted)

    return list(await asyncio.gather(*map(one, command["requests"])))


async def _answer(wanted: dict[str, Any]) -> dict[str, Any]:
    """The answer, whatever became of it. Any HTTP response makes its `outcome` "open"."""
    answer: dict[str, Any] = {"stage": "no TLS connection" if wanted["tls"] else "no connection"}
    outcome, number, words = kernel.OPEN, 0, ""
    started, clock = time.time(), time.perf_counter()
    try:
        await asyncio.wait_for(_exchange(wanted, answer), wanted["timeout"])
    except (asyncio.TimeoutError, TimeoutError):
        outcome, words = kernel.TIMED_OUT, f"{answer['stage']} in {wanted['timeout']:g} s"
    except socket.gaierror as error:
        outcome, words = kernel.NAME_ERROR, str(error)
    except ssl.SSLError as error:
        outcome, words = kernel.RESET, f"TLS: {error.reason or error}"
    except (asyncio.IncompleteReadError, ValueError) as error:
        outcome, words = kernel.RESET, f"{answer['stage']}: {error}"
    except OSError as error:
        number = error.errno or 0
        outcome, words = (kernel.outcome_of(number), kernel.words_of(number)) if number else (kernel.RESET, str(error))
    del answer["stage"]
    micros = int((time.perf_counter() - clock) * 1e6)
    return {"error": words, **answer, "outcome": outcome, "errno": number, "microseconds": micros, "started": started}


async def _exchange(wanted: dict[str, Any], answer: dict[str, Any]) -> None:
    context = _context(wanted) if wanted["tls"] else None
    name = {"server_hostname": wanted["server_name"] or wanted["host_header"]} if context else {}
    reader, writer = await asyncio.open_connection(wanted["host"], wanted["port"], ssl=context, **name)
    try:
        answer["stage"] = "connected, but no answer"
        answer["local_address"], answer["local_port"] = writer.get_extra_info("sockname")[:2]
        secured = writer.get_extra_info("ssl_object")
        protocol = answer["protocol"] = (secured.selected_alpn_protocol() if secured else None) or HTTP1
        if secured:
            answer["certificate"] = base64.b64encode(secured.getpeercert(binary_form=True) or b"").decode()
        if protocol == HTTP2:
            await _exchange_http2(wanted, answer, reader, writer)
        elif wanted["grpc"]:
            raise ValueError("HTTP/2 was not agreed on, and gRPC needs it")
        elif wanted["message"]:
            await _converse(wanted, answer, reader, writer)
        else:
            writer.write(_head(wanted, ["Connection: close"]) + payload_line(wanted["payload"])[: wanted["payload"]])
            await _read_response(answer, reader, b"")
    finally:
        # With RST, as attempts do: hundreds of requests a second would else use up the local ports in TIME_WAIT.
        writer.transport.abort()


async def _exchange_http2(
    wanted: dict[str, Any], answer: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    content = EMPTY_MESSAGE if wanted["grpc"] else payload_line(wanted["payload"])[: wanted["payload"]]
    status, body, trailers = await http2.exchange(reader, writer, _pseudo_headers(wanted), content)
    if wanted["grpc"] and trailers:
        body = body[len(EMPTY_MESSAGE) :]
    elif wanted["grpc"]:
        body, answer["error"] = b"", "no trailers came, so that the call has no status"
    _keep(answer, status, {}, body)


def _context(wanted: dict[str, Any]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if wanted["authority"]:
        context.load_verify_locations(cadata=wanted["authority"])
    else:
        # The certificate is reported; whoever asked judges it.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if wanted["alpn"]:
        context.set_alpn_protocols(wanted["alpn"])
    return context


def _head(wanted: dict[str, Any], further: list[str]) -> bytes:
    lines = [
        f"{wanted['method']} {wanted['path']} HTTP/1.1",
        f"Host: {wanted['host_header']}",
        *(f"{name}: {value}" for name, value in _usual_headers(wanted)),
        *([f"Content-Length: {wanted['payload']}"] if wanted["payload"] else []),
        *further,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def _usual_headers(wanted: dict[str, Any]) -> list[tuple[str, str]]:
    return [("user-agent", "netassay"), ("accept", "application/json"), *map(tuple, wanted["headers"])]


def _pseudo_headers(wanted: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (":method", "POST" if wanted["grpc"] else wanted["method"]),
        (":scheme", "https"),
        (":path", wanted["path"]),
        (":authority", wanted["host_header"]),
        *((name.lower(), value) for name, value in _usual_headers(wanted)),
        *([("content-type", "application/grpc"), ("te", "trailers")] if wanted["grpc"] else []),
    ]


async def _read_response(answer: dict[str, Any], reader: asyncio.StreamReader, data: bytes) -> None:
    while True:
        more = await reader.read(READ_SIZE)
        data += more
        response = parse_response(data, ended=not more or len(data) > MAX_RESPONSE)
        if response is not None:
            break
    if not data:
        raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    _keep(answer, *response)


def _keep(answer: dict[str, Any], status: int, headers: dict[str, str], body: bytes) -> None:
    answer["status"], answer["headers"] = status, headers
    answer["seen"] = kernel.agent_reply(body)
    if not status:
        answer["error"] = "the answer is not HTTP"


async def _converse(
    wanted: dict[str, Any], answer: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Ask for a WebSocket, send the message, and keep what comes back; a refusal is kept as any other response."""
    key = base64.b64encode(os.urandom(16)).decode()
    asking = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    writer.write(_head(wanted, asking))
    head = await reader.readuntil(b"\r\n\r\n")
    status, headers = parse_head(head[:-4])
    if status != 101:  # noqa: PLR2004 - switching protocols
        await _read_response(answer, reader, head)
        return
    answer["status"], answer["headers"] = status, headers
    if headers.get("sec-websocket-accept") != websocket.accept_key(key):
        answer["error"] = "the handshake was accepted with a wrong key"
        return
    writer.write(websocket.frame(websocket.TEXT, wanted["message"].encode(), os.urandom(4)))
    answer["stage"] = "switched to WebSocket, but no message came back"
    buffer = bytearray()
    while (taken := websocket.take_frame(buffer)) is None or taken[0] != websocket.TEXT:
        more = await reader.read(READ_SIZE)
        if not more:
            raise ValueError("closed by the peer")
        buffer += more
    answer["seen"] = kernel.agent_reply(taken[1])
