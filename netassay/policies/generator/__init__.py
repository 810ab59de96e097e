"""The cases of the suite, generated from the features of the API: the same data on every cluster, in every run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netassay.policies.generator import changes, combinations, conflicts, peers, ports, targets

if TYPE_CHECKING:
    from netassay.policies.case import Case

CASES: Final[tuple[Case, ...]] = (
    *targets.cases(),
    *peers.cases(),
    *ports.cases(),
    *combinations.cases(),
    *conflicts.cases(),
    *changes.cases(),
)
"""Every case, in the order of the suite."""

BY_ID: Final[dict[str, Case]] = {case.id: case for case in CASES}
