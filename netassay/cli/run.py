"""`netassay run`: one assay."""

from __future__ import annotations

import inspect
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import typer

from netassay.cli.assays import assay, side_by_side
from netassay.cli.common import WHICH, Context, InCluster, Kubeconfig, Mirror, TolerateTaints
from netassay.cli.labs import lab_modes
from netassay.errors import UsageError
from netassay.families import AUTO, CHOICES
from netassay.fleet import DEFAULT_IMAGE
from netassay.modes import names
from netassay.runner.images import mirrored
from netassay.runner.plan import USUAL_PODS, Request, features, split_selection
from netassay.sampling import FEWEST_PER_NODE, FULL_UP_TO, PER_NODE

PROBES = "Probes"
RESULTS = "Results"
OUTSIDE = "The world outside"
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
            "separated by commas, are assayed one after the other, each in a lab of its own, and put side by side.",
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
    if baseline and "," in lab:
        raise UsageError("--baseline is a run of one network: name one mode with --lab, not several")
    modes = lab_modes(lab)
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
    request.validate()
    if len(modes) > 1:
        raise typer.Exit(side_by_side(request, modes, keep_lab=keep_lab))
    raise typer.Exit(assay(request, keep_lab=keep_lab)[0])


def run_help() -> str:
    """Give the help of `run`, with the suites and modes that there are."""
    return f"{inspect.getdoc(run)}\n\nSuites: {', '.join(features())}. Modes: auto, {', '.join(names())}."
