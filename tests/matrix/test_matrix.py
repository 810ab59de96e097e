"""The matrix: expectations, differences, what they say, and that no verdict is never taken for closed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netassay.cell import State
from netassay.errors import HarnessFault, NetworkFault
from netassay.matrix import Difference, Expected, Observed
from netassay.observation import Attempt, Observation, Outcome, Protocol


@dataclass(frozen=True)
class Pod:
    name: str
    node: str = ""
    address: str = "10.0.0.1"


A, B, C = Pod("a", "n1", "10.1.0.2"), Pod("b", "n1", "10.1.0.3"), Pod("c", "n2", "10.2.0.2")
PODS = (A, B, C)


def attempt(source: Pod, target: Pod) -> Attempt:
    return Attempt(protocol=Protocol.TCP, host=target.address, port=8080)


def seen(source: Pod, target: Pod, outcome: Outcome = Outcome.OPEN, answered_by: str | None = None) -> Observation:
    who = answered_by if answered_by is not None else target.name if outcome is Outcome.OPEN else ""
    return Observation(
        source=source.name, source_node=source.node, attempt=attempt(source, target), outcome=outcome, answered_by=who
    )


def observe(expected: Expected[Pod, Pod], **outcomes: Outcome) -> Difference[Pod, Pod]:
    """Observe open everywhere, but for `source_target=outcome`."""
    observed = Observed()
    for source, target in expected.pairs():
        observed.add(source, target, seen(source, target, outcomes.get(f"{source.name}_{target.name}", Outcome.OPEN)))
    return expected.difference(observed)


def test_as_expected_there_is_no_difference() -> None:
    difference = observe(Expected.all_open(PODS, PODS))
    difference.require()
    assert not difference
    assert difference.describe().startswith("all 9 cells are as expected")


def test_a_wrong_cell_names_both_ends_and_what_was_seen() -> None:
    difference = observe(Expected.all_open(PODS, PODS), a_c=Outcome.TIMED_OUT)
    with pytest.raises(NetworkFault) as raised:
        difference.require()
    assert "a (n1, 10.1.0.2) → c (n2, 10.2.0.2:8080) tcp timed out" in str(raised.value)
    assert str(raised.value).startswith("1 of 9 cells wrong")


def test_the_grid_marks_cells_and_explains_its_signs() -> None:
    expected = Expected.all_open(PODS, PODS).closed(from_=A, to=B).without(from_=C, to=C)
    difference = observe(expected, a_b=Outcome.REFUSED, a_c=Outcome.TIMED_OUT, b_c=Outcome.NO_VERDICT)
    assert difference.grid().splitlines() == [
        "   1  2  3",
        "a  .  -  T",
        "b  .  .  ?",
        "c  .  .   ",
        "to: 1 a (n1, 10.1.0.2), 2 b (n1, 10.1.0.3), 3 c (n2, 10.2.0.2)",
        ". open as expected   - closed as expected   (blank) not part of it   T timed out   ? no verdict",
    ]


@pytest.mark.parametrize(
    ("outcomes", "pattern"),
    [
        ({"c_a": Outcome.TIMED_OUT, "c_b": Outcome.TIMED_OUT, "c_c": Outcome.TIMED_OUT}, "everything from c"),
        ({"a_c": Outcome.REFUSED, "b_c": Outcome.REFUSED, "c_c": Outcome.REFUSED}, "everything to c"),
        ({"a_c": Outcome.TIMED_OUT, "b_c": Outcome.TIMED_OUT}, "everything from n1 to n2"),
        (dict.fromkeys(("a_c", "b_c", "c_a", "c_b"), Outcome.TIMED_OUT), "everything between different nodes"),
        ({"a_c": Outcome.TIMED_OUT}, ""),
    ],
)
def test_the_headline_says_what_wrong_cells_have_in_common(outcomes: dict[str, Outcome], pattern: str) -> None:
    assert observe(Expected.all_open(PODS, PODS), **outcomes).pattern() == pattern


def test_an_address_that_leads_to_somebody_else_is_not_open() -> None:
    expected = Expected.all_open([A], [B])
    observed = Observed()
    observed.add(A, B, seen(A, B, answered_by="c"))
    with pytest.raises(NetworkFault, match="open, but c answered"):
        expected.difference(observed).require()
    Expected.all_open([A], [B], identity=False).difference(observed).require()


def test_what_should_be_closed_and_is_open_is_wrong_whoever_answers() -> None:
    expected = Expected.all_open([A, B], [C]).closed(from_=A)
    with pytest.raises(NetworkFault, match="tcp open, and should be closed"):
        observe(expected).require()
    observed = Observed()
    observed.add(A, C, seen(A, C, answered_by="b"))
    observed.add(B, C, seen(B, C))
    assert [cell.source for cell in expected.difference(observed).wrong] == [A]


def test_no_verdict_is_a_fault_of_the_harness_whatever_was_expected() -> None:
    for expected in (Expected.all_open(PODS, PODS), Expected.all_open(PODS, PODS).closed(to=C)):
        closed = {"a_c": Outcome.NO_VERDICT, "b_c": Outcome.TIMED_OUT, "c_c": Outcome.TIMED_OUT}
        outcomes = closed if expected.opens["a", "c"] is False else {"a_c": Outcome.NO_VERDICT}
        with pytest.raises(HarnessFault, match="1 of 9 cells without a verdict"):
            observe(expected, **outcomes).require()


def test_a_cell_that_nobody_tried_has_no_verdict() -> None:
    difference = Expected.all_open([A], [B]).difference(Observed())
    assert [cell.state for cell in difference.cells] == [State.NO_VERDICT]
    with pytest.raises(HarnessFault, match="not attempted"):
        difference.require()


def test_a_wrong_cell_outweighs_cells_without_a_verdict() -> None:
    with pytest.raises(NetworkFault, match=r"1 of 9 cells wrong.*; 1 of 9 cells without a verdict"):
        observe(Expected.all_open(PODS, PODS), a_c=Outcome.TIMED_OUT, b_c=Outcome.NO_VERDICT).require()


def test_closed_cells_prove_nothing_without_something_open_beside_them() -> None:
    shut = observe(Expected.all_closed([A], [B]), a_b=Outcome.TIMED_OUT)
    with pytest.raises(HarnessFault, match="prove nothing"):
        shut.require()
    shut.require(control=observe(Expected.all_open([C], [B])))
    with pytest.raises(HarnessFault, match="prove nothing"):
        shut.require(control=observe(Expected.all_open([C], [B]), c_b=Outcome.TIMED_OUT))


def test_several_observations_of_a_cell_are_counted() -> None:
    expected = Expected.all_open([A], [C])
    work = expected.work(attempt, times=5)
    assert work == {A: [attempt(A, C)] * 5}
    results = {A: [seen(A, C)] * 3 + [seen(A, C, Outcome.TIMED_OUT)] * 2}
    difference = expected.difference(expected.observed(results))
    assert difference.wrong[0].outcome == "3 of 5 open, 2 of 5 timed out"


def test_work_and_its_results_meet_cell_by_cell() -> None:
    expected = Expected.all_open(PODS, PODS).without_self()
    work = expected.work(attempt, times=2)
    assert {pod.name: [a.host for a in attempts] for pod, attempts in work.items()}["b"] == [A.address] * 2 + [
        C.address
    ] * 2
    by_address = {pod.address: pod for pod in PODS}
    results = {source: [seen(source, by_address[a.host]) for a in attempts] for source, attempts in work.items()}
    expected.difference(expected.observed(results)).require()
    del results[C]
    assert {cell.source for cell in expected.difference(expected.observed(results)).unknown} == {C}
    results[A].pop()
    with pytest.raises(HarnessFault, match="a had 2 targets, and handed back 3 observations"):
        expected.observed(results)


def test_mistakes_of_a_check_are_told() -> None:
    with pytest.raises(ValueError, match="come twice: a"):
        Expected.all_open([A, A], [B])
    with pytest.raises(ValueError, match="not in this matrix: c"):
        Expected.all_open([A], [B]).closed(to=C)


def test_a_large_matrix_shows_only_what_is_wrong() -> None:
    pods = [Pod(f"pod-{i:03}", f"n{i}", f"10.{i}.0.1") for i in range(100)]
    difference = observe(Expected.all_open(pods, pods), **{"pod-003_pod-050": Outcome.TIMED_OUT})
    text = difference.describe()
    assert len(text) < 1000
    assert "pod-003 (n3, 10.3.0.1) → pod-050 (n50, 10.50.0.1:8080) tcp timed out" in text
    assert "left out" in text


def test_what_a_sample_left_out_is_neither_open_nor_closed_nor_without_a_verdict() -> None:
    expected = Expected.open_among([(A, [A, C]), (B, [C]), (C, [])], PODS, sample="some of them, seed 7")
    assert expected.work(attempt) == {A: [attempt(A, A), attempt(A, C)], B: [attempt(B, C)]}
    good = observe(expected)
    good.require()
    assert len(good.cells) == 3
    assert good.describe().splitlines()[:2] == ["all 3 cells are as expected", "some of them, seed 7"]
    assert "(blank) not tried" in good.grid()
    bad = observe(expected, a_c=Outcome.TIMED_OUT, b_c=Outcome.TIMED_OUT)
    with pytest.raises(
        NetworkFault, match=r"^2 of 3 cells wrong, everything that was tried to c\nsome of them, seed 7"
    ):
        bad.require()
    missing = expected.difference(expected.observed({A: [seen(A, A), seen(A, C)]}))
    assert [cell.source for cell in missing.unknown] == [B], "planned and not made is still without a verdict"


def test_of_a_large_matrix_that_is_cut_down_the_worst_is_shown() -> None:
    pods = [Pod(f"pod-{i:03}", f"n{i}", f"10.{i}.0.1") for i in range(100)]
    tried = [(pod, [pods[(number + step) % 100] for step in range(3)]) for number, pod in enumerate(pods)]
    expected = Expected.open_among(tried, pods, sample="some")
    scattered = {f"{source.name}_{source.name}": Outcome.TIMED_OUT for source in pods[:90]}
    worst = {f"pod-095_pod-{target:03}": Outcome.TIMED_OUT for target in (95, 96, 97)}
    table = observe(expected, **scattered, **worst).table(most=5)
    assert pods[95] in table.sources
    assert {pods[95], pods[96], pods[97]} <= set(table.targets)
    assert (len(table.sources), len(table.targets), table.size, table.excerpt) == (5, 5, (100, 100), True)


OUTCOMES = st.sampled_from(list(Outcome))


@given(st.lists(st.tuples(st.booleans(), st.lists(OUTCOMES, max_size=3)), min_size=1, max_size=12))
def test_every_cell_is_in_one_state_and_the_verdict_follows(rows: list[tuple[bool, list[Outcome]]]) -> None:
    targets = [Pod(f"t{i}", "n", f"10.0.0.{i}") for i in range(len(rows))]
    expected = Expected.all_closed([A], targets)
    observed = Observed()
    for target, (is_open, outcomes) in zip(targets, rows, strict=True):
        expected = expected.open(to=target) if is_open else expected
        observed.add(A, target, *(seen(A, target, outcome) for outcome in outcomes))
    difference = expected.difference(observed)
    for cell, (is_open, outcomes) in zip(difference.cells, rows, strict=True):
        against = any(o.closed if is_open else o is Outcome.OPEN for o in outcomes)
        blind = not outcomes or Outcome.NO_VERDICT in outcomes
        right = State.OPEN if is_open else State.CLOSED
        assert cell.state is (State.WRONG if against else State.NO_VERDICT if blind else right)
        assert cell.sign
    assert difference.describe()
    if difference.wrong:
        with pytest.raises(NetworkFault):
            difference.require()
    elif difference.unknown or (not difference.controlled):
        with pytest.raises(HarnessFault):
            difference.require()
    else:
        difference.require()
