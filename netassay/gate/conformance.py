"""Conformance: nothing that held may break, by design stays by design, and the mode stays what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netassay.gate.schema import Item, Ruling
from netassay.results.schema import CheckRecord, RunRecord, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from netassay.gate.policy import ConformancePolicy

HOLDS, BROKEN, ABSENT = Verdict.HOLDS, Verdict.BROKEN, Verdict.ABSENT_BY_DESIGN
NOT_APPLICABLE, INCONCLUSIVE = Verdict.NOT_APPLICABLE, Verdict.INCONCLUSIVE

NEW: Final = "was not made before"
RULES: Final[dict[tuple[Verdict | None, Verdict | None], tuple[Ruling, str]]] = {
    (HOLDS, BROKEN): (Ruling.NO_GO, "held before, and is broken now"),
    (HOLDS, ABSENT): (Ruling.NO_GO, "held before, and is absent now"),
    (HOLDS, NOT_APPLICABLE): (Ruling.UNDECIDED, "held before, and does not apply any more"),
    (HOLDS, INCONCLUSIVE): (Ruling.UNDECIDED, "held before, and could not be told now"),
    (HOLDS, None): (Ruling.UNDECIDED, "held before, and was not checked now"),
    (ABSENT, HOLDS): (Ruling.NO_GO, "was absent by design before, and is kept now: what relied on that may break"),
    (ABSENT, BROKEN): (Ruling.NO_GO, "was absent by design before, and is broken now"),
    (ABSENT, NOT_APPLICABLE): (Ruling.UNDECIDED, "was absent by design before, and does not apply any more"),
    (ABSENT, INCONCLUSIVE): (Ruling.UNDECIDED, "was absent by design before, and could not be told now"),
    (ABSENT, None): (Ruling.UNDECIDED, "was absent by design before, and was not checked now"),
    (BROKEN, HOLDS): (Ruling.NOTE, "was broken before, and holds now"),
    (BROKEN, ABSENT): (Ruling.NOTE, "was broken before, and is absent by design now"),
    (BROKEN, BROKEN): (Ruling.NOTE, "was broken before, and still is"),
    (BROKEN, NOT_APPLICABLE): (Ruling.NOTE, "was broken before, and does not apply any more"),
    (BROKEN, INCONCLUSIVE): (Ruling.NOTE, "was broken before, and could not be told now"),
    (BROKEN, None): (Ruling.NOTE, "was broken before, and was not checked now"),
    (NOT_APPLICABLE, BROKEN): (Ruling.NO_GO, "did not apply before, and is broken now"),
    (INCONCLUSIVE, BROKEN): (Ruling.NO_GO, "could not be told before, and is broken now"),
    (None, BROKEN): (Ruling.NO_GO, f"{NEW}, and is broken now"),
    (NOT_APPLICABLE, INCONCLUSIVE): (Ruling.UNDECIDED, "did not apply before, and could not be told now"),
    (INCONCLUSIVE, INCONCLUSIVE): (Ruling.UNDECIDED, "could be told neither before nor now"),
    (None, INCONCLUSIVE): (Ruling.UNDECIDED, f"{NEW}, and could not be told now"),
    (INCONCLUSIVE, None): (Ruling.NOTE, "could not be told before, and was not checked now"),
}
"""What each change of a verdict says, from the baseline's to the candidate's; None where the check was not made.

What is not listed is fine. Whatever has no verdict now is undecided, unless it was known to be broken: nothing that
held can have been lost then.
"""


def judge_checks(before: RunRecord, after: RunRecord, policy: ConformancePolicy) -> Iterator[Item]:
    """Compare the verdicts of each check."""
    old, new = _by_identity(before), _by_identity(after)
    for identity in dict.fromkeys([*new, *old]):
        was, now = old.get(identity), new.get(identity)
        ruling, words = RULES.get((_verdict(was), _verdict(now)), (Ruling.FINE, ""))
        if now is None and ruling is Ruling.UNDECIDED and policy.missing == "ignore":
            ruling = Ruling.NOTE
        if was and now and was.verdict is BROKEN and now.verdict is BROKEN and policy.still_broken == "no-go":
            ruling = Ruling.NO_GO
        record = now or was
        assert record is not None
        yield Item(key=f"conformance/{identity}", ruling=ruling, text=_sentence(record, words, told=now))


def judge_mode(before: RunRecord, after: RunRecord, policy: ConformancePolicy) -> Iterator[Item]:
    """Compare what the two runs are of: mode, kind of cluster, nodes, and whether they can be compared at all."""
    if before.run_id == after.run_id:
        yield Item(key="sides", ruling=Ruling.UNDECIDED, text=f"Both sides are the same run, {after.run_id}.")
    elif before.started and after.started and after.started < before.started:
        text = "The candidate was assayed before the baseline: are the two sides the wrong way round?"
        yield Item(key="sides", ruling=Ruling.UNDECIDED, text=text)
    if before.mode != after.mode:
        ruling = Ruling.NOTE if policy.mode_may_change else Ruling.NO_GO
        yield Item(key="mode", ruling=ruling, text=f"The mode was {before.mode}, and is {after.mode} now.")
    if before.cluster.lab != after.cluster.lab:
        kinds = [
            f"the lab in mode {run.cluster.lab}" if run.cluster.lab else "a real cluster" for run in (before, after)
        ]
        ruling = (
            Ruling.NOTE if policy.mode_may_change and all(r.cluster.lab for r in (before, after)) else Ruling.UNDECIDED
        )
        text = f"The baseline is of {kinds[0]}, the candidate of {kinds[1]}: neither speaks for the other."
        yield Item(key="cluster", ruling=ruling, text=text)
    yield from _nodes(before, after)
    for fault in after.faults:
        text = f"The candidate's run itself went wrong: {fault.partition(chr(10))[0]}"
        yield Item(key="run", ruling=Ruling.UNDECIDED, text=text)
    for fault in before.faults:
        text = f"The baseline's run itself went wrong, so that it may lack checks: {fault.partition(chr(10))[0]}"
        yield Item(key="run", ruling=Ruling.NOTE, text=text)
    if before.netassay != after.netassay:
        text = f"The baseline is by netassay {before.netassay}, the candidate by {after.netassay}."
        yield Item(key="netassay", ruling=Ruling.NOTE, text=text)
    for name in ("version", "service_proxy"):
        was, now = getattr(before.cluster, name), getattr(after.cluster, name)
        if was != now:
            what = "Kubernetes" if name == "version" else "kube-proxy's mode"
            text = f"{what} was {was or 'unknown'}, and is {now or 'unknown'} now."
            yield Item(key=f"cluster/{name}", ruling=Ruling.NOTE, text=text)
    kernels = [sorted({node.kernel for node in run.cluster.nodes}) for run in (before, after)]
    if kernels[0] != kernels[1]:
        text = f"Kernels were {', '.join(kernels[0])}, and are {', '.join(kernels[1])} now."
        yield Item(key="cluster/kernel", ruling=Ruling.NOTE, text=text)


def _nodes(before: RunRecord, after: RunRecord) -> Iterator[Item]:
    """See that no node got lost: nothing is checked on one that is gone, so that nothing is found broken there."""
    now = {node.name: node for node in after.cluster.nodes}
    gone = []
    for node in before.cluster.nodes:
        if node.name not in now:
            gone.append(node.name)
        elif node.ready and not now[node.name].ready:
            text = f"{node.name} was Ready, and is not any more: nothing could be checked there."
            yield Item(key=f"node/{node.name}", ruling=Ruling.NO_GO, text=text)
    if gone:
        fewer = len(now) < len(before.cluster.nodes)
        text = f"Nodes are gone: {', '.join(gone)}. There were {len(before.cluster.nodes)}, and there are {len(now)}."
        yield Item(key="nodes", ruling=Ruling.UNDECIDED if fewer else Ruling.NOTE, text=text)


def _verdict(record: CheckRecord | None) -> Verdict | None:
    return record.verdict if record else None


def _by_identity(run: RunRecord) -> dict[str, CheckRecord]:
    return {_identity(record): record for record in run.checks}


def _identity(record: CheckRecord) -> str:
    """The check's id, with the parameters that the id does not already name."""
    more = [f"{name}={value}" for name, value in sorted(record.parameters.items()) if value not in record.id]
    return record.id + (f" ({', '.join(more)})" if more else "")


def _sentence(record: CheckRecord, words: str, *, told: CheckRecord | None) -> str:
    said = told.message.partition("\n")[0] if told and told.verdict is not HOLDS else ""
    return f"{record.title or record.claim or record.id}: {words or 'as before'}" + (f" ({said})" if said else "") + "."
