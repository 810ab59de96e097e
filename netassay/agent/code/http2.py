"""HTTP/2 (RFC 9113) as far as one small exchange needs it, by the standard library alone.

Headers are sent as literals; of a response's only the status is understood (by HPACK's static table, as the dynamic one
is switched off), of a request's none; and bodies stay within the first window.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADER_TABLE_SIZE, _ENABLE_PUSH = 1, 2
_STREAM = 1
_HEAD = 9
_READ_SIZE = 64 * 1024
# RFC 7541, appendix A: entries 8 to 14 are ":status" with these values.
_FIRST_STATUS = 8
STATUS_OK = b"\x88"
_STATUSES = (200, 204, 206, 304, 400, 404, 500)
# RFC 7541, appendix B, as far as digits go: codes of five bits for 0 to 2, of six for 3 to 9.
_DIGITS = {"00000": "0", "00001": "1", "00010": "2", **{f"{0b011001 + i:06b}": str(3 + i) for i in range(7)}}


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: list[tuple[str, str]], content: bytes
) -> tuple[int, bytes, bool]:
    """Send a request, pseudo-headers first; the response's status (0 if not understood), body, and if trailers came.

    Raises ConnectionError with the peer's code if it resets the stream or goes away, ValueError if it ends before its
    answer.
    """
    settings = struct.pack("!HIHI", _HEADER_TABLE_SIZE, 0, _ENABLE_PUSH, 0)
    heads = frame(HEADERS, END_HEADERS | (0 if content else END_STREAM), _STREAM, literals(headers))
    body = frame(DATA, END_STREAM, _STREAM, content) if content else b""
    writer.write(PREFACE + frame(SETTINGS, 0, 0, settings) + heads + body)
    status, body, heads, trailers = 0, b"", b"", False
    buffer = bytearray()
    while True:
        taken = take_frame(buffer)
        if taken is None:
            more = await reader.read(_READ_SIZE)
            if not more:
                raise ValueError("closed by the peer before its answer")
            buffer += more
            continue
        kind, flags, _, payload = taken
        if kind in (SETTINGS, PING) and not flags & ACK:
            writer.write(frame(kind, ACK, 0, payload if kind == PING else b""))
        elif kind in (RST_STREAM, GOAWAY):
            (code,) = struct.unpack_from("!I", payload, 0 if kind == RST_STREAM else 4)
            raise ConnectionError(f"the peer {'reset the stream' if kind == RST_STREAM else 'went away'}, code {code}")
        elif kind == DATA:
            body += _content(flags, payload)
        elif kind in (HEADERS, CONTINUATION):
            heads += _content(flags, payload) if kind == HEADERS else payload
            if flags & END_HEADERS:
                trailers = bool(status)
                status, heads = status or status_of(heads), b""
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            return status, body, trailers


def status_of(block: bytes) -> int:
    """The status that a response's header block begins with, 0 if it is not understood."""
    at = 0
    while block[at] & 0xE0 == 0x20:  # noqa: PLR2004 - a change of the dynamic table's size
        _, at = _integer(block, at, 5)
    indexed = block[at] & 0x80
    index, at = _integer(block, at, 7 if indexed else 6 if block[at] & 0x40 else 4)
    if not 0 <= index - _FIRST_STATUS < len(_STATUSES):
        return 0
    if indexed:
        return _STATUSES[index - _FIRST_STATUS]
    compressed = block[at] & 0x80
    size, at = _integer(block, at, 7)
    text = block[at : at + size]
    word = _digits(text) if compressed else text.decode("latin-1")
    return int(word) if word.isdigit() else 0


def _digits(data: bytes) -> str:
    word, code = "", ""
    for bit in "".join(f"{byte:08b}" for byte in data):
        code += bit
        if code in _DIGITS:
            word, code = word + _DIGITS[code], ""
    return word


def _integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """A number whose first byte has so many bits for it, and where what follows it begins (RFC 7541, 5.1)."""
    most = (1 << bits) - 1
    value, shift = block[at] & most, 0
    at += 1
    if value < most:
        return value, at
    while True:
        value += (block[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not block[at - 1] & 0x80:
            return value, at


def _string(text: str) -> bytes:
    data = text.encode("latin-1", "replace")
    size, most = len(data), 0x7F
    if size < most:
        return bytes([size]) + data
    length, size = bytes([most]), size - most
    while size >= 0x80:  # noqa: PLR2004 - seven bits a byte
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return length + bytes([size]) + data


def literals(headers: list[tuple[str, str]]) -> bytes:
    """A block of headers, none of which the peer is to remember."""
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in headers)


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One frame as it goes over the wire."""
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def take_frame(buffer: bytearray) -> tuple[int, int, int, bytes] | None:
    """Take the first frame out of `buffer`: its kind, flags, stream and payload, None while it is not whole."""
    if len(buffer) < _HEAD:
        return None
    (size,) = struct.unpack("!I", b"\x00" + buffer[:3])
    if len(buffer) < _HEAD + size:
        return None
    kind, flags, stream = struct.unpack_from("!BBI", buffer, 3)
    payload = bytes(buffer[_HEAD : _HEAD + size])
    del buffer[: _HEAD + size]
    return kind, flags, stream & 0x7FFFFFFF, payload


def _content(flags: int, payload: bytes) -> bytes:
    """The payload of a DATA or HEADERS frame without its padding and priority."""
    start, padding = (1, payload[0]) if flags & PADDED else (0, 0)
    start += 5 if flags & PRIORITY else 0
    return payload[start : len(payload) - padding]
