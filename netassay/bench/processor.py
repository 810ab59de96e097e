"""CPU over a window: of each machine once, however many nodes share it, and less what it used when idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netassay.fleet.answers import Counters

KINDS = ("user", "system", "irq", "softirq", "steal")


def used(before: Mapping[str, Counters], after: Mapping[str, Counters]) -> dict[str, float]:
    """Seconds of one core that the nodes' machines used, by kind, and "window": the seconds that passed.

    Both map nodes to their counters. "nice" counts as user.
    """
    found = dict.fromkeys(KINDS, 0.0)
    seen = set()
    window = 0.0
    for node, last in after.items():
        first = before[node]
        if last.machine in seen:
            continue
        seen.add(last.machine)
        window = max(window, last.at - first.at)
        for kind in KINDS:
            found[kind] += last.cpu.get(kind, 0.0) - first.cpu.get(kind, 0.0)
        found["user"] += last.cpu.get("nice", 0.0) - first.cpu.get("nice", 0.0)
    return {**found, "window": window}


def above_idle(busy: Mapping[str, float], idle: Mapping[str, float]) -> dict[str, float]:
    """What the load itself used: `busy` less the share of `idle` for as long a window; steal stays whole."""
    share = busy["window"] / idle["window"] if idle.get("window") else 0.0
    found = {kind: max(busy[kind] - (idle[kind] * share if kind != "steal" else 0.0), 0.0) for kind in KINDS}
    return {**found, "total": sum(found[kind] for kind in KINDS if kind != "steal"), "window": busy["window"]}
