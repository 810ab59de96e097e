"""`netassay lab`: the embedded cluster, brought up, looked at and taken down."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from lab import lifecycle, modes, paths, plan, state
from lab import upgrade as upgrades
from lab.errors import LabError
from lab.objects import Objects, is_ready
from lab.progress import Progress
from netassay.agent import pack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

P = ParamSpec("P")
R = TypeVar("R")

app = typer.Typer(
    no_args_is_help=True,
    help="The embedded cluster: a real Kubernetes whose nodes are namespaces of this machine. Needs root and Go.",
)
out = Console()

Mode = Annotated[str, typer.Argument(help="One of `netassay lab modes`.")]


def reported(command: Callable[P, R]) -> Callable[P, R]:
    """Show a LabError as one message, and exit with 2."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except LabError as error:
            Console(stderr=True).print(f"netassay lab: {error}", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(2) from error

    return wrapped


def outside_agent() -> Path:
    """The agent's archive for the lab's outside host, in the user's cache."""
    return pack.write_zipapp(paths.cache() / f"agent-{pack.digest()}.pyz")


@app.command()
@reported
def up(
    mode: Mode = modes.DEFAULT,
    nodes: Annotated[int, typer.Option(min=plan.LEAST_NODES, max=plan.MOST_NODES, help="Number of nodes.")] = 2,
    proxy_mode: Annotated[
        str, typer.Option(help=f"How kube-proxy works: {' or '.join(lifecycle.PROXY_MODES)}.")
    ] = "nftables",
    ip_family: Annotated[
        str, typer.Option(help=f"IP families of pods and Services: {', '.join(plan.IP_FAMILIES)}.")
    ] = "ipv4",
) -> None:
    """Bring the lab up: build what is missing (minutes, once), then start it (seconds). Twice is harmless."""
    lab = lifecycle.up(mode, nodes=nodes, proxy_mode=proxy_mode, ip_family=ip_family, outside_agent=outside_agent())
    out.print(f"The lab is up in mode {lab.mode}.\n  export KUBECONFIG={lab.kubeconfig}", highlight=False)


@app.command()
@reported
def prepare(mode: Mode = modes.DEFAULT) -> None:
    """Build what MODE needs and start nothing."""
    lifecycle.prepare(mode, Progress())


@app.command()
@reported
def down() -> None:
    """End the lab and remove everything that it made; without a lab, whatever one left behind."""
    lifecycle.down()


@app.command()
@reported
def status() -> None:
    """Show what runs: components, nodes and pods. Exit 1 if no lab runs."""
    lab = state.running()
    if lab is None:
        out.print("No lab runs.")
        raise typer.Exit(1)
    known = lab.status()
    title = f" (stand-in for {lab.stand_in_for})" if lab.stand_in_for else ""
    out.print(
        f"mode {lab.mode}: {lab.title}{title}; kube-proxy {lab.proxy_mode}; {lab.ip_family}; stage {known['stage']}",
        highlight=False,
    )
    out.print(f"KUBECONFIG={lab.kubeconfig}", highlight=False)
    table = Table("component", "process", "restarts", title="components")
    for label, component in sorted(known["components"].items()):
        table.add_row(label, str(component["pid"]), str(component["restarts"]))
    out.print(table)
    objects = Objects()
    try:
        node_table = Table("node", "ready", "address", "pod range", title="nodes")
        for node in objects.nodes():
            address = next(a.address for a in node.status.addresses if a.type == "InternalIP")
            ready = "yes" if is_ready(node.status.conditions) else "NO"
            node_table.add_row(node.metadata.name, ready, address, node.spec.pod_cidr)
        out.print(node_table)
        pod_table = Table("namespace", "pod", "ready", "node", "address", title="pods")
        for pod in objects.pods():
            ready = "yes" if is_ready(pod.status.conditions) else "NO"
            pod_table.add_row(
                pod.metadata.namespace, pod.metadata.name, ready, pod.spec.node_name or "", pod.status.pod_ip or ""
            )
        out.print(pod_table)
    finally:
        objects.close()


@app.command()
@reported
def upgrade(
    component: Annotated[str, typer.Argument(help=f"One of {', '.join(upgrades.COMPONENTS)}.")],
    to: Annotated[
        str,
        typer.Option(
            metavar="MODE", help=f"kube-proxy's new mode: {' or '.join(lifecycle.PROXY_MODES)}.", show_default=False
        ),
    ] = "",
    node: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only this node, for kubelet, containerd and node (all of them).", show_default=False
        ),
    ] = None,
) -> None:
    """Restart or swap a component of the running lab, node by node, as an upgrade does.

    `node` drains each node, restarts its kubelet and takes it back. To see what that does to flows:
    `netassay watch --lab -- netassay lab upgrade kube-proxy --to iptables`.
    """

    def tell(done: str) -> None:
        out.print(f"{datetime.now(UTC):%H:%M:%S.%f}"[:-3] + f" {done}", markup=False, highlight=False, soft_wrap=True)

    upgrades.upgrade(component, tell, to=to, nodes=node or ())


@app.command(name="modes")
def list_modes() -> None:
    """List the lab's modes."""
    table = Table("mode", "what it is", "stand-in for")
    for name in modes.names():
        mode = modes.load(name)
        table.add_row(name, mode.title, mode.stand_in_for)
    out.print(table)


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@reported
def shell(
    host: Annotated[str, typer.Argument(help="node1 …, control-plane, or outside.")],
    command: Annotated[list[str] | None, typer.Argument(help="What to run; a shell if nothing.")] = None,
) -> None:
    """Run a shell, or COMMAND, in the namespaces of a host: `netassay lab shell node1 ip route`."""
    # Who is used to other tools writes the command after two dashes.
    wanted = command[1:] if command and command[0] == "--" else command
    done = subprocess.run([*state.required().enter(host), *(wanted or [os.environ.get("SHELL", "sh")])], check=False)
    raise typer.Exit(done.returncode)


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@reported
def kubectl(arguments: Annotated[list[str] | None, typer.Argument(help="Arguments for kubectl.")] = None) -> None:
    """Run this machine's kubectl, if it has one, against the lab."""
    program = shutil.which("kubectl")
    if program is None:
        raise LabError(f"There is no kubectl on PATH. Any client works with the kubeconfig {paths.KUBECONFIG}.")
    environment = os.environ | {"KUBECONFIG": state.required().kubeconfig}
    raise typer.Exit(subprocess.run([program, *(arguments or [])], env=environment, check=False).returncode)


@app.command()
@reported
def logs(
    component: Annotated[str, typer.Argument(help="As `lab status` names it: kube-apiserver, kubelet@node1, init …")],
    lines: Annotated[int, typer.Option(min=1, help="How many of the last lines.")] = 50,
) -> None:
    """Show the end of a component's log. Pods log to Kubernetes: `netassay lab kubectl logs …`."""
    state.required()
    file = paths.LOGS / f"{component}.log"
    if file.parent != paths.LOGS or not file.exists():
        raise LabError(
            f"No log of {component!r}. There are: {', '.join(sorted(f.stem for f in paths.LOGS.iterdir()))}."
        )
    for line in file.read_text(errors="replace").splitlines()[-lines:]:
        out.print(line, markup=False, highlight=False, soft_wrap=True)
