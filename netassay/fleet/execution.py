"""Running a command in a pod's container to its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netassay.errors import HarnessFault
from netassay.fleet.channel import ChannelLost, ExecChannel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.cluster import Cluster
    from netassay.fleet import Probe


@dataclass(frozen=True)
class Done:
    """A command that has ended: whether well, what it wrote to stdout, and what was said of its end."""

    succeeded: bool
    output: bytes
    said: str


async def execute(cluster: Cluster, probe: Probe, container: str, argv: Sequence[str], *, deadline: float) -> Done:
    """Run `argv` in a container of the probe's pod.

    HarnessFault if it has not ended after `deadline` seconds, or could not be started. Cancelled, it is left behind,
    with its streams closed.
    """
    channel = ExecChannel(cluster.objects.api, probe.namespace, probe.name, container, argv)
    output = b""
    try:
        async with asyncio.timeout(deadline):
            await channel.open()
            try:
                while True:
                    output += await channel.receive()
            except ChannelLost as end:
                if not channel.status:
                    raise HarnessFault(f"{argv[0]} in {probe.name}: {end}") from end
                return Done(channel.status == "Success", output, str(end))
    except ChannelLost as lost:
        raise HarnessFault(f"{argv[0]} could not be started in {probe.name}: {lost}") from lost
    except TimeoutError:
        raise HarnessFault(f"{argv[0]} in {probe.name} did not end within {deadline:.0f} s") from None
    finally:
        await channel.close()
