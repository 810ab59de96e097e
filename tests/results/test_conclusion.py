"""The conclusion of a run: broken outweighs doubt, and doubt is never a pass."""

from __future__ import annotations

import pytest

from netassay.results.conclusion import Conclusion, summarize
from netassay.results.schema import CheckRecord, RunRecord, Verdict

H, B, A, N, I = Verdict.HOLDS, Verdict.BROKEN, Verdict.ABSENT_BY_DESIGN, Verdict.NOT_APPLICABLE, Verdict.INCONCLUSIVE  # noqa: E741


@pytest.mark.parametrize(
    ("verdicts", "faults", "exit_code", "headline"),
    [
        ([H, H, N], [], 0, "The network conforms: 2 of 2 checks found its promises kept"),
        (
            [H, A],
            [],
            0,
            "The network conforms: 1 of 2 checks found its promises kept, 1 confirmed what the mode leaves out",
        ),
        ([H, B], [], 1, "The network is broken: 1 of 2 checks found it so"),
        (
            [H, B, I],
            ["the sweep failed"],
            1,
            "The network is broken: 1 of 3 checks found it so, and 1 could not be completed",
        ),
        ([H, H, I], [], 3, "No conclusion: 1 of 3 checks could not be completed, and none found anything broken"),
        (
            [H],
            ["pytest ended with an internal error\nand more"],
            3,
            "No conclusion: the run itself went wrong (pytest ended",
        ),
        ([N, N], [], 3, "No conclusion: not one check was made"),
        ([], [], 3, "No conclusion: not one check was made"),
    ],
)
def test_conclusions(verdicts: list[Verdict], faults: list[str], exit_code: int, headline: str) -> None:
    checks = [CheckRecord(id=str(number), verdict=verdict) for number, verdict in enumerate(verdicts)]
    summary = summarize(RunRecord(run_id="r", checks=checks, faults=faults))
    assert summary.headline.startswith(headline)
    assert summary.conclusion.exit_code == exit_code
    assert isinstance(summary.conclusion, Conclusion)
