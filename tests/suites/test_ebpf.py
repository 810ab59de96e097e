"""What shows that eBPF joins a node's pods."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from fixtures.ebpf import why_not_joined
from netassay.fleet.answers import Interface


def link(name: str, index: int, peer: int = 0, state: str = "up") -> Interface:
    return Interface(name=name, index=index, peer_index=peer or index, mtu=1500, mac="", state=state)


class Pod(NamedTuple):
    links: tuple[Interface, ...]
    node: str = "node1"

    def interfaces(self) -> tuple[Interface, ...]:
        return self.links


AGENT = [link("cilium_net", 2, 3), link("cilium_host", 3, 2)]
NODE = [link("eth0", 1), *AGENT, link("lxc1", 7, 8)]
POD = Pod((link("lo", 1), link("eth0", 8, 7)))
IPVLAN = Pod((link("lo", 1), link("eth0", 9, 1)))


def test_a_node_without_the_links_of_an_agent_has_no_ebpf_datapath() -> None:
    for links in ([link("eth0", 1)], [*AGENT[:1]], [AGENT[0], link("cilium_host", 3, 2, "down")]):
        assert "there is no link" in why_not_joined(links, [POD], {"eth0": 1, "lxc1": 1})


@pytest.mark.parametrize(
    ("pod", "programs", "lacks"),
    [
        (POD, {"lxc1": 1, "eth0": 2}, ""),
        (POD, {"lxc1": 0, "eth0": 2}, "no program is attached to lxc1, which leads to pods"),
        (POD, {}, "no program is attached to lxc1"),
        (IPVLAN, {"eth0": 1}, ""),
        (IPVLAN, {"lxc1": 1, "eth0": 0}, "no program is attached to eth0"),
        (Pod((link("eth0", 9),)), {"cilium_host": 1}, ""),
        (Pod((link("eth0", 9),)), {}, "no program is attached to any link"),
        (POD, None, ""),
    ],
)
def test_links_that_an_agent_left_behind_join_nothing(pod: Pod, programs: dict[str, int] | None, lacks: str) -> None:
    said = why_not_joined(NODE, [pod], programs)
    assert said.startswith(lacks)
    assert bool(said) is bool(lacks)
