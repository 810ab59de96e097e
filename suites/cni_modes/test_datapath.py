"""What forwards on the nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.services import TCP, Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fixtures.ebpf import Datapath
    from fixtures.verdicts import CheckInHand
    from netassay.fleet import Probe


@pytest.mark.claim("ebpf-datapath")
def test_pods_and_services_are_joined_by_ebpf(
    services: Services, probes: Sequence[Probe], backends: Sequence[Probe], datapath: Datapath, verdict: CheckInHand
) -> None:
    """Every node has the links of an eBPF agent and programs on those that lead to its pods, and Services answer.

    Whether kube-proxy runs beside it is noted: where it does not, there is nobody else who could lead to Services.
    """
    service = services.cluster_ip(*backends, ports=[TCP])
    service.wait_for(backends, seen_from=probes)
    proxies = datapath.proxies()
    verdict.note("DaemonSets of kube-proxy", len(proxies))
    verdict.remark(f"{', '.join(proxies) or 'no kube-proxy'} runs")
    verdict.judge_each(datapath.lacking(probes))
