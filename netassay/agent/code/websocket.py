"""WebSocket as both ends of the agent speak it (RFC 6455): whole messages, no fragments, no extensions."""

from __future__ import annotations

import base64
import hashlib
import struct

TEXT = 1
CLOSE = 8
PING = 9
PONG = 10

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# Lengths that do not fit seven bits are told in two more bytes or in eight.
_TWO_BYTES, _EIGHT_BYTES = 126, 127
_MASKED = 0x80


def accept_key(key: str) -> str:
    """What a server answers to the client's Sec-WebSocket-Key."""
    # The protocol's own choice, against mistakes and not against attackers.
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def frame(kind: int, payload: bytes, mask: bytes = b"") -> bytes:
    """One whole message; clients must give a `mask` of four bytes, servers none."""
    flag, size = _MASKED if mask else 0, len(payload)
    if size < _TWO_BYTES:
        length = struct.pack("!B", flag | size)
    elif size < 1 << 16:
        length = struct.pack("!BH", flag | _TWO_BYTES, size)
    else:
        length = struct.pack("!BQ", flag | _EIGHT_BYTES, size)
    return bytes([0x80 | kind]) + length + mask + _masked(payload, mask)


def take_frame(buffer: bytearray) -> tuple[int, bytes] | None:
    """Take the first frame out of `buffer`: its kind and payload, None while it is not whole."""
    head = 2
    if len(buffer) < head:
        return None
    kind, masked, size = buffer[0] & 0x0F, buffer[1] & _MASKED, buffer[1] & 0x7F
    wide = {_TWO_BYTES: "!H", _EIGHT_BYTES: "!Q"}.get(size)
    if wide is not None:
        if len(buffer) < head + struct.calcsize(wide):
            return None
        (size,) = struct.unpack_from(wide, buffer, head)
        head += struct.calcsize(wide)
    mask = bytes(buffer[head : head + 4]) if masked else b""
    head += 4 if masked else 0
    if len(buffer) < head + size:
        return None
    payload = _masked(bytes(buffer[head : head + size]), mask)
    del buffer[: head + size]
    return kind, payload


def _masked(payload: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[index & 3] for index, byte in enumerate(payload)) if mask else payload
