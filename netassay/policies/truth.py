"""Truth tables of a scene: every pod to every pod at several ports, beside what the simulator says.

A cell counts as closed only if it was tried while the control answered, and for longer than the control took: so
silence is the network's and not a busy machine's. Whoever waits for a table looks several times: the settled window.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netassay.errors import HarnessFault
from netassay.fleet.ports import PROBE_PORTS, transport
from netassay.fleet.probe import make_rounds
from netassay.matrix import Difference, Expected, Observed
from netassay.observation import Attempt, Observation, Outcome, Protocol
from netassay.policies.cells import Cell, cells_of, ruling

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from netassay.fleet import Probe
    from netassay.policies.scene import Scene
    from netassay.policies.simulator import Ruling
    from netassay.policies.world import World

OPEN_SECONDS: Final = 1.0
"""For how long an attempt that should get through may take; what was lost by chance, the next look tries again."""

LEAST_PATIENCE, MOST_PATIENCE = 0.15, 4.0
"""Seconds for which silence is listened to, on an idle and on a very busy machine."""

FIRST_PATIENCE: Final = 1.0
"""The same, before anything is known of the machine."""

PATIENT: Final = 3.0
"""Silence is listened to for so many times as long as the slowest answer of the control took."""

CALMING: Final = 0.5
"""The share of its patience that each look leaves to the next: a machine that was busy may be so again. With more, the
many looks of a quiet machine wait for the few of a busy one; and a look that waited for too short is made again."""

ONCE_MORE: Final = 0.5
"""The share of its patience after which a whole look tries what should be closed once more: what was lost by chance, or
while rules were changed, is not lost twice."""

UDP_SOURCES: Final = range(10_000, 32_000)
"""Source ports of datagrams, below those that kernels give out. Each pod uses each once in minutes: to a stateful
engine, a datagram with the ports of an earlier one belongs to a flow that it let through, whatever policies say now."""

LISTED: Final = 8


@dataclass(frozen=True)
class Table:
    """What was seen of some cells beside what the simulator says of them.

    `began` is when they were tried, on the monotonic clock in seconds. `whole` is False for a look at a few cells only,
    which can say that something is not so yet, and not that all is.
    """

    scene: Scene
    differences: dict[str, Difference[Probe, Probe]]
    symbols: dict[str, str]
    began: float = 0.0
    whole: bool = True

    @property
    def right(self) -> bool:
        """Whether the whole table was seen, and everything in it is as the simulator says."""
        return self.whole and not self.differs

    @property
    def differs(self) -> bool:
        """Whether anything in it was seen otherwise, or not at all."""
        return any(self.differences.values())

    @property
    def wrong(self) -> list[Observation]:
        """What was seen otherwise."""
        return [one for difference in self.differences.values() for cell in difference.wrong for one in cell.seen]

    @property
    def wrong_cells(self) -> list[Cell]:
        """The cells that were seen otherwise, or not at all."""
        return [
            Cell(self.symbols[cell.source.name], self.symbols[cell.target.name], port)
            for port, difference in self.differences.items()
            for cell in (*difference.wrong, *difference.unknown)
        ]

    def describe(self) -> str:
        """Say how many cells are wrong, and of the first of them why they should be otherwise."""
        count = sum(len(difference.cells) for difference in self.differences.values())
        lines = []
        for port, difference in self.differences.items():
            pattern = difference.pattern()
            lines += [f"{port}: {pattern}"] if pattern else []
            for cell in (*difference.wrong, *difference.unknown):
                said = self.ruling(Cell(self.symbols[cell.source.name], self.symbols[cell.target.name], port))
                lines.append(f"{cell.describe()}\n    for {said.reason}")
        more = [f"… and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
        wrong = sum(len(difference.wrong) for difference in self.differences.values())
        head = f"{wrong} of {count} attempts ended otherwise than the policies say" if wrong else f"all {count} as said"
        return "\n".join([head if self.whole else f"{head} (a look at what changes)", *lines[:LISTED], *more])

    def ruling(self, cell: Cell) -> Ruling:
        """What the simulator says of a cell."""
        return ruling(self.scene, cell)


class Trial:
    """Fills in tables. `control` are probes that no policy is about: they must reach each other in every look."""

    def __init__(self, world: World, control: Sequence[Probe]) -> None:
        """Try the pods of `world`, once it is built."""
        self._world, self._control = world, control
        self._patience = FIRST_PATIENCE
        self._datagrams: dict[str, Iterator[int]] = {}

    def warm_up(self) -> None:
        """Open the stream of every pod, and learn how busy the machine is."""
        # The first look waits for streams to be opened, and may say no more than that it was too slow.
        with contextlib.suppress(HarnessFault):
            self.look(self._world.scene)

    def look(self, scene: Scene, cells: Collection[Cell] = ()) -> Table:
        """Try the cells (the whole table, if none are given), all at once, and compare with what the scene says.

        In a look at the whole table, what should be closed is tried twice: only what neither attempt got through is. A
        look at a few cells is a quick one, in which what should be open is waited for no longer than for silence.
        HarnessFault if the control did not answer, or almost too late.
        """
        whole = not cells
        cells = cells or cells_of(scene)
        rounds = [cells, [cell for cell in cells if not ruling(scene, cell).open]] if whole else [cells]
        began = time.monotonic()
        results, control = self._try(scene, [each for each in rounds if each], whole=whole)
        self._require_awake(control)
        symbols = {probe.name: symbol for symbol, probe in self._world.probes.items()}
        return Table(scene, self._differences(scene, results), symbols, began, whole)

    def _try(
        self, scene: Scene, rounds: Sequence[Collection[Cell]], *, whole: bool
    ) -> tuple[list[tuple[Cell, Observation]], list[Observation]]:
        """Make the rounds, each with its control: what was seen of the cells, and of the control."""
        probes = self._world.probes
        control_ports = {transport(port): port for port in reversed(scene.ports)}.values()
        plans, work = [], []
        for cells in rounds:
            # A pod's attempts at itself never leave it: they tell whether its agent, and its listeners, are awake.
            ends = dict.fromkeys(symbol for cell in cells for symbol in (cell.source, cell.target))
            plan = [*cells, *(Cell(symbol, symbol, port) for symbol in ends for port in control_ports)]
            attempts: dict[Probe, list[Attempt]] = {probe: [] for probe in self._control}
            for cell in plan:
                patient = whole and ruling(scene, cell).open
                seconds = max(self._patience, OPEN_SECONDS) if patient else self._patience
                attempts.setdefault(probes[cell.source], []).append(self._attempt(cell, seconds))
            for source, target in zip(self._control, [*self._control[1:], *self._control[:1]], strict=True):
                attempts[source] += [_attempt(target, port, MOST_PATIENCE) for port in control_ports]
            plans.append((cells, plan))
            work.append(attempts)
        results, control = [], []
        for (cells, plan), seen in zip(plans, make_rounds(work, apart=ONCE_MORE * self._patience), strict=True):
            rows = {symbol: iter(seen.get(probes[symbol], ())) for symbol in probes}
            found = [(cell, next(rows[cell.source])) for cell in plan]
            results += found[: len(cells)]
            control += [one for _, one in found[len(cells) :]]
            control += [one for probe in self._control for one in seen[probe]]
        return results, control

    def _differences(
        self, scene: Scene, results: Sequence[tuple[Cell, Observation]]
    ) -> dict[str, Difference[Probe, Probe]]:
        probes = self._world.probes
        by_port: dict[str, dict[tuple[str, str], bool]] = defaultdict(dict)
        observed: dict[str, Observed] = defaultdict(Observed)
        for cell, one in results:
            source, target = probes[cell.source], probes[cell.target]
            by_port[cell.port][source.name, target.name] = ruling(scene, cell).open
            observed[cell.port].add(source, target, one)
        every = tuple(probes.values())
        return {port: Expected(every, every, opens).difference(observed[port]) for port, opens in by_port.items()}

    def _attempt(self, cell: Cell, seconds: float) -> Attempt:
        target = self._world.probes[cell.target]
        if transport(cell.port) != "UDP":
            return _attempt(target, cell.port, seconds)
        sources = self._datagrams.setdefault(cell.source, itertools.cycle(UDP_SOURCES))
        return _attempt(target, cell.port, seconds, next(sources))

    def _require_awake(self, control: Sequence[Observation]) -> None:
        """Take silence for an answer only if the control answered in half the time; if not, listen longer from now."""
        silent = [one for one in control if one.outcome is not Outcome.OPEN]
        slowest = max((one.microseconds for one in control), default=0) / 1e6
        listened = self._patience
        late = slowest > listened / 2
        wanted = PATIENT * slowest * (2 if late or silent else 1)
        self._patience = min(MOST_PATIENCE, max(LEAST_PATIENCE, wanted, CALMING * listened))
        if silent:
            lines = "\n".join(f"  {one.describe()}" for one in silent[:LISTED])
            raise HarnessFault(f"what no policy can close did not answer, so that silence proves nothing:\n{lines}")
        if late:
            raise HarnessFault(
                f"what no policy can close took {slowest:.2f} s to answer, so that {listened:.2f} s of silence prove "
                "nothing: the machine is too busy"
            )


def _attempt(target: Probe, port: str, seconds: float, source_port: int = 0) -> Attempt:
    over = Protocol(transport(port).lower())
    return Attempt(protocol=over, host=target.address, port=PROBE_PORTS[port], timeout=seconds, source_port=source_port)
