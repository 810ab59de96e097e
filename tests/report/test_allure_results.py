"""A run as Allure reads it: labelled, with steps and attachments, and under the same ids in every run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import days
import msgspec
import pytest
import samples
from typer.testing import CliRunner

from netassay import npm
from netassay.allure import write_results
from netassay.allure.labels import EPICS, SEVERITIES
from netassay.allure.page import sealed, write_allure_page
from netassay.allure.surroundings import executor
from netassay.claims import FEATURES
from netassay.cli import build
from netassay.errors import HarnessFault, UsageError
from netassay.results.schema import CheckRecord, Evidence, RunRecord, Verdict

LOCK = Path(__file__).parents[2] / "reports" / "allure" / "package-lock.json"


def written(folder: Path, run: RunRecord) -> dict[str, dict[str, Any]]:
    """Write the run's results: each by its full name and parameters."""
    write_results(folder, run)
    results = [json.loads(path.read_text()) for path in folder.glob("*-result.json")]
    return {f"{one['fullName']}{[p['value'] for p in one.get('parameters', [])]}": one for one in results}


def label(result: dict[str, Any], name: str) -> list[str]:
    return [one["value"] for one in result["labels"] if one["name"] == name]


def one_check(**more: Any) -> RunRecord:
    settings: dict[str, Any] = {"id": "suites/dns/test_a.py::test_it[ipv4-tcp]", "verdict": Verdict.HOLDS, **more}
    return RunRecord(run_id="r1", started=1000.0, checks=[CheckRecord(**settings)])


def test_every_check_has_epic_feature_story_and_severity(tmp_path: Path) -> None:
    run = samples.broken()
    results = written(tmp_path / "a", run)
    assert len(results) == len(run.checks)
    for result in results.values():
        assert all(len(label(result, name)) == 1 for name in ("epic", "feature", "story", "severity")), result
    affinity = results[f"{samples.check_id('session-affinity')}['node-1']"]
    assert label(affinity, "epic") == ["Names and Services lead to pods"]
    assert label(affinity, "feature") == ["Services"]
    assert label(affinity, "story") == ["Session affinity"]
    assert label(affinity, "severity") == ["critical"]
    assert "broken" in label(affinity, "tag")


def test_every_feature_has_an_epic_and_a_severity() -> None:
    assert set(EPICS) == set(SEVERITIES) == set(FEATURES)


def test_verdicts_become_statuses_and_absences_say_that_they_are_by_design(tmp_path: Path) -> None:
    statuses = {
        verdict: written(tmp_path / verdict.name, one_check(verdict=verdict, message="why\nmore"))
        for verdict in Verdict
    }
    told = {verdict: next(iter(found.values())) for verdict, found in statuses.items()}
    assert {verdict: result["status"] for verdict, result in told.items()} == {
        Verdict.HOLDS: "passed",
        Verdict.BROKEN: "failed",
        Verdict.ABSENT_BY_DESIGN: "passed",
        Verdict.NOT_APPLICABLE: "skipped",
        Verdict.INCONCLUSIVE: "broken",
    }
    assert told[Verdict.ABSENT_BY_DESIGN]["statusDetails"]["message"] == "Absent by design: why"
    assert told[Verdict.BROKEN]["statusDetails"] == {"message": "why", "trace": "why\nmore"}


def test_ids_are_the_same_in_every_run(tmp_path: Path) -> None:
    first, second = (written(tmp_path / str(number), days.day(number)) for number in (1, 2))
    assert {key: one["historyId"] for key, one in first.items()} == {
        key: one["historyId"] for key, one in second.items()
    }
    assert len({one["historyId"] for one in first.values()}) == len(first)
    assert {one["uuid"] for one in first.values()}.isdisjoint(one["uuid"] for one in second.values())


def test_parameters_that_are_no_plain_words_are_told_by_the_checks_own_name(tmp_path: Path) -> None:
    parameters = {"family": "ipv4", "port": "Port(name='tcp', number=8080)"}
    (result,) = written(tmp_path / "a", one_check(parameters=parameters)).values()
    assert {one["name"]: one["value"] for one in result["parameters"]} == {"family": "ipv4", "variant": "ipv4-tcp"}
    assert result["fullName"] == "suites/dns/test_a.py::test_it"
    assert "8080" not in json.dumps(result)


def test_steps_tell_what_was_tried_compared_and_measured(tmp_path: Path) -> None:
    results = written(tmp_path / "a", samples.broken())
    steps = results[f"{samples.check_id('pod-to-pod-tcp')}[]"]["steps"]
    assert [(step["name"], step["status"]) for step in steps] == [
        ("9 attempts over TCP: 8 open, 1 timed out", "passed"),
        ("Compared with what was expected: Pod to pod, TCP: 1 wrong of 9 cells", "failed"),
    ]
    assert steps[0]["stop"] > steps[0]["start"] > 0
    drawn = tmp_path / "a" / steps[1]["attachments"][0]["source"]
    assert steps[1]["attachments"][0]["type"] == "image/svg+xml"
    assert drawn.read_text().startswith("<svg ")
    assert drawn.read_text().count("#b0201a") == 1
    (measured,) = results[f"{samples.check_id('path-mtu')}[]"]["steps"]
    assert measured["name"] == "Measured path MTU between nodes: 1,450 bytes"
    (followed,) = results[f"{samples.check_id('failover-killed')}[]"]["steps"]
    assert followed["name"].startswith("Followed 3 flows")


def test_evidence_and_the_way_to_check_again_are_attached_as_text(tmp_path: Path) -> None:
    result = written(tmp_path / "a", samples.broken())[f"{samples.check_id('pod-to-pod-tcp')}[]"]
    attached = {one["name"]: (tmp_path / "a" / one["source"]).read_text() for one in result["attachments"]}
    assert "default via 10.244.0.1" in attached["Routes of probe-node-1"]
    assert attached["How to check it again"].startswith("netassay run --lab=flannel-vxlan --select ")


def test_names_from_a_cluster_cannot_inject_into_drawings(tmp_path: Path) -> None:
    run = samples.broken()
    run.matrices[0] = msgspec.structs.replace(run.matrices[0], title=samples.HOSTILE, sources=[samples.HOSTILE] * 3)
    write_results(tmp_path / "a", run)
    drawings = [path.read_text() for path in (tmp_path / "a").glob("*.svg")]
    assert any("&lt;script&gt;" in drawing for drawing in drawings)
    assert not any("<script" in drawing or "<img" in drawing for drawing in drawings)


def test_secrets_are_taken_out(tmp_path: Path) -> None:
    run = one_check(
        verdict=Verdict.BROKEN, message="token: abcdefgh12345", evidence=[Evidence("e", "password=hunter22")]
    )
    run.cluster.server = "https://c?token=abcdefgh12345"
    write_results(tmp_path / "a", run)
    everything = "".join(path.read_text() for path in (tmp_path / "a").iterdir())
    assert "abcdefgh12345" not in everything
    assert "hunter22" not in everything


def test_surroundings_categories_and_executor_are_told(tmp_path: Path) -> None:
    run = samples.broken()
    run.cluster.server, run.cluster.lab = "https://c\\d", ""
    write_results(tmp_path / "a", run)
    environment = (tmp_path / "a" / "environment.properties").read_text()
    assert "Cluster=https://c\\\\d\nKubernetes=v1.37.2\nNodes=3\nMode=flannel-vxlan\n" in environment
    assert [one["name"] for one in json.loads((tmp_path / "a" / "categories.json").read_text())] == [
        "The network broke a promise",
        "The harness could not tell",
        "Absent by design",
        "Not applicable",
    ]
    assert json.loads((tmp_path / "a" / "executor.json").read_text())["buildName"] == "r7k2m9"


def test_the_executor_is_the_ci_job() -> None:
    run = RunRecord(run_id="r1")
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://hub",
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_RUN_ID": "7",
    }
    assert executor(run, github)["buildUrl"] == "https://hub/a/b/actions/runs/7"
    assert executor(run, {"GITLAB_CI": "true", "CI_JOB_URL": "https://lab/1"})["buildUrl"] == "https://lab/1"
    assert executor(run, {"JENKINS_URL": "x", "BUILD_URL": "https://j/1"})["type"] == "jenkins"
    assert executor(run, {})["type"] == "netassay"


def test_results_take_the_place_of_earlier_ones(tmp_path: Path) -> None:
    write_results(tmp_path / "a", samples.broken())
    write_results(tmp_path / "a", one_check())
    assert len(list((tmp_path / "a").glob("*-result.json"))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_results_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HarnessFault, match="could not write"):
        write_results(tmp_path / "file" / "a", one_check())


PAGE = '<html><head><title>x</title></head><body>{}<script>let data = "kept"</script></body></html>'
COUNTING = """<script async src="https://www.googletagmanager.com/gtag/js?id=G"></script>
<script>
  function gtag(){dataLayer.push(arguments);}
  gtag('config', 'G');
</script>"""


def test_what_counts_visitors_is_cut_out_and_all_requests_are_forbidden() -> None:
    page = sealed(PAGE.format(COUNTING))
    assert "gtag" not in page
    assert '"kept"' in page
    assert page.index("Content-Security-Policy") < page.index("<title>")


@pytest.mark.parametrize(
    "left", ['<link href="//fonts.example/a.css">', "<script>load('www.google-analytics.com')</script>"]
)
def test_a_page_that_would_still_ask_others_is_not_written(left: str) -> None:
    with pytest.raises(HarnessFault, match="would ask another host"):
        sealed(PAGE.format(left))


def test_where_no_run_can_be_read_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"run')
    done = CliRunner().invoke(build(), ["report", "--allure", str(tmp_path)])
    assert isinstance(done.exception, UsageError)
    assert "none of these runs can be read" in str(done.exception)
    assert "left out: " in done.output


def test_without_node_there_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HarnessFault, match=r"allure needs Node.js 20 or newer with npm.*install Node.js"):
        write_allure_page(tmp_path / "allure.html", one_check())


def test_an_installation_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("node", "npm"):
        (tools / name).write_text("#!/bin/sh\necho no registry >&2\nexit 7\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    with pytest.raises(HarnessFault, match=r"npm could not install allure \(exit code 7\).*\nno registry"):
        npm.installed(LOCK.parent, tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.suffix != ".lock"] == []


def test_the_lock_names_hashes_and_no_registry() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    assert not any("resolved" in package for package in packages.values())
    assert all("integrity" in package for name, package in packages.items() if name)
