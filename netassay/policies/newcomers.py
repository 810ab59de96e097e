"""New pods under policies that were there before them: tried from the moment that they have an address."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netassay.errors import HarnessFault
from netassay.fleet.probe import make_attempts
from netassay.observation import Attempt, Observation, Outcome, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    """What became of pods that were created at the same moment, some of which nobody may reach.

    Times are in seconds since the pods were created. `exposed` are the attempts at protected ones that got through.
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
        """Say how often protected pods were reached, and the first of it."""
        if not self.exposed:
            return f"none of {self.tries} attempts at new pods got through"
        return (
            f"{len(self.exposed)} of {self.tries} attempts at new pods got through, though a policy that was there "
            f"before them denies everything to them, within {self.exposed_seconds:.2f} s:\n"
            f"  {self.exposed[0].describe()}"
        )


def watch(
    world: World,
    space: str,
    protected: Mapping[str, Mapping[str, str]],
    control: Mapping[str, Mapping[str, str]],
    *,
    nodes: Sequence[str],
    sources: Sequence[Probe],
) -> Newcomers:
    """Create protected pods, and controls beside them, in one namespace and on these nodes in turn, and try them all.

    Both are names with labels. HarnessFault if a control is not reached.
    """
    began = time.monotonic()
    on = itertools.cycle(nodes)
    pods = [world.add(space, name, has, node=next(on)) for name, has in {**control, **protected}.items()]
    awaited = {pod.name for pod in pods[: len(control)]}
    try:
        exposed: list[Observation] = []
        reached, tries = 0.0, 0
        while not reached or time.monotonic() - began < reached + AFTERWARDS:
            if not reached and time.monotonic() - began > WITHIN:
                raise HarnessFault(
                    f"{', '.join(awaited)}, which no policy is about, were not reached within {WITHIN:.0f} s"
                )
            there = {pod.address: pod for pod in pods if pod.address or world.learn(pod)}
            seen = make_attempts({source: list(map(_attempt, there.values())) for source in sources}) if there else {}
            for one in (each for row in seen.values() for each in row):
                pod = there[one.attempt.host]
                open_ = one.outcome is Outcome.OPEN and one.answered_by == pod.name
                if pod.name in protected:
                    tries += 1
                    exposed += [one] if open_ else []
                elif open_:
                    awaited.discard(pod.name)
            if not awaited and len(there) == len(pods):
                reached = reached or time.monotonic() - began
            time.sleep(PAUSE)
        return Newcomers(reached, exposed, tries)
    finally:
        for pod in pods:
            world.fleets[space].remove(pod, wait=False)


def _attempt(pod: Probe) -> Attempt:
    return Attempt(protocol=Protocol.TCP, host=pod.address, port=pod.ports["tcp"], timeout=ATTEMPT_SECONDS)
