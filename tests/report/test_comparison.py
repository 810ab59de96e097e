"""Several runs side by side: each cell is what that run found of that claim, with the reason, and leads to its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netassay.modes import names
from netassay.report import render_comparison
from netassay.report.compare import compare
from netassay.results.naming import claim_title
from netassay.results.schema import ClusterFacts, RunRecord, Verdict
from tests.report import samples
from tests.report.samples import HOSTILE, check

if TYPE_CHECKING:
    from netassay.results.schema import CheckRecord


def run(name: str, *checks: CheckRecord) -> RunRecord:
    return RunRecord(run_id=name, mode=f"mode-{name}", checks=list(checks), cluster=ClusterFacts(lab=f"lab-{name}"))


KEPT = run("a", check("pod-join"), check("dns-a"), check("outside-to-pod", Verdict.ABSENT_BY_DESIGN, "no route"))
BROKEN = run("b", check("pod-join"), check("dns-a"), check("dns-a", Verdict.BROKEN, "pod-1 → dns: timed out\nmore"))


def test_claims_are_rows_in_the_order_of_the_register_and_runs_are_columns() -> None:
    page = compare([(KEPT, "a/report.html"), (BROKEN, "b/report.html")], {})
    assert [column.mode for column in page.columns] == ["mode-a", "mode-b"]
    assert [column.conclusion for column in page.columns] == ["conforms", "findings"]
    assert [feature.title for feature in page.features] == [
        "Pod network",
        "Reachability",
        "DNS-based service discovery",
    ]
    assert page.different == [page.features[2].rows[0]], "the other was checked by one run only"


def test_a_cell_tells_the_verdict_the_reason_and_where_to_read_on() -> None:
    page = compare([(KEPT, "a/report.html"), (BROKEN, "")], {})
    kept, broken = page.features[2].rows[0].cells
    assert kept.verdict is not None
    assert (kept.verdict.words, kept.why, kept.link) == ("holds", KEPT.checks[1].title, "a/report.html#claim-dns-a")
    assert broken.verdict is not None
    assert (broken.verdict.words, broken.checks) == ("broken", "1 of 2")
    assert (broken.why, broken.link) == ("pod-1 → dns: timed out", "")
    absent, not_run = page.features[1].rows[0].cells
    assert absent.why == "no route"
    assert not_run.verdict is None


def test_a_claim_that_holds_is_told_with_what_was_measured_and_how_much_was_tried() -> None:
    healthy = samples.healthy()
    rows = {row.title: row for feature in compare([(healthy, "")], {}).features for row in feature.rows}
    assert rows[claim_title("pod-to-pod-tcp")].cells[0].why == "9 attempts"
    assert rows[claim_title("pod-join")].cells[0].why.startswith("creation to first answer: 1.")


def test_a_mode_that_could_not_be_run_has_a_column_with_the_reason() -> None:
    page = compare([(KEPT, "a/report.html")], {"cilium": "programs can't be built: <b>no</b> space"})
    assert [(column.mode, column.title) for column in page.columns] == [("mode-a", "a"), ("cilium", "")]
    assert all(row.cells[1].verdict is None for feature in page.features for row in feature.rows)
    assert not page.different
    written = render_comparison([], {"cilium": "programs can't be built: <b>no</b> space"})
    assert "not run: programs can&#39;t be built: &lt;b&gt;no&lt;/b&gt; space" in written


def test_modes_that_no_run_is_of_are_named_as_not_run() -> None:
    vxlan = RunRecord(run_id="a", mode="flannel-vxlan", checks=[check("pod-join")])
    absent = [mode.name for mode in compare([(vxlan, "")], {}).absent]
    assert sorted([*absent, "flannel-vxlan", "generic"]) == names()
    page = render_comparison([(vxlan, "")]).partition('id="absent"')[2]
    assert all(f"{name}</th>" in page for name in ("calico-bgp", "calico-ipip", "calico-vxlan"))


def test_names_from_a_cluster_cannot_inject() -> None:
    hostile = run(HOSTILE, check("dns-a", Verdict.BROKEN, HOSTILE))
    page = render_comparison([(KEPT, "a/report.html"), (hostile, "b/report.html")])
    assert "<script" not in page
    assert "<img" not in page
    assert "http://" not in page.replace("http://evil.example", "")
