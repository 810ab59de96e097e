"""Waiting for pods, and saying why one will not come."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from netassay.errors import HarnessFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.cluster.objects import Objects

PAUSE_SECONDS = 0.15
UNSCHEDULABLE_SECONDS = 10.0
"""How long the scheduler may change its mind."""
_NEVER = {
    "ImagePullBackOff": "the image cannot be pulled; `netassay images` lists what to mirror, --image names another",
    "ErrImageNeverPull": "the image is not on the node; `netassay images` lists what to load, --image names another",
    "InvalidImageName": "that is no image name; give another with --image",
    "CreateContainerConfigError": "the kubelet cannot set up the container",
    "CreateContainerError": "the container runtime cannot create the container",
    "RunContainerError": "the image has no python3 on its PATH, or its user may not run it; give another with --image",
    "CrashLoopBackOff": "the agent ends as soon as it is started",
}


async def wait_for_pods(
    objects: Objects, namespace: str, names: Sequence[str], *, labels: str, ready: bool, seconds: float
) -> dict[str, dict[str, Any]]:
    """The named pods once all of them are Ready (or, with `ready` false, running with an address), by name.

    HarnessFault as soon as one of them surely will not be, or when `seconds` have passed.
    """
    over = time.monotonic() + seconds
    wanted = set(names)
    while True:
        asked = time.monotonic()
        pods = {
            pod["metadata"]["name"]: pod
            for pod in await objects.list("Pod", namespace, labels=labels)
            if pod["metadata"]["name"] in wanted
        }
        # A list of thousands of pods is work for the API server: it is left alone for as long as that took.
        pause = max(PAUSE_SECONDS, time.monotonic() - asked)
        waiting = [name for name in names if name not in pods or not _is_up(pods[name], ready=ready)]
        if not waiting:
            return pods
        for name in waiting:
            why = (
                f"Pod {name} in {namespace} is gone, deleted by somebody" if name not in pods else hopeless(pods[name])
            )
            if why:
                raise HarnessFault(await _explained(objects, namespace, name, pods.get(name), why))
        if time.monotonic() > over:
            name = waiting[0]
            why = f"not {'Ready' if ready else 'running'} after {seconds:.0f} s"
            raise HarnessFault(await _explained(objects, namespace, name, pods.get(name), why))
        await asyncio.sleep(pause)


async def wait_until_gone(
    objects: Objects, namespace: str, uids: Sequence[str], *, labels: str, seconds: float
) -> None:
    """Return when no pod of these uids is left; HarnessFault naming those that are after `seconds`."""
    over = time.monotonic() + seconds
    while True:
        left = [
            pod["metadata"]["name"]
            for pod in await objects.list("Pod", namespace, labels=labels)
            if pod["metadata"]["uid"] in uids
        ]
        if not left:
            return
        if time.monotonic() > over:
            raise HarnessFault(f"still there {seconds:.0f} s after their deletion in {namespace}: {', '.join(left)}")
        await asyncio.sleep(PAUSE_SECONDS)


def hopeless(pod: dict[str, Any]) -> str:
    """Why this pod will not come up, "" while it may."""
    status = pod.get("status", {})
    if pod["metadata"].get("deletionTimestamp"):
        return "it is being deleted"
    if status.get("phase") == "Failed":
        return f"it failed: {status.get('reason', '')} {status.get('message', '')}".strip()
    for container in status.get("containerStatuses", []):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _NEVER:
            last = container.get("lastState", {}).get("terminated", {}).get("message", "")
            words = " ".join(part for part in (waiting.get("message", ""), last) if part)
            return f"{waiting['reason']} of image {container.get('image')}: {_NEVER[waiting['reason']]} ({words})"
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            since = datetime.fromisoformat(condition["lastTransitionTime"]).timestamp()
            if time.time() - since > UNSCHEDULABLE_SECONDS:
                return f"Unschedulable: {condition.get('message', '')}"
    return ""


def _is_up(pod: dict[str, Any], *, ready: bool) -> bool:
    status = pod.get("status", {})
    if not status.get("podIP"):
        return False
    if not ready:
        return any("running" in container.get("state", {}) for container in status.get("containerStatuses", []))
    return any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in status.get("conditions", [])
    )


async def _explained(objects: Objects, namespace: str, name: str, pod: dict[str, Any] | None, why: str) -> str:
    """The fault's message: pod, node, reason, and what the cluster's events say."""
    node = (pod or {}).get("spec", {}).get("nodeName") or "no node yet"
    try:
        events = await objects.list("Event", namespace, fields=f"involvedObject.name={name}")
    except HarnessFault:
        # The reason counts more than its decoration, and events may be out of our rights.
        events = []
    told = [f"{event.get('reason')}: {event.get('message')}" for event in events if event.get("type") == "Warning"]
    message = f"probe pod {name} in {namespace} ({node}) did not come up: {why}"
    return message + (f"; events: {' | '.join(dict.fromkeys(told[-5:]))}" if told else "")
