"""Selections, phases and the command that does a run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from netassay import bundle
from netassay.errors import UsageError
from netassay.results.rerun import rerun
from netassay.results.schema import CheckRecord, RunRecord, Verdict
from netassay.runner.plan import Request, command_again, features, phases, selected, split_selection

SUITES = bundle.root() / "suites"


def test_a_selection_is_split_at_commas_but_not_within_parameters() -> None:
    assert split_selection(" dns, services ,") == ("dns", "services")
    assert split_selection("dns/test_a.py::test_a[x,y],services") == ("dns/test_a.py::test_a[x,y]", "services")


def test_suites_files_and_checks_can_be_selected() -> None:
    assert "reachability" in features()
    assert selected(()) == [str(SUITES)]
    assert selected(("reachability",)) == [str(SUITES / "reachability")]
    assert selected(("suites/reachability/test_mtu.py::test_x[tcp]",)) == [
        f"{SUITES / 'reachability' / 'test_mtu.py'}::test_x[tcp]"
    ]


@pytest.mark.parametrize("part", ["dsn", "../tests", "/etc", "dns/nothing.py"])
def test_what_is_not_there_is_told_with_what_is(part: str) -> None:
    with pytest.raises(UsageError, match=r"choose of .*reachability"):
        selected((part,))


def test_the_phases_share_the_cluster_and_the_run_but_not_their_checks(tmp_path: Path) -> None:
    request = Request(
        kubeconfig="/k",
        context="c",
        tolerate_taints=True,
        host_probes=False,
        outside="192.0.2.1",
        policy_fuzz=20,
        seed=0,
        full_mesh_up_to=0,
        pairs_per_node=12,
        node_classes=("rack", "row"),
        limits=("failover-killed-ms=3000",),
        disruptive=True,
        baseline=Path("before"),
        image="i",
        mode="generic",
    )
    together, alone = phases(request, run_id="r1", run_dir=tmp_path)
    for phase in (together, alone):
        assert {"--kubeconfig=/k", "--context=c", "--run-id=r1", f"--run-dir={tmp_path}", "--mode=generic"} <= set(
            phase.command
        )
        assert {
            "--tolerate-taints",
            "--no-host-probes",
            "--disruptive",
            "--outside=192.0.2.1",
            "--policy-fuzz=20",
            "--seed=0",
            "--full-mesh-up-to=0",
            "--pairs-per-node=12",
            "--node-class=rack",
            "--node-class=row",
            "--image=i",
            "--baseline=before",
            "--keep-run",
        } <= set(phase.command)
        assert "--limit=failover-killed-ms=3000" in phase.command
    assert together.command[together.command.index("-m", 3) + 1] == "not serial"
    assert "-n" in together.command
    assert alone.command[alone.command.index("-m", 3) + 1] == "serial"
    assert "-n" not in alone.command
    assert together.junit != alone.junit


def test_a_limit_that_there_is_not_is_told_before_anything_is_done() -> None:
    with pytest.raises(UsageError, match="there is no limit 'failover-kiled-ms'"):
        Request(limits=("failover-kiled-ms=3000",)).validate()


def test_one_worker_process_less_is_none() -> None:
    assert "-n" not in phases(Request(workers=0), run_id="r1", run_dir=Path("/r"))[0].command


def test_the_lab_is_named_by_its_mode_and_not_by_its_kubeconfig() -> None:
    request = Request(lab="flannel-vxlan", mode="generic", select=("dns",), out=Path("/o"))
    assert command_again(request) == ["netassay", "run", "--lab=flannel-vxlan", "--mode=generic"]
    assert "--kubeconfig" not in " ".join(phases(request, run_id="r", run_dir=Path("/r"))[0].command)


def test_a_check_is_made_again_by_its_own_name() -> None:
    run = RunRecord(run_id="r", command=["netassay", "run", "--context=c"])
    record = CheckRecord(id="suites/dns/test_a.py::test_a[tcp]", verdict=Verdict.BROKEN)
    again = rerun(run, record)
    assert again == ["netassay", "run", "--context=c", "--select", "dns/test_a.py::test_a[tcp]"]
    assert split_selection(again[-1]) == ("dns/test_a.py::test_a[tcp]",)
