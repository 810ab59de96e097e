"""`netassay run`: one assay."""

from __future__ import annotations

import inspect
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netassay import bundle
from netassay.cli.common import (
    WHICH,
    Context,
    InCluster,
    Kubeconfig,
    Mirror,
    TolerateTaints,
    connect,
    console,
)
from netassay.errors import UsageError
from netassay.families import AUTO, CHOICES, of_a_new_lab
from netassay.fleet import DEFAULT_IMAGE, Run
from netassay.modes import names
from netassay.report import COMPARISON_HTML, write_comparison
from netassay.results.collect import read_run
from netassay.runner.assay import Assay
from netassay.runner.images import mirrored
from netassay.runner.plan import USUAL_PODS, Request, features, split_selection
from netassay.sampling import FEWEST_PER_NODE, FULL_UP_TO, PER_NODE

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBES = "Probes"
RESULTS = "Results"
OUTSIDE = "The world outside"
INTERRUPTED = (130, 143)
WORSE = (*INTERRUPTED, 1, 3)
"""Exit codes of an assay by how much they count among several: interrupted, findings, inconclusive."""
WEB = "Ingress and Gateway"
POLICIES = "Network policies"
SCALE = "Many nodes"


def run(  # noqa: PLR0917 - typer calls it by name
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    in_cluster: InCluster = False,
    lab: Annotated[
        str,
        typer.Option(
            metavar="MODE[,MODE…]",
            help="The embedded cluster in this mode, brought up if it is not (see `netassay lab`); several modes, "
            "separated by commas, are assayed one after the other and put side by side.",
            rich_help_panel=WHICH,
            show_default=False,
        ),
    ] = "",
    keep_lab: Annotated[
        bool,
        typer.Option("--keep-lab", help="Leave the lab up that --lab brought up.", rich_help_panel=WHICH),
    ] = False,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            "-s",
            metavar="SUITE,…",
            show_default=False,
            help="Only these suites, files or checks: `dns,services`, `dns/test_a.py::test_name`.",
        ),
    ] = None,
    mode: Annotated[
        str,
        typer.Option(metavar="auto|NAME|FILE.toml", help="CNI mode whose expectations count, or a file of your own."),
    ] = "auto",
    ip_family: Annotated[
        str,
        typer.Option(
            metavar="|".join(CHOICES),
            help="IP families to assay; auto: those that pods have. A lab that --lab brings up gets them too.",
        ),
    ] = AUTO,
    image: Annotated[
        str,
        typer.Option(
            metavar="IMAGE", help=f"Image of probe pods ({DEFAULT_IMAGE}).", rich_help_panel=PROBES, show_default=False
        ),
    ] = "",
    mirror: Mirror = "",
    tolerate_taints: TolerateTaints = False,
    no_host_probes: Annotated[
        bool,
        typer.Option(
            "--no-host-probes", help="No hostNetwork probes, nor their privileged namespace.", rich_help_panel=PROBES
        ),
    ] = False,
    outside: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS[,ADDRESS]",
            help="A host outside the cluster that runs `agent.pyz serve`, by an address of each IP family.",
            rich_help_panel=OUTSIDE,
            show_default=False,
        ),
    ] = "",
    outside_name: Annotated[
        str, typer.Option(metavar="NAME", help="A DNS name of that host.", rich_help_panel=OUTSIDE, show_default=False)
    ] = "",
    ingress_class: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The IngressClass to assay (the default, or only one).",
            rich_help_panel=WEB,
            show_default=False,
        ),
    ] = "",
    ingress_address: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where its controller is reached (as Ingresses' status says).",
            rich_help_panel=WEB,
            show_default=False,
        ),
    ] = "",
    gateway_class: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="The GatewayClass to assay (the only one).", rich_help_panel=WEB, show_default=False
        ),
    ] = "",
    load_balancer_class: Annotated[
        str,
        typer.Option(
            metavar="CLASS",
            help="loadBalancerClass of an implementation that is there (default: found out).",
            rich_help_panel=OUTSIDE,
            show_default=False,
        ),
    ] = "",
    vswitch: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="A vSwitch, other than the usual ones, that pods may be put on (Terway).",
            rich_help_panel=OUTSIDE,
            show_default=False,
        ),
    ] = "",
    security_group: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="A security group that lets in no pods but its own (Terway).",
            rich_help_panel=OUTSIDE,
            show_default=False,
        ),
    ] = "",
    density: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Also bring in so many pods at once, and see an address given out again: takes minutes.",
            rich_help_panel=PROBES,
            show_default=False,
        ),
    ] = 0,
    policy_pods: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=3,
            max=26,
            help="Pods in each of the three namespaces that policies are tried on.",
            rich_help_panel=POLICIES,
        ),
    ] = USUAL_PODS,
    policy_fuzz: Annotated[
        int, typer.Option(metavar="N", min=0, help="Try N random sets of network policies.", rich_help_panel=POLICIES)
    ] = 0,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="S",
            help="Which sets, and pairs of many nodes (others in each run).",
            rich_help_panel=POLICIES,
            show_default=False,
        ),
    ] = None,
    full_mesh_up_to: Annotated[
        int, typer.Option(metavar="N", min=0, help="Nodes up to which each tries every other.", rich_help_panel=SCALE)
    ] = FULL_UP_TO,
    pairs_per_node: Annotated[
        int,
        typer.Option(
            metavar="D",
            min=FEWEST_PER_NODE,
            help="Of more nodes, each tries so many others at least, and is tried by as many; --seed says which.",
            rich_help_panel=SCALE,
        ),
    ] = PER_NODE,
    node_class: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABEL",
            help="Of more nodes, try every pair of this label's values as well; beside zone and instance type.",
            rich_help_panel=SCALE,
            show_default=False,
        ),
    ] = None,
    disruptive: Annotated[
        bool,
        typer.Option(
            "--disruptive",
            help="Also restart what the whole cluster uses, such as kube-proxy. In the lab that needs no saying.",
        ),
    ] = False,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="What an event may do to flows, in place of the mode's: `failover-killed-ms=3000`.",
            show_default=False,
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN_FOLDER",
            help="Results of an earlier run (its folder, or run.json): check that the network plug-in is still what it "
            "was then (images, pod templates, ConfigMaps, mode).",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for results (reports/runs/ID).", rich_help_panel=RESULTS, show_default=False
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", "-n", min=0, help="Checks made side by side; 0: all in one process.")
    ] = Request.workers,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the run's objects in the cluster, to look at them.")
    ] = False,
) -> None:
    """Assay a cluster's network: make all checks, write the results, say whether it conforms.

    Needs the rights of deploy/rbac.yaml (`netassay preflight` looks for them), makes its own namespaces and removes
    them again. The first Ctrl-C ends it in order, the second at once.

    Exit codes: 0 conforms, 1 findings, 2 wrong usage, 3 inconclusive.
    """
    modes = _lab_modes(lab)
    request = Request(
        kubeconfig=kubeconfig,
        context=context,
        in_cluster=in_cluster,
        lab=modes[0],
        select=tuple(part for text in select or () for part in split_selection(text)),
        mode=mode,
        ip_family=ip_family,
        image=mirrored(image or DEFAULT_IMAGE, mirror) if mirror else image,
        tolerate_taints=tolerate_taints,
        host_probes=not no_host_probes,
        outside=outside,
        outside_name=outside_name,
        ingress_class=ingress_class,
        ingress_address=ingress_address,
        gateway_class=gateway_class,
        load_balancer_class=load_balancer_class,
        vswitch=vswitch,
        security_group=security_group,
        density=density,
        policy_fuzz=policy_fuzz,
        policy_pods=policy_pods,
        seed=seed,
        full_mesh_up_to=full_mesh_up_to,
        pairs_per_node=pairs_per_node,
        node_classes=tuple(node_class or ()),
        limits=tuple(limit or ()),
        disruptive=disruptive,
        baseline=baseline,
        out=out,
        workers=workers,
        keep=keep,
    )
    if baseline and len(modes) > 1:
        raise UsageError("--baseline is a run of one network: name one mode with --lab, not several")
    request.validate()
    if len(modes) > 1:
        raise typer.Exit(_side_by_side(request, modes, keep_lab=keep_lab))
    raise typer.Exit(_assay(request, keep_lab=keep_lab)[0])


def _lab_modes(lab: str) -> list[str]:
    """Give the modes that --lab names, one that is empty where it was not given."""
    modes = [part.strip() for part in lab.split(",")]
    if lab and not all(modes):
        # Without a lab, it is the kubeconfig's own cluster that is assayed: nobody means that by a comma too many.
        raise UsageError(f"--lab {lab!r} names a mode that is empty: leave out the comma, or name one there")
    if len(set(modes)) < len(modes):
        raise UsageError(f"--lab {lab!r} names a mode twice: each has one folder, named after it")
    return modes


def _assay(request: Request, *, keep_lab: bool) -> tuple[int, Path]:
    """Make one assay: its exit code and its folder."""
    with ExitStack() as held:
        kubeconfig = request.kubeconfig
        if request.lab:
            kubeconfig = held.enter_context(lab_kubeconfig(request.lab, request.ip_family, keep=keep_lab))
        cluster = held.enter_context(connect(kubeconfig, request.context, in_cluster=request.in_cluster))
        assay = Assay(cluster, request, console())
        return assay.run(), assay.folder


def _side_by_side(request: Request, modes: list[str], *, keep_lab: bool) -> int:
    """Assay one lab mode after the other, and write a page that puts them side by side; the worst exit code.

    Whoever ends one of the assays ends them all: the page is of those that were begun.
    """
    base = request.out or Path("reports", "runs", f"{Run.new().id}-side-by-side")
    requests = {mode: replace(request, lab=mode, out=base / mode) for mode in modes}
    for each in requests.values():
        each.validate()
    ended = []
    for mode, each in requests.items():
        console().print(f"[bold]{mode}[/bold]")
        # Only the last lab can be left up: a machine carries one.
        kept = keep_lab and mode == modes[-1]
        ended.append(_assay(each, keep_lab=kept))
        if ended[-1][0] in INTERRUPTED:
            break
    page = base / COMPARISON_HTML
    write_comparison(page, [(read_run(folder), folder) for _, folder in ended])
    console().print(f"side by side: {page}", markup=False, soft_wrap=True)
    codes = [code for code, _ in ended]
    return next((worst for worst in (*WORSE, *codes) if worst in codes), 0)


def run_help() -> str:
    """Give the help of `run`, with the suites and modes that there are."""
    return f"{inspect.getdoc(run)}\n\nSuites: {', '.join(features())}. Modes: auto, {', '.join(names())}."


@contextmanager
def lab_kubeconfig(mode: str, ip_family: str, *, keep: bool) -> Iterator[str]:
    """Give the kubeconfig of the lab in this mode. A lab that was not up is brought up, and taken down again.

    Raises `UsageError` if that can't be done here.
    """
    sys.path.append(str(bundle.root()))
    try:
        from lab import lifecycle, state  # noqa: PLC0415 - an install without the extra `lab` has not what it needs
        from lab.errors import LabError  # noqa: PLC0415
        from netassay.cli.lab import outside_agent  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(f"--lab needs more than is installed ({error}): pip install 'netassay[lab]'") from error
    try:
        running = state.running()
        ours = running is None
        if running is None or running.mode != mode:
            running = lifecycle.up(mode, ip_family=of_a_new_lab(ip_family), outside_agent=outside_agent())
    except LabError as error:
        raise UsageError(f"--lab {mode}: {error}") from error
    try:
        yield running.kubeconfig
    finally:
        if ours and not keep:
            lifecycle.down()
