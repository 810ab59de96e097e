"""Commands that look and change nothing: `detect`, `preflight`, `images`."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import typer
from rich.table import Table

from netassay.cli.common import Context, InCluster, Json, Kubeconfig, Mirror, TolerateTaints, connect, console
from netassay.fleet import DEFAULT_IMAGE
from netassay.modes import detect as detect_mode
from netassay.modes import load
from netassay.modes.limits import beyond, bounded, density, meant
from netassay.runner.images import IMAGES, mirrored
from netassay.runner.preflight import Answer
from netassay.runner.preflight import preflight as look_around

STYLES: Final = {Answer.YES: "green", Answer.LIMITED: "yellow", Answer.NO: "bold red"}


def detect(
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    in_cluster: InCluster = False,
    as_json: Json = False,
) -> None:
    """Tell the CNI mode of each node, and by what it is known. Reads only."""
    with connect(kubeconfig, context, in_cluster=in_cluster) as cluster:
        detection = detect_mode(cluster)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(detection)))
        return
    mode = load(detection.mode)
    out = console()
    out.print(f"[bold]{mode.name}[/bold]: {mode.title} (plug-in: {detection.plug_in})")
    out.print(mode.summary)
    for what, limit in mode.limits.items():
        out.print(f"meant for up to {meant(what, limit)}", markup=False)
    if mode.density:
        out.print(f"and for {bounded(mode.density)}", markup=False)
    for line in beyond(mode, detection):
        out.print(f"warning: {line}", style="yellow", markup=False)
    for line in detection.evidence:
        out.print(f"  {line}", markup=False)
    table = Table("Node", "Mode", "Pods", "By what")
    for node in detection.nodes:
        table.add_row(node.node, node.mode, density(load(node.mode), node.room), "\n".join(node.evidence))
    out.print(table)


def preflight(
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    in_cluster: InCluster = False,
    image: Annotated[str, typer.Option(metavar="IMAGE", help="Image of probe pods.")] = DEFAULT_IMAGE,
    mirror: Mirror = "",
    tolerate_taints: TolerateTaints = False,
    as_json: Json = False,
) -> None:
    """Say whether an assay may run here: rights, nodes, Pod Security, images. Changes nothing.

    Exit codes: 0 it may (perhaps with limits), 1 it may not.
    """
    with connect(kubeconfig, context, in_cluster=in_cluster) as cluster:
        points = look_around(
            cluster, image=mirrored(image, mirror) if mirror else image, tolerate_taints=tolerate_taints
        )
    refused = sum(point.answer is Answer.NO for point in points)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(points)))
    else:
        out = console()
        table = Table("Point", "May it?", "What was found")
        for point in points:
            table.add_row(point.what, f"[{STYLES[point.answer]}]{point.answer}", point.detail)
        out.print(table)
        out.print(
            f"An assay can't run here: {refused} of {len(points)} points refuse it."
            if refused
            else "An assay can run here."
        )
    raise typer.Exit(1 if refused else 0)


def images(mirror: Mirror = "", as_json: Json = False) -> None:
    """List the images that an assay uses: what to mirror where there is no way out, and how to name others."""
    rows = [(image, mirrored(image.default, mirror) if mirror else image.default) for image in IMAGES]
    if as_json:
        typer.echo(
            msgspec.json.format(msgspec.json.encode([{**msgspec.to_builtins(i), "image": used} for i, used in rows]))
        )
        return
    table = Table("For", "Default", "Override", "With the mirror" if mirror else "With --mirror PREFIX")
    for image, used in rows:
        table.add_row(image.purpose, image.default, image.option, used if mirror else mirrored(image.default, "PREFIX"))
    console().print(table)
