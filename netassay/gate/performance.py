"""Performance: whether each gated metric is no worse than its margin allows, and whether that can be told here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netassay.gate.schema import Item, Ruling
from netassay.stats import Decision, Outcome, decide, noise_floor, together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netassay.bench.cells import Gated
    from netassay.gate.benches import BenchValues
    from netassay.gate.policy import PerformancePolicy


class Compared(NamedTuple):
    """One gated metric, and the values of both sides by block."""

    gated: Gated
    before: Sequence[float]
    after: Sequence[float]

    @property
    def key(self) -> str:
        """As in "pod.ipv4.tcp-1 gbps"."""
        return f"{self.gated.cell} {self.gated.metric}"


def judge_performance(
    before: Sequence[BenchValues], after: Sequence[BenchValues], gated: Sequence[Gated], policy: PerformancePolicy
) -> Iterator[Item]:
    """Decide on each gated metric that either side has measured.

    `before` are several benches where the baseline was measured more than once: they show the cluster's noise.
    """
    differs = _differences(before, after)
    if differs:
        yield Item(key="performance", ruling=Ruling.UNDECIDED, text=f"Figures are not comparable: {differs}.")
        return
    decisions: dict[str, Decision] = {}
    compared: dict[str, Compared] = {}
    for each in gated:
        pair = Compared(each, _pooled(before, each), _pooled(after, each))
        key = f"performance/{pair.key}"
        fewest = min(len(pair.before), len(pair.after))
        if not (pair.before or pair.after):
            yield Item(key=key, ruling=Ruling.NOTE, text=f"{pair.key}: measured on neither side.")
        elif fewest < max(1, policy.least_blocks):
            counts = f"{len(pair.before)} blocks before, {len(pair.after)} now, and {policy.least_blocks} are needed"
            yield Item(key=key, ruling=Ruling.UNDECIDED, text=f"{pair.key}: {counts}.")
        else:
            floor = noise_floor([list(bench.of(each.cell, each.metric).values()) for bench in before], blocks=fewest)
            compared[key] = pair
            decisions[key] = _decide(pair, floor, policy.alpha)
    for key, decision in together(decisions).items():
        yield _item(key, compared[key], decision, before, after)


def _item(
    key: str, pair: Compared, decision: Decision, before: Sequence[BenchValues], after: Sequence[BenchValues]
) -> Item:
    text = f"{pair.key}: {decision.sentence}"
    ruling = {
        Outcome.PASS: Ruling.FINE,
        Outcome.FAIL: Ruling.NO_GO,
        Outcome.INCONCLUSIVE: Ruling.UNDECIDED,
    }[decision.verdict]
    if decision.verdict is Outcome.FAIL and (host := _on_the_host(pair, decision, before, after)):
        ruling, text = Ruling.UNDECIDED, f"{text}; but {host}"
    return Item(key=key, ruling=ruling, text=f"{text}.")


def _on_the_host(
    pair: Compared, decision: Decision, before: Sequence[BenchValues], after: Sequence[BenchValues]
) -> str:
    """Say if the same load between the hosts themselves became as much worse: then it is not the pod network's loss."""
    path, _, rest = pair.gated.cell.partition(".")
    same = ".same" if rest.startswith("same.") else ""
    control = f"host{same}.{rest.removeprefix('same.')}"
    if path == "host":
        return ""
    hosts = Compared(
        _moved(pair.gated, control), _pooled(before, pair.gated, control), _pooled(after, pair.gated, control)
    )
    if not (hosts.before and hosts.after):
        return ""
    on_host = _decide(hosts, 0.0, decision.alpha)
    if on_host.verdict is Outcome.FAIL:
        return (
            f"the hosts themselves are worse too ({hosts.key}: {on_host.sentence}), so that the machines have changed"
        )
    return ""


def _moved(gated: Gated, cell: str) -> Gated:
    return type(gated)(cell, gated.metric, gated.better, gated.margin)


def _decide(pair: Compared, floor: float, alpha: float) -> Decision:
    gated = pair.gated
    return decide(pair.before, pair.after, margin=gated.margin, better=gated.better, floor=floor, alpha=alpha)


def _pooled(benches: Sequence[BenchValues], gated: Gated, cell: str = "") -> list[float]:
    return [value for bench in benches for value in bench.of(cell or gated.cell, gated.metric).values()]


def _differences(before: Sequence[BenchValues], after: Sequence[BenchValues]) -> str:
    """What figures depend on besides the network, and is not the same on both sides, "" if all is."""
    found = []
    for what in ("machine", "kernel", "tool"):
        values = [sorted({getattr(bench, what) for bench in side}) for side in (before, after)]
        if values[0] != values[1]:
            found.append(f"the {what} was {', '.join(values[0])}, and is {', '.join(values[1])} now")
    return "; ".join(found)
