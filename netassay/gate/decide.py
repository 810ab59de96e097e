"""From items to a decision: one no-go is a no-go, one doubt without it is no decision, and only evidence makes a go."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Final

import msgspec

import netassay
from netassay.gate.conformance import judge_checks, judge_mode
from netassay.gate.disruption import judge_figures, judge_watch
from netassay.gate.performance import judge_performance
from netassay.gate.schema import Decision, GateRecord, Item, Ruling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from netassay.bench.cells import Gated
    from netassay.gate.evidence import Evidence
    from netassay.gate.policy import Policy

COUNTED: Final = (Ruling.NO_GO, Ruling.UNDECIDED)
NAMED: Final = 2
"""Items that the reason names."""


def decide(
    before: Evidence,
    after: Evidence,
    policy: Policy,
    *,
    gated: Sequence[Gated],
    today: dt.date | None = None,
    policy_name: str = "",
) -> GateRecord:
    """Decide between two sides. `gated` are the metrics that count, `today` the day that exceptions are judged on."""
    day = today or dt.datetime.now(dt.UTC).date()
    items = list(_with_exceptions(_judge(before, after, policy, gated), policy, day))
    record = GateRecord(
        decision=_decision(items),
        reason="",
        baseline=before.side,
        candidate=after.side,
        netassay=netassay.__version__,
        decided=time.time(),
        policy=policy_name,
        judged=_judged(before, after, items),
        items=sorted(items, key=lambda item: list(Ruling).index(item.ruling)),
    )
    record.reason = _reason(record)
    return record


def _judge(before: Evidence, after: Evidence, policy: Policy, gated: Sequence[Gated]) -> Iterator[Item]:
    if before.run and after.run:
        yield from judge_mode(before.run, after.run, policy.conformance)
        yield from judge_checks(before.run, after.run, policy.conformance)
    else:
        yield from _missing("conformance", policy, before=bool(before.run), after=bool(after.run))
    if before.benches and after.benches:
        yield from judge_performance(before.benches, after.benches, gated, policy.performance)
    else:
        yield from _missing("performance", policy, before=bool(before.benches), after=bool(after.benches))
    if after.watch:
        yield from judge_watch(after.watch, policy.disruption)
    elif "disruption" in policy.required:
        text = "The candidate has no watch (watch.json), and the policy requires one: `netassay watch` makes it."
        yield Item(key="disruption", ruling=Ruling.UNDECIDED, text=text)
    if after.run:
        yield from judge_figures(after.run, policy.disruption)


def _missing(kind: str, policy: Policy, *, before: bool, after: bool) -> Iterator[Item]:
    """Say what one side, or both, have not got. What only one side has was meant to be compared."""
    if before == after and kind not in policy.required:
        return
    lacking = " and ".join(name for name, has in (("baseline", before), ("candidate", after)) if not has)
    made_by = {"conformance": "run.json, by `netassay run`", "performance": "bench.json, by `netassay bench`"}[kind]
    yield Item(
        key=kind,
        ruling=Ruling.UNDECIDED if kind in policy.required or before else Ruling.NOTE,
        text=f"The {lacking} has no results about {kind} ({made_by}).",
    )


def _with_exceptions(items: Iterator[Item], policy: Policy, today: dt.date) -> Iterator[Item]:
    """Let known exceptions excuse what they cover, and have expired ones fail."""
    used = set()
    for item in items:
        known = next((one for one in policy.exception if one.covers(item.key)), None)
        if known and item.ruling in COUNTED:
            used.add(known)
            if not known.expired(today):
                said = f"{known.reason} ({known.owner}, until {known.expires})"
                yield msgspec.structs.replace(item, ruling=Ruling.EXCEPTED, exception=said)
                continue
        yield item
    for known in policy.exception:
        about = f"The exception for {known.match} ({known.owner}: {known.reason})"
        if known.expired(today):
            text = f"{about} expired on {known.expires}: renew or remove it."
            yield Item(key="exception", ruling=Ruling.NO_GO, text=text)
        elif known not in used:
            yield Item(key="exception", ruling=Ruling.NOTE, text=f"{about} was not needed: remove it?")


def _decision(items: Sequence[Item]) -> Decision:
    rulings = {item.ruling for item in items}
    if Ruling.NO_GO in rulings:
        return Decision.NO_GO
    if Ruling.UNDECIDED in rulings or Ruling.FINE not in rulings:
        return Decision.CANNOT_DECIDE
    return Decision.GO


def _judged(before: Evidence, after: Evidence, items: Sequence[Item]) -> dict[str, str]:
    def count(area: str, *rulings: Ruling) -> int:
        return sum(item.area == area and (not rulings or item.ruling in rulings) for item in items)

    told = {}
    if before.run and after.run:
        told["conformance"] = (
            f"{count('conformance', Ruling.FINE)} of {count('conformance')} checks as before or better"
        )
    if before.benches and after.benches:
        told["performance"] = (
            f"{count('performance', Ruling.FINE)} of {count('performance')} metrics within their margins"
        )
    if after.watch:
        told["disruption"] = f"{count('disruption', Ruling.FINE)} of {count('disruption')} flows within their limits"
    for area in ("conformance", "performance", "disruption"):
        told.setdefault(area, "not judged")
    return told


def _reason(record: GateRecord) -> str:
    """One sentence: the gravest things first, or what a go rests on."""
    excepted = len(record.of(Ruling.EXCEPTED))
    also = f"; {excepted} known exceptions" if excepted else ""
    if record.decision is Decision.GO:
        return "; ".join(f"{area}: {text}" for area, text in record.judged.items()) + also
    grave = record.of(Ruling.NO_GO if record.decision is Decision.NO_GO else Ruling.UNDECIDED)
    if not grave:
        return "there is nothing in the results that speaks for the candidate" + also
    named = " ".join(item.text for item in grave[:NAMED])
    more = f" And {len(grave) - NAMED} more." if len(grave) > NAMED else ""
    return named + more + also
