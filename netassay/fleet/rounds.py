"""Requests and answers one after the other, from one probe to another, as fast as they come."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from netassay.errors import HarnessFault
from netassay.fleet.execution import execute
from netassay.fleet.manifests import AGENT_PATH, CONTAINER

if TYPE_CHECKING:
    from netassay.cluster import Cluster
    from netassay.fleet.execution import Done
    from netassay.fleet.probe import Probe

SPARE_SECONDS: Final = 30.0
TRIES: Final = 40
PAUSE_SECONDS: Final = 0.1
NOBODY_YET: Final = "nobody serves there yet"
"""How the agent says that its first connection failed, as it does while the server is still starting or a Service does
not lead to it yet: `netassay/agent/code/rounds.py`."""


async def rounds(
    cluster: Cluster,
    source: Probe,
    sink: Probe,
    *,
    port: int,
    host: str,
    host_port: int,
    connections: int,
    fresh: bool,
    seconds: float,
    omit: float,
) -> tuple[list[str], Done]:
    """Have `sink` serve on `port` and `source` ask `host` for so long; the command, and what it wrote.

    That is JSON: `counts`, pairs of microseconds and how often they were seen, `errors` by name, and `seconds`. With
    `fresh`, each request has a connection of its own. HarnessFault if it could not be carried out.
    """
    new = ["--fresh"] if fresh else []
    server = ["python3", AGENT_PATH, "rounds", "serve", str(port), *new]
    client = ["python3", AGENT_PATH, "rounds", "ask", str(host_port), "--host", host, *new]
    client += ["--connections", str(connections), "--seconds", str(seconds), "--omit", str(omit)]
    deadline = omit + seconds + SPARE_SECONDS
    serving = asyncio.create_task(execute(cluster, sink, CONTAINER, server, deadline=2 * deadline))
    try:
        for _ in range(TRIES):
            done = await execute(cluster, source, CONTAINER, client, deadline=deadline)
            if done.succeeded:
                return client, done
            if NOBODY_YET not in done.said:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        raise HarnessFault(f"requests from {source.name} to {host}:{host_port} broke off: {done.said[-400:]}")
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError, HarnessFault):
            await serving
