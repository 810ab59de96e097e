"""The command line as a user meets it: by its output and its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
import pytest
from recorded_api import recorded_api

from netassay.cli import main
from netassay.results.collect import write_run_json
from netassay.results.schema import CheckRecord, RunRecord, Verdict
from netassay.runner.images import mirrored

ROOT = Path(__file__).parent.parent.parent


class Said(NamedTuple):
    """What a command wrote."""

    stdout: str
    stderr: str


class Netassay(Protocol):
    """The command line, called like a command; its exit code has to be `code`."""

    def __call__(self, *arguments: str, code: int = 0) -> Said: ...


@pytest.fixture
def netassay(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Netassay:
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("KUBECONFIG", raising=False)

    def call(*arguments: str, code: int = 0) -> Said:
        monkeypatch.setattr(sys, "argv", ["netassay", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = Said(*capsys.readouterr())
        assert (ended.value.code or 0) == code, said
        return said

    return call


def record(folder: Path, verdict: Verdict) -> None:
    """A run of one check, with its own record only."""
    folder.mkdir()
    write_run_json(folder, RunRecord(run_id=f"run-{folder.name}", checks=[CheckRecord(id="c", verdict=verdict)]))


def test_help_teaches(netassay: Netassay) -> None:
    said = netassay("--help").stdout
    assert all(command in said for command in ("run", "detect", "preflight", "images", "sweep", "report", "lab"))
    said = netassay("run", "--help").stdout
    assert "Exit codes: 0 conforms, 1 findings, 2 wrong usage, 3 inconclusive." in said
    assert "reachability" in said
    assert "flannel-vxlan" in said
    assert "--kubeconfig" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["detect", "--kubeconfig", "/nonexistent/config"], "netassay: kubeconfig /nonexistent/config"),
        (["run", "--lab", "flannel-vxlan", "--context", "mine"], "--lab chooses the cluster by itself"),
        (["run", "--lab", "flannel-vxlan,bridge", "--baseline", "before"], "--baseline is a run of one network"),
        (["run", "--lab", "flannel-vxlan,"], "names a mode that is empty"),
        (["run", "--lab", "flannel-vxlan,,bridge"], "names a mode that is empty"),
        (["run", "--lab", " "], "names a mode that is empty"),
        (["run", "--lab", "bridge,bridge"], "names a mode twice"),
        (["run", "--lab", "calico"], "there is no lab mode calico"),
        (["bench", "--lab", ","], "names a mode that is empty"),
        (["report", "/nonexistent"], "name the folder of a run"),
        (["run", "--no-such-option"], "--no-such-option"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(netassay: Netassay, arguments: list[str], said: str) -> None:
    assert said in netassay(*arguments, code=2).stderr


@pytest.mark.whole
def test_a_cluster_that_is_away_is_no_finding(netassay: Netassay, tmp_path: Path) -> None:
    with recorded_api(tmp_path) as kubeconfig:
        pass
    out = tmp_path / "out"
    assert "127.0.0.1" in netassay("run", "--kubeconfig", str(kubeconfig), "--out", str(out), code=3).stderr
    assert not out.exists()


def test_what_cannot_be_selected_is_told_before_anything_is_done(
    netassay: Netassay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with recorded_api(tmp_path) as kubeconfig:
        for arguments, said in (
            (["--select", "dsn"], "there is nothing to select by 'dsn': choose of"),
            (["--select", "../tests"], "there is nothing to select by '../tests'"),
            (["--mode", "flanel"], "there is no mode 'flanel'"),
            (["--baseline", "before"], "--baseline before: could not read before: No such file or directory; name the"),
        ):
            done = netassay("run", "--kubeconfig", str(kubeconfig), *arguments, code=2)
            assert said in done.stderr
    assert not (tmp_path / "reports").exists()


def test_detect_shows_the_mode_with_its_evidence(netassay: Netassay, tmp_path: Path) -> None:
    with recorded_api(tmp_path) as kubeconfig:
        said = netassay("detect", "--kubeconfig", str(kubeconfig)).stdout
        assert said.startswith("flannel-vxlan: Flannel, VXLAN backend (plug-in: flannel)")
        assert "DaemonSet kube-flannel/kube-flannel-ds is ready on 2 of 2 nodes" in said
        found = json.loads(netassay("detect", "--kubeconfig", str(kubeconfig), "--json").stdout)
    assert found["mode"] == "flannel-vxlan"
    assert [node["node"] for node in found["nodes"]] == ["node1", "node2"]


def test_preflight_says_yes(netassay: Netassay, tmp_path: Path) -> None:
    with recorded_api(tmp_path) as kubeconfig:
        said = netassay("preflight", "--kubeconfig", str(kubeconfig)).stdout
    assert "An assay can run here." in said
    assert "all 2 take probes" in said
    assert "0 of 2 nodes show it" in said


def test_preflight_says_no_and_names_what_is_missing(netassay: Netassay, tmp_path: Path) -> None:
    with recorded_api(tmp_path, refused=("pods/exec", "daemonsets"), admits=False) as kubeconfig:
        done = netassay("preflight", "--kubeconfig", str(kubeconfig), "--json", code=1)
    points = {point["what"]: point for point in json.loads(done.stdout)}
    assert points["create pods/exec"]["answer"] == "no"
    assert points["list daemonsets.apps"]["answer"] == "limited"
    assert "needed to drive the probes" in points["create pods/exec"]["detail"]
    assert points["Pod Security restricted"]["answer"] == "no"
    assert "use --no-host-probes" in points["Pod Security privileged"]["detail"]


def test_sweep_says_what_it_did(netassay: Netassay, tmp_path: Path) -> None:
    with recorded_api(tmp_path) as kubeconfig:
        assert netassay("sweep", "--kubeconfig", str(kubeconfig)).stdout == "nothing to remove\n"


def test_images_can_be_mirrored(netassay: Netassay) -> None:
    assert "docker.io/library/python:3.13-slim" in netassay("images").stdout
    [image] = json.loads(netassay("images", "--mirror", "hub.example/mirror", "--json").stdout)
    assert image["image"] == "hub.example/mirror/library/python:3.13-slim"


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("docker.io/library/python:3", "hub/library/python:3"),
        ("library/python:3", "hub/library/python:3"),
        ("localhost:5000/python", "hub/python"),
        ("python:3", "hub/python:3"),
    ],
)
def test_a_mirror_replaces_the_registry(image: str, name: str) -> None:
    assert mirrored(image, "hub/") == name


def test_reports_are_written_again_from_records(netassay: Netassay, tmp_path: Path) -> None:
    record(tmp_path / "0", Verdict.HOLDS)
    record(tmp_path / "1", Verdict.BROKEN)
    together = tmp_path / "both" / "together.html"
    together.parent.mkdir()
    said = netassay("report", str(tmp_path / "0"), str(tmp_path / "1" / "run.json"), "--out", str(together)).stdout
    assert [line.partition(": ")[2] for line in said.splitlines()] == [
        "The network conforms: 1 of 1 check found its promises kept",
        "The network is broken: 1 of 1 check found it so",
        "2 runs side by side",
    ]
    assert 'href="../1/report.html"' in together.read_text()
    assert "<h1>Broken</h1>" in (tmp_path / "1" / "report.html").read_text()


@pytest.mark.whole
def test_without_the_lab_extra_the_rest_works(tmp_path: Path) -> None:
    (tmp_path / "pyroute2.py").write_text("raise ImportError('No module named pyroute2')")
    script = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import netassay.cli; netassay.cli.main()"
    for arguments, code, said in (
        (["images"], 0, "python:3.13-slim"),
        (["lab", "up"], 2, "pip install 'netassay[lab]'"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
        )
        assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr


@pytest.mark.parametrize("unread", [[], ["stdout"], ["stdout", "stderr"]], ids="+".join)
def test_a_reader_that_leaves_early_changes_neither_the_decision_nor_what_is_kept(
    tmp_path: Path, unread: list[str]
) -> None:
    """As in `netassay gate … | head -1`, whose first line is all that some want to know."""
    record(tmp_path / "before", Verdict.HOLDS)
    record(tmp_path / "after", Verdict.HOLDS)
    command = [sys.executable, "-m", "netassay", "gate", str(tmp_path / "before"), str(tmp_path / "after")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for stream in unread:
            getattr(process, stream).close()
        assert process.wait(60) == 0
    assert json.loads((tmp_path / "after" / "gate" / "gate.json").read_text())["decision"] == "GO"


def test_a_command_without_outputs_ends_as_it_would_with_them() -> None:
    """As a daemon's, whose standard outputs were closed before it was started."""
    command = f"exec {sys.executable} -m netassay images >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], cwd=ROOT, check=False).returncode == 0


def test_every_right_that_preflight_looks_for_is_granted_by_the_manifest() -> None:
    import yaml  # noqa: PLC0415

    from netassay.runner.preflight import RIGHTS  # noqa: PLC0415

    documents = list(yaml.safe_load_all((ROOT / "deploy" / "rbac.yaml").read_text()))
    rules = [rule for document in documents for rule in document.get("rules") or []]
    for right in RIGHTS:
        assert any(
            right.group in rule["apiGroups"] and right.resource in rule["resources"] and right.verb in rule["verbs"]
            for rule in rules
        ), msgspec.to_builtins(right)
