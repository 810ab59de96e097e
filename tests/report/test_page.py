"""The page: what it says, in what order, and that nothing from a cluster gets into it unescaped."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import msgspec
import pytest
import samples

from netassay.claims import CLAIMS
from netassay.modes import Detection
from netassay.observation import Outcome
from netassay.report import render, write_report
from netassay.report.grid import grid
from netassay.report.words import duration, figure
from netassay.results.schema import CheckRecord, ClusterFacts, Figure, RunRecord, Verdict
from netassay.results.tables import LARGEST

if TYPE_CHECKING:
    from pathlib import Path


MADE = len(CLAIMS) - 1
"""Checks of the samples that were made: one of each claim, and one of them is not applicable."""


class Page(HTMLParser):
    """What a reader gets: the text, the ids, the links, and the tags with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, attribute: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(attribute))]


@pytest.fixture(scope="module")
def broken() -> str:
    return render(samples.broken())


def test_the_verdict_comes_first(broken: str) -> None:
    text = Page(broken.partition("<body>")[2]).text
    said = re.sub(r"\s+", " ", text)
    assert said.startswith(
        f" Skip to the results Broken The network is broken: 3 of {MADE} checks found it so, and 2 could not"
    )
    assert said.index("What is broken") < said.index("What could not be told") < said.index("Claims What the network")


def test_features_of_the_api_are_told_with_how_many_checks_of_each_hold() -> None:
    run = samples.healthy()
    assert "By feature of the API" not in render(run)
    excepting = [
        samples.check("policy-ip-blocks", verdict, tags=["direction: egress", "peers: IPBlock except"])
        for verdict in (Verdict.HOLDS, Verdict.HOLDS, Verdict.ABSENT_BY_DESIGN)
    ]
    run.checks += [*excepting, samples.check("policy-ports", tags=["direction: egress"])]
    said = re.sub(r"\s+", " ", Page(render(run)).text)
    assert "direction: egress 3/4 1 ∅absent by design peers: IPBlock except 2/3 1 ∅absent by design" in said


def test_a_finding_says_what_was_seen_and_how_to_check_again(broken: str) -> None:
    text = Page(broken).text
    assert "Broken: 1 of 9 cells wrong, everything from node-1 to node-2" in re.sub(r"\s+", " ", text)
    assert "probe-node-1 (node-1, 10.244.0.4) → probe-node-2 (node-2, 10.244.1.5:8080) tcp timed out" in text
    assert "default via 10.244.0.1 dev eth0" in text
    assert "netassay run --lab=flannel-vxlan --select reachability/test_pod_to_pod_tcp.py::test_pod_to_pod_tcp" in text


def test_nothing_of_a_cluster_becomes_markup() -> None:
    run = samples.broken()
    hostile = samples.HOSTILE
    run.detection = Detection(mode="generic", plug_in=hostile, evidence=[hostile], nodes=[])
    run.cluster = ClusterFacts(
        server=hostile, version=hostile, nodes=[msgspec.structs.replace(samples.node(1), name=hostile)]
    )
    run.notes.append(hostile)
    run.faults.append(hostile)
    run.figures.append(Figure(check=hostile, key=hostile, value=1, unit=hostile))
    run.checks.append(CheckRecord(id=hostile, verdict=Verdict.BROKEN, claim=hostile, feature=hostile, title=hostile))
    run.checks.append(CheckRecord(id="'\"><script>", verdict=Verdict.NOT_APPLICABLE, message=hostile))
    run.matrices.append(
        msgspec.structs.replace(run.matrices[0], title=hostile, sources=[hostile] * 3, targets=[hostile] * 3)
    )
    page = Page(render(run))
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "object", "embed", "base", "form"}
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert page.text.count(hostile) > 10


def test_the_page_asks_nobody_for_anything(broken: str) -> None:
    page = Page(broken)
    assert page.values("src") == []
    assert [href for href in page.values("href") if not href.startswith("#")] == ["data:,"]
    assert "url(" not in broken
    assert "@import" not in broken
    assert "default-src 'none'" in broken


@pytest.mark.parametrize("make", [samples.healthy, samples.broken])
def test_every_link_leads_somewhere_and_no_id_comes_twice(make: object) -> None:
    page = Page(render(make()))  # type: ignore[operator]
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in page.values("href") if href.startswith("#")} <= set(ids)


def test_headings_go_down_one_step_at_a_time_and_tables_have_captions(broken: str) -> None:
    page = Page(broken)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("caption") == tags.count("table")
    assert all(attrs.get("scope") for tag, attrs in page.tags if tag == "th")


def test_a_verdict_is_never_told_by_colour_alone(broken: str) -> None:
    page = Page(broken)
    chips = re.findall(r'class="chip ([\w-]+)"><i aria-hidden="true">(.)</i>([\w ]+)<', broken)
    assert {(style, words) for style, _, words in chips} == {(str(v).replace(" ", "-"), str(v)) for v in Verdict}
    assert len({mark for _, mark, _ in chips}) == len(Verdict)
    cells = re.findall(r'<td class="(wrong|unknown|open)" title="[^"]*">(?:<a [^>]*>)?([^<]*)<', broken)
    assert {words for style, words in cells if style == "wrong"} == {"timed out"}
    assert {words for style, words in cells if style == "unknown"} == {"no verdict"}
    assert "not part of it" not in page.text


def test_a_wrong_cell_leads_to_its_finding(broken: str) -> None:
    links = re.findall(r'<td class="wrong" title="[^"]*"><a href="#([\w-]+)">timed out', broken)
    assert links
    assert all(re.search(rf'<article class="finding broken" id="{link}">', broken) for link in links)


def test_a_feature_of_which_a_claim_is_broken_is_open_and_the_others_are_folded(broken: str) -> None:
    claims = broken.partition('<section id="claims"')[2].partition("</section>")[0]
    found = re.findall(r'<details class="block"(?: (open))?><summary><b>(Reachability|Pod network)</b>', claims)
    assert sorted(found) == [("", "Pod network"), ("open", "Reachability")]


def test_a_matrix_without_difference_is_folded_and_one_with_it_is_not(broken: str) -> None:
    assert re.search(r'<div id="matrix-1">', broken)
    assert re.search(
        r'<details id="matrix-1"><summary>Pod to pod, TCP: all 9 cells as expected', render(samples.healthy())
    )


def test_an_event_shows_each_flow_with_its_outages_and_in_figures(broken: str) -> None:
    (strips,) = re.findall(r'<section id="events".*?</section>', broken, re.DOTALL)
    assert "1 of 3 flows disturbed" in strips
    first, second, third = re.findall(r'<svg class="strip".*?</svg>', strips, re.DOTALL)
    assert first.count('class="outage"') == 60
    assert second.count("<path") == 1
    assert 'class="outage"' not in third
    assert "60 failed" in first, "what is drawn is said as well"
    assert "1,190 ms" in strips


def test_a_large_matrix_is_cut_down_to_what_differs() -> None:
    wrong = samples.wrong_at("probe-0020", "probe-0021")
    small, large = grid(samples.large(LARGEST, wrong), "m"), grid(samples.large(LARGEST + 60, wrong), "m")
    assert (len(small.rows), small.left_out, small.whole) == (LARGEST, "", None)
    assert [(source, [cell.words for cell in cells]) for source, cells in large.rows] == [
        ("probe-0020 (node-0020)", ["timed out"])
    ]
    assert large.targets == ["probe-0021 (node-0021)"]
    assert "100 × 100 is too large" in large.left_out  # noqa: RUF001
    assert large.summary == "1 wrong of 10,000 cells"


def test_a_large_matrix_is_counted_by_group_of_nodes() -> None:
    whole = grid(samples.large(100, samples.wrong_at("probe-0020", "probe-0021")), "m").whole
    assert whole is not None
    assert whole.targets[:2] == ["node-0000 … node-0006", "node-0007 … node-0013"]
    assert [cell.style for _, cells in whole.rows for cell in cells].count("wrong") == 1
    assert whole.rows[2][1][3].words == "1 of 49 wrong"
    assert whole.rows[0][1][0].words == "49 right"


def test_what_a_sample_left_out_is_neither_open_nor_closed() -> None:
    sampled = samples.large(1000, samples.wrong_at("probe-0020", "probe-0021"), sample="10 of 1,000 each")
    view = grid(sampled, "m")
    assert view.summary == "1 wrong of 10,000 cells", "of a million that there could be"
    assert sampled.states == {"open, as expected": 9_999, "wrong": 1}
    run = samples.healthy()
    run.matrices.append(sampled)
    assert "What was tried: 10 of 1,000 each." in render(run)
    lone = grid(samples.large(30, samples.wrong_at("probe-0001", "probe-0002"), sample="some"), "m")
    assert {cell.style for _, cells in lone.rows for cell in cells} == {"open", "wrong", "none"}
    assert {cell.detail for _, cells in lone.rows for cell in cells if cell.style == "none"} == {"not tried"}


def test_a_page_of_a_thousand_nodes_that_reach_nothing_stays_small() -> None:
    run = samples.healthy()
    broken = samples.large(1000, lambda *_: Outcome.TIMED_OUT, sample="10 of 1,000 each")
    run.matrices += [broken] * 20
    assert len(render(run)) < 3_000_000
    assert len(msgspec.json.encode(broken)) < 300_000
    assert sum(cell.style == "wrong" for _, cells in grid(broken, "m").rows for cell in cells) > 40


def test_what_was_not_applicable_and_what_is_by_design_give_their_reasons(broken: str) -> None:
    text = Page(broken).text
    assert "the cluster's DNS has one replica" in text
    assert "outside-host got no answer from any of 3 pods, and from their nodes it did" in text


def test_a_page_can_be_made_of_very_little(tmp_path: Path) -> None:
    page = write_report(tmp_path, RunRecord(run_id="r1"))
    text = Page(page.read_text()).text
    assert "No conclusion: not one check was made" in text
    assert "No detection was recorded." in text


def test_a_page_of_many_checks_stays_small() -> None:
    run = samples.healthy()
    run.checks += [
        samples.check("pod-to-pod-tcp", id=f"suites/x.py::test[{n}]", message="m" * 500) for n in range(1000)
    ]
    assert len(render(run)) < 3_000_000


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (71, "1 min 11 s"), (7530, "2 h 5 min")]
)
def test_lengths_of_time(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (1450, "bytes", "1,450 bytes"),
        (0.41234, "s", "0.412 s"),
        (1234.5, "ms", "1,234 ms"),
        (3, "", "3"),
        (0, "s", "0 s"),
    ],
)
def test_figures(value: float, unit: str, words: str) -> None:
    assert figure(value, unit) == words


def test_checks_that_give_one_reason_for_their_doubt_are_told_together() -> None:
    run = samples.healthy()
    run.checks = [samples.check(one.claim, Verdict.INCONCLUSIVE, "planned and never begun") for one in run.checks[:10]]
    said = re.sub(r"\s+", " ", Page(render(run)).text)
    assert said.count("Not completed: planned and never begun") == 1
    assert "10 checks Not completed" in said
    assert said.count("Check it again:") == 20  # there, and in the list of all checks
