"""No page and no record shows a secret, whoever says it: a finding, a fault of ours, a reason, a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from netassay.bench.page import write_page as write_bench_page
from netassay.bench.schema import read, write_header
from netassay.gate import Item, Ruling
from netassay.gate.markdown import markdown
from netassay.report import render_comparison
from netassay.report.gate import render_gate
from netassay.report.history import write_history_page
from netassay.report.watch import render_watch
from netassay.results.collect import read_run, write_run_json
from netassay.results.redact import BLANK
from netassay.results.schema import Verdict
from netassay.results.shelf import read_shelf
from netassay.watch import write_watch
from tests.bench.benches import bench as bench_of
from tests.report import samples, upgrades

if TYPE_CHECKING:
    from pathlib import Path

PLANTED = "hunter2hunter2"
SAID = f'could not use {{"access_key": "{PLANTED}", "access_secret": "{PLANTED}", "PSK": "{PLANTED}"}}'


def kept(folder: Path) -> str:
    """All files of a folder, as one text."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    return "\n".join(file.read_text() for file in files)


def comparison(folder: Path) -> str:
    run = samples.healthy()
    run.checks[0] = samples.check("pod-join", Verdict.BROKEN, SAID)
    write_run_json(folder, run)
    return kept(folder) + render_comparison([(read_run(folder), "")], {"cilium": SAID})


def history(folder: Path) -> str:
    for number, verdict in enumerate((Verdict.HOLDS, Verdict.BROKEN)):
        run = samples.healthy()
        run.run_id, run.started = f"run-{number}", run.started + number
        run.checks[0] = samples.check("pod-join", verdict, SAID)
        write_run_json(folder / run.run_id, run)
    page = folder / "history.html"
    write_history_page(page, read_shelf([folder]))
    assert "access_key" in page.read_text()
    return kept(folder)


def gate(folder: Path) -> str:
    items = [Item(key="conformance/dns", ruling=ruling, text=SAID) for ruling in Ruling]
    record = msgspec.structs.replace(upgrades.judged(), reason=SAID, items=items)
    return markdown(record) + render_gate(record)


def watch(folder: Path) -> str:
    record = msgspec.structs.replace(upgrades.watched(), event=SAID, notes=[SAID])
    write_watch(folder, record)
    return kept(folder) + render_watch(record)


def bench(folder: Path) -> str:
    made = bench_of("terway-exclusive", [20.0, 20.1])
    made.header.faults, made.header.absent = [SAID], {"cross.ipv4.tcp-1": SAID}
    write_header(folder, made.header)
    write_bench_page(folder / "bench.html", [read(folder)], {"cilium": SAID})
    return kept(folder)


@pytest.mark.parametrize("make", [comparison, history, gate, watch, bench])
def test_a_planted_secret_is_in_nothing_that_is_written(tmp_path: Path, make: object) -> None:
    assert callable(make)
    said = make(tmp_path)
    assert "access_key" in said, "what was said is there"
    assert BLANK in said
    assert PLANTED not in said
