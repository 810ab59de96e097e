"""The embedded cluster, as commands use it that name it by `--lab`."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from netassay import bundle
from netassay.cli.common import console
from netassay.errors import UsageError
from netassay.families import of_a_new_lab

if TYPE_CHECKING:
    from collections.abc import Iterator


def lab_modes(lab: str) -> list[str]:
    """Give the modes that --lab names, one that is empty where it was not given.

    `UsageError` if there is no such mode, or several are named and a lab is up: it is known before anything is done.
    """
    modes = [part.strip() for part in lab.split(",")]
    if not lab:
        return modes
    if not all(modes):
        # Without a lab, it is the kubeconfig's own cluster that is used: nobody means that by a comma too many.
        raise UsageError(f"--lab {lab!r} names a mode that is empty: leave out the comma, or name one there")
    if len(set(modes)) < len(modes):
        raise UsageError(f"--lab {lab!r} names a mode twice: each has one folder, named after it")
    _find_lab()
    from lab import modes as known  # noqa: PLC0415 - `_find_lab` has seen to it that it can be imported
    from lab import state  # noqa: PLC0415

    unknown = [mode for mode in modes if mode not in known.names()]
    if unknown:
        raise UsageError(f"there is no lab mode {', '.join(unknown)}: choose of {', '.join(known.names())}")
    running = state.running()
    if running and len(modes) > 1:
        raise UsageError(
            f"a lab is up in mode {running.mode}, and a machine carries one: each of several modes has one of its own, "
            "so end it first with `netassay lab down`"
        )
    return modes


@contextmanager
def lab_kubeconfig(mode: str, ip_family: str, *, keep: bool) -> Iterator[str]:
    """Give the kubeconfig of the lab in this mode. A lab that was not up is brought up, and taken down again.

    Raises `UsageError` if that can't be done here.
    """
    _find_lab()
    from lab import lifecycle, state  # noqa: PLC0415 - `_find_lab` has seen to it that it can be imported
    from lab.errors import LabError  # noqa: PLC0415
    from netassay.cli.lab import outside_agent  # noqa: PLC0415

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
            try:
                lifecycle.down()
            except LabError as error:
                # What is left behind does not change what was found out, but must be told.
                told = f"the lab could not be taken down: {error} Try again with `netassay lab down`."
                console().print(told, markup=False, soft_wrap=True)


def _find_lab() -> None:
    """See that the lab can be imported; `UsageError` where what it needs is not installed."""
    sys.path.append(str(bundle.root()))
    try:
        import netassay.cli.lab  # noqa: F401, PLC0415 - an install without the extra `lab` has not what it needs
    except ImportError as error:
        raise UsageError(f"--lab needs more than is installed ({error}): pip install 'netassay[lab]'") from error
