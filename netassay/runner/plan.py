"""What a user asks of a run, and the pytest commands that carry it out."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from netassay import bundle
from netassay.baseline import read_baseline
from netassay.disruption import overridden
from netassay.errors import UsageError
from netassay.families import AUTO, CHOICES
from netassay.modes import load
from netassay.results.collect import EVENTS, HEADER, RUN_JSON
from netassay.sampling import FULL_UP_TO, PER_NODE

CHECK_SECONDS: Final = 900
"""A check that takes longer hangs, and is given up; generous, as the first ones wait for nodes to pull an image."""

USUAL_PODS: Final = 3
"""Pods in each namespace that policies are tried on, unless more are asked for."""

PARALLEL: Final = "parallel"
SERIAL: Final = "serial"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user asked for. `lab` is the embedded cluster's mode, if that is what is to be assayed."""

    kubeconfig: str = ""
    context: str = ""
    in_cluster: bool = False
    lab: str = ""
    select: tuple[str, ...] = ()
    mode: str = "auto"
    ip_family: str = AUTO
    image: str = ""
    tolerate_taints: bool = False
    host_probes: bool = True
    outside: str = ""
    outside_name: str = ""
    ingress_class: str = ""
    ingress_address: str = ""
    gateway_class: str = ""
    load_balancer_class: str = ""
    vswitch: str = ""
    security_group: str = ""
    density: int = 0
    policy_fuzz: int = 0
    policy_pods: int = USUAL_PODS
    seed: int | None = None
    full_mesh_up_to: int = FULL_UP_TO
    pairs_per_node: int = PER_NODE
    node_classes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    disruptive: bool = False
    baseline: Path | None = None
    out: Path | None = None
    workers: int = 3
    keep: bool = False

    def validate(self) -> None:
        """See that it can be carried out, as far as that can be told without the cluster; `UsageError` if not."""
        if self.lab and (self.kubeconfig or self.context or self.in_cluster):
            raise UsageError("--lab chooses the cluster by itself: leave out --kubeconfig, --context and --in-cluster")
        selected(self.select)
        if self.ip_family not in CHOICES:
            raise UsageError(f"--ip-family is one of {', '.join(CHOICES)}, not {self.ip_family!r}")
        overridden({}, self.limits)
        if self.mode != "auto":
            load(self.mode)
        if self.baseline:
            read_baseline(self.baseline)
        if self.out and any((self.out / name).exists() for name in (HEADER, EVENTS, RUN_JSON)):
            raise UsageError(f"{self.out} holds the results of another run: name another folder, or remove it first")


@dataclass(frozen=True)
class Phase:
    """One pytest process: its name, its command, and where its JUnit XML goes."""

    name: str
    command: list[str]
    junit: Path


def features() -> list[str]:
    """Give the suites that there are, by the names that `--select` takes."""
    suites = bundle.root() / "suites"
    return sorted(path.name for path in suites.iterdir() if path.is_dir() and any(path.glob("test_*.py")))


def split_selection(text: str) -> tuple[str, ...]:
    """Split a comma-separated selection, but not within the brackets of a check's parameters."""
    return tuple(part.strip() for part in re.split(r",(?![^\[]*\])", text) if part.strip())


def selected(select: tuple[str, ...]) -> list[str]:
    """Give pytest's arguments for a selection of suites, files or single checks; all suites, if it is empty.

    Raises `UsageError` that lists the suites, if one is not there.
    """
    suites = bundle.root() / "suites"
    chosen = []
    for part in select or (".",):
        file, mark, name = part.removeprefix("suites/").partition("::")
        path = (suites / file).resolve()
        if not path.exists() or not path.is_relative_to(suites.resolve()):
            raise UsageError(
                f"there is nothing to select by {part!r}: choose of {', '.join(features())}, or name a check"
            )
        chosen.append(f"{path}{mark}{name}")
    return chosen


def phases(request: Request, *, run_id: str, run_dir: Path) -> list[Phase]:
    """Give the phases in their order: what can run side by side, then what needs the network for itself.

    What the request leaves to be found out (mode, IP families) has been by then.
    """
    targets = selected(request.select)
    # Of xdist's ways to share checks out, loadgroup hands a check that killed its worker to the next one, and the next.
    together = ["-n", str(request.workers), "--dist", "worksteal"] if request.workers > 0 else []
    return [
        _phase(PARALLEL, ["-m", "not serial", *together], targets, request, run_id, run_dir),
        _phase(SERIAL, ["-m", "serial"], targets, request, run_id, run_dir),
    ]


def _phase(name: str, how: list[str], targets: list[str], request: Request, run_id: str, run_dir: Path) -> Phase:
    root = bundle.root()
    junit = run_dir / "logs" / f"{name}.junit.xml"
    command = [sys.executable, "-m", "pytest"]
    command += ["-c", str(Path(__file__).with_name("pytest.ini")), f"--rootdir={root}", f"--confcutdir={root}"]
    # Only the plug-ins that are needed: others that happen to be installed may claim the same options.
    command += ["-p", "xdist", "-p", "timeout", "-p", "no:cacheprovider"]
    command += ["-q", "--color=no", f"--timeout={CHECK_SECONDS}", f"--junitxml={junit}", *how]
    command += [
        f"--run-id={run_id}",
        f"--run-dir={run_dir}",
        f"--mode={request.mode}",
        "--keep-run",
        *cluster_options(request),
    ]
    command += _common_options(request)
    return Phase(name, [*command, *targets], junit)


def cluster_options(request: Request) -> list[str]:
    """Give the options that name the cluster: the same for pytest and for `netassay run`."""
    if request.lab:
        return [f"--lab={request.lab}"]
    options = ["--in-cluster"] if request.in_cluster else []
    options += [f"--kubeconfig={request.kubeconfig}"] if request.kubeconfig else []
    options += [f"--context={request.context}"] if request.context else []
    return options


def command_again(request: Request) -> list[str]:
    """Give the command of this run without its selection and folder, to do all or part of it again."""
    command = ["netassay", "run", *cluster_options(request)]
    command += [f"--mode={request.mode}"] if request.mode != "auto" else []
    return command + _common_options(request)


def _common_options(request: Request) -> list[str]:
    """Give the options that are the same for pytest and for `netassay run`, the cluster's and the mode's apart."""
    options = [f"--ip-family={request.ip_family}"] if request.ip_family != AUTO else []
    options += ["--tolerate-taints"] if request.tolerate_taints else []
    options += [] if request.host_probes else ["--no-host-probes"]
    named = {
        "image": request.image,
        "outside": request.outside,
        "outside-name": request.outside_name,
        "ingress-class": request.ingress_class,
        "ingress-address": request.ingress_address,
        "gateway-class": request.gateway_class,
        "load-balancer-class": request.load_balancer_class,
        "vswitch": request.vswitch,
        "security-group": request.security_group,
        "baseline": request.baseline or "",
        "density": request.density,
        "policy-fuzz": request.policy_fuzz,
        "seed": "" if request.seed is None else str(request.seed),
        "policy-pods": request.policy_pods if request.policy_pods != USUAL_PODS else 0,
        "full-mesh-up-to": "" if request.full_mesh_up_to == FULL_UP_TO else str(request.full_mesh_up_to),
        "pairs-per-node": "" if request.pairs_per_node == PER_NODE else str(request.pairs_per_node),
    }
    options += [f"--node-class={label}" for label in request.node_classes]
    options += [f"--limit={limit}" for limit in request.limits]
    options += ["--disruptive"] if request.disruptive else []
    return options + [f"--{name}={value}" for name, value in named.items() if value]
