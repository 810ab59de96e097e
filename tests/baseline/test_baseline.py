"""The plug-in since a baseline: each difference is a sentence, and a baseline that can't serve is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from fixtures.baseline import PlugIn
from netassay.baseline import Baseline, Changes, changes, read_baseline
from netassay.errors import HarnessFault, UsageError
from netassay.modes import Detection, NodeDetection, detect
from netassay.modes.installed import Installed, Settings, Workload
from netassay.results.collect import write_run_json
from netassay.results.schema import ClusterFacts, RunRecord
from tests.modes.test_detection import recorded

if TYPE_CHECKING:
    from pathlib import Path

FLANNEL = Workload("DaemonSet", "kube-flannel", "kube-flannel-ds", {"kube-flannel": "flannel:v0.28.0"}, "aaaa")
PROXY = Workload("DaemonSet", "kube-system", "kube-proxy", {"kube-proxy": "kube-proxy:v1.37.2"}, "bbbb")
CONFIG = Settings("kube-flannel", "kube-flannel-cfg", "cccc")
OTHER = Settings("kube-system", "kube-proxy", "dddd")
USUAL = Installed([FLANNEL, PROXY], [CONFIG])


def of(installed: Installed, *modes: str) -> Detection:
    nodes = [NodeDetection(f"node{n}", mode, []) for n, mode in enumerate(modes or ("flannel-vxlan",) * 2, 1)]
    mode = nodes[0].mode if len({node.mode for node in nodes}) == 1 else "generic"
    return Detection(mode, "flannel", [], nodes, installed)


def since(now: Detection, was: Detection | None = None) -> Changes:
    was = was or of(USUAL)
    assert was.installed is not None
    return changes(Baseline("run r1", was, was.installed), now)


def but(**changed: object) -> Workload:
    return msgspec.structs.replace(FLANNEL, **changed)


@pytest.mark.parametrize(
    ("now", "sentences"),
    [
        (of(USUAL), []),
        (of(USUAL, *("flannel-vxlan",) * 3), []),  # a node has come
        (
            of(Installed([but(images={"kube-flannel": "flannel:v0.28.1"}), PROXY], [CONFIG])),
            [
                "DaemonSet kube-flannel/kube-flannel-ds: the image of container kube-flannel was flannel:v0.28.0, "
                "and is flannel:v0.28.1."
            ],
        ),
        (
            of(Installed([but(images={"flanneld": "flannel:v0.28.0"}), PROXY], [CONFIG])),
            [
                "DaemonSet kube-flannel/kube-flannel-ds: container flanneld was not there, and is now, "
                "with image flannel:v0.28.0.",
                "DaemonSet kube-flannel/kube-flannel-ds: container kube-flannel was there, "
                "with image flannel:v0.28.0, and is gone.",
            ],
        ),
        (
            of(Installed([but(template="eeee"), PROXY], [CONFIG])),
            [
                "DaemonSet kube-flannel/kube-flannel-ds: its pod template, images apart, was aaaa, "
                "and is eeee (digests)."
            ],
        ),
        (
            of(Installed([FLANNEL], [CONFIG])),
            ["DaemonSet kube-system/kube-proxy was there (kube-proxy: kube-proxy:v1.37.2), and is gone."],
        ),
        (
            of(Installed([FLANNEL, PROXY], [msgspec.structs.replace(CONFIG, digest="ffff")])),
            ["ConfigMap kube-flannel/kube-flannel-cfg: its data was cccc, and is ffff (digests)."],
        ),
        (
            of(Installed([FLANNEL, PROXY], [OTHER])),
            [
                "ConfigMap kube-flannel/kube-flannel-cfg was there, and is gone or not used any more.",
                "ConfigMap kube-system/kube-proxy was not there or not used, and is now.",
            ],
        ),
        (of(USUAL, *("flannel-hostgw",) * 2), ["The mode was flannel-vxlan, and is flannel-hostgw."]),
        (
            of(USUAL, "flannel-vxlan", "flannel-hostgw"),
            [
                "The mode was flannel-vxlan, and is generic.",
                "The mode of node2 was flannel-vxlan, and is flannel-hostgw.",
            ],
        ),
    ],
)
def test_each_difference_is_named_with_what_was_and_what_is(now: Detection, sentences: list[str]) -> None:
    assert since(now) == Changes(sentences, [])


def test_what_has_come_is_named() -> None:
    said = since(of(USUAL), of(Installed([PROXY], [CONFIG]))).found
    assert said == ["DaemonSet kube-flannel/kube-flannel-ds was not there, and is now (kube-flannel: flannel:v0.28.0)."]


def test_what_could_not_be_read_is_neither_the_same_nor_another() -> None:
    unread = Settings("kube-flannel", "kube-flannel-cfg", unread="forbidden")
    said = "ConfigMap kube-flannel/kube-flannel-cfg could not be read"
    without = Installed([FLANNEL, PROXY], [unread])
    assert since(of(without)) == Changes([], [f"{said} now: forbidden"])
    assert since(of(USUAL), of(without)) == Changes([], [f"{said} in the baseline: forbidden"])
    baseline = Baseline("run r1", of(USUAL), USUAL)
    with pytest.raises(HarnessFault, match=rf"nothing was seen to have changed, but:\n{said} now: forbidden"):
        PlugIn(baseline, of(without)).changes()
    assert PlugIn(baseline, of(without, *("flannel-hostgw",) * 2)).changes() == [
        "The mode was flannel-vxlan, and is flannel-hostgw.",
        f"{said} now: forbidden",
    ]
    refused = since(of(Installed(unread="forbidden")))
    assert refused == Changes([], ["The nodes and the plug-in's DaemonSets could not be read: forbidden"])


@pytest.mark.parametrize("name", ["flannel-vxlan", "cilium"])
@pytest.mark.parametrize("kind", ["Node", "DaemonSet", "ConfigMap"])
def test_a_mode_that_detection_cannot_tell_for_lack_of_rights_is_not_another_one(name: str, kind: str) -> None:
    sound, blind = detect(recorded(name)), detect(recorded(name, refuses=(kind,)))
    # Without nodes or DaemonSets it is refused as a baseline.
    for each in [since(blind, sound), since(sound, blind)] if kind == "ConfigMap" else [since(blind, sound)]:
        assert not each.found, each
        assert "could not be read" in "\n".join(each.untold)


@pytest.mark.parametrize("name", ["flannel-vxlan", "flannel-policy", "eni-shared", "cilium"])
def test_a_recorded_cluster_is_what_it_was_once_its_record_was_written_and_read(name: str, tmp_path: Path) -> None:
    write_run_json(tmp_path, record(detect(recorded(name))))
    assert changes(read_baseline(tmp_path), detect(recorded(name))) == Changes([], [])


def test_two_recorded_modes_differ_in_mode_and_settings() -> None:
    said = "\n".join(since(detect(recorded("flannel-hostgw")), detect(recorded("flannel-vxlan"))).found)
    assert "The mode was flannel-vxlan, and is flannel-hostgw." in said
    said = "\n".join(since(detect(recorded("flannel-policy")), detect(recorded("flannel-vxlan"))).found)
    assert "DaemonSet kube-system/kube-router was not there, and is now" in said


def record(detection: Detection | None) -> RunRecord:
    cluster = ClusterFacts(server="https://one.example:6443")
    return RunRecord(run_id="r1", netassay="0.1.0", started=1_795_183_387.0, cluster=cluster, detection=detection)


def test_a_baseline_is_named_by_its_run_its_time_and_its_cluster(tmp_path: Path) -> None:
    write_run_json(tmp_path, record(of(USUAL)))
    for path in (tmp_path, tmp_path / "run.json"):
        assert read_baseline(path).name == "run r1 of 2026-11-20 14:03 UTC, https://one.example:6443"


def test_a_baseline_that_cannot_serve_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--baseline .*could not read .*run\.json: No such file"):
        read_baseline(tmp_path)
    file = write_run_json(tmp_path, record(None))
    with pytest.raises(UsageError, match=r"run r1 is of netassay 0\.1\.0, and its record does not say what"):
        read_baseline(tmp_path)
    write_run_json(tmp_path, record(of(Installed(unread="forbidden"))))
    with pytest.raises(UsageError, match=r"could not read the network plug-in \(forbidden\); grant the rights"):
        read_baseline(tmp_path)
    file.write_text("{")
    with pytest.raises(UsageError, match="is not the record of a run"):
        read_baseline(tmp_path)


def test_the_record_of_an_older_netassay_can_be_read_and_is_no_baseline(tmp_path: Path) -> None:
    file = write_run_json(tmp_path, record(of(USUAL)))
    older = json.loads(file.read_text())
    del older["detection"]["installed"]
    file.write_text(json.dumps(older))
    with pytest.raises(UsageError, match="make a new baseline"):
        read_baseline(tmp_path)
    older["schema"] = "netassay.run/0"
    file.write_text(json.dumps(older))
    with pytest.raises(UsageError, match=r"is of schema netassay\.run/0, and this netassay reads netassay\.run/1"):
        read_baseline(tmp_path)
