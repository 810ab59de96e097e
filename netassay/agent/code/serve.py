"""`agent.pyz serve`: what the probe pod's container runs."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING

from .control import Control
from .http_server import Health, serve_http
from .kernel import has_sctp
from .listeners import Listeners

if TYPE_CHECKING:
    import argparse


def raise_descriptor_limit() -> None:
    """Take as many file descriptors as the container may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def serve(options: argparse.Namespace) -> int:
    """Serve until told to stop by SIGTERM or SIGINT, and as much longer as is asked for; 1 if a port cannot be had.

    Where the kernel has no SCTP, its ports are left out.
    """
    raise_descriptor_limit()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # The first process of a container gets no default action for signals: without this, each stop would take the
        # full grace.
        loop.add_signal_handler(number, stop.set)
    listeners = Listeners(options.identity)
    health = Health(ready=not options.not_ready)
    serving: dict[str, list[int]] = {"tcp": [], "udp": [], "http": [], "sctp": []}
    wanted = ""
    try:
        sctp = options.sctp if options.sctp and has_sctp() else []
        for protocol, ports in (("tcp", options.tcp), ("udp", options.udp), ("sctp", sctp)):
            for port in ports:
                wanted = f"{protocol} port {port}"
                serving[protocol].append(listeners.open(protocol, port))
        for port in options.http:
            wanted = f"http (tcp) port {port}"
            serving["http"].append(await serve_http(options.identity, health, port))
        if options.control:
            # Last: whoever is answered there may take it that all ports are open.
            wanted = options.control
            await Control(options.identity, health, listeners).serve(options.control)
    except OSError as error:
        sys.stderr.write(f"agent {options.identity}: cannot serve on {wanted}: {os.strerror(error.errno or 0)}\n")
        return 1
    # For the pod's log, and for who starts an agent on ports of the kernel's choice.
    sys.stdout.write(json.dumps({"agent": options.identity, "serving": serving}) + "\n")
    sys.stdout.flush()
    # Nothing made so far is garbage: leave it out of the collections that would stall answers and recordings.
    gc.freeze()
    await stop.wait()
    health.leave()
    if options.linger:
        await asyncio.sleep(options.linger)
    return 0
