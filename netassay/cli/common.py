"""What commands share: options that name the cluster, and the connection to it."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer
from rich.console import Console

from netassay.cluster import Cluster

WHICH: Final = "Which cluster (default: as kubectl)"

Kubeconfig = Annotated[
    str, typer.Option("--kubeconfig", metavar="FILE", help="Its kubeconfig.", rich_help_panel=WHICH, show_default=False)
]
Context = Annotated[
    str, typer.Option("--context", metavar="NAME", help="A context of it.", rich_help_panel=WHICH, show_default=False)
]
InCluster = Annotated[
    bool,
    typer.Option("--in-cluster", help="That of the pod this runs in, by its service account.", rich_help_panel=WHICH),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
TolerateTaints = Annotated[bool, typer.Option("--tolerate-taints", help="Put probes on tainted nodes as well.")]
Mirror = Annotated[
    str,
    typer.Option(metavar="PREFIX", help="Take images from this mirror.", show_default=False, envvar="NETASSAY_MIRROR"),
]


def console() -> Console:
    """Give the console for what a command has to say; lines of a run in CI are never wrapped at 80."""
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def connect(kubeconfig: str, context: str, *, in_cluster: bool) -> Cluster:
    """Connect to the cluster that the options name."""
    return Cluster.connect(kubeconfig=kubeconfig or None, context=context or None, in_cluster=in_cluster)
