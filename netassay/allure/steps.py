"""The steps of a check, of what it recorded: attempts, truth tables, timelines of flows, and figures."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from netassay.cell import State
from netassay.observation import Outcome
from netassay.report.drawing import grid_svg
from netassay.report.grid import grid
from netassay.report.words import count, figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.observation import Observation
    from netassay.results.schema import CheckRecord, Figure, MatrixRecord, RunRecord, TimelineRecord

TEXT: Final = "text/plain"
SVG: Final = "image/svg+xml"
PASSED, FAILED, BROKEN = "passed", "failed", "broken"

LISTED: Final = 100
"""Attempts that got no way through and are listed beside a step; run.json has all."""


@dataclass(frozen=True)
class Piece:
    """Something to look at beside a step or a result; `kind` is its media type."""

    title: str
    kind: str
    content: str


@dataclass(frozen=True)
class Step:
    """One step: `began` and `ended` are in seconds since the epoch, 0 where that is not known."""

    name: str
    status: str = PASSED
    began: float = 0.0
    ended: float = 0.0
    pieces: list[Piece] = field(default_factory=list)


class Steps:
    """The steps of every check of a run. A run with thousands of observations is gone through once."""

    def __init__(self, run: RunRecord) -> None:
        """Sort what the run recorded by its checks."""
        self._run = run
        self._matrices: dict[str, list[MatrixRecord]] = defaultdict(list)
        self._timelines: dict[str, list[TimelineRecord]] = defaultdict(list)
        self._figures: dict[str, dict[tuple[str, str], list[Figure]]] = defaultdict(lambda: defaultdict(list))
        for matrix in run.matrices:
            self._matrices[matrix.check].append(matrix)
        for timeline in run.timelines:
            self._timelines[timeline.check].append(timeline)
        for one in run.figures:
            self._figures[one.check][one.key, one.unit].append(one)

    def of(self, record: CheckRecord) -> list[Step]:
        """Give a check's steps: what it tried, what that came to, what it measured."""
        attempts: dict[str, list[Observation]] = defaultdict(list)
        for observation in self._run.observations.get(record.id, ()):
            attempts[str(observation.attempt.protocol)].append(observation)
        return [
            *(_attempts(protocol, seen) for protocol, seen in attempts.items()),
            *(_matrix(matrix) for matrix in self._matrices[record.id]),
            *(_timeline(timeline) for timeline in self._timelines[record.id]),
            *(_figure(key, unit, found) for (key, unit), found in self._figures[record.id].items()),
        ]


def _attempts(protocol: str, seen: Sequence[Observation]) -> Step:
    """Make a step of all attempts over one protocol. What was to be open is not known here: it fails none."""
    outcomes = Counter(str(one.outcome) for one in seen)
    words = ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.most_common())
    others = [one.describe() for one in seen if one.outcome is not Outcome.OPEN]
    left_out = [f"… and {len(others) - LISTED:,} more"] if len(others) > LISTED else []
    times = [one.started for one in seen if one.started]
    return Step(
        name=f"{count(len(seen), 'attempt')} over {protocol.upper()}: {words}",
        status=BROKEN if outcomes[str(Outcome.NO_VERDICT)] else PASSED,
        began=min(times, default=0.0),
        ended=max((one.started + one.microseconds / 1e6 for one in seen if one.started), default=0.0),
        pieces=[Piece("Those that were not open", TEXT, "\n".join([*others[:LISTED], *left_out]))] if others else [],
    )


def _matrix(matrix: MatrixRecord) -> Step:
    table = grid(matrix, "")
    states = {cell.state for row in matrix.cells for cell in row if cell is not None}
    pieces = [Piece(matrix.title, SVG, grid_svg(table))]
    if table.details:
        pieces.append(Piece("What differs", TEXT, "\n".join(table.details)))
    return Step(
        name=f"Compared with what was expected: {matrix.title}: {table.summary}",
        status=FAILED if State.WRONG in states else BROKEN if State.NO_VERDICT in states else PASSED,
        pieces=pieces,
    )


def _timeline(record: TimelineRecord) -> Step:
    lines = "\n".join(one.describe() for one in record.timelines)
    return Step(
        name=f"Followed {count(len(record.timelines), 'flow')}: {record.event}", pieces=[Piece("Flows", TEXT, lines)]
    )


def _figure(key: str, unit: str, found: Sequence[Figure]) -> Step:
    values = [one.value for one in found]
    told = figure(statistics.median(values), unit)
    if len(values) == 1:
        return Step(name=f"Measured {key}: {told}")
    return Step(
        name=f"Measured {key} {len(values):,} times: median {told}",
        pieces=[Piece(key, TEXT, "\n".join(figure(value, unit) for value in values))],
    )
