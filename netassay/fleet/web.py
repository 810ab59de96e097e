"""Web requests that probes make, and what came back: by the proxy's own word, and by that of the backend behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from netassay.observation import Attempt, Observation, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netassay.fleet.probe import Probe

CONCURRENCY = 32
CALL_SECONDS = 20.0


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request, on a connection of its own, to `host`:`port`, whatever name it asks for there.

    `timeout` is in seconds for the whole exchange; `payload` the number of bytes of the request's body; `tls` asks by
    the name of `host_header`, or by `server_name` if that is another. `authority` holds the certificates (PEM) that the
    server's must be signed by; without, none is refused. `alpn` are the protocols that are offered: "h2" is spoken if
    it is chosen. A `message` asks for a WebSocket, and is sent on it. `grpc` makes it a call of the method that `path`
    names, without arguments, for which "h2" must be among `alpn`.
    """

    host: str
    port: int
    host_header: str
    path: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    payload: int = 0
    tls: bool = False
    server_name: str = ""
    authority: str = ""
    alpn: tuple[str, ...] = ()
    message: str = ""
    grpc: bool = False
    timeout: float = 5.0

    def describe(self) -> str:
        """As in `GET http://www.example.com/shop at 192.0.2.7:80`."""
        scheme = ("wss" if self.tls else "ws") if self.message else "https" if self.tls else "http"
        shown = "".join(f", {name}: {value}" for name, value in self.headers)
        where = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.method} {scheme}://{self.host_header}{self.path}{shown} at {where}:{self.port}"


class Backend(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent saw of a request that reached it; header names are in lower case.

    `address` and `port` are those of who connected to it, which is the proxy, if there is one. `message` is what it got
    over a WebSocket.
    """

    agent: str
    address: str = ""
    port: int = 0
    received: int = 0
    method: str = ""
    path: str = ""
    host: str = ""
    headers: dict[str, str] = {}
    message: str = ""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What came back.

    `outcome` is OPEN if any HTTP response came, whatever its `status`; `protocol` is "http/1.1" or "h2"; `headers` are
    the response's, names in lower case (over HTTP/2 they are not told). `seen` is what the backend saw, None if no
    agent answered. `certificate` is the server's (DER), empty without TLS. Times are as in Observation.
    """

    source: str
    source_node: str
    request: Request
    outcome: Outcome
    status: int = 0
    protocol: str = ""
    headers: dict[str, str] = {}
    seen: Backend | None = None
    certificate: bytes = b""
    microseconds: int = 0
    started: float = 0.0
    local_address: str = ""
    local_port: int = 0
    errno: int = 0
    error: str = ""

    @property
    def answered_by(self) -> str:
        """The identity of the backend that answered, "" if none did."""
        return self.seen.agent if self.seen else ""

    def describe(self) -> str:
        """One line: `source (node, address) → request: what came of it`."""
        where = ", ".join(part for part in (self.source_node, self.local_address) if part)
        came = f"HTTP {self.status}" if self.status else str(self.outcome)
        by = f" by {self.answered_by}" if self.answered_by else ""
        error = f" ({self.error})" if self.error else ""
        took = f"after {self.microseconds / 1000:.1f} ms"
        return f"{self.source} ({where}) → {self.request.describe()}: {came}{by}{error} {took}"

    def observation(self) -> Observation:
        """The same as the observation of an attempt, for the record of the run."""
        asked, seen = self.request, self.seen
        attempt = Attempt(
            protocol=Protocol.HTTP,
            host=asked.host,
            port=asked.port,
            timeout=asked.timeout,
            payload=asked.payload,
            path=asked.path,
            host_header=asked.host_header,
        )
        ok = self.error or not self.status or 200 <= self.status < 300 or asked.message  # noqa: PLR2004 - HTTP's own
        return Observation(
            source=self.source,
            source_node=self.source_node,
            attempt=attempt,
            outcome=self.outcome,
            microseconds=self.microseconds,
            started=self.started,
            answered_by=self.answered_by,
            local_address=self.local_address,
            local_port=self.local_port,
            seen_address=seen.address if seen else "",
            seen_port=seen.port if seen else 0,
            received=seen.received if seen else 0,
            errno=self.errno,
            error=self.error if ok else f"HTTP {self.status}",
        )


def fetch_all(
    work: Mapping[Probe, Sequence[Request]], *, concurrency: int = CONCURRENCY
) -> dict[Probe, list[Response]]:
    """Have all probes make their requests at the same time, each at most `concurrency` at once.

    What the network does is in the responses; HarnessFault if a probe cannot be reached.
    """
    running = {
        probe: probe.loop.start(_fetch(probe, requests, concurrency)) for probe, requests in work.items() if requests
    }
    try:
        found = {probe: future.result() for probe, future in running.items()}
    finally:
        for future in running.values():
            future.cancel()
    for probe, responses in found.items():
        if probe.observer is not None:
            probe.observer([response.observation() for response in responses])
    return {probe: found.get(probe, []) for probe in work}


async def _fetch(probe: Probe, requests: Sequence[Request], concurrency: int) -> list[Response]:
    longest = sum(request.timeout for request in requests) / concurrency + max(request.timeout for request in requests)
    value = await probe.session.call("fetch", longest + CALL_SECONDS, requests=list(requests), concurrency=concurrency)
    ends = {"source": probe.name, "source_node": probe.node}
    return [
        msgspec.convert({**answer, **ends, "request": request}, Response)
        for request, answer in zip(requests, value, strict=True)
    ]
