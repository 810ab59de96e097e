"""JUnit XML of all phases in one file, and Allure's results completed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from junitparser import JUnitXml

from netassay.errors import HarnessFault
from netassay.results.allure import complete_allure
from netassay.results.junit import merge_junit
from netassay.results.schema import CheckRecord, ClusterFacts, RunRecord, Verdict

if TYPE_CHECKING:
    from pathlib import Path

SUITE = '<testsuites><testsuite name="pytest" tests="{n}" failures="1">{cases}</testsuite></testsuites>'
CASE = '<testcase classname="suites.dns.test_a" name="test_{n}" time="0.5">{inner}</testcase>'


def write_junit(path: Path, count: int) -> Path:
    cases = "".join(
        CASE.format(n=n, inner="" if n else '<failure message="broken">why</failure>') for n in range(count)
    )
    path.write_text(SUITE.format(n=count, cases=cases))
    return path


def test_junit_files_are_merged_with_a_suite_for_each_phase(tmp_path: Path) -> None:
    phases = {"parallel": write_junit(tmp_path / "p.xml", 3), "serial": write_junit(tmp_path / "s.xml", 2)}
    merge_junit({**phases, "killed": tmp_path / "none.xml"}, tmp_path / "junit.xml")
    merged = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
    assert [(suite.name, suite.tests, suite.failures) for suite in merged] == [
        ("netassay.parallel", 3, 1),
        ("netassay.serial", 2, 1),
    ]
    assert (merged.tests, merged.failures) == (5, 2)


def test_junit_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "p.xml").write_text("<testsuites><testsu")
    with pytest.raises(HarnessFault, match="could not read the JUnit XML of phase parallel"):
        merge_junit({"parallel": tmp_path / "p.xml"}, tmp_path / "junit.xml")


def test_allure_is_told_the_surroundings_the_categories_and_what_is_by_design(tmp_path: Path) -> None:
    for name in ("test_pods[tcp]", "test_pods[udp]"):
        result = {"fullName": "suites.reachability.test_outside#test_pods", "name": name, "status": "passed"}
        (tmp_path / f"{name}-result.json").write_text(json.dumps(result))
    absent = CheckRecord(
        id="suites/reachability/test_outside.py::test_pods[tcp]", verdict=Verdict.ABSENT_BY_DESIGN, message="no route"
    )
    facts = ClusterFacts(server="https://c\\d", version="v1.37.2", lab="flannel-vxlan")
    complete_allure(tmp_path, RunRecord(run_id="r1", mode="flannel-vxlan", cluster=facts, checks=[absent]))
    assert "Cluster=lab:flannel-vxlan\nKubernetes=v1.37.2\n" in (tmp_path / "environment.properties").read_text()
    categories = json.loads((tmp_path / "categories.json").read_text())
    assert [category["name"] for category in categories][:2] == [
        "The network broke a promise",
        "The harness could not tell",
    ]
    tcp, udp = (json.loads((tmp_path / f"test_pods[{p}]-result.json").read_text()) for p in ("tcp", "udp"))
    assert tcp["statusDetails"]["message"] == "Absent by design: no route"
    assert "statusDetails" not in udp


def test_without_allure_results_nothing_is_made(tmp_path: Path) -> None:
    complete_allure(tmp_path / "none", RunRecord(run_id="r1"))
    assert list(tmp_path.iterdir()) == []
