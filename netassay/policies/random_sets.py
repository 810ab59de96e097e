"""Random sets of policies over the scene, and the search for one that the network takes otherwise.

Small vocabularies, so that policies often touch, and so that what is left of a counter-example after shrinking says
what it is about.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from netassay.policies.case import key_of
from netassay.policies.generator.words import DIRECTIONS, all_of, block, key, labels, pods_in, policy, rule
from netassay.policies.generator.words import pods as pods_peer
from netassay.policies.generator.words import spaces as spaces_peer
from netassay.policies.scene import NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from netassay.policies.case import Json
    from netassay.policies.rules import Direction

MOST_POLICIES: Final = 4

_POD_KEYS: Final = {"app": ("a", "b", "c"), "tier": ("front", "back")}
_SPACE_KEYS: Final = {"team": ("red", "green", "blue"), "stage": ("prod",)}
_RANGES: Final = ("{all}", "{green/a}", "{green/a:net}", "{blue/b}", "{red/c:net}", "{nowhere}")
_EXCEPTIONS: Final = {
    "{all}": ("{green/a}", "{green/a:net}", "{blue/b}", "{red/c:net}"),
    "{green/a:net}": ("{green/a}",),
}
"""Range → what may be excepted from it: the API wants exceptions within it, and less than all of it."""


def _selectors(keys: dict[str, tuple[str, ...]]) -> st.SearchStrategy[Json]:
    def with_key(name: str) -> st.SearchStrategy[Json]:
        some = st.lists(st.sampled_from(keys[name]), min_size=1, max_size=2, unique=True)
        listed = st.builds(lambda op, values: key(name, op, *values), st.sampled_from(("In", "NotIn")), some)
        return listed | st.builds(key, st.just(name), st.sampled_from(("Exists", "DoesNotExist")))

    exact = st.sampled_from([labels(**{name: value}) for name, values in keys.items() for value in values])
    expressions = st.sampled_from(sorted(keys)).flatmap(with_key)
    return st.just(dict[str, Any]()) | exact | expressions | st.builds(all_of, exact, expressions)


def _blocks() -> st.SearchStrategy[Json]:
    def without(cidr: str) -> st.SearchStrategy[Json]:
        exceptions = st.lists(st.sampled_from(_EXCEPTIONS.get(cidr, ("",))), max_size=2, unique=True)
        return exceptions.map(lambda chosen: block(cidr, *filter(None, chosen)))

    return st.sampled_from(_RANGES).flatmap(without)


_peers: Final = (
    st.builds(pods_peer, _selectors(_POD_KEYS))
    | st.builds(spaces_peer, _selectors(_SPACE_KEYS))
    | st.builds(pods_in, _selectors(_SPACE_KEYS), _selectors(_POD_KEYS))
    | _blocks()
)

_protocols: Final = st.sampled_from(("TCP", "UDP"))
_ports: Final = (
    st.builds(lambda over: {"protocol": over}, _protocols)
    | st.builds(
        lambda over, port: {"protocol": over, "port": port},
        _protocols,
        st.sampled_from((8080, 8081, 9, "tcp", "tcp2", "udp", "udp2", "gopher")),
    )
    | st.builds(
        lambda over, last: {"protocol": over, "port": 8080, "endPort": last}, _protocols, st.integers(8080, 8082)
    )
)


def _rules(direction: Direction) -> st.SearchStrategy[list[Json]]:
    peers, ports = st.none() | st.lists(_peers, max_size=2), st.none() | st.lists(_ports, max_size=2)
    return st.lists(st.builds(lambda p, q: rule(direction, p, q), peers, ports), max_size=2)


_policies: Final = st.builds(
    policy,
    st.sampled_from(("one", "two", "three")),
    namespace=st.sampled_from(tuple(NAMESPACES)),
    target=_selectors(_POD_KEYS),
    ingress=st.none() | _rules("ingress"),
    egress=st.none() | _rules("egress"),
    types=st.none() | st.lists(st.sampled_from(DIRECTIONS), min_size=1, unique=True),
)

policy_sets: Final = st.lists(_policies, max_size=MOST_POLICIES, unique_by=key_of)
"""Sets of policies in the words of the scene."""


@dataclass(frozen=True)
class CounterExample:
    """A set of policies that the network takes otherwise, and what was seen of it; `tries` is how many were tried."""

    policies: Sequence[Json]
    said: str
    tries: int


class _Differs(AssertionError):
    """What hypothesis shrinks."""


def search(
    try_set: Callable[[Sequence[Json]], str], *, count: int, seed: int, shrink_seconds: float
) -> CounterExample | None:
    """Try so many random sets, and shrink the first that differs for so many seconds; None if none does.

    `try_set` says what was seen otherwise, or "". What it raises ends the search, and is raised.
    """
    attempts = _Attempts(try_set, shrink_seconds)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(policy_sets)
    def one(policies: list[Json]) -> None:
        if attempts.differs(policies):
            raise _Differs

    with contextlib.suppress(_Differs):
        one()
    # Where a list wants different elements, shrinking may leave some in it that nothing depends on.
    for needless in list(attempts.smallest):
        rest = [policy for policy in attempts.smallest if policy != needless]
        if rest:
            attempts.differs(rest)
    if attempts.error is not None:
        raise attempts.error
    if not attempts.smallest:
        return None
    return CounterExample(attempts.smallest, attempts.said[json.dumps(attempts.smallest)], len(attempts.said))


class _Attempts:
    """The sets that were tried, none of them twice, until time to shrink is up or trying goes wrong."""

    def __init__(self, try_set: Callable[[Sequence[Json]], str], shrink_seconds: float) -> None:
        self._try_set, self._shrink_seconds = try_set, shrink_seconds
        self._until = float("inf")
        self.said: dict[str, str] = {}
        self.smallest: list[Json] = []
        self.error: Exception | None = None

    def differs(self, policies: list[Json]) -> bool:
        """Whether the network takes the set otherwise. One that is not tried any more counts as taken rightly."""
        written = json.dumps(policies)
        if written not in self.said and self.error is None and time.monotonic() < self._until:
            try:
                self.said[written] = self._try_set(policies)
            except Exception as error:
                self.error = error
        if not self.said.get(written):
            return False
        if not self.smallest:
            self._until = time.monotonic() + self._shrink_seconds
        self.smallest = policies
        return True
