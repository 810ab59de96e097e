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
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeAlias, TypeVar

from netassay.errors import HarnessFault, NetworkFault
from netassay.observation import Attempt, Observation, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


class End(Protocol):
    """One end of a cell: a probe, a host outside, a Service. Names are unique on each side of a matrix."""

    @property
    def name(self) -> str:
        """What it is called, and calls itself when it answers."""

    @property
    def node(self) -> str:
        """The node it runs on, or ""."""

    @property
    def address(self) -> str:
        """Its first address."""


Ends: TypeAlias = "End | Iterable[End] | None"
"""One end, several, or (None) all of that side."""

S = TypeVar("S", bound=End)
T = TypeVar("T", bound=End)

LISTED: Final = 20
"""Wrong cells spelt out in a message; the grid shows all of them."""

WIDEST: Final = 24
"""Rows and columns up to which a grid is printed whole; beyond, only those with something wrong in them."""


class State(StrEnum):
    """How a cell compares with what is expected of it."""

    OPEN = "open, as expected"
    CLOSED = "closed, as expected"
    WRONG = "wrong"
    NO_VERDICT = "no verdict"


SIGNS: Final = {
    Outcome.OPEN: "O",
    Outcome.REFUSED: "R",
    Outcome.TIMED_OUT: "T",
    Outcome.UNREACHABLE: "U",
    Outcome.RESET: "X",
    Outcome.NAME_ERROR: "N",
    Outcome.NO_VERDICT: "?",
}


@dataclass(frozen=True)
class Cell(Generic[S, T]):
    """One pair of ends, what is expected of it, and every observation made of it."""

    source: S
    target: T
    open: bool
    seen: tuple[Observation, ...]
    identity: bool

    @cached_property
    def state(self) -> State:
        """Wrong if any observation is; else without a verdict if any observation is, or none was made."""
        if any(self._wrong(one) for one in self.seen):
            return State.WRONG
        if not self.seen or any(one.outcome is Outcome.NO_VERDICT for one in self.seen):
            return State.NO_VERDICT
        return State.OPEN if self.open else State.CLOSED

    def _wrong(self, one: Observation) -> bool:
        if one.outcome is Outcome.OPEN:
            return not self.open or self._stranger(one)
        return self.open and one.outcome.closed

    def _stranger(self, one: Observation) -> bool:
        """Whether somebody else answered: an address that leads to the wrong pod is no open cell."""
        return self.identity and one.outcome is Outcome.OPEN and one.answered_by != self.target.name

    @property
    def differs(self) -> bool:
        """Whether there is something to say about it: it is wrong, or without a verdict."""
        return self.state in (State.WRONG, State.NO_VERDICT)

    @property
    def outcome(self) -> str:
        """What was seen, in words: one outcome, or how often each."""
        if not self.seen:
            return "not attempted"
        words = Counter(self._words(one) for one in self.seen)
        if len(words) == 1:
            return next(iter(words))
        return ", ".join(f"{count} of {len(self.seen)} {word}" for word, count in words.most_common())

    def _words(self, one: Observation) -> str:
        if self._stranger(one):
            return f"{one.outcome}, but {one.answered_by or 'somebody without a name'} answered"
        return str(one.outcome)

    @property
    def sign(self) -> str:
        """One character for a grid: `.` and `-` as expected, else the wrong outcome (`!`: somebody else answered)."""
        match self.state:
            case State.OPEN:
                return "."
            case State.CLOSED:
                return "-"
            case State.NO_VERDICT:
                return "?"
            case State.WRONG:
                wrong = next(one for one in self.seen if self._wrong(one))
                return "!" if self.open and self._stranger(wrong) else SIGNS[wrong.outcome]

    def describe(self) -> str:
        """One line: `src (node, ip) → dst (node, ip:port) outcome`."""
        attempt = self.seen[0].attempt if self.seen else None
        where = f"{attempt.host}:{attempt.port}" if attempt else self.target.address
        line = f"{_at(self.source, self.source.address)} → {_at(self.target, where)} "
        line += f"{attempt.protocol} " if attempt else ""
        line += self.outcome
        if self.state is State.WRONG and not self.open:
            line += ", and should be closed"
        errors = sorted({one.error for one in self.seen if one.error})
        return f"{line} ({'; '.join(errors)})" if errors else line


def _at(end: End, address: str) -> str:
    return f"{end.name} ({', '.join(part for part in (end.node, address) if part)})"


AnyCell: TypeAlias = "Cell[Any, Any]"
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
    names, such as Services.
    """

    sources: tuple[S, ...]
    targets: tuple[T, ...]
    opens: Mapping[tuple[str, str], bool]
    identity: bool = True

    @classmethod
    def all_open(cls, sources: Iterable[S], targets: Iterable[T], *, identity: bool = True) -> Expected[S, T]:
        """Expect every source to reach every target, itself included."""
        return cls._all(tuple(sources), tuple(targets), is_open=True, identity=identity)

    @classmethod
    def all_closed(cls, sources: Iterable[S], targets: Iterable[T], *, identity: bool = True) -> Expected[S, T]:
        """Expect no source to reach any target."""
        return cls._all(tuple(sources), tuple(targets), is_open=False, identity=identity)

    @classmethod
    def _all(cls, sources: tuple[S, ...], targets: tuple[T, ...], *, is_open: bool, identity: bool) -> Expected[S, T]:
        for side, ends in (("sources", sources), ("targets", targets)):
            twice = [name for name, count in Counter(end.name for end in ends).items() if count > 1]
            if twice:
                raise ValueError(f"a matrix's {side} need different names, and these come twice: {', '.join(twice)}")
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
        return ((s, t) for s in self.sources for t in self.targets if (s.name, t.name) in self.opens)

    def work(self, attempt: Callable[[S, T], Attempt], *, times: int = 1) -> dict[S, list[Attempt]]:
        """Give what each source has to attempt, as `Fleet.attempt_all` takes it: each pair `times` times."""
        work: dict[S, list[Attempt]] = {}
        for source, target in self.pairs():
            work.setdefault(source, []).extend([attempt(source, target)] * times)
        return work

    def observed(self, results: Mapping[S, Sequence[Observation]]) -> Observed:
        """Put the observations of `work`, in its order, into their cells; what is missing stays without a verdict."""
        observed = Observed()
        for source in self.sources:
            targets = [target for target in self.targets if (source.name, target.name) in self.opens]
            seen = results.get(source, ())
            if targets and len(seen) % len(targets):
                raise HarnessFault(
                    f"{source.name} had {len(targets)} targets, and handed back {len(seen)} observations"
                )
            times = len(seen) // len(targets) if targets else 0
            for index, target in enumerate(targets):
                observed.add(source, target, *seen[index * times : (index + 1) * times])
        return observed

    def difference(self, observed: Observed) -> Difference[S, T]:
        """Compare; observations of pairs that are not expected anything of do not count."""
        return Difference(
            tuple(
                Cell(s, t, self.opens[s.name, t.name], tuple(observed.cells.get((s.name, t.name), ())), self.identity)
                for s, t in self.pairs()
            )
        )


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
    """A difference laid out: one row for each source, one cell (or None) in it for each target."""

    sources: list[End]
    targets: list[End]
    rows: list[list[AnyCell | None]]


@dataclass(frozen=True)
class Difference(Generic[S, T]):
    """What was expected beside what was observed, cell by cell."""

    cells: tuple[Cell[S, T], ...]

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
                return words.format(value)
        return ""

    def table(self) -> Table:
        """Lay the cells out by source and target, for a report to draw."""
        by_pair = {(cell.source.name, cell.target.name): cell for cell in self.cells}
        sources, targets = _ends(cell.source for cell in self.cells), _ends(cell.target for cell in self.cells)
        return Table(sources, targets, [[by_pair.get((s.name, t.name)) for t in targets] for s in sources])

    def grid(self) -> str:
        """Draw the matrix: a row for each source, a column for each target, and a legend."""
        by_pair = {(cell.source.name, cell.target.name): cell for cell in self.cells}
        rows, columns = _ends(cell.source for cell in self.cells), _ends(cell.target for cell in self.cells)
        left_out = ""
        if max(len(rows), len(columns)) > WIDEST:
            different = self.wrong + self.unknown
            rows, columns = _ends(cell.source for cell in different), _ends(cell.target for cell in different)
            left_out = f"\n(left out: rows and columns with nothing wrong in them, or beyond the first {WIDEST})"
            rows, columns = rows[:WIDEST], columns[:WIDEST]
        number = len(str(len(columns)))
        name = max((len(row.name) for row in rows), default=0)
        lines = [" " * name + "".join(f"  {index + 1:>{number}}" for index in range(len(columns)))]
        used = set()
        for row in rows:
            signs = [by_pair[row.name, c.name].sign if (row.name, c.name) in by_pair else " " for c in columns]
            used.update(signs)
            lines.append(f"{row.name:<{name}}" + "".join(f"  {sign:>{number}}" for sign in signs))
        targets = ", ".join(f"{index + 1} {_at(column, column.address)}" for index, column in enumerate(columns))
        return "\n".join([*lines, f"to: {targets}", _legend(used)]) + left_out

    def describe(self) -> str:
        """Say the difference in full: a headline, the wrong cells, those without a verdict, the grid."""
        wrong, unknown = self.wrong, self.unknown
        if not self:
            return f"all {len(self.cells)} cells are as expected\n{self.grid()}"
        count, pattern = len(self.cells), self.pattern()
        heads = []
        if wrong:
            heads.append(f"{len(wrong)} of {count} cells wrong" + (f", {pattern}" if pattern else ""))
        if unknown:
            heads.append(f"{len(unknown)} of {count} cells without a verdict")
        return "\n".join(["; ".join(heads), *_listed(wrong), *_listed(unknown), self.grid()])

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
    ("everything from {0}", lambda cell: cell.source.name),
    ("everything to {0}", lambda cell: cell.target.name),
    ("everything from {0}", lambda cell: cell.source.node),
    ("everything to {0}", lambda cell: cell.target.node),
    ("everything {0}", _nodes),
    ("everything {0}", _distance),
)


def _ends(ends: Iterable[End]) -> list[End]:
    return list({end.name: end for end in ends}.values())


def _listed(cells: Sequence[AnyCell]) -> list[str]:
    lines = [f"  {cell.describe()}" for cell in cells[:LISTED]]
    return lines if len(cells) <= LISTED else [*lines, f"  … and {len(cells) - LISTED} more"]


def _legend(used: set[str]) -> str:
    words = {".": "open as expected", "-": "closed as expected", "!": "somebody else answered", " ": "not part of it"}
    words.update({sign: str(outcome) for outcome, sign in SIGNS.items()})
    return "   ".join(f"{sign if sign != ' ' else '(blank)'} {words[sign]}" for sign in words if sign in used)
