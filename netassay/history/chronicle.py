"""Runs put together by network: clusters and modes are never mixed, as each keeps promises of its own."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netassay.history.figures import Series, figure_series
from netassay.history.verdicts import CheckStory, check_stories
from netassay.results.naming import network_name

if TYPE_CHECKING:
    from netassay.results.shelf import Shelf, ShelvedRun


@dataclass(frozen=True)
class Chronicle:
    """All runs of one network in the order of time, the stories of its checks and the series of its figures."""

    name: str
    runs: list[ShelvedRun]
    checks: list[CheckStory]
    series: list[Series]

    @property
    def broken(self) -> list[CheckStory]:
        """The checks that are broken now, those that broke last first."""
        return sorted((check for check in self.checks if check.broken), key=lambda check: -(check.first_bad or 0))

    @property
    def flaky(self) -> list[CheckStory]:
        """The checks that go to and fro, the worst first."""
        return sorted((check for check in self.checks if check.flaky), key=lambda check: -check.flips)

    @property
    def drifting(self) -> list[Series]:
        """The figures that drift, by the size of it."""
        return [one for one in self.series if one.drift]


def chronicles(shelf: Shelf) -> list[Chronicle]:
    """Give one for each network; first the one that was assayed last."""
    of_network: dict[tuple[str, str, str], list[ShelvedRun]] = defaultdict(list)
    for run in shelf.runs:
        of_network[run.network].append(run)
    made = [
        Chronicle(network_name(runs[-1].cluster, runs[-1].mode), runs, check_stories(runs), figure_series(runs))
        for runs in of_network.values()
    ]
    return sorted(made, key=lambda one: -one.runs[-1].started)
