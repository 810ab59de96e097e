"""JUnit XML of all phases in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from junitparser import JUnitXml

from netassay.errors import HarnessFault
from netassay.results.junit import merge_junit

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
