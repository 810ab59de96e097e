"""What a kubelet says of its pods, as kubelet 1.37 writes it."""

from __future__ import annotations

import pytest

from netassay.bench.footprint import footprint, parse

TEXT = """\
# TYPE pod_cpu_usage_seconds_total counter
pod_cpu_usage_seconds_total{namespace="kube-flannel",pod="kube-flannel-ds-ltwdf"} 39.5 1795583242000
pod_cpu_usage_seconds_total{namespace="kube-system",pod="coredns-76d6d96f5-6trx6"} 3.46 1795583243760
pod_memory_working_set_bytes{namespace="kube-flannel",pod="kube-flannel-ds-ltwdf"} 1.6777216e+07 1795583242000
"""
OWNERS = {("kube-flannel", "kube-flannel-ds-ltwdf"): "kube-flannel-ds"}


def test_memory_before_and_cpu_over_the_block():
    before = {("node1", name): use for name, use in parse(TEXT, OWNERS).items()}
    later = TEXT.replace("39.5 1795583242000", "40.5 1795583252000")
    after = {("node1", name): use for name, use in parse(later, OWNERS).items()}
    found = footprint(before, after)
    assert found == {
        "kube-flannel-ds MiB": pytest.approx(16),
        "kube-flannel-ds % of a core under load": pytest.approx(10),
    }


def test_what_was_not_counted_anew_says_nothing_of_cpu():
    before = {("node1", name): use for name, use in parse(TEXT, OWNERS).items()}
    assert list(footprint(before, before)) == ["kube-flannel-ds MiB"]
    assert footprint({}, {}) == {}


def test_a_pod_that_its_kubelet_has_not_looked_at_yet_is_not_told_to_have_no_memory():
    assert parse(TEXT.replace("1.6777216e+07", "0"), OWNERS) == {}
