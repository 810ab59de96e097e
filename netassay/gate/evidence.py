"""What one side of a gate has to show: a run, a watch and benches, found in its folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from netassay.bench.schema import HEADER
from netassay.errors import UsageError
from netassay.gate.benches import BenchValues, read_bench
from netassay.gate.schema import Side
from netassay.results.collect import RUN_JSON, read_run
from netassay.results.schema import lab_name
from netassay.watch import WATCH_JSON, WatchRecord, read_watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from netassay.bench.schema import Header
    from netassay.results.schema import RunRecord

DEPTH: Final = ("", "*/", "*/*/")
"""How deep results may lie in a side's folder."""


@dataclass(frozen=True)
class Evidence:
    """All results of one side; None or none of what there is not."""

    folder: str
    run: RunRecord | None = None
    watch: WatchRecord | None = None
    benches: list[BenchValues] = field(default_factory=list)

    @property
    def side(self) -> Side:
        """What this side is, in words."""
        run, watch = self.run, self.watch
        # A side of benches alone may hold one for each of several modes.
        first = run or watch
        said: Sequence[RunRecord | WatchRecord | Header] = (
            [first] if first else [bench.bench.header for bench in self.benches]
        )
        has = [
            *([f"run {run.run_id} of {len(run.checks)} checks"] if run else []),
            *(f"bench {bench.run} of {bench.blocks} blocks" for bench in self.benches),
            *([f"watch {watch.run_id} of {len(watch.flows)} flows"] if watch else []),
        ]
        return Side(
            folder=self.folder,
            run_id=run.run_id if run else watch.run_id if watch else "",
            mode=_alike(one.mode for one in said),
            lab=_alike(lab_name(one.cluster) for one in said),
            version=_alike(one.cluster.version for one in said),
            started=run.started if run else 0.0,
            evidence=has,
        )


def read_evidence(path: Path) -> Evidence:
    """Read what is in a side's folder and up to two folders below; or a `run.json` alone.

    `UsageError` if there is nothing, or more than one run or watch.
    """
    if path.is_file():
        return Evidence(str(path), run=read_run(path))
    runs, watches, benches = (_found(path, name) for name in (RUN_JSON, WATCH_JSON, HEADER))
    for found, what in ((runs, "runs"), (watches, "watches")):
        if len(found) > 1:
            told = ", ".join(str(file.parent) for file in found[:4])
            raise UsageError(f"{path} holds {len(found)} {what}, and one is to be judged: name one of {told}")
    if not (runs or watches or benches):
        raise UsageError(
            f"{path} holds no results: name the folder of a run (reports/runs/<id>), or one that holds the folders of "
            "a run, a bench and a watch"
        )
    return Evidence(
        str(path),
        run=read_run(runs[0]) if runs else None,
        watch=read_watch(watches[0]) if watches else None,
        benches=[read_bench(file.parent) for file in benches],
    )


def _alike(words: Iterable[str]) -> str:
    """Put together what is said of each part of a side, the same once."""
    return "; ".join(dict.fromkeys(filter(None, words)))


def _found(path: Path, name: str) -> list[Path]:
    return sorted(file for depth in DEPTH for file in path.glob(f"{depth}{name}"))
