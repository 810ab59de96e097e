"""Several lab modes in one command: what becomes of the others when one can't be run, or somebody ends one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import lifecycle, state
from lab.errors import LabError
from netassay.cli import assays
from netassay.cli.assays import side_by_side
from netassay.cli.labs import lab_kubeconfig, lab_modes
from netassay.errors import HarnessFault, UsageError
from netassay.report import COMPARISON_HTML
from netassay.results.collect import write_run_json
from netassay.results.schema import RunRecord
from netassay.runner.plan import Request

if TYPE_CHECKING:
    from pathlib import Path

Ends = dict[str, int | BaseException]
"""How each mode's assay ends: by an exit code, or by what it raises."""


def compared(monkeypatch: pytest.MonkeyPatch, folder: Path, ends: Ends) -> tuple[list[str], int, str]:
    """Give the modes that were begun, the exit code and the page."""
    begun: list[str] = []

    def assay(request: Request, *, keep_lab: bool) -> tuple[int, Path]:
        assert keep_lab is (request.lab == list(ends)[-1])
        begun.append(request.lab)
        end = ends[request.lab]
        if isinstance(end, BaseException):
            raise end
        write_run_json(folder / request.lab, RunRecord(run_id=f"run-{request.lab}", mode=f"mode-{request.lab}"))
        return end, folder / request.lab

    monkeypatch.setattr(assays, "assay", assay)
    code = side_by_side(Request(lab="bridge", out=folder), list(ends), keep_lab=True)
    return begun, code, (folder / COMPARISON_HTML).read_text()


@pytest.mark.parametrize(
    ("ends", "begun", "code"),
    [
        ({"bridge": 0, "cilium": 3, "flannel-vxlan": 1}, ["bridge", "cilium", "flannel-vxlan"], 1),
        ({"bridge": 0, "cilium": 130, "flannel-vxlan": 1}, ["bridge", "cilium"], 130),
        ({"bridge": 143, "cilium": 0, "flannel-vxlan": 0}, ["bridge"], 143),
        ({"bridge": 0, "cilium": KeyboardInterrupt(), "flannel-vxlan": 1}, ["bridge", "cilium"], 130),
    ],
)
def test_who_ends_one_assay_ends_them_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: Ends, begun: list[str], code: int
) -> None:
    made, ended, page = compared(monkeypatch, tmp_path, ends)
    assert (made, ended) == (begun, code)
    shown = [mode for mode in ends if f"run-{mode}" in page]
    assert shown == [mode for mode in begun if isinstance(ends[mode], int)]


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ({"bridge": UsageError("no space"), "cilium": 0, "flannel-vxlan": 0}, 3),
        ({"bridge": HarnessFault("no space"), "cilium": 1, "flannel-vxlan": 0}, 1),
        ({"bridge": UsageError("no space"), "cilium": UsageError("no space")}, 3),
    ],
)
def test_a_mode_that_cant_be_run_has_its_column_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: Ends, code: int
) -> None:
    made, ended, page = compared(monkeypatch, tmp_path, ends)
    assert (made, ended) == (list(ends), code)
    failed = [mode for mode, end in ends.items() if isinstance(end, BaseException)]
    assert page.count("not run: no space") == len(failed)
    assert all(f"run-{mode}" in page for mode in ends if mode not in failed)


def test_a_lab_that_does_not_come_up_is_a_mode_that_cant_be_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def up(mode: str, **_: object) -> None:
        raise LabError(f"no space for {mode}")

    monkeypatch.setattr(lifecycle, "up", up)
    monkeypatch.setattr(state, "running", lambda: None)
    assert side_by_side(Request(lab="bridge", out=tmp_path), ["bridge", "cilium"], keep_lab=False) == 3
    said, page = capsys.readouterr().out, (tmp_path / COMPARISON_HTML).read_text()
    for mode in ("bridge", "cilium"):
        assert f"{mode} was not run: --lab {mode}: no space for {mode}" in said
        assert f"not run: --lab {mode}: no space for {mode}" in page


def test_who_ends_an_assay_ends_them_all_where_its_record_cant_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun: list[str] = []

    def assay(request: Request, **_: object) -> tuple[int, Path]:
        begun.append(request.lab)
        return 130, tmp_path / request.lab

    monkeypatch.setattr(assays, "assay", assay)
    assert side_by_side(Request(lab="bridge", out=tmp_path), ["bridge", "cilium"], keep_lab=False) == 130
    assert begun == ["bridge"]
    assert "not run: could not read" in (tmp_path / COMPARISON_HTML).read_text()


def test_who_interrupts_what_comes_after_an_assay_keeps_its_results(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def assay(request: Request, **_: object) -> tuple[int, Path]:
        write_run_json(tmp_path / request.lab, RunRecord(run_id=f"run-{request.lab}"))
        raise KeyboardInterrupt

    monkeypatch.setattr(assays, "assay", assay)
    assert side_by_side(Request(lab="bridge", out=tmp_path), ["bridge", "cilium"], keep_lab=False) == 130
    page = (tmp_path / COMPARISON_HTML).read_text()
    assert "run-bridge" in page
    assert "not run:" not in page


def test_a_lab_that_cant_be_taken_down_is_told_and_does_not_cost_what_was_found_in_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def down() -> None:
        raise LabError("its processes still run")

    running = state.LabState("bridge", "", "", "nftables", 2, 1, 1, "", kubeconfig="there")
    monkeypatch.setattr(state, "running", lambda: None)
    monkeypatch.setattr(lifecycle, "up", lambda *_, **__: running)
    monkeypatch.setattr(lifecycle, "down", down)
    with lab_kubeconfig("bridge", "auto", keep=False) as kubeconfig:
        assert kubeconfig == "there"
    said = capsys.readouterr().out
    assert "its processes still run" in said
    assert "netassay lab down" in said


def test_several_modes_are_refused_beside_a_lab_that_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    running = state.LabState("eni-shared", "", "", "nftables", 2, 1, 1, "")
    monkeypatch.setattr(state, "running", lambda: running)
    assert lab_modes("bridge") == ["bridge"]
    with pytest.raises(UsageError, match=r"a lab is up in mode eni-shared.*netassay lab down"):
        lab_modes("bridge,cilium")
    monkeypatch.setattr(state, "running", lambda: None)
    assert lab_modes("bridge, cilium") == ["bridge", "cilium"]


@pytest.mark.parametrize("lab", ["calico", "bridge,calico"])
def test_a_lab_mode_that_there_is_not_is_refused_at_once(lab: str) -> None:
    with pytest.raises(UsageError, match=r"no lab mode calico: choose of bridge, cilium"):
        lab_modes(lab)
