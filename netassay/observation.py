"""What one attempt saw: the unit of evidence of which every verdict is made."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal, TypeAlias

import msgspec

Transport: TypeAlias = Literal["TCP", "UDP", "SCTP"]
"""A transport protocol, as Kubernetes writes it."""


class Protocol(StrEnum):
    """How an attempt reaches its target."""

    TCP = "tcp"
    UDP = "udp"
    HTTP = "http"
    SCTP = "sctp"
    DNS = "dns"

    @property
    def transport(self) -> Transport:
        """What carries it."""
        match self:
            case Protocol.UDP | Protocol.DNS:
                return "UDP"
            case Protocol.SCTP:
                return "SCTP"
        return "TCP"


USUAL_PROTOCOLS: Final = (Protocol.TCP, Protocol.UDP, Protocol.HTTP)
"""Those that every kernel speaks, over which all is checked that is no matter of one protocol."""


class Outcome(StrEnum):
    """How one attempt ended.

    `NO_VERDICT` means that the harness lost the attempt (probe gone, stream cut, no answer from the agent): it is
    neither open nor closed, and must never be counted as either.
    """

    OPEN = "open"
    REFUSED = "refused"
    TIMED_OUT = "timed out"
    UNREACHABLE = "unreachable"
    RESET = "reset"
    NAME_ERROR = "name error"
    NO_VERDICT = "no verdict"

    @property
    def closed(self) -> bool:
        """Whether the attempt surely did not get through."""
        return self not in (Outcome.OPEN, Outcome.NO_VERDICT)


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt to be made by a probe.

    `timeout` is in seconds for the whole attempt. `payload` is the number of bytes sent, which the peer must report as
    received. `dont_fragment` sets DF on UDP. `source_port` 0 lets the kernel choose. `path` and `host_header` are for
    HTTP; over DNS, `host_header` is the name that is asked for.
    """

    protocol: Protocol
    host: str
    port: int
    timeout: float = 3.0
    payload: int = 0
    dont_fragment: bool = False
    source_port: int = 0
    path: str = "/"
    host_header: str = ""


class Observation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one attempt saw.

    `source` and `source_node` name the probe and its node; `microseconds` is the time from the start of the attempt to
    its end; `started` is in seconds since the epoch by the probe's clock. `answered_by` is the peer's identity (its pod
    name) as it said itself; `seen_address` and `seen_port` are the client's, as the peer saw them; `received` is the
    number of bytes that the peer got. `errno` and `error` come from the kernel or the resolver.
    """

    source: str
    source_node: str
    attempt: Attempt
    outcome: Outcome
    microseconds: int = 0
    started: float = 0.0
    answered_by: str = ""
    local_address: str = ""
    local_port: int = 0
    seen_address: str = ""
    seen_port: int = 0
    received: int = 0
    errno: int = 0
    error: str = ""

    def describe(self) -> str:
        """One line: `source (node, ip) → protocol host:port: outcome`, with the payload if there was one."""
        where = ", ".join(part for part in (self.source_node, self.local_address) if part)
        target = f"{self.attempt.protocol} {self.attempt.host}:{self.attempt.port}"
        target += f", {self.attempt.payload} bytes" if self.attempt.payload else ""
        line = f"{self.source} ({where}) → {target}: {self.outcome}"
        if self.answered_by:
            line += f" by {self.answered_by}"
        if self.error:
            line += f" ({self.error})"
        return f"{line} after {self.microseconds / 1000:.1f} ms"
