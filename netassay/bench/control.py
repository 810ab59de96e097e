"""How long changes take to reach the network: Services, policies and pods' addresses, over many changes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from hdrh.histogram import HdrHistogram

from netassay.bench.requests import DIGITS, LONGEST_US, PERCENTILES
from netassay.bench.topology import CLIENT, NEIGHBOUR, SERVER
from netassay.errors import HarnessFault
from netassay.fleet.ports import PROBE_PORTS
from netassay.fleet.run import PROBE_LABEL
from netassay.observation import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netassay.bench.topology import Topology
    from netassay.fleet import Probe
    from netassay.observation import Observation

LONGEST_SECONDS: Final = 20.0
"""After which a change is taken for one that never comes."""
ATTEMPT_SECONDS: Final = 0.25
LOOK_SECONDS: Final = 0.02
STEADY: Final = 5
"""So many answers in a row by the new backend: the old one answers no more."""


class NeverCame(Exception):
    """A change had no effect in the time that it is given; the message says which."""


def service_programming(topology: Topology, changes: int) -> dict[str, list[float]]:
    """Point a Service from one pod to another, again and again.

    Seconds from the request to the first answer by the new backend ("first"), and to the last one by the old ("last").
    """
    fleet, client = topology.fleet, topology.pods[CLIENT]
    backends = [topology.pods[NEIGHBOUR], topology.pods.get(SERVER, topology.pods[CLIENT])]
    name, space = f"control-{client.name}", fleet.run.namespace
    port = PROBE_PORTS["tcp"]
    service = fleet.cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": space, "labels": fleet.run.labels},
            "spec": {"selector": {PROBE_LABEL: backends[0].name}, "ports": [{"port": port, "targetPort": port}]},
        }
    )
    address = service["spec"]["clusterIP"]
    found: dict[str, list[float]] = {"first": [], "last": []}
    try:
        _until(client, address, port, lambda seen: seen.answered_by == backends[0].name, what="the Service's first")
        for change in range(1, changes + 1):
            new = backends[change % 2].name
            began = time.monotonic()
            fleet.cluster.patch("Service", name, space, {"spec": {"selector": {PROBE_LABEL: new}}})
            first, last = _moved(client, address, port, new, began)
            found["first"].append(first)
            found["last"].append(last)
    finally:
        fleet.cluster.delete("Service", name, space)
    return found


def policy_enforcement(topology: Topology, changes: int) -> dict[str, list[float]]:
    """Deny all of a pod's ingress and allow it again, by turns.

    Seconds from the request to the first attempt that is kept out ("deny"), and let in again ("allow"). `NeverCame`
    where nothing enforces policies.
    """
    fleet, client, target = topology.fleet, topology.pods[CLIENT], topology.pods[NEIGHBOUR]
    name, space = f"control-{client.name}", fleet.run.namespace
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": space, "labels": fleet.run.labels},
        "spec": {"podSelector": {"matchLabels": {PROBE_LABEL: target.name}}, "policyTypes": ["Ingress"]},
    }
    found: dict[str, list[float]] = {"deny": [], "allow": []}
    port = PROBE_PORTS["tcp"]
    try:
        for change in range(changes):
            deny = change % 2 == 0
            began = time.monotonic()
            if deny:
                fleet.cluster.create(policy)
            else:
                fleet.cluster.delete("NetworkPolicy", name, space)
            wanted = _kept_out if deny else _let_in
            what = "a policy's" if deny else "a removed policy's"
            found["deny" if deny else "allow"].append(
                _until(client, target.address, port, wanted, what=what, began=began)
            )
    finally:
        fleet.cluster.delete("NetworkPolicy", name, space)
    return found


def pod_addresses(topology: Topology, changes: int) -> dict[str, list[float]]:
    """Create pods one after the other: seconds from the request until the API shows the pod's address."""
    fleet = topology.fleet
    found = []
    for number in range(1, changes + 1):
        began = time.monotonic()
        probe = fleet.add(f"control-pod-{number}-{topology.pods[CLIENT].name}", wait=False)
        while True:
            pod = fleet.cluster.get("Pod", probe.name, probe.namespace)
            if pod and pod.get("status", {}).get("podIP"):
                break
            if time.monotonic() - began > LONGEST_SECONDS:
                raise NeverCame(f"pod {probe.name} had no address after {LONGEST_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)
        found.append(time.monotonic() - began)
        fleet.remove(probe, wait=False)
    return {"address": found}


MEASUREMENTS: Final[dict[str, Callable[[Topology, int], dict[str, list[float]]]]] = {
    "service-programming": service_programming,
    "policy-enforcement": policy_enforcement,
    "pod-address": pod_addresses,
}
"""By the name of their cell's load."""


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """The percentiles of these times, in microseconds."""
    histogram = HdrHistogram(1, LONGEST_US, DIGITS)
    for each in seconds:
        histogram.record_value(max(round(each * 1e6), 1))
    return {key: float(histogram.get_value_at_percentile(share)) for key, share in PERCENTILES.items()}


def _kept_out(seen: Observation) -> bool:
    return seen.outcome in (Outcome.TIMED_OUT, Outcome.REFUSED)


def _let_in(seen: Observation) -> bool:
    return seen.outcome is Outcome.OPEN


def _attempt(client: Probe, address: str, port: int) -> Observation:
    seen = client.tcp(address, port, timeout=ATTEMPT_SECONDS)
    if seen.outcome is Outcome.NO_VERDICT:
        raise HarnessFault(f"an attempt from {client.name} had no verdict: {seen.error}")
    return seen


def _until(
    client: Probe, address: str, port: int, wanted: Callable[[Observation], bool], *, what: str, began: float = 0.0
) -> float:
    """Attempt until what was wanted is seen: seconds from `began` to the beginning of that attempt."""
    began = began or time.monotonic()
    while True:
        at = time.monotonic()
        if wanted(_attempt(client, address, port)):
            return at - began
        if at - began > LONGEST_SECONDS:
            raise NeverCame(f"{what} effect was not seen within {LONGEST_SECONDS:.0f} s")


def _moved(client: Probe, address: str, port: int, new: str, began: float) -> tuple[float, float]:
    """When the new backend answered first, and when another one answered last; seconds from `began`."""
    first, last, steady = 0.0, 0.0, 0
    while steady < STEADY:
        at = time.monotonic() - began
        if _attempt(client, address, port).answered_by == new:
            first, steady = first or at, steady + 1
        else:
            last, steady = at, 0
        if at > LONGEST_SECONDS:
            raise NeverCame(f"the Service's new backend had not taken over after {LONGEST_SECONDS:.0f} s")
    return first, last
