"""Runs that lie together in a folder, read only as far as one needs to look at many of them at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from netassay.errors import UsageError
from netassay.results.collect import RUN_JSON
from netassay.results.schema import SCHEMA, ClusterFacts, Figure, Verdict, lab_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DEPTH: Final = 2
"""Folders down to which runs are looked for: several modes that were assayed side by side lie in one of their own."""


class ShelvedCheck(msgspec.Struct, frozen=True):
    """A check's record without its evidence and its times."""

    id: str
    verdict: Verdict
    claim: str = ""
    feature: str = ""
    title: str = ""
    message: str = ""
    parameters: dict[str, str] = {}


class ShelvedRun(msgspec.Struct):
    """A run's record without what makes it large; `folder` is where it lies. Times are in seconds since the epoch."""

    run_id: str
    schema: str = ""
    netassay: str = ""
    started: float = 0.0
    finished: float = 0.0
    cluster: ClusterFacts = msgspec.field(default_factory=ClusterFacts)
    mode: str = ""
    faults: list[str] = []
    checks: list[ShelvedCheck] = []
    figures: list[Figure] = []
    folder: str = ""

    @property
    def network(self) -> tuple[str, str, str]:
        """What has to be the same for runs to be of one network: the cluster, its lab if it is one, and the mode."""
        return self.cluster.server, lab_name(self.cluster), self.mode


@dataclass(frozen=True)
class Unread:
    """A record that could not be read, and why."""

    path: Path
    why: str


@dataclass(frozen=True)
class Shelf:
    """All runs that were found, the earliest first, and what could not be read."""

    runs: list[ShelvedRun]
    unread: list[Unread] = field(default_factory=list)


_DECODER: Final = msgspec.json.Decoder(ShelvedRun)


def read_shelf(places: Iterable[Path]) -> Shelf:
    """Read the runs of these places: folders of runs, folders that hold such, or `run.json` files.

    A run that is found twice counts once. Raises `UsageError` if there is not one record in all of them.
    """
    runs: dict[str, ShelvedRun] = {}
    unread: dict[Path, Unread] = {}
    for place in places:
        files = _records(place)
        if not files:
            raise UsageError(
                f"there is no {RUN_JSON} in {place}: name the folder that holds those of runs, such as reports/runs"
            )
        for file in files:
            try:
                run = _read(file)
            except (OSError, ValueError, msgspec.DecodeError) as error:
                unread[file.resolve()] = Unread(file, str(getattr(error, "strerror", None) or error))
            else:
                runs[str(file.resolve())] = run
    return Shelf(sorted(runs.values(), key=lambda run: (run.started, run.run_id)), list(unread.values()))


def _records(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return sorted(file for depth in range(DEPTH + 1) for file in place.glob("/".join(["*"] * depth + [RUN_JSON])))


def _read(file: Path) -> ShelvedRun:
    run = _DECODER.decode(file.read_bytes())
    if run.schema != SCHEMA:
        raise ValueError(f"it is of schema {run.schema or 'unknown'}, and this netassay reads {SCHEMA}")
    run.folder = str(file.parent)
    return run
