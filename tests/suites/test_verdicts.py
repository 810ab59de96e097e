"""From pytest's outcomes to verdicts, seen in the record of small runs without a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netassay.results.collect import collect
from netassay.results.schema import RunRecord, Verdict

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

PLUG_INS = ("-p", "fixtures.options", "-p", "fixtures.runs", "-p", "fixtures.verdicts")

PREAMBLE = """
import os
import pytest
from fixtures.verdicts import MODE, not_applicable
from netassay.errors import HarnessFault, NetworkFault, NotConverged
from netassay.modes import load
from netassay.observation import Attempt, Observation, Outcome, Protocol

@pytest.fixture
def vxlan(pytestconfig):
    pytestconfig.stash[MODE] = load("flannel-vxlan")

@pytest.fixture
def any_plug_in(pytestconfig):
    pytestconfig.stash[MODE] = load("generic")
"""


class Assay:
    """Small runs, and what they left."""

    def __init__(self, pytester: pytest.Pytester, folder: Path) -> None:
        self._pytester, self._folder = pytester, folder

    def of(self, check: str, *more: str, apart: bool = False, outcomes: dict[str, int] | None = None) -> RunRecord:
        """Run the checks in this process, or in one apart if they take it down."""
        self._pytester.makepyfile(test_check=PREAMBLE + check)
        run = self._pytester.runpytest_subprocess if apart else self._pytester.runpytest_inprocess
        found = run(*PLUG_INS, "--keep-run", "--run-id=rtest", f"--run-dir={self._folder}", *more)
        if outcomes:
            found.assert_outcomes(**outcomes)
        return collect(self._folder)

    def verdict(self, check: str, **outcomes: int) -> tuple[Verdict, str]:
        (record,) = self.of(check, outcomes=outcomes).checks
        return record.verdict, record.message


@pytest.fixture
def assay(
    pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Assay:
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath))
    return Assay(pytester, tmp_path / "run")


ENDS = {
    "pass": (Verdict.HOLDS, ""),
    'raise NetworkFault("a → b: refused")': (Verdict.BROKEN, "a → b: refused"),
    'raise NotConverged("3 s late")': (Verdict.BROKEN, "3 s late"),
    'assert 1450 == 1500, "the MTU"': (Verdict.BROKEN, "the MTU"),
    'raise HarnessFault("API away")': (Verdict.INCONCLUSIVE, "in call: API away"),
    'raise OSError("disk")': (Verdict.INCONCLUSIVE, "OSError: disk"),
    'pytest.fail("by hand")': (Verdict.INCONCLUSIVE, "by hand"),
    'not_applicable("no outside host")': (Verdict.NOT_APPLICABLE, "no outside host"),
}


def test_a_checks_own_end_is_its_verdict(assay: Assay) -> None:
    checks = [f'@pytest.mark.claim("dns-a")\ndef test_{index:02}():\n    {body}\n' for index, body in enumerate(ENDS)]
    run = assay.of("\n".join(checks), outcomes={"passed": 1, "failed": 6, "skipped": 1})
    for record, (body, (verdict, message)) in zip(run.checks, ENDS.items(), strict=True):
        assert record.verdict is verdict, body
        assert message in record.message, body
    unforeseen = {piece.title for piece in run.checks[5].evidence}
    assert unforeseen == {"Traceback of call"}
    assert not run.checks[4].evidence


AROUND = [
    ("before", 'raise HarnessFault("no pod")', Verdict.INCONCLUSIVE),
    ("before", 'raise NetworkFault("never followed")', Verdict.BROKEN),
    ("before", "assert not 'a mistake of the fixture'", Verdict.INCONCLUSIVE),
    ("before", 'not_applicable("no host probes")', Verdict.NOT_APPLICABLE),
    ("after", 'raise HarnessFault("not deleted")', Verdict.INCONCLUSIVE),
    ("after", "assert not 'a mistake of the fixture'", Verdict.INCONCLUSIVE),
]


def test_what_happens_around_a_check_counts(assay: Assay) -> None:
    checks = []
    for index, (when, body, _) in enumerate(AROUND):
        before, after = (body, "pass") if when == "before" else ("pass", body)
        checks += [f"@pytest.fixture\ndef thing_{index}():\n    {before}\n    yield\n    {after}\n"]
        checks += [f'@pytest.mark.claim("dns-a")\ndef test_{index}(thing_{index}):\n    pass\n']
    run = assay.of("\n".join(checks))
    for record, (when, body, verdict) in zip(run.checks, AROUND, strict=True):
        assert record.verdict is verdict, (when, body)


def test_a_finding_outweighs_a_fault_of_the_harness_after_it(assay: Assay) -> None:
    found, said = assay.verdict("""
@pytest.fixture
def thing():
    yield
    raise HarnessFault("not deleted")

@pytest.mark.claim("dns-a")
def test_it(thing):
    raise NetworkFault("a → b: refused")
""")
    assert found is Verdict.BROKEN
    assert said == "a → b: refused"


def test_verdicts_depend_on_what_the_mode_says(assay: Assay) -> None:
    run = assay.of("""
@pytest.mark.claim("outside-to-pod")
def test_0_absence_that_the_mode_foresees(vxlan, verdict):
    verdict.judge(holds=False, seen="outside reaches no pod")

@pytest.mark.claim("outside-to-pod")
def test_1_presence_that_the_mode_rules_out(vxlan, verdict):
    verdict.judge(holds=True, seen="reached")

@pytest.mark.claim("outside-to-pod")
def test_2_a_check_that_just_passes_where_the_mode_says_it_cannot(vxlan):
    pass

@pytest.mark.claim("outside-to-pod")
def test_3_a_control_that_fails(vxlan):
    raise NetworkFault("not even the node")

@pytest.mark.claim("outside-to-pod")
def test_4_absence_of_what_no_mode_promises(any_plug_in):
    raise NetworkFault("no way in")

@pytest.mark.claim("outside-to-pod")
def test_5_presence_of_what_no_mode_promises(any_plug_in, verdict):
    verdict.judge(holds=True, seen="reached")
""")
    assert [record.verdict for record in run.checks] == [
        Verdict.ABSENT_BY_DESIGN,
        Verdict.BROKEN,
        Verdict.BROKEN,
        Verdict.BROKEN,
        Verdict.NOT_APPLICABLE,
        Verdict.HOLDS,
    ]
    absent, present, _, _, unpromised, _ = (record.message for record in run.checks)
    assert "outside reaches no pod" in absent
    assert "only nodes know a way to pods" in absent
    assert "does more than its mode says" in present
    assert "no way in" in unpromised


def test_what_is_tried_on_several_is_absent_by_design_only_if_none_of_them_keeps_it(assay: Assay) -> None:
    run = assay.of("""
@pytest.mark.claim("outside-to-pod")
def test_0_none_where_the_mode_says_absent(vxlan, verdict):
    verdict.judge_each({"a": "no way to a", "b": "no way to b"})

@pytest.mark.claim("outside-to-pod")
def test_1_some_where_the_mode_says_absent(vxlan, verdict):
    verdict.judge_each({"a": "no way to a", "b": ""})

@pytest.mark.claim("outside-to-pod")
def test_2_all_where_the_mode_says_absent(vxlan, verdict):
    verdict.judge_each({"a": "", "b": ""})

@pytest.mark.claim("outside-to-pod")
def test_3_some_where_the_mode_says_nothing(any_plug_in, verdict):
    verdict.judge_each({"a": "no way to a", "b": ""})

@pytest.mark.claim("dns-a")
def test_4_some_where_the_mode_says_holds(vxlan, verdict):
    verdict.judge_each({"a": "no way to a", "b": ""})

@pytest.mark.claim("dns-a")
def test_5_all_where_the_mode_says_holds(vxlan, verdict):
    verdict.judge_each({"a": "", "b": ""})

@pytest.mark.claim("dns-a")
def test_6_nothing_tried(vxlan, verdict):
    verdict.judge_each({})

@pytest.mark.claim("dns-a")
def test_7_very_many(vxlan, verdict):
    verdict.judge_each({f"pod-{n}": "no way" for n in range(100)})
""")
    assert [record.verdict for record in run.checks] == [
        Verdict.ABSENT_BY_DESIGN,
        Verdict.BROKEN,
        Verdict.BROKEN,
        Verdict.NOT_APPLICABLE,
        Verdict.BROKEN,
        Verdict.HOLDS,
        Verdict.INCONCLUSIVE,
        Verdict.BROKEN,
    ]
    none, some, _, unsaid, _, _, nothing, many = (record.message for record in run.checks)
    assert none.startswith("a: no way to a\nb: no way to b\nas foreseen: ")
    assert some == "a: no way to a\n1 of 2 are as they should be: b"
    assert "measured: a: no way to a" in unsaid
    assert "nothing was tried" in nothing
    assert many.endswith("pod-19: no way\n… and 80 more")


def test_absence_that_no_mode_foresees_is_a_finding(assay: Assay) -> None:
    found, _ = assay.verdict(
        '@pytest.mark.claim("dns-a")\ndef test_it(vxlan, verdict):\n    verdict.judge(holds=False, seen="none")\n',
        failed=1,
    )
    assert found is Verdict.BROKEN


def test_a_limitation_that_the_mode_knows_of_is_foreseen_for_one_check_alone(assay: Assay) -> None:
    run = assay.of("""
@pytest.mark.claim("dns-a")
def test_0_as_foreseen(vxlan, verdict):
    verdict.foresee_absence("engine.go, line 7")
    verdict.judge(holds=False, seen="the engine deviates")

@pytest.mark.claim("dns-a")
def test_1_otherwise_than_foreseen(vxlan, verdict):
    verdict.foresee_absence("engine.go, line 7")

@pytest.mark.claim("dns-a")
def test_2_foreseen_and_something_else_broken(vxlan, verdict):
    verdict.foresee_absence("engine.go, line 7")
    verdict.judge(holds=False, seen="the engine deviates")
    raise NetworkFault("and more")

@pytest.mark.claim("dns-a")
def test_3_another_check_of_the_claim(vxlan, verdict):
    verdict.judge(holds=True, seen="")
""")
    verdicts = [record.verdict for record in run.checks]
    assert verdicts == [Verdict.ABSENT_BY_DESIGN, Verdict.BROKEN, Verdict.BROKEN, Verdict.HOLDS]
    as_foreseen, otherwise, more, _ = (record.message for record in run.checks)
    assert as_foreseen == "the engine deviates\nas foreseen: engine.go, line 7"
    assert "was seen to hold, but mode flannel-vxlan says that it does not (engine.go, line 7)" in otherwise
    assert more == "and more"


def test_what_a_check_needs_may_be_absent_before_it_begins(assay: Assay) -> None:
    found, said = assay.verdict(
        """
@pytest.fixture
def engine(vxlan, verdict):
    verdict.end_absent("nothing enforces anything")

@pytest.mark.claim("policy-ports")
def test_it(engine):
    raise NetworkFault("never reached")
""",
        skipped=1,
    )
    assert found is Verdict.ABSENT_BY_DESIGN
    assert said == ("nothing enforces anything\nas foreseen: flannel, README: it enforces no network policies")


def test_features_of_an_api_are_recorded_with_the_checks_that_use_them(assay: Assay) -> None:
    run = assay.of("""
from netassay.policies.generator import BY_ID

@pytest.mark.claim("policy-ports")
@pytest.mark.parametrize("case", [BY_ID["ports-range-udp-egress"]], ids=str)
def test_it(case):
    pass
""")
    (record,) = run.checks
    assert {"ports: range", "direction: egress"} <= set(record.tags)
    assert record.parameters == {"case": "ports-range-udp-egress"}


def test_everything_about_a_check_is_recorded(assay: Assay) -> None:
    run = assay.of("""
@pytest.mark.serial
@pytest.mark.claim("dns-a")
@pytest.mark.parametrize("over", ["udp"])
def test_it(verdict, over):
    \"\"\"A name is an
    address.

    And more.
    \"\"\"
    attempt = Attempt(protocol=Protocol.UDP, host="10.0.0.10", port=53)
    verdict.observe([Observation(source="p", source_node="n", attempt=attempt, outcome=Outcome.OPEN)])
    verdict.note("latency", 2.5, "ms")
    verdict.remark("one replica only")
""")
    (record,) = run.checks
    assert (record.claim, record.feature, record.phase) == ("dns-a", "dns", "serial")
    assert record.title == "A name is an address."
    assert record.id == "test_check.py::test_it[udp]"
    assert record.parameters == {"over": "udp"}
    assert [piece.text for piece in record.evidence] == ["one replica only"]
    assert [(figure.key, figure.value, figure.unit) for figure in run.figures] == [("latency", 2.5, "ms")]
    assert [one.source for one in run.observations[record.id]] == ["p"]


@pytest.mark.whole
def test_a_check_whose_worker_died_has_no_verdict(assay: Assay) -> None:
    run = assay.of(
        """
@pytest.mark.claim("dns-a")
def test_dies():
    os._exit(9)

@pytest.mark.claim("dns-srv")
def test_lives():
    pass
""",
        *("-n", "1", "--max-worker-restart=1"),
        apart=True,
    )
    verdicts = {record.claim: record.verdict for record in run.checks}
    assert verdicts == {"dns-a": Verdict.INCONCLUSIVE, "dns-srv": Verdict.HOLDS}


@pytest.mark.whole
def test_an_interrupted_check_and_those_after_it_have_no_verdict(assay: Assay) -> None:
    run = assay.of(
        """
@pytest.mark.claim("dns-a")
def test_interrupted():
    raise KeyboardInterrupt

@pytest.mark.claim("dns-srv")
def test_never_begun():
    pass
""",
        apart=True,
    )
    assert [record.verdict for record in run.checks] == [Verdict.INCONCLUSIVE] * 2


def test_what_has_no_claim_is_no_check(assay: Assay) -> None:
    assert assay.of("def test_it():\n    pass\n", outcomes={"passed": 1}).checks == []
