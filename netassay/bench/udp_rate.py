"""At which rate UDP is to be sent: one that the path carries, so that what is lost says something of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

SHARE: Final = 0.25
"""Of TCP's rate, or UDP's own where it can't keep that."""

OVERLOADED_PERCENT: Final = 1.0
"""Of a rate of which less is lost, nobody asks further."""

TRIALS: Final = 4
LEAST_MBPS: Final = 10.0


class Trial(NamedTuple):
    """What came of sending at a rate: what was received, and what was lost; None where that can't be told."""

    received_gbps: float
    lost_percent: float | None


def find_rate(tcp_gbps: float, send: Callable[[float], Trial]) -> float:
    """Give the rate for UDP in Mbit/s, to two figures: a quarter of what TCP reaches, or of what UDP does.

    TCP hands over far more at once than a packet holds; who makes each packet by itself, as iperf3 does for UDP, may
    not come to a quarter of that. What is lost of too much falls with the rate. What does not is lost by the network
    at any rate, and going on down would only measure it with fewer packets. A rate is given up only if it lost twice:
    on busy machines much is lost now and then of what the path carries.
    """
    rate, before, lost_before = share(tcp_gbps), 0.0, float("inf")
    for _ in range(TRIALS):
        trial = least_lossy(rate, send)
        lost = lost_of(trial)
        if lost < OVERLOADED_PERCENT:
            return rate
        if lost > lost_before / 2:
            return before
        before, lost_before = rate, lost
        rate = share(trial.received_gbps)
    return rate


def least_lossy(rate: float, send: Callable[[float], Trial]) -> Trial:
    """Send at the rate, and again if something was lost of it; give the time in which less was."""
    trial = send(rate)
    return trial if lost_of(trial) < OVERLOADED_PERCENT else min(trial, send(rate), key=lost_of)


def lost_of(trial: Trial) -> float:
    """Give what was lost in percent; what can't be told is more than any loss."""
    return float("inf") if trial.lost_percent is None else trial.lost_percent


def share(gbps: float) -> float:
    """Give UDP's share of a rate, in Mbit/s to two figures."""
    return max(float(f"{1000 * SHARE * gbps:.2g}"), LEAST_MBPS)
