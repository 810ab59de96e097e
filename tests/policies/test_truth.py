"""Truth tables: what is wrong in them, why it should be otherwise, and what becomes of new pods in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netassay.matrix import Expected, Observed
from netassay.observation import Attempt, Observation, Outcome, Protocol
from netassay.policies.case import Step
from netassay.policies.cells import cells_of, changed, differing, ruling
from netassay.policies.generator.words import labels, one_way
from netassay.policies.newcomers import Newcomers
from netassay.policies.truth import Table
from tests.policies.scenes import scene

if TYPE_CHECKING:
    from netassay.policies.scene import Scene

DENY = Step("", apply=(one_way("ingress", target=labels(app="a")),))


@dataclass(frozen=True)
class Pod:
    name: str
    node: str
    address: str


PODS = {symbol: Pod(symbol.replace("/", "-"), one.node, one.addresses[0]) for symbol, one in scene().pods.items()}


def seen(source: str, target: str, outcome: Outcome, port: str = "tcp") -> Observation:
    over = Protocol.UDP if port.startswith("udp") else Protocol.TCP
    attempt = Attempt(protocol=over, host=PODS[target].address, port=8080)
    by = PODS[target].name if outcome is Outcome.OPEN else ""
    return Observation(
        source=PODS[source].name, source_node=PODS[source].node, attempt=attempt, outcome=outcome, answered_by=by
    )


def table(now: Scene, network: Scene, **options: bool) -> Table:
    """Give what is seen in a network that is in another state than the scene says."""
    differences = {}
    for port in now.ports:
        observed = Observed()
        opens = {}
        for cell in (cell for cell in cells_of(now) if cell.port == port):
            source, target = PODS[cell.source], PODS[cell.target]
            opens[source.name, target.name] = ruling(now, cell).open
            outcome = Outcome.OPEN if ruling(network, cell).open else Outcome.TIMED_OUT
            observed.add(source, target, seen(cell.source, cell.target, outcome, port))
        differences[port] = Expected(tuple(PODS.values()), tuple(PODS.values()), opens).difference(observed)
    return Table(now, differences, {pod.name: symbol for symbol, pod in PODS.items()}, **options)  # type: ignore[arg-type]


def test_a_network_that_does_as_the_policies_say_is_right() -> None:
    denied = scene().after(DENY)
    assert table(denied, denied).right
    assert table(denied, denied).describe() == "all 324 as said"
    assert not table(denied, denied, whole=False).right, "a look at a few cells never says that all is right"


def test_what_is_open_and_should_be_closed_is_told_with_the_policy_that_closes_it() -> None:
    denied = scene().after(DENY)
    said = table(denied, scene())
    assert not said.right
    assert len(said.wrong) == 8 * 4
    text = said.describe()
    assert text.startswith("32 of 324 attempts ended otherwise than the policies say\n")
    assert "tcp open, and should be closed" in text
    assert "for ingress of run-red/a is isolated by run-red/policy, and nothing allows it" in text


def test_what_is_tried_twice_is_closed_only_if_neither_attempt_got_through() -> None:
    denied = scene().after(DENY)
    a, b = PODS["red/b"], PODS["red/a"]
    observed = Observed()
    for outcome in (Outcome.TIMED_OUT, Outcome.OPEN):
        observed.add(a, b, seen("red/b", "red/a", outcome))
    difference = Expected((a,), (b,), {(a.name, b.name): False}).difference(observed)
    said = Table(denied, {"tcp": difference}, {pod.name: symbol for symbol, pod in PODS.items()})
    assert not said.right
    assert said.describe().startswith("1 of 1 attempts ended otherwise")
    assert "1 of 2 open, and should be closed" in said.describe()


def test_what_is_closed_and_should_be_open_is_told_with_what_lets_it_through() -> None:
    said = table(scene(), scene().after(DENY)).describe()
    assert "for no policy isolates run-red/b for egress; no policy isolates run-red/a for ingress" in said
    assert "timed out" in said


def test_a_change_is_told_by_some_of_the_cells_that_it_closes() -> None:
    before, after = scene(), scene().after(DENY)
    every = differing(before, after)
    assert {(cell.target, cell.port) for cell in every} == {("red/a", port) for port in before.ports}
    assert {cell.source for cell in every} == {*before.pods} - {"red/a"}
    few = changed(before, after)
    assert set(few) < set(every)
    assert {cell.port for cell in few} == set(before.ports)
    assert changed(before, before) == []


def test_new_pods_are_told_of_in_words() -> None:
    safe = Newcomers(3.0, [], 120)
    assert safe.describe() == "none of 120 attempts at new pods got through"
    attempts = [seen("green/a", "red/a", Outcome.OPEN) for _ in range(2)]
    exposed = Newcomers(3.0, attempts, 120)
    assert exposed.exposed_seconds == 0.0
    assert exposed.describe().startswith("2 of 120 attempts at new pods got through, though")
    assert "green-a" in exposed.describe()
