"""What benches came to, side by side: shares of the control of the same block, and who may be ranked."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netassay.bench.cells import CHANGES, HOST, loads, locust_loads, parse, requests, title
from netassay.stats import bootstrap_interval, noise_floor, ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netassay.bench.schema import Bench
    from netassay.stats import Better

SATURATED: Final = 0.97
"""Of the control, what counts as having reached it: there is nothing left to rank by."""

RANKED_FROM: Final = 3
"""Blocks from which on a difference is spoken of."""


@dataclass(frozen=True)
class Metric:
    """What a load is judged by: the key, its unit, how many decimals, and which way is better."""

    key: str
    unit: str
    decimals: int
    better: Better


THROUGHPUT: Final = Metric("gbps", "Gbit/s", 2, "higher")
LATENCY: Final = Metric("p50_us", "µs", 0, "lower")
LOSS: Final = Metric("lost_percent", "% lost", 2, "lower")


@dataclass(frozen=True)
class Entry:
    """One mode's measurement of one cell. `shares` are per cent of the control of the same block, with the interval.

    `absent` is why there is none. Numbers are those of valid blocks, and of repetitions that did not count.
    """

    mode: str
    values: list[float]
    shares: list[float]
    median: str
    interval: tuple[float, float] | None
    share: float | None
    cpu: str
    noise: float | None
    notes: list[str]
    rejected: int
    absent: str = ""


@dataclass(frozen=True)
class CellView:
    """One cell in all modes, and what may be said of who is ahead."""

    id: str
    title: str
    unit: str
    entries: list[Entry]
    ranking: str


def compare(benches: Sequence[Bench], missing: Mapping[str, str]) -> list[CellView]:
    """All cells of these benches; `missing` are modes without a bench, and why."""
    ids = list(dict.fromkeys(cell for bench in benches for cell in bench.header.cells))
    return [_cell(cell, benches, missing) for cell in sorted(ids, key=_order)]


def name_of(bench: Bench) -> str:
    """What a bench is called: its lab's mode, or the mode that was found."""
    return bench.header.lab or bench.header.mode


def metric_of(load: str) -> Metric:
    """What a load is judged by."""
    if load.startswith(("rr", "crr")) or load in CHANGES or load in locust_loads():
        return LATENCY
    return LOSS if load in loads() and loads()[load].udp else THROUGHPUT


def _order(cell: str) -> tuple[str, str, bool, str]:
    parsed = parse(cell)
    return parsed.family, parsed.load, parsed.kind != HOST, parsed.path


def _cell(cell: str, benches: Sequence[Bench], missing: Mapping[str, str]) -> CellView:
    parsed = parse(cell)
    metric = metric_of(parsed.load)
    entries = [_entry(bench, cell, metric) for bench in benches]
    entries += [Entry(mode, [], [], "", None, None, "", None, [], 0, why) for mode, why in missing.items()]
    titles = {name: load.title for kind in (loads(), requests(), locust_loads()) for name, load in kind.items()}
    words = {**titles, **CHANGES}.get(parsed.load, parsed.load)
    heading = f"{words}: {title(parsed.path)}, {parsed.family.api}"
    return CellView(cell, heading, metric.unit, entries, _ranking(cell, benches, metric))


def _entry(bench: Bench, cell: str, metric: Metric) -> Entry:
    parsed = parse(cell)
    by_block = bench.values(cell, metric.key)
    values = list(by_block.values())
    rejected = [r for r in bench.repetitions if r.cell == cell and not r.validity.valid]
    if not values:
        why = bench.header.absent.get(cell) or next(
            (f"no repetition was valid: {'; '.join(r.validity.reasons)}" for r in rejected), "it was not measured"
        )
        return Entry(name_of(bench), [], [], "", None, None, "", None, [], len(rejected), why)
    control = bench.values(parsed.control.id, metric.key)
    shares = [100 * value / control[block] for block, value in by_block.items() if control.get(block)]
    notes = list(dict.fromkeys(note for r in bench.repetitions if r.cell == cell for note in r.validity.notes))
    share = interval = None
    if shares and parsed.kind != HOST and metric is not LOSS:
        found = bootstrap_interval(shares)
        share, interval = found.value, (found.low, found.high)
        if metric is THROUGHPUT and share >= 100 * SATURATED:
            notes.append(f"saturated at {share:.0f}% of the control: compare CPU")
    cpu = list(bench.values(cell, "core_s_per_gbit").values())
    noise = noise_floor([values], blocks=len(values)) if len(values) >= RANKED_FROM and min(values) > 0 else None
    return Entry(
        mode=name_of(bench),
        values=values,
        shares=shares if parsed.kind != HOST and metric is not LOSS else [],
        median=f"{statistics.median(values):.{metric.decimals}f}",
        interval=interval,
        share=share,
        cpu=f"{1000 * statistics.median(cpu):.0f}" if cpu and metric is not LOSS else "",
        noise=noise,
        notes=notes[:2],
        rejected=len(rejected),
    )


def _ranking(cell: str, benches: Sequence[Bench], metric: Metric) -> str:
    """Who is ahead, if anybody is beyond the noise, the interval and the control's ceiling; else why it is not said."""
    if len(benches) < 2 or parse(cell).kind == HOST or metric is LOSS:  # noqa: PLR2004 - it takes two
        return ""
    environments = {(b.header.environment.kernel, b.header.environment.machine, _version(b, cell)) for b in benches}
    if len(environments) > 1:
        return "Not ranked: kernel, machine or tool differ."
    measured = {name_of(b): list(b.values(cell, metric.key).values()) for b in benches}
    enough = {mode: values for mode, values in measured.items() if len(values) >= RANKED_FROM}
    if len(enough) < 2:  # noqa: PLR2004
        return f"Not ranked: fewer than two modes have {RANKED_FROM} valid blocks."
    order = sorted(enough, key=lambda mode: statistics.median(enough[mode]), reverse=metric.better == "higher")
    best, second = order[:2]
    found = ratio(enough[second], enough[best])
    floor = max(noise_floor([enough[mode]], blocks=len(enough[mode])) for mode in (best, second))
    ahead = found.low > 1 + floor if metric.better == "higher" else found.high < 1 / (1 + floor)
    if not ahead:
        return f"No winner: {best} and {second} differ by less than blocks of one network do ({100 * floor:.0f}%)."
    much = abs(100 * (found.value - 1))
    return f"{best} is {'ahead of' if metric.better == 'higher' else 'faster than'} {second} by {much:.0f}%."


def _version(bench: Bench, cell: str) -> str:
    return next((r.tool.version for r in bench.repetitions if r.cell == cell and r.tool.version), "")
