"""Verdicts by feature."""

from __future__ import annotations

from netassay.policies.generator import CASES
from netassay.results.schema import CheckRecord, Verdict
from netassay.results.tally import by_tag


def test_cases_count_for_each_feature_that_they_use() -> None:
    checks = [
        CheckRecord(
            id=case.id,
            verdict=Verdict.BROKEN if case.id == "blocks-except-one-egress" else Verdict.HOLDS,
            tags=sorted(case.tags),
        )
        for case in CASES
    ]
    checks.append(CheckRecord(id="another", verdict=Verdict.BROKEN))
    told = by_tag(checks)
    excepting = sum("peers: IPBlock except" in case.tags for case in CASES)
    assert told["peers: IPBlock except"] == {Verdict.HOLDS: excepting - 1, Verdict.BROKEN: 1}
    assert told["ports: range"][Verdict.BROKEN] == 0
    assert list(told) == sorted(told)
