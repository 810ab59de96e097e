"""Which pairs of nodes are tried where all of them are too many: a random graph whose cover is computed, not hoped for.

    chosen = plan(nodes, classes=classes, per_node=9, full_up_to=64, seed=7)
    for source, targets in chosen.among(probes, probes): ...

Every node is the source of `per_node` pairs and the target of as many others, so a node that reaches nobody, or that
nobody reaches, always shows. Every ordered pair of node classes (zones, instance types, CNI modes, or any label) has
as many pairs, as far as there are so many. And the graph is an expander: its spectral gap is computed, and however the
nodes are parted in two, so many pairs lie across (see `Plan.across`). What a sample cannot promise is to find one
single bad pair; see `Plan.describe` and docs/scale.md.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar

from netassay.errors import HarnessFault, UsageError
from netassay.spectrum import least_gap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Pair: TypeAlias = tuple[str, str]
"""Names of the source's node and of the target's."""

PER_NODE: Final = 9
"""As `pairs_for(LOST, SEEN)` says."""

FULL_UP_TO: Final = 64
"""Nodes up to which all pairs are tried; docs/scale.md has what that costs."""

LOST: Final = 0.25
"""A node that cannot exchange packets with this share of the others is to be seen …"""

SEEN: Final = 0.99
"""… with this probability, in every single run."""

FEWEST_PER_NODE: Final = 2
"""One permutation alone is a set of rings, and no expander."""

MOST_CLASSES: Final = 40
"""Values of a label up to which it tells classes of nodes; one with more (a host name) tells nodes."""

GOOD_GAP: Final = 0.5
"""Share of the best gap that any large graph of this degree can have (Alon and Boppana's bound) that is demanded."""

DRAWS: Final = 20


class Placed(Protocol):
    """Something that runs on a node ("" if on none)."""

    @property
    def node(self) -> str:
        """The name of its node."""


S = TypeVar("S", bound=Placed)
T = TypeVar("T", bound=Placed)


@dataclass(frozen=True)
class Plan:
    """Which ordered pairs of nodes are tried; each node to itself always is, and is no part of `pairs`.

    `pairs` is None where all of them are tried. `classes` are the labels by whose values every pair of classes
    is covered, with each node's value; these, the nodes and `seed` decide everything. `gap` is a lower bound of the
    graph's spectral gap.
    """

    nodes: tuple[str, ...]
    pairs: frozenset[Pair] | None
    per_node: int
    seed: int
    classes: Mapping[str, Mapping[str, str]]
    gap: float

    @property
    def whole(self) -> bool:
        """Whether all pairs are tried."""
        return self.pairs is None

    @property
    def tried(self) -> int:
        """Ordered pairs of nodes that are tried."""
        return len(self.nodes) * (len(self.nodes) - 1) if self.pairs is None else len(self.pairs)

    def across(self, part: int) -> float:
        """Pairs that are tried between any `part` of the nodes and all others, at least, whichever those nodes are."""
        return self.gap * part * (len(self.nodes) - part) / len(self.nodes)

    def chance(self, lost: float) -> float:
        """How probable it is that a node shows which has lost the way to or from this share of all others."""
        others = len(self.nodes) - 1
        return 1.0 - _missed(lost, others if self.whole else 2 * self.per_node, others)

    def among(self, sources: Sequence[S], targets: Sequence[T]) -> list[tuple[S, list[T]]]:
        """Give what each source tries: those on its partners' nodes, on its own, and on nodes that are not planned for.

        Everything where all pairs are tried, or where one side is so small that all pairs are no burden.
        """
        if self.whole or not self.samples(len(sources), len(targets)):
            return [(source, list(targets)) for source in sources]
        at: dict[str, list[int]] = defaultdict(list)
        strangers: list[int] = []
        for index, target in enumerate(targets):
            (at[target.node] if target.node in self._partners else strangers).append(index)
        found = []
        for source in sources:
            partners = self._partners.get(source.node)
            chosen = range(len(targets)) if partners is None else [*strangers, *at[source.node]]
            more = [index for node in partners or () for index in at[node]]
            found.append((source, [targets[index] for index in sorted([*chosen, *more])]))
        return found

    def samples(self, sources: int, targets: int) -> bool:
        """Whether so many sources and targets are sampled: only where neither side is small."""
        return not self.whole and min(sources, targets) > 2 * self.per_node

    def describe(self) -> str:
        """Say in one sentence what is tried and what it can bear, with how to try the same again."""
        count = len(self.nodes)
        if self.whole:
            return f"all pairs of {count:,} nodes"
        covered = f"; every pair of {', '.join(self.classes)} is covered" if self.classes else ""
        return (
            f"a sample of {self.tried:,} of {count * (count - 1):,} pairs of nodes: each of {count:,} nodes is "
            f"source and target of {self.per_node} or more{covered}; a node that has lost a quarter of its paths shows "
            f"with a probability of {math.floor(self.chance(LOST) * 1000) / 10:g}%, one single bad pair with "
            f"{2 * self.per_node / (count - 1):.1%} (--pairs-per-node {self.per_node} --seed {self.seed} tries the "
            "same again)"
        )

    @cached_property
    def _partners(self) -> Mapping[str, Sequence[str]]:
        partners: dict[str, list[str]] = {node: [] for node in self.nodes}
        for source, target in sorted(self.pairs or ()):
            partners[source].append(target)
        return partners


def plan(
    nodes: Iterable[str],
    *,
    classes: Mapping[str, Mapping[str, str]] | None = None,
    per_node: int = PER_NODE,
    full_up_to: int = FULL_UP_TO,
    seed: int = 0,
) -> Plan:
    """Plan which pairs of these nodes are tried: all of up to `full_up_to` nodes, else a sample.

    `classes` gives each node's value by label; labels with one value, or more than `MOST_CLASSES`, tell no classes. All
    are tried as well where `per_node` is so large that a sample would save little. UsageError if it is too small for
    any promise.
    """
    names = tuple(sorted(set(nodes)))
    if per_node < FEWEST_PER_NODE:
        raise UsageError(f"{per_node} pairs for each node are too few: a sample needs {FEWEST_PER_NODE} or more")
    if len(names) <= max(full_up_to, 4 * per_node):
        return Plan(names, None, per_node, seed, {}, float(len(names)))
    for draw in range(DRAWS):
        chance = random.Random(f"{seed}/{draw}")  # noqa: S311 - no secret
        ways = _permutations(len(names), per_node, chance)
        gap = least_gap(ways)
        if gap >= GOOD_GAP * best_gap(per_node):
            pairs = {(names[one], names[other]) for way in ways for one, other in enumerate(way)}
            telling = _telling(names, classes or {})
            for by_node in telling.values():
                _cover(pairs, names, by_node, per_node, chance)
            return Plan(names, frozenset(pairs), per_node, seed, telling, gap)
    raise HarnessFault(f"no good sample of pairs in {DRAWS} draws for {len(names)} nodes with {per_node} pairs each")


def pairs_for(lost: float, seen: float) -> int:
    """Pairs for each node, so that one which has lost a share of its paths shows with this probability.

    A path that loses packets in one direction fails from both ends, as every attempt has an answer: so a node's pairs
    as source and those as target all count.
    """
    return max(FEWEST_PER_NODE, math.ceil(math.log(1.0 - seen) / math.log(1.0 - lost) / 2))


def best_gap(per_node: int) -> float:
    """The gap that large graphs with twice `per_node` edges at each node cannot exceed by more than a little."""
    degree = 2 * per_node
    return degree - 2 * math.sqrt(degree - 1)


def _missed(lost: float, tried: int, others: int) -> float:
    """How probable it is that none of `tried` among `others`, drawn without putting back, is one that is lost."""
    bad = min(others, math.ceil(lost * others))
    if tried > others - bad:
        return 0.0
    return math.prod((others - bad - index) / (others - index) for index in range(tried))


def _permutations(count: int, per_node: int, chance: random.Random) -> list[list[int]]:
    """Give so many permutations, in which no two nodes meet twice, whichever of them is the source, and none itself.

    They are the same for all nodes: which partners a node has is decided by chance alone.
    """
    met: list[set[int]] = [{index} for index in range(count)]
    ways: list[list[int]] = []
    while len(ways) < per_node:
        way = _permutation(met, chance)
        if way is None:
            continue
        for one, other in enumerate(way):
            met[one].add(other)
            met[other].add(one)
        ways.append(way)
    return ways


def _permutation(met: Sequence[set[int]], chance: random.Random) -> list[int] | None:
    """Draw a permutation, and swap targets until nobody meets anybody again; None if that does not come to an end."""
    count = len(met)
    way = list(range(count))
    chance.shuffle(way)

    def bad(one: int, other: int) -> bool:
        return other in met[one] or way[other] == one

    patience = 100 * count
    for one in range(count):
        while bad(one, way[one]):
            patience -= 1
            if not patience:
                return None
            other = chance.randrange(count)
            way[one], way[other] = way[other], way[one]
            if bad(one, way[one]) or bad(other, way[other]):
                way[one], way[other] = way[other], way[one]
    return way


def _telling(names: Sequence[str], classes: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Pick the labels that part nodes into classes, in their order."""
    return {
        label: by_node
        for label, by_node in classes.items()
        if 1 < len({by_node.get(name, "") for name in names}) <= MOST_CLASSES
    }


def _cover(
    pairs: set[Pair], names: Sequence[str], by_node: Mapping[str, str], least: int, chance: random.Random
) -> None:
    """Add pairs until every ordered pair of classes has `least` of them, or all that it can have."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[by_node.get(name, "")].append(name)
    have: dict[Pair, int] = defaultdict(int)
    for source, target in sorted(pairs):
        have[by_node.get(source, ""), by_node.get(target, "")] += 1
    for one, sources in groups.items():
        for other, targets in groups.items():
            possible = len(sources) * len(targets) - (len(sources) if one == other else 0)
            lacking = min(least, possible) - have[one, other]
            while lacking > 0:
                pair = chance.choice(sources), chance.choice(targets)
                if pair[0] != pair[1] and pair not in pairs:
                    pairs.add(pair)
                    lacking -= 1
