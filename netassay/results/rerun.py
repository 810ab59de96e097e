"""How to make one check again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netassay.results.schema import CheckRecord, RunRecord


def rerun(run: RunRecord, record: CheckRecord) -> list[str]:
    """Give the command that makes this check again, against the same cluster."""
    return [*(run.command or ["netassay", "run"]), "--select", record.id.removeprefix("suites/")]
