"""The plan of pairs: whatever nodes and classes there are, what it says that it covers it covers."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netassay.errors import UsageError
from netassay.sampling import MOST_CLASSES, Plan, best_gap, pairs_for, plan
from netassay.spectrum import EXACT_UP_TO, least_gap


@dataclass(frozen=True)
class Pod:
    name: str
    node: str


def nodes(count: int) -> list[str]:
    return [f"node-{number:04}" for number in range(count)]


def sampled(made: Plan) -> frozenset[tuple[str, str]]:
    assert made.pairs is not None
    return made.pairs


LARGE = st.tuples(st.integers(60, 160), st.integers(2, 14), st.integers(0, 2**32)).filter(
    lambda drawn: drawn[0] > 4 * drawn[1]
)


@given(st.integers(0, 64), st.integers(2, 12), st.integers())
def test_of_few_nodes_all_pairs_are_tried(count: int, per_node: int, seed: int) -> None:
    made = plan(nodes(count), per_node=per_node, seed=seed)
    assert made.whole
    pods = [Pod(f"pod-{index}", node) for index, node in enumerate(nodes(count))]
    assert made.among(pods, pods) == [(pod, pods) for pod in pods]
    assert made.chance(0.01) == 1 or count < 2


@settings(max_examples=20, deadline=None)
@given(LARGE)
def test_every_node_is_source_and_target_of_as_many_pairs_and_meets_nobody_twice(drawn: tuple[int, int, int]) -> None:
    count, per_node, seed = drawn
    made = plan(nodes(count), per_node=per_node, full_up_to=0, seed=seed)
    pairs = sampled(made)
    assert set(Counter(source for source, _ in pairs).values()) == {per_node}
    assert set(Counter(target for _, target in pairs).values()) == {per_node}
    assert {node for pair in pairs for node in pair} == set(nodes(count))
    assert not any(source == target or (target, source) in pairs for source, target in pairs)
    assert made == plan(reversed(nodes(count)), per_node=per_node, full_up_to=0, seed=seed), "by the seed alone"


@settings(max_examples=20, deadline=None)
@given(
    LARGE,
    st.lists(st.lists(st.sampled_from("abcdefg"), min_size=160, max_size=160), min_size=1, max_size=3),
    st.lists(st.integers(0, 59), max_size=3, unique=True),
)
def test_every_ordered_pair_of_classes_of_every_label_is_covered(
    drawn: tuple[int, int, int], labels: list[list[str]], alone: list[int]
) -> None:
    """Classes of one node included."""
    count, per_node, seed = drawn
    classes = {f"label-{index}": dict(zip(nodes(count), values, strict=False)) for index, values in enumerate(labels)}
    for index in alone:
        classes["label-0"][nodes(count)[index]] = f"alone-{index}"
    made = plan(nodes(count), classes=classes, per_node=per_node, full_up_to=0, seed=seed)
    for label, by_node in classes.items():
        sizes = Counter(by_node.values())
        assert (label in made.classes) == (len(sizes) > 1)
        there = Counter((by_node[source], by_node[target]) for source, target in sampled(made))
        for one in sizes:
            for other in sizes:
                possible = sizes[one] * sizes[other] - (sizes[one] if one == other else 0)
                assert len(sizes) == 1 or there[one, other] >= min(per_node, possible)


@settings(max_examples=15, deadline=None)
@given(LARGE, st.data())
def test_however_the_nodes_are_parted_so_many_pairs_lie_across(
    drawn: tuple[int, int, int], data: st.DataObject
) -> None:
    count, per_node, seed = drawn
    made = plan(nodes(count), per_node=per_node, full_up_to=0, seed=seed)
    part = data.draw(st.sets(st.sampled_from(nodes(count)), min_size=1, max_size=count - 1))
    across = sum((source in part) != (target in part) for source, target in sampled(made))
    assert across >= made.across(len(part)) - 1e-6
    assert made.across(len(part)) > 0
    assert made.gap >= best_gap(per_node) / 2


def test_the_parting_that_is_hardest_to_see_is_still_seen() -> None:
    """Nodes parted by the graph's own second eigenvector, which is where it holds together least."""
    made = plan(nodes(120), per_node=3, full_up_to=0)
    matrix = np.zeros((120, 120))
    for source, target in sampled(made):
        one, other = int(source[-4:]), int(target[-4:])
        matrix[one, other] += 1
        matrix[other, one] += 1
    vector = np.linalg.eigh(matrix)[1][:, -2]
    for part in range(1, 120):
        inside = np.argsort(vector)[:part]
        across = matrix[inside].sum() - matrix[np.ix_(inside, inside)].sum()
        assert across >= made.across(part) - 1e-6


@pytest.mark.parametrize("count", [EXACT_UP_TO + 1, 900])
def test_the_bound_for_large_graphs_is_below_what_is_so_and_close_to_it(count: int) -> None:
    rng = np.random.default_rng(3)
    ways = [rng.permutation(count).tolist() for _ in range(4)]
    matrix = np.zeros((count, count))
    for way in ways:
        np.add.at(matrix, (np.arange(count), way), 1.0)
    gap = 8 - float(np.linalg.eigvalsh(matrix + matrix.T)[-2])
    assert gap - 0.5 <= least_gap(ways) <= gap


@pytest.mark.parametrize("count", [40, EXACT_UP_TO + 100])
def test_a_graph_that_falls_apart_has_no_gap(count: int) -> None:
    half = count // 2
    ring = [(index + 1) % half for index in range(half)]
    apart = [*ring, *(index + half for index in ring)]
    assert least_gap([apart, apart, apart]) == pytest.approx(0, abs=1e-6)


def test_what_is_promised_of_a_node_that_has_lost_some_of_its_paths_is_so() -> None:
    """Over many seeds, as often as is said, and for each node alike."""
    count, per_node, lost = 60, 2, 0.2
    names = nodes(count)
    others = names[1 : 1 + math.ceil(lost * (count - 1))]
    tries = [plan(names, per_node=per_node, full_up_to=0, seed=seed) for seed in range(200)]
    seen = sum(any({names[0]} < {*pair} < {names[0], *others, ""} for pair in sampled(made)) for made in tries)
    said = tries[0].chance(lost)
    assert abs(seen / 200 - said) < 4 * math.sqrt(said * (1 - said) / 200)


@given(st.floats(0.02, 0.9), st.floats(0.5, 0.9999), st.integers(80, 3000))
def test_as_many_pairs_as_are_said_to_be_needed_are_enough(lost: float, seen: float, count: int) -> None:
    per_node = pairs_for(lost, seen)
    made = Plan(tuple(nodes(count)), frozenset(), per_node, 0, {}, 1.0)
    assert made.chance(lost) >= seen - 1e-9


def test_ends_are_tried_as_their_nodes_are() -> None:
    made = plan(nodes(100), per_node=3, full_up_to=0, seed=5)
    pods = [Pod(f"pod-{node}-{number}", node) for node in nodes(100) for number in range(2)]
    stranger, outside = Pod("new", "node-new"), Pod("outside", "")
    tried = dict(made.among([*pods, stranger], [*pods, outside]))
    for source in pods:
        partners = {target.node for target in tried[source]} - {source.node, ""}
        assert partners == {other for one, other in sampled(made) if one == source.node}
        assert len(tried[source]) == 2 * 3 + 2 + 1, "two pods on each partner's node, two on its own, and the outside"
        assert tried[source] == sorted(tried[source], key=[*pods, outside].index)
    assert tried[stranger] == [*pods, outside], "a node that the plan does not know is not left out"
    few = pods[:4]
    assert made.among(pods, few) == [(pod, few) for pod in pods], "what is few is tried whole"


def test_a_label_that_tells_every_node_tells_no_classes() -> None:
    classes = {"host": {node: node for node in nodes(100)}, "zone": {node: node[-1] for node in nodes(100)}}
    assert len(classes["host"]) > MOST_CLASSES
    assert plan(nodes(100), classes=classes, per_node=3, full_up_to=0).classes == {"zone": classes["zone"]}


def test_a_plan_says_what_it_can_bear_and_how_to_have_it_again() -> None:
    said = plan(nodes(1000), seed=7).describe()
    assert "9,000 of 999,000 pairs" in said
    assert "--pairs-per-node 9 --seed 7" in said
    assert "a quarter of its paths shows with a probability of 99.4%" in said
    assert plan(nodes(3)).describe() == "all pairs of 3 nodes"
    with pytest.raises(UsageError, match="too few"):
        plan(nodes(1000), per_node=1)
