"""Every page says which lab its results are of, and for what that stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from netassay.bench.page import write_page as write_bench_page
from netassay.gate.benches import BenchValues
from netassay.gate.evidence import Evidence
from netassay.gate.markdown import markdown
from netassay.report import render, render_comparison
from netassay.report.gate import render_gate
from netassay.report.history import write_history_page
from netassay.report.watch import render_watch
from netassay.results.collect import write_run_json
from netassay.results.shelf import read_shelf
from tests.bench.benches import bench as bench_of
from tests.report import samples, upgrades

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("lab", "stands_in_for", "said"),
    [
        ("eni-exclusive", "Terway exclusive ENI", "lab:eni-exclusive, a lab stand-in for Terway exclusive ENI"),
        ("flannel-vxlan", "", "lab:flannel-vxlan, a lab"),
        ("", "", ""),
    ],
)
def test_every_page_says_of_a_lab_what_it_stands_in_for(
    tmp_path: Path, lab: str, stands_in_for: str, said: str
) -> None:
    run = samples.healthy()
    run.cluster.lab, run.cluster.stands_in_for = lab, stands_in_for
    bench, watch = bench_of("terway-exclusive", [20.0, 20.1]), upgrades.watched()
    bench.header.cluster = watch.cluster = run.cluster
    write_bench_page(tmp_path / "bench.html", [bench], {})
    write_run_json(tmp_path / "run", run)
    write_history_page(tmp_path / "history.html", read_shelf([tmp_path]))
    gate = msgspec.structs.replace(upgrades.judged(), candidate=Evidence("run", run=run).side)
    benches = msgspec.structs.replace(gate, candidate=Evidence("bench", benches=[BenchValues(bench)] * 2).side)
    pages = {
        "run": render(run),
        "comparison": render_comparison([(run, "")]),
        "bench": (tmp_path / "bench.html").read_text(),
        "watch": render_watch(watch),
        "gate": render_gate(gate),
        "gate, Markdown": markdown(gate),
        "gate of benches": render_gate(benches),
        "gate of benches, Markdown": markdown(benches),
        "history": (tmp_path / "history.html").read_text(),
    }
    for name, page in pages.items():
        assert (said in page) if lab else ("a lab" not in page), name
        assert ("stand-in" in page) is bool(stands_in_for), name
