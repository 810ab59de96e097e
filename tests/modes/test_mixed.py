"""A cluster whose nodes are in different modes: `detect` and the run say which nodes, and what to do about it."""

from __future__ import annotations

import io
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from netassay.cli.look import detect as detect_command
from netassay.modes import NodeDetection, detect
from netassay.modes.detection import differences
from netassay.report.page import render
from netassay.results.collect import collect, write_header
from netassay.results.conclusion import summarize
from netassay.results.schema import RunRecord
from netassay.runner.summary import print_summary
from tests.modes.test_detection import recorded

if TYPE_CHECKING:
    from pathlib import Path

DIFFER = (
    "nodes differ: flannel-vxlan on 1 (node1); flannel-hostgw on 1 (node2); nothing is assumed of any, unless --mode"
)


def collected(folder: Path, name: str, mode: str = "") -> RunRecord:
    detection = detect(recorded(name))
    (folder / "events").mkdir()
    write_header(folder, RunRecord(run_id="r1", detection=detection, mode=mode or detection.mode))
    return collect(folder)


def test_a_run_says_on_the_console_and_in_its_report_that_nodes_differ_and_what_to_do(tmp_path: Path) -> None:
    run = collected(tmp_path, "flannel-changed")
    assert run.mode == "generic"
    out = io.StringIO()
    print_summary(Console(file=out, width=400), run, summarize(run), tmp_path)
    assert f"note: {DIFFER}" in out.getvalue()
    _, _, notes = render(run).partition('<section id="notes"')
    assert DIFFER in notes.partition("</section>")[0]
    assert "<li>node2: flannel-hostgw (" in notes


@pytest.mark.parametrize(
    ("name", "mode"), [("flannel-vxlan", ""), ("unknown", ""), ("flannel-changed", "flannel-vxlan")]
)
def test_a_run_of_one_mode_or_of_a_named_one_notes_nothing_of_that(tmp_path: Path, name: str, mode: str) -> None:
    assert collected(tmp_path, name, mode).notes == []


def test_detect_prints_the_mode_of_each_node_with_its_evidence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setattr("netassay.cli.look.connect", lambda *_, **__: nullcontext(recorded("flannel-changed")))
    detect_command()
    said = capsys.readouterr().out
    assert DIFFER in said
    for node, mode, backend in (("node1", "flannel-vxlan", "vxlan"), ("node2", "flannel-hostgw", "host-gw")):
        (row,) = [line for line in said.splitlines() if line.lstrip("│ ").startswith(node)]
        assert mode in row
        assert f"backend-type: {backend}" in row


def test_of_many_nodes_that_differ_a_few_are_named() -> None:
    nodes = [NodeDetection(f"node{n}", "canal" if n else "kindnet", []) for n in range(1001)]
    said = differences(nodes)
    assert "canal on 1000 (node1, node2, node3, node4, node5 and 995 more); kindnet on 1 (node0)" in said
    assert differences(nodes[1:]) == ""
    assert differences([]) == ""
