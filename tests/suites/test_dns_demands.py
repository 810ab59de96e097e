"""What checks demand of DNS: of answers as messages, of resolvers, and of many questions at a steady rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.dns import Replies, require_aliases, require_answer, require_authority
from fixtures.resolvers import require_order, require_same_settings, require_settings, settings
from fixtures.steady_load import require_steady
from netassay.agent.local import LocalAgent
from netassay.errors import HarnessFault, NetworkFault
from netassay.fleet import Answer, LocalProbe
from netassay.fleet.answers import Asked, Series
from netassay.observation import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "web.shop.svc.cluster.local."


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProbe]:
    """A real agent, whose resolv.conf is this machine's."""
    with (
        LocalAgent(tmp_path_factory.mktemp("agent"), "pod-1") as agent,
        LocalProbe(agent.drive_command, "pod-1", node="node-1") as driving,
    ):
        yield driving


def answer(**said: Any) -> Answer:
    usual = {"name": NAME, "rtype": "A", "protocol": "udp", "server": "10.96.0.10", "outcome": Outcome.OPEN}
    return Answer(**{**usual, "rcode": "NOERROR", "asked": NAME, "size": 100, **said})


def test_a_reply_is_judged_by_its_size_its_cut_and_its_edns(pod: LocalProbe) -> None:
    Replies([(pod, answer())]).require(largest=512, truncated=False, edns=False)
    Replies([(pod, answer(flags=("QR", "TC"), edns=1232))]).require(largest=512, truncated=True, edns=True)
    for wrong in ({"size": 513}, {"flags": ("TC",)}, {"edns": 1232}):
        with pytest.raises(NetworkFault, match=r"pod-1 \(node-1\): 0 records .* of 10.96.0.10"):
            Replies([(pod, answer(**wrong))]).require(largest=512, truncated=False, edns=False)


def test_the_question_must_be_repeated_letter_by_letter(pod: LocalProbe) -> None:
    mixed = NAME.upper()
    Replies([(pod, answer(asked=mixed))]).require_question(mixed)
    with pytest.raises(NetworkFault, match="to repeat WEB"):
        Replies([(pod, answer())]).require_question(mixed)


def test_a_reply_that_did_not_come_is_no_reply(pod: LocalProbe) -> None:
    with pytest.raises(NetworkFault, match="not all queries were answered"):
        Replies([(pod, answer(outcome=Outcome.TIMED_OUT, rcode=""))])
    with pytest.raises(HarnessFault, match="no verdict"):
        Replies([(pod, answer(outcome=Outcome.NO_VERDICT))])


def test_the_authority_and_the_aliases_are_demanded(pod: LocalProbe) -> None:
    soa = ["cluster.local. SOA"]
    require_authority([(pod, answer(authority=tuple(soa), rcode="NXDOMAIN"))], soa)
    require_aliases(pod, answer(aliases=("a.", "b.")), ["a.", "b."])
    for demand in (
        lambda: require_authority([(pod, answer())], soa),
        lambda: require_authority([(pod, answer(outcome=Outcome.TIMED_OUT, authority=tuple(soa)))], soa),
        lambda: require_aliases(pod, answer(aliases=("b.",)), ["a.", "b."]),
    ):
        with pytest.raises(NetworkFault, match=r"pod-1 \(node-1\)"):
            demand()


def test_nxdomain_is_not_the_absence_of_records(pod: LocalProbe) -> None:
    require_answer([(pod, answer())], records=[])
    with pytest.raises(NetworkFault, match="should have been answered NOERROR with no records"):
        require_answer([(pod, answer(rcode="NXDOMAIN"))], records=[])


def test_a_resolver_is_set_up_exactly_so(pod: LocalProbe) -> None:
    own = pod.resolv_conf()
    search = [suffix.rstrip(".") for suffix in own.search]
    require_settings([pod], servers=own.nameservers, searches=search, options=reversed(own.options))
    for wrong in ({"servers": ["192.0.2.53"]}, {"searches": [*search, "more.example"]}, {"options": ["ndots:9"]}):
        exact = {"servers": own.nameservers, "searches": search, "options": own.options}
        with pytest.raises(NetworkFault, match=r"pod-1 \(node-1\) has nameservers"):
            require_settings([pod], **{**exact, **wrong})  # type: ignore[arg-type]


def test_a_resolver_is_the_same_as_its_nodes(pod: LocalProbe) -> None:
    require_same_settings([pod], [pod])


def test_names_are_asked_for_in_order(pod: LocalProbe) -> None:
    require_order(["web.first.", "web."], ["web.first.", "web."], by=pod, name="web")
    for asked in (["web.", "web.first."], ["web.first."], []):
        with pytest.raises(NetworkFault, match=r"where it should have asked for web\.first\. web\."):
            require_order(asked, ["web.first.", "web."], by=pod, name="web")


def test_settings_are_written_as_pods_have_them() -> None:
    assert settings("Default") == {"dnsPolicy": "Default"}
    assert settings("None", servers=["10.96.0.10"], searches=["a"], options={"ndots": "2", "rotate": ""}) == {
        "dnsPolicy": "None",
        "nameservers": ["10.96.0.10"],
        "searches": ["a"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "rotate"}],
    }


GOOD, LOST = Asked(Outcome.OPEN, 300, ""), Asked(Outcome.TIMED_OUT, 5_000_000, "no answer in 5 s")


def test_of_many_questions_one_may_be_lost(pod: LocalProbe) -> None:
    require_steady("query", {pod: Series((GOOD,) * 1499 + (LOST,))})


@pytest.mark.parametrize("bad", [LOST, Asked(Outcome.OPEN, 5_001_000, ""), Asked(Outcome.OPEN, 300, "SERVFAIL")])
def test_two_that_are_lost_late_or_refused_are_a_finding(pod: LocalProbe, bad: Asked) -> None:
    with pytest.raises(NetworkFault, match=r"2 of 1500 queries failed, or took 5 s and more:\n  pod-1"):
        require_steady("query", {pod: Series((GOOD,) * 1498 + (bad,) * 2, 0.3)})


def test_questions_without_a_verdict_are_the_harnesss_fault(pod: LocalProbe) -> None:
    with pytest.raises(HarnessFault):
        require_steady("lookup", {pod: Series((Asked(Outcome.NO_VERDICT, 0, "too many open files"),))})


def test_a_probe_that_was_halted_does_not_blame_the_network(pod: LocalProbe) -> None:
    with pytest.raises(HarnessFault, match=r"halted themselves \(pod-1 \(node-1\) for 2.5 s\)"):
        require_steady("query", {pod: Series((GOOD,) * 10 + (LOST,) * 2, 2.5)})
    require_steady("query", {pod: Series((GOOD,) * 10, 2.5)})
