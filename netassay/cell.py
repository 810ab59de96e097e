"""One cell of a truth table: a pair of ends, what is expected of it, and what was observed.

A cell without a verdict is neither open nor closed; it is kept apart from wrong cells all the way to the error.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from netassay.observation import Observation, Outcome


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


S = TypeVar("S", bound=End)
T = TypeVar("T", bound=End)


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
        line = f"{named(self.source, self.source.address)} → {named(self.target, where)} "
        line += f"{attempt.protocol} " if attempt else ""
        line += self.outcome
        if self.state is State.WRONG and not self.open:
            line += ", and should be closed"
        errors = sorted({one.error for one in self.seen if one.error})
        return f"{line} ({'; '.join(errors)})" if errors else line


def named(end: End, address: str) -> str:
    """An end with its node and an address, as in `probe-1 (node-1, 10.0.1.2)`."""
    return f"{end.name} ({', '.join(part for part in (end.node, address) if part)})"


AnyCell: TypeAlias = "Cell[Any, Any]"
