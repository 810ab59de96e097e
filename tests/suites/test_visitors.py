"""What visitors demand of a door, tried on agents of this machine in place of a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from fixtures.cluster import Node
from fixtures.ingress import IngressClass, choose_class, doors, is_of
from fixtures.node_addresses import NodeAddresses
from fixtures.patience import Patience
from fixtures.verdicts import CheckInHand
from fixtures.web import Ask, Door, Steadiness, Visitors, Visits, may_be_client, with_verdicts
from netassay.agent.local import LocalAgent
from netassay.errors import HarnessFault, NetworkFault, NotConverged
from netassay.families import Family
from netassay.fleet import Backend, LocalProbe, Request, Response
from netassay.observation import Outcome
from netassay.results.schema import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "www.example.test"
REQUEST = Request(host="127.0.0.1", port=80, host_header=HOST)


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[LocalAgent]]:
    folder = tmp_path_factory.mktemp("agents")
    with LocalAgent(folder, "one") as one, LocalAgent(folder, "two") as two:
        yield [one, two]


@pytest.fixture(scope="module")
def pods(agents: list[LocalAgent]) -> Iterator[list[LocalProbe]]:
    with (
        LocalProbe(agents[0].drive_command, "one", addresses=("127.0.0.1",)) as one,
        LocalProbe(agents[1].drive_command, "two", addresses=("127.0.0.1",)) as two,
    ):
        # Their agents run before the clock does.
        one.link_mtu(), two.link_mtu()
        yield [one, two]


@pytest.fixture
def door(agents: list[LocalAgent]) -> Door:
    return Door("door", "127.0.0.1", http=agents[0].ports["http"])


@pytest.fixture
def visitors(pods: list[LocalProbe], monkeypatch: pytest.MonkeyPatch) -> Visitors:
    monkeypatch.setattr("fixtures.web.STEADY_SECONDS", 0.2)
    for name in ("fixtures.patience.FOLLOWED_WITHIN", "fixtures.patience.NOT_AGAIN", "fixtures.patience.LATE"):
        monkeypatch.setattr(name, 1.0)
    return Visitors(pods, None, Patience(1.0))


@pytest.fixture
def verdict(pytestconfig: pytest.Config) -> CheckInHand:
    return CheckInHand(Check(id="x", claim="ingress-balance", feature="ingress", title="", phase=""), pytestconfig)


def response(**fields: object) -> Response:
    usual = {"source": "probe", "source_node": "node", "request": REQUEST, "outcome": Outcome.OPEN}
    return Response(**{**usual, **fields})  # type: ignore[arg-type]


def by(name: str) -> Backend:
    return Backend(agent=name)


def test_an_answer_is_right_only_from_the_right_pod_and_status(pods: list[LocalProbe]) -> None:
    ask = Ask(REQUEST, pods[0])
    assert ask.is_right(response(status=200, seen=by("one")))
    assert not ask.is_right(response(status=200, seen=by("two")))
    assert not ask.is_right(response(status=503, seen=by("one")))
    assert not ask.is_right(response(status=200))
    assert not ask.is_right(response(outcome=Outcome.TIMED_OUT))


def test_no_answer_is_no_refusal() -> None:
    """Where no pod must answer, the proxy must: a proxy that is down would else pass for one that refuses."""
    for error, statuses in ((0, {400, 404, 503}), (404, {404})):
        ask = Ask(REQUEST, None, error)
        assert {status for status in (0, 200, 301, 400, 404, 503) if ask.is_right(response(status=status))} == statuses
        assert not ask.is_right(response(outcome=Outcome.REFUSED))
        assert not ask.is_right(response(status=404, seen=by("one")))


def test_what_is_asked_for_must_be_got_not_just_any_answer() -> None:
    pod = LocalProbe(["true"], "one")
    chat = Ask(Request(host="127.0.0.1", port=80, host_header=HOST, message="hello"), pod)
    assert chat.is_right(response(status=101, seen=by("one")))
    assert not chat.is_right(response(status=200, seen=by("one")))
    call = Ask(Request(host="127.0.0.1", port=80, host_header=HOST, grpc=True), None)
    assert call.is_right(response(status=404))
    assert call.is_right(response(status=200))
    assert not call.is_right(response(status=200, seen=by("one")))
    pod.close()


def test_a_table_is_demanded_of_every_visitor(visitors: Visitors, door: Door, pods: list[LocalProbe]) -> None:
    seen = visitors.require(door, [Ask(door.request(HOST, path), pods[0]) for path in ("/", "/a")])
    assert list(seen.seen) == pods
    assert seen.describe() == "4 of 4 requests were answered as they should be"
    asks = [Ask(door.request(HOST, "/"), pods[0]), Ask(door.request(HOST, "/closed"), None)]
    with pytest.raises(NotConverged, match="2 of 4 requests were answered as they should be") as caught:
        visitors.require(door, asks)
    assert f"one (127.0.0.1) → GET http://{HOST}/closed at 127.0.0.1:{door.http}: HTTP 200 by one" in str(caught.value)
    assert "← should be answered by no pod, but by an error" in str(caught.value)


def test_what_is_wrong_and_stays_so_is_not_waited_for_long(pods: list[LocalProbe]) -> None:
    def look(*statuses: int) -> Visits:
        ask = Ask(REQUEST, None)
        return Visits([ask] * len(statuses), {pods[0]: [response(status=status) for status in statuses]})

    steadiness = Steadiness()
    moments = iter([0.0, 0.0, 1.5, 1.6, 1.6, 3.5, 3.7, 9.0, 9.0, 20.0, 20.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fixtures.web.time.monotonic", lambda: next(moments))
        assert steadiness.reason(look(404, 200)) is None
        assert steadiness.reason(look(404, 200)) is None
        assert steadiness.reason(look(200, 200)) is None, "it changes"
        assert steadiness.reason(look(200, 200)) is None
        assert steadiness.reason(look(200, 200)) == "for 2.1 s the answers have been the same"
        assert steadiness.reason(look(200, 0)) is None
        assert steadiness.reason(look(200, 0)) is None, "what got no answer is not steady"


def test_a_table_begins_with_its_control(visitors: Visitors, door: Door) -> None:
    with pytest.raises(HarnessFault, match="control"):
        visitors.require(door, [Ask(door.request(HOST), None)])


def test_a_control_that_fails_is_told_as_such(visitors: Visitors, door: Door, pods: list[LocalProbe]) -> None:
    with pytest.raises(NotConverged, match="0 of 2 requests"):
        visitors.require(door, [Ask(door.request(HOST), pods[1]), Ask(door.request(HOST, "/x"), None)])


def test_shares_are_judged_by_weight(
    visitors: Visitors, door: Door, pods: list[LocalProbe], verdict: CheckInHand
) -> None:
    visitors.require_shares(door, door.request(HOST), {pods[0]: 1, pods[1]: 0}, verdict)
    with pytest.raises(NotConverged, match="to be answered by"):
        visitors.require_shares(door, door.request(HOST), {pods[0]: 1, pods[1]: 1}, verdict)
    with pytest.raises(NetworkFault, match=r"of 300 requests 300 were answered by one .* gets 1\d\d to 1\d\d of them"):
        visitors.require_shares(door, door.request(HOST), {pods[0]: 50, pods[1]: 0, _nobody(pods[1]): 50}, verdict)


def _nobody(pod: LocalProbe) -> LocalProbe:
    """The pod that answers, under another identity, so that the wait for all of them passes."""
    view = pod.over(Family.IPV4)
    view.name = "one"
    return view


def test_a_lost_request_is_the_harnesss_fault() -> None:
    lost = response(outcome=Outcome.NO_VERDICT, error="no descriptors")
    with pytest.raises(HarnessFault, match=r"1 of 2 requests have no verdict(.|\n)*no descriptors"):
        with_verdicts(iter([response(status=200), lost]))
    with pytest.raises(HarnessFault, match="1 of 1"):
        Visits([Ask(REQUEST, None)], {None: [lost]})  # type: ignore[dict-item]


def test_the_outside_host_comes_only_where_it_can_go(pods: list[LocalProbe], door: Door) -> None:
    visitors = Visitors(pods[:1], pods[1], Patience())
    assert visitors.at(door) == pods
    assert visitors.at(door._replace(from_outside=False)) == pods[:1]
    closed = Door("closed", "127.0.0.2", http=1)
    assert visitors.at(closed) == pods[:1]
    assert visitors.missing(closed).startswith("two (127.0.0.1) does not reach closed (127.0.0.2)")
    assert visitors.missing(door) == ""
    assert Visitors(pods, None, Patience()).missing(closed) == ""


CLASSES = [IngressClass("a", "x.io/a", False), IngressClass("b", "x.io/b", True), IngressClass("c", "x.io/c", False)]


def test_the_class_is_the_one_asked_for_or_the_default_or_the_only_one() -> None:
    assert choose_class(CLASSES, "c").name == "c"
    assert choose_class(CLASSES, "").name == "b"
    assert choose_class(CLASSES[:1], "").name == "a"
    with pytest.raises(HarnessFault, match="no such IngressClass; it has a, b, c"):
        choose_class(CLASSES, "d")
    with pytest.raises(pytest.skip.Exception, match="no IngressClass"):
        choose_class([], "")
    with pytest.raises(pytest.skip.Exception, match="a, c: say --ingress-class"):
        choose_class([CLASSES[0], CLASSES[2]], "")


def test_doors_are_of_the_family_that_is_assayed() -> None:
    addresses = ["192.0.2.1", "lb.example.com", "2001:db8::1"]
    assert [door.address for door in doors("x", addresses, Family.IPV4)] == addresses[:2]
    assert [door.address for door in doors("x", addresses, Family.IPV6)] == addresses[1:]
    with pytest.raises(pytest.skip.Exception, match="by no IPv6 address"):
        doors("x", addresses[:1], Family.IPV6)
    assert is_of("lb.example.com", Family.IPV6)


class HostProbe(NamedTuple):
    """In the network of a node that has an address on a link of which the API says nothing."""

    node: str = "node"
    own_addresses: tuple[str, ...] = ("192.0.2.1", "192.0.2.99")


NODE = Node(
    {
        "metadata": {"name": "node"},
        "spec": {"podCIDR": "10.1.0.0/24"},
        "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]},
    }
)
CLIENT = "198.51.100.7"


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (CLIENT, True),
        (f"203.0.113.1, {CLIENT}", True),
        ("192.0.2.1", True),
        ("192.0.2.99", True),
        ("10.1.0.1", True),
        (f"{CLIENT}, 203.0.113.1", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_a_client_is_known_by_its_address_or_one_of_its_nodes(told: str, known: bool) -> None:
    addresses = NodeAddresses([NODE], [HostProbe()])
    assert may_be_client(told, response(local_address=CLIENT), addresses) is known


def test_without_a_view_of_nodes_links_no_address_is_called_nobodys() -> None:
    addresses = NodeAddresses([NODE], [])
    for told in (CLIENT, "192.0.2.1"):
        assert may_be_client(told, response(local_address=CLIENT), addresses)
    with pytest.raises(HarnessFault, match=r"192\.0\.2\.99 is a node's can't be told.* links of node can't"):
        may_be_client("192.0.2.99", response(local_address=CLIENT), addresses)
