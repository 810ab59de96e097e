"""A baseline: an earlier run of the same cluster, and what has changed of its network plug-in since."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from netassay.errors import UsageError
from netassay.modes.installed import Installed
from netassay.modes.mode import GENERIC
from netassay.results.collect import read_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from netassay.modes import Detection
    from netassay.modes.installed import Settings, Workload

T = TypeVar("T")

NEEDED: Final = "make a new baseline: `netassay run --out DIR`"


class Baseline(NamedTuple):
    """What the plug-in was in an earlier run, and the `name` of that run in words."""

    name: str
    detection: Detection
    installed: Installed


class Changes(NamedTuple):
    """A sentence for each thing that is not what it was, and one for each of which that can't be told."""

    found: Sequence[str]
    untold: Sequence[str]


def read_baseline(path: Path) -> Baseline:
    """Read a run's folder, or its `run.json`. `UsageError` if it is none, or does not say what the plug-in was."""
    try:
        run = read_run(path)
    except UsageError as error:
        raise UsageError(f"--baseline {path}: {error}") from error
    if run.detection is None or run.detection.installed is None:
        raise UsageError(
            f"--baseline {path}: run {run.run_id} is of netassay {run.netassay or 'unknown'}, and its record does not "
            f"say what the network plug-in was; {NEEDED}"
        )
    if run.detection.installed.unread:
        raise UsageError(
            f"--baseline {path}: run {run.run_id} could not read the network plug-in "
            f"({run.detection.installed.unread}); grant the rights of deploy/rbac.yaml, and {NEEDED}"
        )
    made = dt.datetime.fromtimestamp(run.started, dt.UTC)
    return Baseline(
        f"run {run.run_id} of {made:%Y-%m-%d %H:%M} UTC, {run.cluster.server}", run.detection, run.detection.installed
    )


def changes(baseline: Baseline, now: Detection) -> Changes:
    """Compare mode, workloads and settings of the plug-in with the baseline's."""
    was, installed = baseline.installed, now.installed or Installed(unread="nothing is recorded of them")
    if installed.unread:
        return Changes([], [f"The nodes and the plug-in's DaemonSets could not be read: {installed.unread}"])
    found: list[str] = []
    untold: list[str] = []
    for old, new, sentence in _mode(baseline.detection, now):
        # Whose ConfigMaps can't be read is of the generic mode for detection, whatever its mode is.
        told = all(mode != GENERIC or _all_read(side) for mode, side in ((old, was), (new, installed)))
        (found if told else untold).append(sentence)
    found += _workloads(_by_name(was.workloads), _by_name(installed.workloads))
    before, after = _by_name(was.settings), _by_name(installed.settings)
    for name in sorted(before.keys() | after.keys()):
        sides = (before.get(name), "in the baseline"), (after.get(name), "now")
        unread = [f"{name} could not be read {when}: {side.unread}" for side, when in sides if side and side.unread]
        untold += unread
        found += [] if unread else _settings(name, before.get(name), after.get(name))
    return Changes(found, untold)


def _by_name(things: Iterable[T]) -> dict[str, T]:
    return {str(one): one for one in things}


def _all_read(installed: Installed) -> bool:
    return not any(one.unread for one in installed.settings)


def _mode(was: Detection, now: Detection) -> Iterator[tuple[str, str, str]]:
    """Compare the cluster's mode, and that of nodes that were there before; a node that has come since has its own.

    Gives what was, what is, and both in a sentence.
    """
    if was.mode != now.mode:
        yield was.mode, now.mode, f"The mode was {was.mode}, and is {now.mode}."
    before = {node.node: node.mode for node in was.nodes}
    others: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for node in now.nodes:
        pair = before.get(node.node, node.mode), node.mode
        if pair[0] != pair[1] and pair != (was.mode, now.mode):
            others[pair].append(node.node)
    for (old, new), nodes in others.items():
        yield old, new, f"The mode of {', '.join(nodes)} was {old}, and is {new}."


def _workloads(before: Mapping[str, Workload], after: Mapping[str, Workload]) -> Iterator[str]:
    for name in sorted(before.keys() - after.keys()):
        yield f"{name} was there ({_listed(before[name])}), and is gone."
    for name in sorted(after.keys() - before.keys()):
        yield f"{name} was not there, and is now ({_listed(after[name])})."
    for name in sorted(before.keys() & after.keys()):
        was, now = before[name], after[name]
        for container in sorted(was.images.keys() | now.images.keys()):
            old, new = was.images.get(container), now.images.get(container)
            if old is None:
                yield f"{name}: container {container} was not there, and is now, with image {new}."
            elif new is None:
                yield f"{name}: container {container} was there, with image {old}, and is gone."
            elif old != new:
                yield f"{name}: the image of container {container} was {old}, and is {new}."
        if was.template != now.template:
            yield f"{name}: its pod template, images apart, was {was.template}, and is {now.template} (digests)."


def _settings(name: str, was: Settings | None, now: Settings | None) -> Iterator[str]:
    """Compare digests: of a ConfigMap that nothing asked for there is as little as of one that is not there."""
    old, new = was.digest if was else "", now.digest if now else ""
    if old == new:
        return
    if not new:
        yield f"{name} was there, and is gone or not used any more."
    elif not old:
        yield f"{name} was not there or not used, and is now."
    else:
        yield f"{name}: its data was {old}, and is {new} (digests)."


def _listed(workload: Workload) -> str:
    return ", ".join(f"{container}: {image}" for container, image in workload.images.items())
