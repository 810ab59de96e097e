"""How far modes are meant to go: a cluster beyond that is warned of, and nodes say how many pods they take."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from rich.console import Console

from netassay.cli.look import detect as detect_command
from netassay.errors import HarnessFault
from netassay.modes import Detection, NodeDetection, detect, load
from netassay.modes.limits import beyond, density, room_of
from netassay.modes.mode import read
from netassay.report.page import render
from netassay.results.collect import collect, read_run, write_header
from netassay.results.schema import ClusterFacts, NodeFacts, RunRecord
from netassay.runner.assay import Assay
from netassay.runner.plan import Request
from netassay.runner.preflight import preflight
from tests.modes.test_detection import RecordedCluster
from tests.modes.test_mode_data import mode_file

if TYPE_CHECKING:
    from pathlib import Path

    from netassay.cluster import Cluster


def of(count: int, mode: str, **room: int) -> Detection:
    nodes = [NodeDetection(f"node{n}", mode, [], room) for n in range(count)]
    return Detection(mode=mode, plug_in="", evidence=[], nodes=nodes)


@pytest.mark.parametrize(
    ("mode", "count", "warned"),
    [
        ("flannel-vxlan", 5000, []),
        ("flannel-vxlan", 5001, ["5,001 nodes, and mode flannel-vxlan is meant for up to 5,000 nodes (Kubernetes"]),
        ("flannel-alloc", 200, []),
        ("flannel-alloc", 201, ["up to 200 routes, one for each node (Alibaba Cloud, VPC"]),
        ("flannel-alloc", 1000, ["up to 200 routes"]),
        ("flannel-alloc", 1001, ["up to 1,000 nodes (Alibaba Cloud, ACK: Flannel", "up to 200 routes"]),
    ],
)
def test_a_cluster_of_more_nodes_than_its_mode_is_meant_for_is_warned_of(
    mode: str, count: int, warned: list[str]
) -> None:
    said = beyond(load(mode), of(count, mode))
    assert len(said) == len(warned)
    for part in warned:
        assert any(part in line for line in said)


def test_pods_that_will_get_no_address_are_warned_of_where_nodes_have_ranges_of_their_own() -> None:
    short = of(7, "flannel-vxlan", pods=250, addresses=125)
    (line,) = beyond(load("flannel-vxlan"), short)
    assert "250 and 125 on node0, node1, node2, node3, node4 and 2 more" in line
    assert beyond(load("flannel-vxlan"), of(2, "flannel-vxlan", pods=125, addresses=125)) == []
    assert beyond(load("flannel-vxlan"), of(2, "flannel-vxlan", pods=250)) == []
    assert beyond(load("terway-shared"), short) == []


def test_what_a_node_has_room_for_is_read_of_it() -> None:
    node: dict[str, Any] = {
        "spec": {"podCIDRs": ["10.244.1.0/25", "fd00:1::/64"]},
        "status": {"allocatable": {"pods": "213", "aliyun/eni": "7", "cpu": "15890m", "memory": "31555380Ki"}},
    }
    assert room_of(node) == {"pods": 213, "aliyun/eni": 7, "addresses": 125}
    assert room_of({"spec": {"podCIDR": "10.244.1.0/24"}}) == {"addresses": 253}
    assert room_of({"spec": {"podCIDR": ""}, "status": {}}) == {}


@pytest.mark.parametrize(
    ("mode", "room", "said"),
    [
        ("terway-exclusive", {"pods": 213, "aliyun/eni": 7, "addresses": 5}, "7 (aliyun/eni)"),
        ("terway-exclusive", {"pods": 213}, "213 (pods)"),
        ("terway-shared", {"pods": 213, "aliyun/eni": 7, "addresses": 5}, "213 (pods)"),
        ("flannel-vxlan", {"pods": 250, "addresses": 125}, "125 (addresses)"),
        ("flannel-vxlan", {"pods": 110, "addresses": 253}, "110 (pods)"),
        ("generic", {}, ""),
    ],
)
def test_a_node_takes_as_many_pods_as_what_there_is_least_of(mode: str, room: dict[str, int], said: str) -> None:
    assert density(load(mode), room) == said


def test_what_bounds_the_pods_of_a_node_is_as_in_the_mode_that_is_extended() -> None:
    mode = read(mode_file("[claims]").replace(b"flannel-vxlan", b"terway-exclusive"), "one.toml")
    assert mode.density == load("terway-exclusive").density is not None


def test_a_limit_of_what_is_not_counted_is_a_mistake() -> None:
    with pytest.raises(HarnessFault, match=r"one.toml limits 'node', and only these are counted: nodes, routes"):
        read(mode_file("[claims]", "[limits]", 'node = { value = 1, source = "here" }'), "one.toml")


class Grown(RecordedCluster):
    """A recorded cluster with more nodes like its first, each of which takes 110 pods."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(name)
        first = self.objects["Node"][0]
        self.objects["Node"] = [copy.deepcopy(first) for _ in range(count)]
        for number, node in enumerate(self.objects["Node"]):
            node["metadata"]["name"] = f"node{number}"
            node["status"]["allocatable"] = {"pods": "110"}


def test_a_run_notes_it_and_its_report_shows_it_with_who_says_so(tmp_path: Path) -> None:
    detection = detect(cast("Cluster", Grown("flannel-alloc", 201)))
    cluster = ClusterFacts(nodes=[NodeFacts(name=node.node) for node in detection.nodes])
    header = RunRecord(run_id="r1", cluster=cluster, detection=detection, mode=detection.mode)
    (tmp_path / "events").mkdir()
    write_header(tmp_path, header)
    run = collect(tmp_path)
    (note,) = run.notes
    assert "up to 200 routes" in note
    page = render(run)
    assert "the cluster has 201 nodes, and mode flannel-alloc is meant for up to 200 routes" in page
    assert "<td>110 (pods)</td>" in page
    assert msgspec.json.decode(msgspec.json.encode(run), type=RunRecord).detection == detection


class Admitting(Grown):
    """The same, which grants every right and admits every namespace."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(name, count)
        self.kinds = self.objects

    def list(self, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        return [one for one in self.kinds.get(kind, []) if namespace in (None, one["metadata"].get("namespace"))]

    def create(self, _: dict[str, Any]) -> dict[str, Any]:
        self.objects = SimpleNamespace(api=SimpleNamespace(json=lambda *_, **__: None))  # type: ignore[assignment]
        return {"status": {"allowed": True}}

    def run(self, _: object) -> None:
        pass


def test_it_is_told_before_a_run_and_hinders_none() -> None:
    points = preflight(cast("Cluster", Admitting("flannel-alloc", 201)), image="x")
    (size,) = [point for point in points if point.what == "size"]
    assert "up to 200 routes" in size.detail
    assert size.answer == "limited"
    small = preflight(cast("Cluster", Admitting("flannel-alloc", 200)), image="x")
    assert [point.what for point in small if point.what == "size"] == []


def test_detect_prints_it_and_how_many_pods_a_node_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setattr("netassay.cli.look.connect", lambda *_, **__: nullcontext(Grown("flannel-alloc", 201)))
    detect_command()
    said = capsys.readouterr().out
    assert "meant for up to 1,000 nodes (Alibaba Cloud, ACK: Flannel" in said
    assert "warning: the cluster has 201 nodes, and mode flannel-alloc is meant for up to 200 routes" in said
    assert "110 (pods)" in said


def test_a_run_by_a_mode_of_the_users_own_is_concluded_and_notes_the_limits_that_it_extends(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("""
name = "own"
title = "Ours"
plug_in = "flannel"
summary = "As we have it."
extends = "flannel-alloc"
[claims]
""")
    cluster = cast("Cluster", Grown("flannel-alloc", 201))
    assay = Assay(cluster, Request(mode=str(own), out=tmp_path / "run"), Console(quiet=True))
    assert assay._header().mode == "own"
    (tmp_path / "run" / "events").mkdir()
    assay._conclude()
    run = read_run(tmp_path / "run")
    assert run.mode == "own"
    assert any("mode own is meant for up to 200 routes" in note for note in run.notes)
