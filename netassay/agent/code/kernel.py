"""What the kernel says about an attempt, in the words of an observation."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from typing import Any

OPEN = "open"
REFUSED = "refused"
TIMED_OUT = "timed out"
UNREACHABLE = "unreachable"
RESET = "reset"
NAME_ERROR = "name error"
NO_VERDICT = "no verdict"

# Numbers of Linux that Python's socket module does not name.
IP_MTU_DISCOVER = 10
IPV6_MTU_DISCOVER = 23
IPPROTO_SCTP = 132
SCTP_NODELAY = 3
# Sets DF and ignores what the kernel has learned about the path: a stale entry of its cache must not decide what is
# sent.
PMTUDISC_PROBE = 3

_ROOM_FOR_ERROR = 256

_OUTCOMES = {
    errno.ECONNREFUSED: REFUSED,
    errno.ETIMEDOUT: TIMED_OUT,
    errno.ECONNRESET: RESET,
    errno.EPIPE: RESET,
    errno.ECONNABORTED: RESET,
    **dict.fromkeys(
        (
            errno.EHOSTUNREACH,
            errno.ENETUNREACH,
            errno.ENETDOWN,
            errno.EHOSTDOWN,
            errno.EPROTO,
            errno.ENOPROTOOPT,
            errno.EOPNOTSUPP,
            # What a local rule that drops or prohibits on the way out looks like.
            errno.EPERM,
            errno.EACCES,
            errno.EMSGSIZE,
            errno.EAFNOSUPPORT,
        ),
        UNREACHABLE,
    ),
}


def outcome_of(number: int) -> str:
    """The outcome that an errno stands for.

    Anything that is not the network's word (no descriptors, no free port, no memory …) is `NO_VERDICT`.
    """
    return _OUTCOMES.get(number, NO_VERDICT)


def words_of(number: int) -> str:
    """The errno's name and the system's words for it, as in `ECONNREFUSED: Connection refused`."""
    return f"{errno.errorcode.get(number, number)}: {os.strerror(number)}"


def queued_error(sock: socket.socket) -> int:
    """The errno of an ICMP error in the queue of errors of `sock`, which is empty then; 0 if there is none.

    An ICMP message that answers a SYN ends the attempt, unless it comes while the kernel is still at the call that sent
    the SYN, as it does from a rule or router on the same machine. It is then queued, though nobody has asked for that
    (Linux 6.1, `tcp_v4_err`): no call fails, and the socket is ready to be read for as long as nobody takes it out.
    """
    try:
        _, told, _, _ = sock.recvmsg(0, _ROOM_FOR_ERROR, socket.MSG_ERRQUEUE)
    except OSError:
        return 0
    return int.from_bytes(told[0][2][:4], sys.byteorder) if told else 0


def has_sctp() -> bool:
    """Whether the kernel speaks SCTP, and lets us.

    The list of its protocols is read first: a socket alone would have the module loaded, on a node that is not ours.
    """
    try:
        with open("/proc/net/protocols") as file:  # noqa: PTH123 - pathlib would cost every pod its import
            listed = any(line.startswith("SCTP ") for line in file)
        if listed:
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP).close()
    except OSError:
        return False
    return listed


def family_of(host: str) -> int:
    """`AF_INET` or `AF_INET6` if `host` is a literal address, 0 if it is a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return family
    return 0


def plain_address(address: str) -> str:
    """An address as people write it: IPv4-mapped IPv6 as IPv4, and no zone."""
    if address.startswith("::ffff:") and "." in address:
        return address[7:]
    return address.partition("%")[0]


def set_dont_fragment(sock: socket.socket, family: int) -> None:
    """Send whole packets or none at all from this UDP socket."""
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE)


def agent_reply(data: bytes) -> dict[str, Any] | None:
    """What an agent said in a reply, or None if these bytes are not an agent's."""
    try:
        said = json.loads(data)
    except ValueError:
        return None
    return said if isinstance(said, dict) and isinstance(said.get("agent"), str) else None
