"""How much an event may do to flows: the mode's limits, what a user says instead, and comparing timelines with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from netassay.errors import HarnessFault, NetworkFault, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from netassay.disruption.timeline import Timeline

LIMITS: Final[Mapping[str, str]] = {
    "failover-graceful-lost": "connections that may be lost when a backend leaves gracefully",
    "failover-killed-ms": "milliseconds for which new connections may fail after a backend was killed",
    "failover-others-lost": "kept connections with other backends that may be lost when one dies",
    "failover-unready-lost": "connections that may be lost when a backend is made unready",
    "failover-unready-ms": "milliseconds after which an unready backend may be given no more connections",
    "failover-node-frozen-ms": "milliseconds for which new connections may fail after a backend's node froze",
    "failover-rollout-lost": "connections that may be lost while a Deployment is rolled",
    "failover-proxy-restart-lost": "connections that may be lost while kube-proxy is restarted",
}
"""Every limit by its name, and what it limits."""


STARVED: Final = 0.5
"""Share of a stream's beats that its sender must have missed for the machine to be too busy to say anything: what
proxies and kubelets do on it is as late as what the sender does."""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A limit's value, and who says so."""

    value: float
    source: str


def checked(limits: Mapping[str, Limit], where: str) -> None:
    """See that there are such limits; `HarnessFault` if not."""
    unknown = sorted(set(limits) - set(LIMITS))
    if unknown:
        raise HarnessFault(
            f"{where} sets limits that there are not: {', '.join(unknown)}; add them to disruption/limits.py"
        )


def overridden(limits: Mapping[str, Limit], said: Sequence[str]) -> dict[str, Limit]:
    """Give the limits with those replaced that a user said, as in `failover-killed-ms=3000`; `UsageError` if wrong."""
    chosen = dict(limits)
    for text in said:
        name, _, value = text.partition("=")
        if name not in LIMITS:
            raise UsageError(f"--limit {text}: there is no limit {name!r}: choose of {', '.join(LIMITS)}")
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 <= number < float("inf"):
            raise UsageError(f"--limit {text}: give a number that is not negative, as in {name}=3000")
        chosen[name] = Limit(number, "the user's own, by --limit")
    return chosen


def require_within(
    name: str,
    limit: Limit,
    timelines: Sequence[Timeline],
    of: Callable[[Timeline], float],
    *,
    event: str,
    unsure: Callable[[Timeline], float] = lambda _: 0.0,
) -> None:
    """Demand that the figure `of` each flow keeps within the limit; `event` says in messages what was done.

    The figure is the most that it can be; `unsure` is how much of it the sender, or its beat, may be to blame for. A
    limit that is exceeded only by that, or on a machine that was too busy, is a `HarnessFault`, any other a
    `NetworkFault`; both name the flows.
    """
    over = [(one, of(one)) for one in timelines if of(one) > limit.value]
    surely = [(one, figure) for one, figure in over if figure - unsure(one) > limit.value]
    told = surely or over
    if not told:
        return
    lines = "\n".join(f"  {figure:g}: {one.describe()}" for one, figure in told)
    words = f"{LIMITS[name]} (limit {name}: {limit.value:g}, {limit.source})"
    busiest = max(timelines, key=lambda one: one.unjudged_share)
    if busiest.unjudged_share > STARVED:
        raise HarnessFault(
            f"{event}: {len(told)} of {len(timelines)} flows exceed the {words}, but the machine was too busy to tell "
            f"whose doing that is: {busiest.flow.source} missed {busiest.unjudged_share:.0%} of its beats\n{lines}"
        )
    if surely:
        raise NetworkFault(f"{event}: {len(told)} of {len(timelines)} flows exceed the {words}:\n{lines}")
    raise HarnessFault(
        f"{event}: {len(told)} of {len(timelines)} flows may exceed the {words}, but only as far as their senders "
        f"stood still, or were between two beats, which tells nothing of the network:\n{lines}"
    )


def one_lost_alone(timelines: Sequence[Timeline]) -> bool:
    """Whether all that these streams lost is one new connection of one of them.

    An outage of some milliseconds takes more: what the streams to a Service ask for together. One by itself may be met
    by a change of the rules on its way through them: docs/upgrades.md has the figures for nftables.
    """
    return sum(one.failed_beyond_chance for one in timelines) == 1
