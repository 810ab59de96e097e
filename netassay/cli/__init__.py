"""The command line. Exit codes: 0 fine, 1 findings, 2 wrong usage, 3 the harness could not do its job."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated, Final

import typer
from rich.console import Console

import netassay
from netassay import bundle
from netassay.cli.gate import gate
from netassay.cli.keep import history, report, sweep
from netassay.cli.look import detect, images, preflight
from netassay.cli.run import run, run_help
from netassay.cli.unread import outlive_readers
from netassay.cli.watch import watch
from netassay.errors import HarnessFault, UsageError

USAGE: Final = 2
INCONCLUSIVE: Final = 3


def _version(asked: bool) -> None:
    if asked:
        typer.echo(netassay.__version__)
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def build() -> typer.Typer:
    """Put the command line together."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        help="Assay a Kubernetes cluster's network: prove that it conforms, and find out why it does not.",
        epilog="Begin with `netassay preflight --kubeconfig FILE`, then `netassay run --kubeconfig FILE`.",
    )
    app.callback()(_options)
    app.command(help=run_help())(run)
    for command in (detect, preflight, images, watch, gate, sweep, report, history):
        app.command()(command)
    _add_bench(app)
    _add_lab(app)
    return app


def _add_bench(app: typer.Typer) -> None:
    """Add `bench` where what it needs is installed; elsewhere, one that says how to install it."""
    try:
        from netassay.cli.bench import bench  # noqa: PLC0415 - the extra `bench` may not be installed
    except ImportError as error:
        reason = f"measuring needs more than is installed ({error}): pip install 'netassay[bench]'"

        def missing(arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
            raise UsageError(reason)

        settings = {"ignore_unknown_options": True}
        app.command("bench", help="Measure the network (not installed).", context_settings=settings)(missing)
    else:
        app.command()(bench)


def _add_lab(app: typer.Typer) -> None:
    """Add the lab's commands where what they need is installed; elsewhere, one that says how to install it."""
    sys.path.append(str(bundle.root()))
    try:
        from netassay.cli.lab import app as lab  # noqa: PLC0415 - the extra `lab` may not be installed
    except ImportError as error:
        reason = f"the embedded cluster needs more than is installed ({error}): pip install 'netassay[lab]'"

        def missing(arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
            raise UsageError(reason)

        settings = {"ignore_unknown_options": True}
        app.command("lab", help="The embedded cluster (not installed).", context_settings=settings)(missing)
    else:
        app.add_typer(lab, name="lab")


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    outlive_readers()
    try:
        build()()
    except UsageError as error:
        _say(str(error))
        sys.exit(USAGE)
    except HarnessFault as fault:
        _say(str(fault))
        sys.exit(INCONCLUSIVE)
    except Exception as error:
        traceback.print_exception(error)
        _say("this is a mistake of netassay's own; it says nothing about the network")
        sys.exit(INCONCLUSIVE)


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print(f"netassay: {text}", markup=False, soft_wrap=True)
