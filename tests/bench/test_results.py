"""Cells, records and the page that puts benches side by side."""

from __future__ import annotations

import msgspec
import pytest
from benches import CELL, CONTROL, bench

from netassay.bench import cells, schema
from netassay.bench.compare import compare
from netassay.bench.page import write_page
from netassay.errors import HarnessFault, UsageError
from netassay.families import Family

FIRST = [9.0, 9.1, 8.9, 9.05, 8.95]
HOSTS = [10.0, 10.2, 9.8, 10.1, 9.9]


def test_every_level_names_paths_and_loads_that_there_are():
    for level in cells.levels().values():
        assert set(level.loads) <= {*cells.loads(), *cells.requests()}
        assert {path.removesuffix(cells.SAME) for path in level.paths} <= set(cells.PATHS)


def test_gated_cells_are_cells():
    for gated in cells.gated():
        assert cells.parse(gated.cell).id == gated.cell
        assert 0 < gated.margin < 1


def test_each_cell_comes_with_its_control():
    level = cells.levels()["smoke"]
    found = [cell.id for cell in cells.cells(level, (Family.IPV4,), ("pod.ipv4.tcp-1",))]
    assert found == [CONTROL, CELL, "host.ipv4.tcp-1-reverse", "pod.ipv4.tcp-1-reverse"]
    assert cells.Cell("pod.same", Family.IPV4, "udp").control.id == "host.same.ipv4.udp"
    with pytest.raises(UsageError, match="no cell of this level has sctp"):
        cells.cells(level, (Family.IPV4,), ("sctp",))


def test_records_come_back_as_they_were(tmp_path):
    made = bench("flannel-vxlan", FIRST, HOSTS)
    schema.write_header(tmp_path, made.header)
    for line in made.repetitions:
        schema.append(tmp_path, line)
    assert schema.read(tmp_path) == made
    raw = schema.keep_raw(tmp_path, "a.json", b"{}")
    assert raw.sha256.startswith("44136fa355b3678a")


def test_a_folder_without_a_bench_and_a_spoilt_line_are_told(tmp_path):
    with pytest.raises(HarnessFault, match="holds no bench"):
        schema.read(tmp_path)
    schema.write_header(tmp_path, bench("a", FIRST).header)
    (tmp_path / schema.LINES).write_text("{}\n")
    with pytest.raises(HarnessFault, match="line 1, can't be read"):
        schema.read(tmp_path)


def test_perfdash_has_its_form():
    found = schema.perfdash(bench("m", FIRST))
    assert found["version"] == "v1"
    assert found["dataItems"][0]["data"]["Perc50"] == 9.0
    assert found["dataItems"][0]["labels"]["Cell"] == CELL
    assert all(set(item) == {"data", "unit", "labels"} for item in found["dataItems"])
    msgspec.json.encode(found)


def entry(*benches, missing=None):
    return next(cell for cell in compare(benches, missing or {}) if cell.id == CELL)


def test_a_share_is_of_the_control_of_the_same_block():
    # The machine was twice as fast in the second half; the network's share was not.
    found = entry(bench("m", [9, 9, 18, 18], [10, 10, 20, 20])).entries[0]
    assert found.shares == pytest.approx([90] * 4)
    assert found.share == pytest.approx(90)


def test_what_is_not_valid_does_not_count():
    found = entry(bench("m", [9, 9, 1], [10, 10, 10], invalid=(3,))).entries[0]
    assert found.values == [9, 9]
    assert found.rejected == 1
    nothing = entry(bench("m", [1.0], [10], invalid=(1,))).entries[0]
    assert nothing.absent == "no repetition was valid: it drifted"


def test_saturation_is_told():
    assert "saturated at 99%" in entry(bench("m", [9.9] * 3, [10] * 3)).entries[0].notes[0]


def test_no_winner_inside_the_noise():
    noisy = bench("b", [9.2, 8.7, 9.1, 9.3, 8.8], HOSTS)
    assert entry(bench("a", FIRST, HOSTS), noisy).ranking.startswith("No winner")


def test_a_clear_difference_is_ranked():
    ranking = entry(bench("a", [x * 0.7 for x in FIRST], HOSTS), bench("b", FIRST, HOSTS)).ranking
    assert ranking == "b is ahead of a by 43%."


def test_other_kernels_are_not_ranked():
    ranking = entry(bench("a", FIRST, HOSTS), bench("b", [x / 2 for x in FIRST], HOSTS, kernel="5.10")).ranking
    assert ranking == "Not ranked: kernel, machine or tool differ."


def test_too_few_blocks_are_not_ranked():
    assert "fewer than two modes" in entry(bench("a", FIRST[:2]), bench("b", [1.0, 1.0])).ranking


def test_what_is_not_there_is_said_and_never_zero(tmp_path):
    page = tmp_path / "bench.html"
    none = bench("b<script>", [], absent={CELL: "there is only one node that takes pods"})
    write_page(page, [bench("a", FIRST, HOSTS), none], {"cilium": "there is no such mode"})
    text = page.read_text()
    assert "N/A: there is only one node that takes pods" in text
    assert "N/A: there is no such mode" in text
    assert "<script" not in text
    assert text.count("<svg") == 2
    assert "src=" not in text


def test_an_interval_of_fewer_shares_than_values_is_not_told_as_endless(tmp_path):
    # Three blocks are valid, and the control in two of them.
    page = tmp_path / "bench.html"
    write_page(page, [bench("flannel-vxlan", FIRST[:3], HOSTS[:2])], {})
    assert "inf to inf" not in page.read_text()
    assert "too few blocks" in page.read_text()
