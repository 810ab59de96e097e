"""What a run adds up to: its exit code and the sentence that says so."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from netassay.results.schema import RunRecord, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping


class Conclusion(StrEnum):
    """The three ways for a run to end."""

    CONFORMS = "conforms"
    FINDINGS = "findings"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> int:
        """What a process says that ran it: 0 conforms, 1 findings, 3 inconclusive (2 is left to wrong usage)."""
        return {Conclusion.CONFORMS: 0, Conclusion.FINDINGS: 1, Conclusion.INCONCLUSIVE: 3}[self]


class Summary(msgspec.Struct, frozen=True):
    """A run in one sentence, with the number of checks by verdict."""

    conclusion: Conclusion
    headline: str
    counts: Mapping[Verdict, int]


def summarize(run: RunRecord) -> Summary:
    """Conclude: a broken check is a finding; any doubt without one is inconclusive, and so is a run without checks."""
    counts = Counter(record.verdict for record in run.checks)
    made = len(run.checks) - counts[Verdict.NOT_APPLICABLE]
    broken, unsure = counts[Verdict.BROKEN], counts[Verdict.INCONCLUSIVE]
    settled = counts[Verdict.HOLDS] + counts[Verdict.ABSENT_BY_DESIGN]
    if broken:
        conclusion, headline = Conclusion.FINDINGS, f"The network is broken: {broken} of {_checks(made)} found it so"
        if unsure:
            headline += f", and {unsure} could not be completed"
    elif unsure:
        conclusion = Conclusion.INCONCLUSIVE
        headline = f"No conclusion: {unsure} of {_checks(made)} could not be completed, and none found anything broken"
    elif run.faults:
        conclusion = Conclusion.INCONCLUSIVE
        headline = f"No conclusion: the run itself went wrong ({run.faults[0].splitlines()[0]})"
    elif not settled:
        conclusion, headline = Conclusion.INCONCLUSIVE, "No conclusion: not one check was made"
    else:
        conclusion = Conclusion.CONFORMS
        headline = f"The network conforms: {counts[Verdict.HOLDS]} of {_checks(made)} found its promises kept"
        if counts[Verdict.ABSENT_BY_DESIGN]:
            headline += f", {counts[Verdict.ABSENT_BY_DESIGN]} confirmed what the mode leaves out by design"
    return Summary(conclusion, headline, counts)


def _checks(count: int) -> str:
    return f"{count} check{'s' if count != 1 else ''}"
