"""Real agents, as many as this machine carries: a serving and a driving process each, with an address on loopback."""

from __future__ import annotations

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.scale.assay import check, print_json
from benchmarks.scale.usage import Step, cpu_seconds, memory_mib, peak_mib
from netassay.agent.local import LocalAgent
from netassay.cluster.loop import LoopThread, take_turns_quickly
from netassay.fleet import Probe
from netassay.fleet.channel import ChildChannel
from netassay.fleet.fleet import MANY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

AT_ONCE = 4
"""Agents that are started at the same time: more only wait for each other's start-up on this machine's cores."""


def measure(count: int, *, full: Sequence[bool]) -> None:
    """Start so many agents, make the check with all pairs or a sample, and print what each took."""
    loop = LoopThread("benchmark")
    if count > MANY:
        take_turns_quickly()
    with tempfile.TemporaryDirectory() as folder:
        agents: list[LocalAgent] = []
        try:
            with Step() as starting:
                agents += _agents(count, Path(folder))
                probes = [_probe(loop, number, agent) for number, agent in enumerate(agents)]
                for start in range(0, count, AT_ONCE):
                    _hear(loop, probes[start : start + AT_ONCE])
            for each in full:
                print_json({**_measured(probes, agents, Path(folder), full=each), "start_seconds": starting.seconds})
        finally:
            for agent in agents:
                agent.process.kill()
            for agent in agents:
                agent.stop()
            loop.close()


def _measured(probes: Sequence[Probe], agents: Sequence[LocalAgent], folder: Path, *, full: bool) -> dict[str, Any]:
    serving = [agent.process.pid for agent in agents]
    driving = [int(probe.session.pid) for probe in probes]
    before = cpu_seconds([*serving, *driving])
    made = check(probes, folder, full=full)
    return {
        **made,
        "agents_cpu": round(cpu_seconds([*serving, *driving]) - before, 2),
        "serving_mib": round(memory_mib(serving) / len(probes), 2),
        "driving_mib": round(memory_mib(driving) / len(probes), 2),
        "controller_mib": round(peak_mib(), 1),
    }


def _agents(count: int, folder: Path) -> Iterator[LocalAgent]:
    """Start agents; each of the few that start at once has a folder of its own to unpack into."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        lots = [range(lot, count, AT_ONCE) for lot in range(AT_ONCE)]
        made = list(
            threads.map(lambda lot: [LocalAgent(folder / f"lot-{lot.start}", f"probe-{n:04}") for n in lot], lots)
        )
    for number in range(count):
        yield made[number % AT_ONCE][number // AT_ONCE]


def _probe(loop: LoopThread, number: int, agent: LocalAgent) -> Probe:
    """A probe as the fleet has it, but for its stream: a child process instead of an exec in a pod."""
    address = f"127.{10 + number // 250}.0.{1 + number % 250}"
    return Probe(
        loop,
        lambda: ChildChannel(agent.drive_command),
        name=agent.identity,
        node=f"node-{number:04}",
        addresses=(address,),
        ports=agent.ports,
    )


def _hear(loop: LoopThread, probes: Sequence[Probe]) -> None:
    """Open the streams of these."""

    async def all_of_them() -> None:
        await asyncio.gather(*(probe.session.call("control", 60, command={"do": "status"}) for probe in probes))

    loop.run(all_of_them())
