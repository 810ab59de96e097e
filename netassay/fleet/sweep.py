"""Removing what runs have created, found by label alone."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from netassay.errors import HarnessFault
from netassay.fleet.run import MANAGED_BY, RUN_LABEL

if TYPE_CHECKING:
    from netassay.cluster import Cluster
    from netassay.cluster.objects import Objects

SECONDS = 120.0
PAUSE_SECONDS = 0.2
EVERY_RUN = f"{MANAGED_BY}=netassay,{RUN_LABEL}"


def sweep_leftovers(cluster: Cluster, *, older_than: float | None = None) -> list[str]:
    """Delete the namespaces of all runs, or of those older than so many seconds, and wait for it; their names.

    HarnessFault names what is left after two minutes.
    """
    return cluster.run(sweep_namespaces(cluster.objects, EVERY_RUN, older_than=older_than))


async def sweep_namespaces(objects: Objects, labels: str, *, older_than: float | None = None) -> list[str]:
    """Delete the namespaces with these labels, all at once, and wait until they are gone; their names."""
    found = [space for space in await objects.list("Namespace", labels=labels) if _age(space) >= (older_than or 0.0)]
    names = sorted(space["metadata"]["name"] for space in found)
    await asyncio.gather(*(_empty_and_delete(objects, name) for name in names))
    over = time.monotonic() + SECONDS
    while left := {
        space["metadata"]["name"]: space
        for space in await objects.list("Namespace", labels=labels)
        if space["metadata"]["name"] in names
    }:
        if time.monotonic() > over:
            told = "; ".join(f"{name} ({_what_holds(space)})" for name, space in left.items())
            raise HarnessFault(
                f"namespaces still there {SECONDS:.0f} s after their deletion: {told}; run `netassay sweep`"
            )
        await asyncio.sleep(PAUSE_SECONDS)
    return names


async def _empty_and_delete(objects: Objects, name: str) -> None:
    # Deleting the namespace alone would do; but its controller waits several seconds before it looks at the pods again.
    await asyncio.gather(
        objects.delete("Namespace", name),
        objects.delete_collection("Pod", name, labels=RUN_LABEL, grace_seconds=1),
    )


def _age(space: dict[str, Any]) -> float:
    return time.time() - datetime.fromisoformat(space["metadata"]["creationTimestamp"]).timestamp()


def _what_holds(space: dict[str, Any]) -> str:
    conditions = space.get("status", {}).get("conditions", [])
    told = [condition["message"] for condition in conditions if condition["status"] == "True"]
    return " ".join(told) or "no reason given"
