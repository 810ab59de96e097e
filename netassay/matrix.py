"""Truth tables of reachability: what is expected, what was observed, and the difference.

    expected = Expected.all_open(probes, probes).closed(to=victim)
    work = expected.work(lambda source, target: Attempt(protocol=TCP, host=target.address, port=8080))
    results = fleet.attempt_all(work)
    expected.difference(expected.observed(results)).require()

A cell without a verdict is neither open nor closed; it is kept apart from wrong cells all the way to the error.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias

from netassay.cell import SIGNS, AnyCell, Cell, End, S, State, T, named
from netassay.errors import HarnessFault, NetworkFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from netassay.observation import Attempt, Observation

Ends: TypeAlias = "End | Iterable[End] | None"
"""One end, several, or (None) all of that side."""

LISTED: Final = 20
"""Wrong cells spelt out in a message; the grid shows all of them."""

WIDEST: Final = 24
"""Rows and columns up to which a grid is printed whole; beyond, only those with something wrong in them."""

AnyDifference: TypeAlias = "Difference[Any, Any]"


@dataclass
class Observed:
    """Observations by pair of names."""

    cells: dict[tuple[str, str], list[Observation]] = field(default_factory=lambda: defaultdict(list))

    def add(self, source: End, target: End, *observations: Observation) -> None:
        """Add what was observed from `source` to `target`; a cell may hold several."""
        self.cells[source.name, target.name].extend(observations)


@dataclass(frozen=True)
class Expected(Generic[S, T]):
    """What is expected of every pair of `sources` and `targets`: open, closed, or nothing (the pair is left out).

    `identity` wants an open cell to be answered by the target itself; switch it off for targets that answer under other
    names, such as Services. `sample` says how the pairs were chosen, if not all of them are tried; `opens` is in the
    order of the sources.
    """

    sources: tuple[S, ...]
    targets: tuple[T, ...]
    opens: Mapping[tuple[str, str], bool]
    identity: bool = True
    sample: str = ""

    @classmethod
    def all_open(cls, sources: Iterable[S], targets: Iterable[T], *, identity: bool = True) -> Expected[S, T]:
        """Expect every source to reach every target, itself included."""
        return cls._all(tuple(sources), tuple(targets), is_open=True, identity=identity)

    @classmethod
    def all_closed(cls, sources: Iterable[S], targets: Iterable[T], *, identity: bool = True) -> Expected[S, T]:
        """Expect no source to reach any target."""
        return cls._all(tuple(sources), tuple(targets), is_open=False, identity=identity)

    @classmethod
    def open_among(
        cls, tried: Iterable[tuple[S, Iterable[T]]], targets: Iterable[T], *, sample: str, identity: bool = True
    ) -> Expected[S, T]:
        """Expect every source to reach those of `targets` that it tries; the other pairs are not tried by anybody."""
        rows, columns = [(source, tuple(row)) for source, row in tried], tuple(targets)
        sources = tuple(source for source, _ in rows)
        _require_different(sources, columns)
        opens = {(source.name, target.name): True for source, row in rows for target in row}
        return cls(sources, columns, opens, identity, sample)

    @classmethod
    def _all(cls, sources: tuple[S, ...], targets: tuple[T, ...], *, is_open: bool, identity: bool) -> Expected[S, T]:
        _require_different(sources, targets)
        return cls(sources, targets, {(s.name, t.name): is_open for s in sources for t in targets}, identity)

    def closed(self, *, from_: Ends = None, to: Ends = None) -> Expected[S, T]:
        """Expect the same, but closed from these sources to these targets (all of them, where not given)."""
        return replace(self, opens={**self.opens, **dict.fromkeys(self._pairs(from_, to), False)})

    def open(self, *, from_: Ends = None, to: Ends = None) -> Expected[S, T]:
        """Expect the same, but open from these sources to these targets."""
        return replace(self, opens={**self.opens, **dict.fromkeys(self._pairs(from_, to), True)})

    def without(self, *, from_: Ends = None, to: Ends = None) -> Expected[S, T]:
        """Leave these pairs out: nothing is expected of them, and nobody tries."""
        left_out = set(self._pairs(from_, to))
        return replace(self, opens={pair: is_open for pair, is_open in self.opens.items() if pair not in left_out})

    def without_self(self) -> Expected[S, T]:
        """Leave out each end to itself."""
        return replace(self, opens={(s, t): is_open for (s, t), is_open in self.opens.items() if s != t})

    def _pairs(self, from_: Ends, to: Ends) -> Iterator[tuple[str, str]]:
        """Give the pairs meant; an end that is not in the matrix is a mistake of the check's."""
        sources, targets = _names(from_, self.sources), _names(to, self.targets)
        return ((s, t) for s in sources for t in targets if (s, t) in self.opens)

    def pairs(self) -> Iterator[tuple[S, T]]:
        """Give every pair of which something is expected, source by source."""
        sources, targets = {end.name: end for end in self.sources}, {end.name: end for end in self.targets}
        return ((sources[source], targets[target]) for source, target in self.opens)

    def work(self, attempt: Callable[[S, T], Attempt], *, times: int = 1) -> dict[S, list[Attempt]]:
        """Give what each source has to attempt, as `Fleet.attempt_all` takes it: each pair `times` times."""
        work: dict[S, list[Attempt]] = {}
        for source, target in self.pairs():
            work.setdefault(source, []).extend([attempt(source, target)] * times)
        return work

    def observed(self, results: Mapping[S, Sequence[Observation]]) -> Observed:
        """Put the observations of `work`, in its order, into their cells; what is missing stays without a verdict."""
        observed = Observed()
        for source, pairs in groupby(self.pairs(), key=lambda pair: pair[0]):
            targets = [target for _, target in pairs]
            seen = results.get(source, ())
            if len(seen) % len(targets):
                raise HarnessFault(
                    f"{source.name} had {len(targets)} targets, and handed back {len(seen)} observations"
                )
            times = len(seen) // len(targets)
            for index, target in enumerate(targets):
                observed.add(source, target, *seen[index * times : (index + 1) * times])
        return observed

    def difference(self, observed: Observed) -> Difference[S, T]:
        """Compare; observations of pairs that are not expected anything of do not count."""
        return Difference(
            tuple(
                Cell(s, t, self.opens[s.name, t.name], tuple(observed.cells.get((s.name, t.name), ())), self.identity)
                for s, t in self.pairs()
            ),
            self.sample,
        )


def _require_different(sources: Sequence[End], targets: Sequence[End]) -> None:
    for side, ends in (("sources", sources), ("targets", targets)):
        twice = [name for name, count in Counter(end.name for end in ends).items() if count > 1]
        if twice:
            raise ValueError(f"a matrix's {side} need different names, and these come twice: {', '.join(twice)}")


def _names(ends: Ends, known: Sequence[End]) -> list[str]:
    names = [end.name for end in known]
    if ends is None:
        return names
    meant = [end.name for end in (ends if hasattr(ends, "__iter__") else (ends,))]
    strangers = [name for name in meant if name not in names]
    if strangers:
        raise ValueError(f"not in this matrix: {', '.join(strangers)}; it has {', '.join(names)}")
    return meant


@dataclass(frozen=True)
class Table:
    """A difference laid out: one row for each source, one cell (or None) in it for each target.

    `size` is the number of rows and columns of the whole, of which this may be an excerpt.
    """

    sources: list[End]
    targets: list[End]
    rows: list[list[AnyCell | None]]
    size: tuple[int, int]

    @property
    def excerpt(self) -> bool:
        """Whether rows or columns are left out."""
        return self.size != (len(self.sources), len(self.targets))


@dataclass(frozen=True)
class Difference(Generic[S, T]):
    """What was expected beside what was observed, cell by cell; `sample` says how they were chosen ("": all are)."""

    cells: tuple[Cell[S, T], ...]
    sample: str = ""

    @cached_property
    def wrong(self) -> tuple[Cell[S, T], ...]:
        """The cells that break a promise."""
        return tuple(cell for cell in self.cells if cell.state is State.WRONG)

    @cached_property
    def unknown(self) -> tuple[Cell[S, T], ...]:
        """The cells that the harness can say nothing about."""
        return tuple(cell for cell in self.cells if cell.state is State.NO_VERDICT)

    @property
    def controlled(self) -> bool:
        """Whether something was seen open: only beside that is a closed cell believed."""
        return any(cell.state is State.OPEN for cell in self.cells)

    def __bool__(self) -> bool:
        """Whether there is a difference: a wrong cell, or one without a verdict."""
        return bool(self.wrong or self.unknown)

    def pattern(self) -> str:
        """Say what all wrong cells have in common and right cells have not, or ""."""
        wrong = self.wrong
        right = [cell for cell in self.cells if cell.state in (State.OPEN, State.CLOSED)]
        for words, trait in _TRAITS:
            values = {trait(cell) for cell in wrong}
            if len(values) == 1 and (value := values.pop()) and not any(trait(cell) == value for cell in right):
                return f"everything {'that was tried ' if self.sample else ''}{words.format(value)}"
        return ""

    def table(self, *, most: int | None = None) -> Table:
        """Lay the cells out by source and target, for a report to draw.

        If there are more than `most` rows or columns, only those are in it in which something differs, and of these no
        more than `most`: where it differs most, and together.
        """
        rows, columns = _ends(cell.source for cell in self.cells), _ends(cell.target for cell in self.cells)
        size = len(rows), len(columns)
        if most is not None and max(size) > most:
            different = self.wrong + self.unknown
            counts = Counter(cell.source.name for cell in different).most_common(most)
            worst = {name: place for place, (name, _) in enumerate(counts)}
            beside = sorted(
                (cell for cell in different if cell.source.name in worst), key=lambda c: worst[c.source.name]
            )
            with_them = list(dict.fromkeys(cell.target.name for cell in beside))[:most]
            rows = [end for end in rows if end.name in worst]
            columns = [end for end in columns if end.name in with_them]
        sources, targets = {end.name for end in rows}, {end.name for end in columns}
        by_pair = {
            (cell.source.name, cell.target.name): cell
            for cell in self.cells
            if cell.source.name in sources and cell.target.name in targets
        }
        return Table(rows, columns, [[by_pair.get((s.name, t.name)) for t in columns] for s in rows], size)

    def grid(self) -> str:
        """Draw the matrix: a row for each source, a column for each target, and a legend."""
        table = self.table(most=WIDEST)
        number = len(str(len(table.targets)))
        name = max((len(row.name) for row in table.sources), default=0)
        lines = [" " * name + "".join(f"  {index + 1:>{number}}" for index in range(len(table.targets)))]
        used = set()
        for row, cells in zip(table.sources, table.rows, strict=True):
            signs = [" " if cell is None else cell.sign for cell in cells]
            used.update(signs)
            lines.append(f"{row.name:<{name}}" + "".join(f"  {sign:>{number}}" for sign in signs))
        targets = [f"{index + 1} {named(column, column.address)}" for index, column in enumerate(table.targets)]
        lines += [f"to: {', '.join(targets)}", _legend(used, "not tried" if self.sample else "not part of it")]
        if table.excerpt:
            lines.append(f"(left out: rows and columns with nothing wrong in them, or beyond the worst {WIDEST})")
        return "\n".join(lines)

    def describe(self) -> str:
        """Say the difference in full: a headline, the wrong cells, those without a verdict, the grid."""
        wrong, unknown = self.wrong, self.unknown
        sample = [self.sample] if self.sample else []
        if not self:
            return "\n".join([f"all {len(self.cells)} cells are as expected", *sample, self.grid()])
        count, pattern = len(self.cells), self.pattern()
        heads = []
        if wrong:
            heads.append(f"{len(wrong)} of {count} cells wrong" + (f", {pattern}" if pattern else ""))
        if unknown:
            heads.append(f"{len(unknown)} of {count} cells without a verdict")
        return "\n".join(["; ".join(heads), *sample, *_listed(wrong), *_listed(unknown), self.grid()])

    def require(self, *, control: Difference[S, T] | None = None) -> None:
        """Hold the network to it.

        Raises `NetworkFault` if a cell is wrong. Raises `HarnessFault` if none is, but some have no verdict, or if
        cells are closed as expected and nothing was seen open, neither here nor in `control` (the same ends, in the
        same state of the network): then the silence may be the harness's own.
        """
        if self.wrong:
            raise NetworkFault(self.describe())
        if self.unknown:
            raise HarnessFault(self.describe())
        closed = any(cell.state is State.CLOSED for cell in self.cells)
        if closed and not self.controlled and not (control is not None and control.controlled):
            raise HarnessFault(f"nothing was seen open beside the closed cells: they prove nothing\n{self.describe()}")


def _nodes(cell: AnyCell) -> str:
    return f"from {cell.source.node} to {cell.target.node}" if cell.source.node and cell.target.node else ""


def _distance(cell: AnyCell) -> str:
    if not _nodes(cell):
        return ""
    return "on one node" if cell.source.node == cell.target.node else "between different nodes"


_TRAITS: Final[tuple[tuple[str, Callable[[AnyCell], str]], ...]] = (
    ("from {0}", lambda cell: cell.source.name),
    ("to {0}", lambda cell: cell.target.name),
    ("from {0}", lambda cell: cell.source.node),
    ("to {0}", lambda cell: cell.target.node),
    ("{0}", _nodes),
    ("{0}", _distance),
)


def _ends(ends: Iterable[End]) -> list[End]:
    return list({end.name: end for end in ends}.values())


def _listed(cells: Sequence[AnyCell]) -> list[str]:
    lines = [f"  {cell.describe()}" for cell in cells[:LISTED]]
    return lines if len(cells) <= LISTED else [*lines, f"  … and {len(cells) - LISTED} more"]


def _legend(used: set[str], blank: str) -> str:
    words = {".": "open as expected", "-": "closed as expected", "!": "somebody else answered", " ": blank}
    words.update({sign: str(outcome) for outcome, sign in SIGNS.items()})
    return "   ".join(f"{sign if sign != ' ' else '(blank)'} {words[sign]}" for sign in words if sign in used)
