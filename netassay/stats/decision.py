"""Non-inferiority with three outcomes: no worse than a margin allows, worse, or not enough blocks to tell.

Comparing means with a margin passes a loss of exactly the margin half of the time, however much is measured. Here a
loss passes only if its upper bound is within the margin, and fails only if its lower bound is beyond.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from netassay.stats.estimate import logs, shift, shift_p
from netassay.stats.holm import holm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Better = Literal["higher", "lower"]
ALPHA = 0.05


class Outcome(enum.StrEnum):
    """What was decided about one metric of one cell."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Decision:
    """A decision and what it rests on.

    `estimate` is the loss as a fraction of the baseline, negative for a gain: 0.1 is 10% less throughput, or 10% more
    latency. `interval` are its lower and upper one-sided bounds, each at 1 - `alpha`. `margin` is what was compared
    with, the greater of `declared` and `floor`. `n` are the numbers of blocks of baseline and candidate. `p_fail` is
    the p-value of "the loss is within the margin", which a FAIL rejects, and `p_pass` that of "it is not".
    """

    verdict: Outcome
    estimate: float
    interval: tuple[float, float]
    margin: float
    declared: float
    floor: float
    n: tuple[int, int]
    alpha: float
    p_fail: float
    p_pass: float
    better: Better

    @property
    def bound(self) -> float:
        """The upper bound of the loss: with 1 - `alpha` confidence it is not greater."""
        return self.interval[1]

    @property
    def decidable(self) -> bool:
        """Whether the cluster's noise leaves room for the declared margin."""
        return self.floor <= self.declared

    @property
    def sentence(self) -> str:
        """The decision in words."""
        seen = f"{_loss(self.estimate, self.better)} (between {_ends(self.interval, self.better)}"
        seen += f" with {1 - self.alpha:.3g} confidence each), {self.n[0]} blocks against {self.n[1]}"
        if not self.decidable:
            noise = "is not known" if math.isinf(self.floor) else f"is {_percent(self.floor)}"
            cannot = f"this cluster cannot decide this metric: its noise {noise}, the margin {_percent(self.declared)}"
            return f"{cannot}; {seen}" + (", which is worse even so" if self.verdict is Outcome.FAIL else "")
        verdict = {
            Outcome.PASS: f"within the margin of {_percent(self.margin)}",
            Outcome.FAIL: f"beyond the margin of {_percent(self.margin)}",
            Outcome.INCONCLUSIVE: f"too few blocks to tell whether that is within {_percent(self.margin)}",
        }[self.verdict]
        return f"{seen}: {verdict}"


def decide(
    baseline: Sequence[float],
    candidate: Sequence[float],
    *,
    margin: float,
    better: Better,
    floor: float = 0.0,
    alpha: float = ALPHA,
) -> Decision:
    """Decide whether `candidate` is no worse than `baseline` by more than `margin`, a fraction of the baseline.

    Both are one value for each block. `floor` is the cluster's noise (`noise_floor`): where it exceeds the margin,
    nothing passes, and only a loss beyond the noise fails. For one of several looks, `alpha` is what `levels` gives it.
    ValueError if a value is not positive, one side is empty, or the margin makes no sense.
    """
    if not 0 < margin < 1:
        raise ValueError(f"a margin is a fraction between 0 and 1, not {margin!r}")
    if not floor >= 0:
        raise ValueError(f"a noise floor is a fraction, not {floor!r}")
    effective = max(margin, floor)
    # Losses in logarithms: how many times worse, whichever way is better.
    before, after = logs(baseline), logs(candidate)
    good, bad = (after, before) if better == "higher" else (before, after)
    worse = shift(good, bad, confidence=1 - 2 * alpha)
    limit = _log_loss(effective, better)
    p_pass, p_fail = shift_p(good, bad, limit)
    if worse.low > limit:
        verdict = Outcome.FAIL
    elif worse.high < limit and floor <= margin:
        verdict = Outcome.PASS
    else:
        verdict = Outcome.INCONCLUSIVE
    return Decision(
        verdict=verdict,
        estimate=_fraction(worse.value, better),
        interval=(_fraction(worse.low, better), _fraction(worse.high, better)),
        margin=effective,
        declared=margin,
        floor=floor,
        n=(len(before), len(after)),
        alpha=alpha,
        p_fail=p_fail,
        p_pass=p_pass,
        better=better,
    )


def together(decisions: Mapping[str, Decision]) -> dict[str, Decision]:
    """The decisions corrected for being several: a FAIL that Holm's correction does not bear becomes INCONCLUSIVE.

    Together they then call something that is within its margin a FAIL with probability at most `alpha`. A PASS needs no
    correction: all must pass for the whole to.
    """
    adjusted = holm([decision.p_fail for decision in decisions.values()])
    return {
        name: replace(decision, verdict=Outcome.INCONCLUSIVE)
        if decision.verdict is Outcome.FAIL and p > decision.alpha
        else decision
        for (name, decision), p in zip(decisions.items(), adjusted, strict=True)
    }


def _log_loss(loss: float, better: Better) -> float:
    if better == "lower":
        return math.log1p(loss)
    return -math.log1p(-loss) if loss < 1 else math.inf


def _fraction(log_loss: float, better: Better) -> float:
    if better == "higher":
        return -math.expm1(-log_loss) if log_loss > -math.inf else -math.inf
    return math.expm1(log_loss)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g}%"


def _loss(fraction: float, better: Better) -> str:
    down = (fraction > 0) == (better == "higher")
    return f"{_percent(abs(fraction))} {'lower' if down else 'higher'}"


def _ends(interval: tuple[float, float], better: Better) -> str:
    ends = [_loss(end, better) if math.isfinite(end) else "anything" for end in interval]
    return " and ".join(ends)
