"""Several lab modes in one command: what becomes of the others when somebody ends one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from netassay.runner.plan import Request

if TYPE_CHECKING:
    from pathlib import Path

command = import_module("netassay.cli.run")
"""The module: the package has the command itself by that name."""


@pytest.mark.parametrize(
    ("codes", "made", "ends"),
    [
        ({"bridge": 0, "cilium": 3, "flannel-vxlan": 1}, ["bridge", "cilium", "flannel-vxlan"], 1),
        ({"bridge": 0, "cilium": 130, "flannel-vxlan": 1}, ["bridge", "cilium"], 130),
        ({"bridge": 143, "cilium": 0, "flannel-vxlan": 0}, ["bridge"], 143),
    ],
)
def test_who_ends_one_assay_ends_them_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, codes: dict[str, int], made: list[str], ends: int
) -> None:
    begun: list[str] = []
    compared: list[str] = []

    def assay(request: Request, *, keep_lab: bool) -> tuple[int, Path]:
        assert keep_lab is (request.lab == "flannel-vxlan")
        begun.append(request.lab)
        return codes[request.lab], tmp_path / request.lab

    monkeypatch.setattr(command, "_assay", assay)
    monkeypatch.setattr(command, "read_run", lambda folder: folder.name)
    monkeypatch.setattr(command, "write_comparison", lambda _, runs: compared.extend(name for name, _ in runs))
    request = Request(lab="bridge", out=tmp_path / "out")
    assert command._side_by_side(request, list(codes), keep_lab=True) == ends
    assert begun == compared == made
