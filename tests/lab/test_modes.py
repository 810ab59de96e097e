"""Every mode of the lab, and either kind of kube-proxy, keeps the promises that its mode makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab import lifecycle, modes
from netassay.cli.lab import outside_agent
from tests.lab.assays import SETTLED, Assay

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.lab

# The default mode with nftables is assayed whole elsewhere.
OTHERS = [
    *((mode, "nftables", 2) for mode in modes.names() if mode != modes.DEFAULT),
    (modes.DEFAULT, "iptables", 3),
]


@pytest.mark.parametrize(("mode", "proxy_mode", "nodes"), OTHERS)
def test_the_mode_conforms(tmp_path: Path, mode: str, proxy_mode: str, nodes: int) -> None:
    lifecycle.down()
    try:
        lifecycle.up(mode, nodes=nodes, proxy_mode=proxy_mode, outside_agent=outside_agent())
        assay = Assay(tmp_path / "run", mode=mode)
    finally:
        lifecycle.down()
    assert assay.exit_code == 0, assay.said
    assert {check["verdict"] for check in assay.run["checks"]} <= SETTLED, assay.said
    assert assay.run["mode"] == mode
    assert len(assay.run["cluster"]["nodes"]) == nodes
    assert assay.run["cluster"]["service_proxy"] == proxy_mode
