"""What the gate decides, one difference at a time, and that whatever could not be judged is never a go."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import sides

from netassay.bench.cells import Gated
from netassay.errors import UsageError
from netassay.gate import (
    Decision,
    Evidence,
    GateRecord,
    Policy,
    Ruling,
    decide,
    read_evidence,
    read_policy,
    usual_policy,
)
from netassay.gate.conformance import RULES
from netassay.gate.markdown import markdown
from netassay.gate.policy import usual_text
from netassay.report.gate import render_gate
from netassay.results.collect import write_run_json
from netassay.results.schema import NodeFacts, RunRecord, Verdict
from netassay.watch import WatchRecord, write_watch

if TYPE_CHECKING:
    from pathlib import Path

HOLDS, BROKEN, ABSENT = Verdict.HOLDS, Verdict.BROKEN, Verdict.ABSENT_BY_DESIGN
NOT_APPLICABLE, INCONCLUSIVE = Verdict.NOT_APPLICABLE, Verdict.INCONCLUSIVE
GO, NO_GO, CANNOT = Decision.GO, Decision.NO_GO, Decision.CANNOT_DECIDE
GATED = [Gated(sides.CELL, "gbps", "higher", 0.05)]
TODAY = dt.date(2026, 11, 25)


def gate(
    before: RunRecord | None, after: RunRecord | None, *, watch: WatchRecord | None = None, policy: str = ""
) -> GateRecord:
    rules = msgspec.toml.decode(policy, type=Policy) if policy else usual_policy()
    sides = Evidence("before", run=before), Evidence("after", run=after, watch=watch)
    return decide(*sides, rules, gated=GATED, today=TODAY)


def after(**verdicts: Verdict | None) -> RunRecord:
    return sides.run("r2", 2000.0, **verdicts)


def test_an_unchanged_network_may_go() -> None:
    decided = gate(sides.run(), after())
    assert decided.decision is GO
    assert decided.reason == (
        "conformance: 3 of 3 checks as before or better; performance: not judged; disruption: not judged"
    )


@pytest.mark.parametrize(
    ("was", "now", "decision"),
    [
        (HOLDS, HOLDS, GO),
        (HOLDS, BROKEN, NO_GO),
        (HOLDS, ABSENT, NO_GO),
        (HOLDS, NOT_APPLICABLE, CANNOT),
        (HOLDS, INCONCLUSIVE, CANNOT),
        (HOLDS, None, CANNOT),
        (ABSENT, ABSENT, GO),
        (ABSENT, HOLDS, NO_GO),
        (ABSENT, BROKEN, NO_GO),
        (ABSENT, INCONCLUSIVE, CANNOT),
        (ABSENT, None, CANNOT),
        (BROKEN, BROKEN, GO),
        (BROKEN, HOLDS, GO),
        (BROKEN, INCONCLUSIVE, GO),
        (BROKEN, None, GO),
        (NOT_APPLICABLE, HOLDS, GO),
        (NOT_APPLICABLE, NOT_APPLICABLE, GO),
        (NOT_APPLICABLE, BROKEN, NO_GO),
        (INCONCLUSIVE, HOLDS, GO),
        (INCONCLUSIVE, BROKEN, NO_GO),
        (INCONCLUSIVE, INCONCLUSIVE, CANNOT),
        (None, HOLDS, GO),
        (None, BROKEN, NO_GO),
        (None, INCONCLUSIVE, CANNOT),
    ],
)
def test_what_becomes_of_one_check_decides(was: Verdict | None, now: Verdict | None, decision: Decision) -> None:
    decided = gate(sides.run(dns=was), after(dns=now))
    assert decided.decision is decision, decided.reason
    if decision is not GO:
        assert "check of dns" in decided.reason
        assert decided.items[0].key == "conformance/dns/test_names.py::test_service"


def test_nothing_but_a_known_break_is_ever_undecided_without_a_verdict_now() -> None:
    for was in (HOLDS, ABSENT):
        for now in (NOT_APPLICABLE, INCONCLUSIVE, None):
            assert RULES[was, now][0] is Ruling.UNDECIDED


def test_a_no_go_outweighs_a_doubt() -> None:
    decided = gate(sides.run(), after(dns=INCONCLUSIVE, policy=BROKEN))
    assert decided.decision is NO_GO
    assert "check of policy: held before, and is broken now (policy said so)." in decided.reason
    assert [item.ruling for item in decided.items] == [Ruling.NO_GO, Ruling.UNDECIDED, Ruling.FINE]


def changed(**fields: Any) -> RunRecord:
    """The candidate with other facts of its cluster, or of itself."""
    run = after()
    for name, value in fields.items():
        setattr(run.cluster if hasattr(run.cluster, name) else run, name, value)
    return run


NODE = NodeFacts(name="node1", ready=True, kernel="6.1.0")


@pytest.mark.parametrize(
    ("candidate", "decision", "words"),
    [
        (changed(mode="flannel-hostgw"), NO_GO, "The mode was flannel-vxlan, and is flannel-hostgw now."),
        (changed(lab=""), CANNOT, "the candidate of a real cluster"),
        (changed(nodes=[NODE]), CANNOT, "Nodes are gone: node2. There were 2, and there are 1."),
        (changed(nodes=[NODE, NodeFacts(name="node2", kernel="6.1.0")]), NO_GO, "node2 was Ready, and is not any more"),
        (changed(nodes=[NODE, NodeFacts(name="node3", ready=True, kernel="6.1.0")]), GO, "Nodes are gone: node2"),
        (changed(nodes=[NODE, NodeFacts(name="node2", ready=True, kernel="6.8.0")]), GO, "Kernels were 6.1.0"),
        (changed(service_proxy="iptables"), GO, "kube-proxy's mode was nftables, and is iptables now."),
        (changed(version="v1.38.0"), GO, "Kubernetes was v1.37.2, and is v1.38.0 now."),
        (changed(faults=["phase serial broke off\nmore"]), CANNOT, "went wrong: phase serial broke off"),
        (changed(run_id="r1"), CANNOT, "Both sides are the same run, r1."),
        (changed(started=1.0), CANNOT, "the wrong way round?"),
    ],
)
def test_what_the_two_runs_are_of(candidate: RunRecord, decision: Decision, words: str) -> None:
    decided = gate(sides.run(), candidate)
    assert decided.decision is decision, decided.reason
    told = [item for item in decided.items if words in item.text]
    assert told
    assert (decision is GO) == all(item.ruling is Ruling.NOTE for item in told)


def test_what_is_required_and_missing_is_no_go_ahead() -> None:
    assert gate(sides.run(), None).decision is CANNOT
    assert gate(None, after()).decision is CANNOT
    asked = 'required = ["conformance", "disruption"]'
    assert gate(sides.run(), after(), policy=asked).decision is CANNOT
    assert gate(sides.run(), after(), policy=asked, watch=sides.watch(sides.watched())).decision is GO
    nothing = gate(None, None, policy="required = []")
    assert (nothing.decision, nothing.reason) == (
        CANNOT,
        "there is nothing in the results that speaks for the candidate",
    )


def test_the_policy_can_allow_what_it_says() -> None:
    assert gate(sides.run(), changed(mode="x"), policy="[conformance]\nmode_may_change = true").decision is GO
    fewer = '[conformance]\nmissing = "ignore"'
    assert gate(sides.run(), after(dns=None), policy=fewer).decision is GO
    strict = '[conformance]\nstill_broken = "no-go"'
    assert gate(sides.run(dns=BROKEN), after(dns=BROKEN), policy=strict).decision is NO_GO


EXCEPTION = """
[[exception]]
match = "conformance/dns/*"
reason = "known"
owner = "network team"
expires = {}
"""


def test_a_known_exception_excuses_until_its_date() -> None:
    decided = gate(sides.run(), after(dns=BROKEN), policy=EXCEPTION.format("2026-11-26"))
    assert decided.decision is GO
    assert decided.reason.endswith("1 known exceptions")
    (item,) = decided.of(Ruling.EXCEPTED)
    assert item.exception == "known (network team, until 2026-11-26)"
    assert gate(sides.run(), after(policy=BROKEN), policy=EXCEPTION.format("2026-11-26")).decision is NO_GO


@pytest.mark.parametrize("now", [HOLDS, BROKEN])
def test_an_expired_exception_fails_whether_or_not_it_is_needed(now: Verdict) -> None:
    decided = gate(sides.run(), after(dns=now), policy=EXCEPTION.format("2026-11-25"))
    assert decided.decision is NO_GO
    assert any("expired on 2026-11-25: renew or remove it" in item.text for item in decided.of(Ruling.NO_GO))


def test_an_exception_that_is_not_needed_is_told() -> None:
    decided = gate(sides.run(), after(), policy=EXCEPTION.format("2027-01-01"))
    assert decided.decision is GO
    assert "was not needed" in decided.of(Ruling.NOTE)[0].text


@pytest.mark.parametrize(
    ("flow", "decision", "words"),
    [
        (sides.watched(), GO, "nothing lost"),
        (sides.watched(out=0.5, failed=50), GO, "within its limits"),
        (sides.watched(out=1.5, failed=90), NO_GO, "out for 1500 ms from 10.0 s on (limit 1000 ms)"),
        (sides.watched(out=0.99, failed=90, doubt=0.02), CANNOT, "out for 990 ms (970 to 1010) from 10.0 s on"),
        (sides.watched(out=1.01, failed=90, doubt=0.02), CANNOT, "out for 1010 ms (990 to 1030) from 10.0 s on"),
        (sides.watched(out=1.03, failed=90, doubt=0.02), NO_GO, "out for 1030 ms (1010 to 1050) from 10.0 s on"),
        (sides.watched(out=0.97, failed=90, doubt=0.02), GO, "longest outage 970 ms (950 to 990)"),
        (sides.watched(out=0.5, failed=101), NO_GO, "101 attempts failed (limit 100)"),
        (sides.watched(out=0.4, failed=40, recovered=False), NO_GO, "not answered any more at the end"),
        (sides.watched(kept=True, ended=1), NO_GO, "1 kept connections ended (limit 0): the one with web-1"),
        (sides.watched(kept=True, out=0.4, failed=20), GO, "nothing lost"),
        (sides.watched(unwatched=True), CANNOT, "not watched from 20.0 s to 25.0 s: its source was replaced"),
        (sides.watched(unjudged=3000), CANNOT, "its sender stood still"),
        (sides.watched(out=1.5, failed=90, unjudged=3000), CANNOT, "its sender stood still"),
        (sides.watched(out=1.5, failed=90, unwatched=True), NO_GO, "out for 1500 ms"),
    ],
)
def test_what_the_upgrade_did_to_a_flow(flow: Any, decision: Decision, words: str) -> None:
    decided = gate(sides.run(), after(), watch=sides.watch(flow))
    assert decided.decision is decision, decided.reason
    assert any(item.area == "disruption" and words in item.text for item in decided.items)


def test_limits_of_some_flows_and_of_figures() -> None:
    kept = '[[disruption.flows]]\nmatch = "* → Service, kept tcp"\noutage_ms = 1000\nlost = 100\nended = 1'
    ended = sides.watch(sides.watched(kept=True, ended=1))
    assert gate(sides.run(), after(), watch=ended, policy=kept).decision is GO
    assert gate(sides.run(), after(), watch=sides.watch(exit_code=1)).decision is NO_GO
    limited = '[disruption.figures]\n"outage, new TCP connections" = {}'
    assert gate(sides.run(), after(), policy=limited.format(1000)).decision is GO
    assert gate(sides.run(), after(), policy=limited.format(800)).decision is NO_GO
    assert gate(sides.run(), after(), policy='[disruption.figures]\n"another" = 5').decision is CANNOT


def performance(tmp_path: Path, policy: str = 'required = ["performance"]') -> GateRecord:
    before, now = read_evidence(tmp_path / "before"), read_evidence(tmp_path / "after")
    return decide(before, now, msgspec.toml.decode(policy, type=Policy), gated=GATED, today=TODAY)


def test_the_same_throughput_may_go(tmp_path: Path) -> None:
    sides.write_bench(tmp_path / "before", sides.values(1))
    sides.write_bench(tmp_path / "after", sides.values(2))
    decided = performance(tmp_path)
    assert decided.decision is GO, decided.reason
    assert decided.judged["performance"] == "1 of 1 metrics within their margins"


def test_ten_percent_less_throughput_is_a_no_go(tmp_path: Path) -> None:
    sides.write_bench(tmp_path / "before", sides.values(1), host=sides.values(3, centre=40))
    sides.write_bench(tmp_path / "after", sides.values(2, centre=18), host=sides.values(4, centre=40))
    decided = performance(tmp_path)
    assert decided.decision is NO_GO, decided.reason
    assert "beyond the margin of 5%" in decided.reason


def test_ten_percent_less_on_the_hosts_too_is_the_machines_doing(tmp_path: Path) -> None:
    sides.write_bench(tmp_path / "before", sides.values(1), host=sides.values(3, centre=40))
    sides.write_bench(tmp_path / "after", sides.values(2, centre=18), host=sides.values(4, centre=36))
    decided = performance(tmp_path)
    assert decided.decision is CANNOT, decided.reason
    assert "the hosts themselves are worse too (host.ipv4.tcp-1 gbps" in decided.reason


def test_two_noisy_benches_decide_nothing(tmp_path: Path) -> None:
    sides.write_bench(tmp_path / "before", sides.values(1, sigma=0.25))
    sides.write_bench(tmp_path / "after", sides.values(2, sigma=0.25))
    decided = performance(tmp_path)
    assert decided.decision is CANNOT, decided.reason
    assert "this cluster cannot decide this metric" in decided.reason


def test_benches_that_cannot_be_compared_decide_nothing(tmp_path: Path) -> None:
    sides.write_bench(tmp_path / "before", sides.values(1))
    sides.write_bench(tmp_path / "after", sides.values(2), kernel="6.8.0")
    decided = performance(tmp_path)
    assert (decided.decision, decided.reason) == (
        CANNOT,
        "Figures are not comparable: the kernel was 6.1.0, and is 6.8.0 now.",
    )


def test_too_few_blocks_decide_nothing_and_those_that_are_not_valid_do_not_count(tmp_path: Path) -> None:
    sides.write_bench(tmp_path / "before", sides.values(1))
    sides.write_bench(tmp_path / "after", sides.values(2, count=4), invalid=sides.values(5))
    decided = performance(tmp_path)
    assert decided.decision is CANNOT
    assert "10 blocks before, 4 now, and 5 are needed" in decided.reason


def test_a_bench_of_one_side_alone_was_meant_to_be_compared(tmp_path: Path) -> None:
    sides.write_bench(tmp_path / "before" / "bench", sides.values(1))
    write_run_json(tmp_path / "before", sides.run())
    write_run_json(tmp_path / "after", after())
    decided = performance(tmp_path, "")
    assert (decided.decision, decided.reason) == (
        CANNOT,
        "The candidate has no results about performance (bench.json, by `netassay bench`).",
    )


def test_results_are_found_in_folders_below(tmp_path: Path) -> None:
    write_run_json(tmp_path / "run", sides.run())
    write_watch(tmp_path / "across" / "it", sides.watch(sides.watched()))
    sides.write_bench(tmp_path / "bench-1", sides.values(1))
    sides.write_bench(tmp_path / "bench-2", sides.values(2), run_id="b2")
    found = read_evidence(tmp_path)
    assert found.side.evidence == [
        "run r1 of 3 checks",
        "bench b1 of 10 blocks",
        "bench b2 of 10 blocks",
        "watch w1 of 1 flows",
    ]
    write_run_json(tmp_path / "run-2", after())
    with pytest.raises(UsageError, match="holds 2 runs, and one is to be judged"):
        read_evidence(tmp_path)
    with pytest.raises(UsageError, match="holds no results"):
        read_evidence(tmp_path / "bench-1" / "nothing")


def test_the_default_policy_is_what_holds_without_one(tmp_path: Path) -> None:
    assert usual_policy() == Policy()
    file = tmp_path / "gate.toml"
    file.write_text(usual_text())
    assert read_policy(file) == Policy()
    shown = [
        line[2:] for line in usual_text().splitlines() if line.startswith(("# [", "# match", "# reason", "# owner"))
    ]
    assert "[[exception]]" in shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense = 1", "nonsense"),
        ('required = ["luck"]', "luck"),
        ("[performance]\nalpha = 0.9", "a probability under 0.5"),
        (EXCEPTION.format("2027-01-01").replace("network team", " "), "exception 1 has no owner"),
        (EXCEPTION.format("2027-01-01").replace('owner = "network team"\n', ""), "owner"),
        (EXCEPTION.format('"soon"'), "expires"),
        ("[performance]\n[[performance.gated]]\ncell='a'\nmetric='b'\nbetter='higher'\nmargin=5", "a fraction between"),
        ("= 1", "print-policy"),
    ],
)
def test_a_policy_that_is_wrong_says_where(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=words):
        read_policy(file)


def test_what_came_from_a_cluster_is_shown_as_text() -> None:
    hostile = after(dns=BROKEN)
    hostile.checks[0] = msgspec.structs.replace(
        hostile.checks[0], message="<script>alert(1)</script> | [x](http://evil.example) @everyone"
    )
    decided = gate(sides.run(), hostile)
    page, summary = render_gate(decided), markdown(decided)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<script" not in summary.replace("\\<", "")
    assert "](http" not in summary.replace("\\]", "")
    assert "@everyone" not in summary
    assert summary.startswith("## ❌ netassay gate: NO-GO\n")
