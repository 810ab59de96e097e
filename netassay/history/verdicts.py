"""The story of one check over many runs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from netassay.results.naming import name_of, variant
from netassay.results.schema import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.results.shelf import ShelvedCheck, ShelvedRun

KEPT: Final = (Verdict.HOLDS, Verdict.ABSENT_BY_DESIGN)
"""Verdicts by which the network is as it should be."""

WORST: Final = (
    Verdict.BROKEN,
    Verdict.INCONCLUSIVE,
    Verdict.HOLDS,
    Verdict.ABSENT_BY_DESIGN,
    Verdict.NOT_APPLICABLE,
)

FLAKY_FROM: Final = 2
"""Flips that make a check flaky: one alone is something that broke, or that was mended."""


@dataclass(frozen=True)
class CheckStory:
    """A check and its verdict in each run; None in runs that did not make it. `message` is the newest finding's."""

    id: str
    name: str
    feature: str
    verdicts: list[Verdict | None]
    message: str = ""

    @cached_property
    def settled(self) -> list[tuple[int, bool]]:
        """The runs that could tell, by their place, and whether the network kept the promise in them."""
        return [
            (place, verdict in KEPT)
            for place, verdict in enumerate(self.verdicts)
            if verdict in KEPT or verdict is Verdict.BROKEN
        ]

    @property
    def flips(self) -> int:
        """How often a run found otherwise than the one before it that could tell."""
        return sum(one[1] != other[1] for one, other in pairwise(self.settled))

    @property
    def flaky(self) -> bool:
        """Whether it goes to and fro."""
        return self.flips >= FLAKY_FROM

    @property
    def broken(self) -> bool:
        """Whether it is broken in the newest run that could tell."""
        return bool(self.settled) and not self.settled[-1][1]

    @property
    def first_bad(self) -> int | None:
        """The place of the run from which on it has been broken until now; None if it is not."""
        first = None
        for place, kept in reversed(self.settled):
            if kept:
                break
            first = place
        return first

    @property
    def last_good(self) -> int | None:
        """The place of the newest run in which the promise was kept; None if there is none."""
        return next((place for place, kept in reversed(self.settled) if kept), None)

    def count(self, verdict: Verdict) -> int:
        """In how many runs it had this verdict."""
        return self.verdicts.count(verdict)


def check_stories(runs: Sequence[ShelvedRun]) -> list[CheckStory]:
    """Give the stories of all checks of these runs, which are in the order of time; in the order of the newest run."""
    found: dict[tuple[str, str], list[ShelvedCheck | None]] = defaultdict(lambda: [None] * len(runs))
    for place, run in reversed(list(enumerate(runs))):
        for check in run.checks:
            made = found[check.id, variant(check)]
            other = made[place]
            # A check whose process was killed may have been made twice: the worse counts.
            if other is None or WORST.index(check.verdict) < WORST.index(other.verdict):
                made[place] = check
    return [_story(id_, made) for (id_, _), made in found.items()]


def _story(id_: str, made: list[ShelvedCheck | None]) -> CheckStory:
    newest = next(check for check in reversed(made) if check is not None)
    message = next((check.message for check in reversed(made) if check and check.verdict is Verdict.BROKEN), "")
    return CheckStory(
        id=id_,
        name=name_of(newest),
        feature=newest.feature,
        verdicts=[check.verdict if check else None for check in made],
        message=message,
    )
