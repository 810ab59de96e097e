"""New pods under policies that were there before them: tried from the moment that they have an address."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netassay.errors import HarnessFault
from netassay.fleet.probe import make_attempts
from netassay.observation import Attempt, Observation, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from netassay.fleet import Probe
    from netassay.policies.world import World

WITHIN: Final = 60.0
"""Seconds within which the control must have been reached."""

AFTERWARDS: Final = 2.0
"""Seconds for which both are tried on, once the control has been reached."""

ATTEMPT_SECONDS: Final = 0.25
PAUSE: Final = 0.01


@dataclass(frozen=True)
class Newcomers:
    """What became of two pods that were created at the same moment, one of which nobody may reach.

    Times are in seconds since the pods were created. `exposed` are the attempts at the protected one that got through.
    """

    control_reached: float
    exposed: Sequence[Observation]
    tries: int

    @property
    def exposed_seconds(self) -> float:
        """From the first to the last attempt that got through, by the clock of each source."""
        began = [one.started for one in self.exposed]
        return max(began) - min(began)

    def describe(self) -> str:
        """Say how often the protected pod was reached, and the first of it."""
        if not self.exposed:
            return f"none of {self.tries} attempts at the protected pod got through"
        return (
            f"{len(self.exposed)} of {self.tries} attempts at a new pod got through, though a policy that was there "
            f"before it denies everything to it, for {self.exposed_seconds:.2f} s:\n  {self.exposed[0].describe()}"
        )


def watch(
    world: World,
    space: str,
    names: tuple[str, str],
    labels: tuple[Mapping[str, str], Mapping[str, str]],
    *,
    nodes: Sequence[str],
    sources: Sequence[Probe],
) -> Newcomers:
    """Create a protected pod and a control in one namespace and on one node, and try both without a pause.

    `names` and `labels` are the protected one's, and then the control's. HarnessFault if the control is not reached.
    """
    began = time.monotonic()
    protected, control = (world.add(space, name, has, node=nodes[0]) for name, has in zip(names, labels, strict=True))
    try:
        exposed: list[Observation] = []
        reached, tries = 0.0, 0
        while not reached or time.monotonic() - began < reached + AFTERWARDS:
            if not reached and time.monotonic() - began > WITHIN:
                raise HarnessFault(f"{control!r}, which no policy is about, was not reached within {WITHIN:.0f} s")
            there = [pod for pod in (protected, control) if pod.address or world.learn(pod)]
            seen = make_attempts({source: list(_attempts(there)) for source in sources}) if there else {}
            for one in (each for row in seen.values() for each in row):
                if one.attempt.host == protected.address:
                    tries += 1
                    exposed += [one] if one.outcome is Outcome.OPEN and one.answered_by == protected.name else []
                elif one.outcome is Outcome.OPEN and one.answered_by == control.name and protected.address:
                    reached = reached or time.monotonic() - began
            time.sleep(PAUSE)
        return Newcomers(reached, exposed, tries)
    finally:
        for pod in (protected, control):
            world.fleets[space].remove(pod, wait=False)


def _attempts(pods: Sequence[Probe]) -> Iterator[Attempt]:
    for pod in pods:
        yield Attempt(protocol=Protocol.TCP, host=pod.address, port=pod.ports["tcp"], timeout=ATTEMPT_SECONDS)
