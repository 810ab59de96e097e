"""Truth tables as a run's record holds them: whole if they are small, else what differs, and counts by group of nodes.

All observations are in the record anyway. A table of a thousand nodes is for looking at, and a million cells are not.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from netassay.cell import State
from netassay.results.schema import MatrixBlock, MatrixCell, MatrixRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netassay.cell import End
    from netassay.matrix import AnyDifference

LARGEST: Final = 40
"""Rows and columns up to which a table is kept whole; of a larger one, the first so many in which something differs."""

GROUPS: Final = 16
"""Groups of nodes by which a large table is counted, at most."""


def matrix_record(
    check: str, title: str, difference: AnyDifference, classes: Mapping[str, str] | None = None
) -> MatrixRecord:
    """Make the record of a truth table. `classes` gives the class of each node, by which a large one is counted."""
    table = difference.table(most=LARGEST)
    kept = MatrixRecord(
        check=check,
        title=title,
        sources=[_label(end) for end in table.sources],
        targets=[_label(end) for end in table.targets],
        cells=[
            [None if c is None else MatrixCell(c.state, c.outcome, c.describe() if c.differs else "") for c in row]
            for row in table.rows
        ],
        sample=difference.sample,
    )
    return _counted(kept, difference, table.size, classes or {}) if table.excerpt else kept


def _counted(
    kept: MatrixRecord, difference: AnyDifference, size: tuple[int, int], classes: Mapping[str, str]
) -> MatrixRecord:
    """Add how many cells of the whole are in which state, all in all and by group."""
    nodes = sorted({end.node or end.name for cell in difference.cells for end in (cell.source, cell.target)})
    groups = _groups(nodes, classes)
    names = list(dict.fromkeys(groups.values()))
    states: dict[str, int] = defaultdict(int)
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for cell in difference.cells:
        one, other = (groups[end.node or end.name] for end in (cell.source, cell.target))
        states[cell.state] += 1
        counts[one, other, cell.state] += 1
    blocks = [
        [
            MatrixBlock(
                tried=sum(counts[one, other, state] for state in State),
                wrong=counts[one, other, State.WRONG],
                unknown=counts[one, other, State.NO_VERDICT],
            )
            for other in names
        ]
        for one in names
    ]
    return msgspec.structs.replace(kept, size=size, states=dict(states), groups=names, blocks=blocks)


def _groups(nodes: Sequence[str], classes: Mapping[str, str]) -> dict[str, str]:
    """Give each node's group: its class, or where there are none or too many, those that follow it by name."""
    if 1 < len({classes.get(node, "") for node in nodes}) <= GROUPS:
        found = {node: classes.get(node, "") or "no class" for node in nodes}
        return dict(sorted(found.items(), key=lambda one: one[1]))
    each = -(-len(nodes) // GROUPS)
    parts = [nodes[start : start + each] for start in range(0, len(nodes), each)]
    return {node: f"{part[0]} … {part[-1]}" for part in parts for node in part}


def _label(end: End) -> str:
    return f"{end.name} ({end.node})" if end.node else end.name
