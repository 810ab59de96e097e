"""The cells of a scene's truth table: every pod to every pod at all ports, and what is expected of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from netassay.fleet.ports import PROBE_PORTS, transport

if TYPE_CHECKING:
    from netassay.policies.scene import Scene
    from netassay.policies.simulator import Ruling


class Cell(NamedTuple):
    """One attempt to be made: source and target by symbol, and the name of the port."""

    source: str
    target: str
    port: str


def cells_of(scene: Scene) -> tuple[Cell, ...]:
    """Give the whole table of a scene."""
    return tuple(Cell(source, target, port) for port in scene.ports for source in scene.pods for target in scene.pods)


def ruling(scene: Scene, cell: Cell) -> Ruling:
    """What the simulator says of a cell."""
    return scene.ruling(cell.source, cell.target, transport(cell.port), PROBE_PORTS[cell.port])


def differing(one: Scene, other: Scene) -> list[Cell]:
    """Give the cells that are open in one scene, and closed in the other."""
    return [cell for cell in cells_of(one) if ruling(one, cell).open != ruling(other, cell).open]


def changed(before: Scene, after: Scene) -> list[Cell]:
    """Give some of the cells that a change opens or closes: whoever waits looks at them first."""
    return spread(differing(before, after))


def spread(cells: list[Cell], *, most: int = 12) -> list[Cell]:
    """Give about so many of these cells, from all over them."""
    return cells[:: max(1, len(cells) // most)]
