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


@pytest.mark.parametrize(
    ("body", "verdict", "message", "outcomes"),
    [
        ("pass", Verdict.HOLDS, "", {"passed": 1}),
        ('raise NetworkFault("a → b: refused")', Verdict.BROKEN, "a → b: refused", {"failed": 1}),
        ('raise NotConverged("3 s late")', Verdict.BROKEN, "3 s late", {"failed": 1}),
        ('assert 1450 == 1500, "the MTU"', Verdict.BROKEN, "the MTU", {"failed": 1}),
        ('raise HarnessFault("API away")', Verdict.INCONCLUSIVE, "in call: API away", {"failed": 1}),
        ('raise OSError("disk")', Verdict.INCONCLUSIVE, "OSError: disk", {"failed": 1}),
        ('pytest.fail("by hand")', Verdict.INCONCLUSIVE, "by hand", {"failed": 1}),
        ('not_applicable("no outside host")', Verdict.NOT_APPLICABLE, "no outside host", {"skipped": 1}),
    ],
)
def test_a_checks_own_end_is_its_verdict(
    assay: Assay, body: str, verdict: Verdict, message: str, outcomes: dict[str, int]
) -> None:
    found, said = assay.verdict(f'@pytest.mark.claim("dns-a")\ndef test_it():\n    {body}\n', **outcomes)
    assert found is verdict
    assert message in said


@pytest.mark.parametrize(
    ("phase", "body", "verdict"),
    [
        ("set-up", 'raise HarnessFault("no pod")', Verdict.INCONCLUSIVE),
        ("set-up", 'raise NetworkFault("never followed")', Verdict.BROKEN),
        ("set-up", "assert not 'a mistake of the fixture'", Verdict.INCONCLUSIVE),
        ("set-up", 'not_applicable("no host probes")', Verdict.NOT_APPLICABLE),
        ("tear-down", 'raise HarnessFault("not deleted")', Verdict.INCONCLUSIVE),
        ("tear-down", "assert not 'a mistake of the fixture'", Verdict.INCONCLUSIVE),
    ],
)
def test_what_happens_around_a_check_counts(assay: Assay, phase: str, body: str, verdict: Verdict) -> None:
    before, after = ((body, ""), ("", body))[phase == "tear-down"]
    fixture = f"@pytest.fixture\ndef thing():\n    {before or 'pass'}\n    yield\n    {after or 'pass'}\n"
    found, _ = assay.verdict(f'{fixture}\n@pytest.mark.claim("dns-a")\ndef test_it(thing):\n    pass\n')
    assert found is verdict


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


def test_absence_that_the_mode_foresees_is_by_design(assay: Assay) -> None:
    found, said = assay.verdict(
        """
@pytest.mark.claim("outside-to-pod")
def test_it(vxlan, verdict):
    verdict.judge(holds=False, seen="outside reaches no pod")
""",
        passed=1,
    )
    assert found is Verdict.ABSENT_BY_DESIGN
    assert "outside reaches no pod" in said
    assert "only nodes know a way to pods" in said


@pytest.mark.parametrize("body", ['verdict.judge(holds=True, seen="reached")', "pass"])
def test_presence_that_the_mode_rules_out_is_a_finding(assay: Assay, body: str) -> None:
    found, said = assay.verdict(
        f'@pytest.mark.claim("outside-to-pod")\ndef test_it(vxlan, verdict):\n    {body}\n', failed=1
    )
    assert found is Verdict.BROKEN
    assert "does more than its mode says" in said


def test_a_failed_control_is_no_absence_by_design(assay: Assay) -> None:
    found, _ = assay.verdict(
        '@pytest.mark.claim("outside-to-pod")\ndef test_it(vxlan):\n    raise NetworkFault("not even the node")\n',
        failed=1,
    )
    assert found is Verdict.BROKEN


def test_absence_that_no_mode_foresees_is_a_finding(assay: Assay) -> None:
    found, _ = assay.verdict(
        '@pytest.mark.claim("dns-a")\ndef test_it(vxlan, verdict):\n    verdict.judge(holds=False, seen="none")\n',
        failed=1,
    )
    assert found is Verdict.BROKEN


@pytest.mark.parametrize(
    ("body", "verdict"), [('raise NetworkFault("no way out")', Verdict.NOT_APPLICABLE), ("pass", Verdict.HOLDS)]
)
def test_what_the_mode_does_not_promise_is_measured(assay: Assay, body: str, verdict: Verdict) -> None:
    found, said = assay.verdict(
        f'@pytest.mark.claim("pod-to-outside-address")\ndef test_it(any_plug_in):\n    {body}\n'
    )
    assert found is verdict
    assert verdict is Verdict.HOLDS or "no way out" in said


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


def test_an_unforeseen_error_brings_its_traceback(assay: Assay) -> None:
    (record,) = assay.of('@pytest.mark.claim("dns-a")\ndef test_it():\n    {}["missing"]\n').checks
    assert any("KeyError" in piece.text for piece in record.evidence)


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
