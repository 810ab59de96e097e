"""The record of a watch, as `watch.json` holds it. `SCHEMA` changes whenever its meaning does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from netassay.disruption import Timeline  # noqa: TC001 - msgspec reads it at run time
from netassay.errors import UsageError
from netassay.results.files import write_whole
from netassay.results.redact import redact_record
from netassay.results.schema import ClusterFacts

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: Final = "netassay.watch/1"
WATCH_JSON: Final = "watch.json"


class Mark(msgspec.Struct, frozen=True):
    """Something that was done, or happened, in words; `at` is in seconds from the start of the watch."""

    at: float
    words: str


class Unwatched(msgspec.Struct, frozen=True, kw_only=True):
    """A time for which nobody can tell how a flow fared, and why; in seconds from the start of the watch."""

    began: float
    ended: float
    why: str


class FlowRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One flow. `path` is one of `netassay.watch.flows.PATHS`, `way` is "east-west" or "north-south".

    Times of its timeline are in seconds from the start of the watch.
    """

    path: str
    way: str
    timeline: Timeline
    unwatched: tuple[Unwatched, ...] = ()

    @property
    def key(self) -> str:
        """What tells it from the others, in this watch and in the next: no pod's name, which would be another."""
        flow = self.timeline.flow
        kind = "kept" if flow.kept else "new"
        return f"{flow.source_node or flow.source} → {flow.target}, {kind} {flow.protocol}"

    @property
    def lost_attempts(self) -> int:
        """Attempts that surely failed, but for single datagrams between two that were answered.

        Of a kept flow, those in pauses that an attempt would not have survived: a shorter one is as often the doing of
        a busy machine, and TCP makes up for it.
        """
        seen = self.timeline
        if not seen.flow.kept:
            return seen.failed_beyond_chance
        return sum(one.failed for one in seen.outages if one.least > seen.flow.timeout)

    @property
    def disturbed(self) -> bool:
        """Whether anything was lost."""
        return bool(self.lost_attempts or self.timeline.lost)

    @property
    def starved(self) -> bool:
        """Whether the sender stood still so often that neither its losses nor its silence say much of the network."""
        seen = self.timeline
        return seen.unjudged > STARVED * (seen.attempts + seen.unjudged)

    @property
    def told(self) -> bool:
        """Whether it was watched all the time, by a sender that kept its beat."""
        return not (self.unwatched or self.starved)


STARVED: Final = 0.2
"""Share of a flow's beats that its sender must have missed for the machine to be too busy to say anything."""


class WatchRecord(msgspec.Struct, kw_only=True):
    """Everything that one watch saw.

    `started` and `finished` are in seconds since the epoch. `event` is the command that was run meanwhile, or "", and
    `exit_code` what it ended with. `marks` are what was done, as far as it is known here.
    """

    run_id: str
    schema: str = SCHEMA
    netassay: str = ""
    started: float = 0.0
    finished: float = 0.0
    cluster: ClusterFacts = msgspec.field(default_factory=ClusterFacts)
    mode: str = ""
    event: str = ""
    exit_code: int | None = None
    marks: list[Mark] = []
    notes: list[str] = []
    flows: list[FlowRecord] = []


_DECODER: Final = msgspec.json.Decoder(WatchRecord)


def write_watch(folder: Path, record: WatchRecord) -> Path:
    """Write the record as `watch.json` into a folder, all of it or nothing; `HarnessFault` if that fails."""
    path = folder / WATCH_JSON
    write_whole(path, msgspec.json.encode(redact_record(record)))
    return path


def read_watch(path: Path) -> WatchRecord:
    """Read a `watch.json`, or the one in the folder `path`; `UsageError` if it can't be read or understood."""
    file = path / WATCH_JSON if path.is_dir() else path
    try:
        record = _DECODER.decode(file.read_bytes())
    except OSError as error:
        raise UsageError(f"could not read {file}: {error.strerror}; name the folder of a watch") from error
    except msgspec.DecodeError as error:
        raise UsageError(f"{file} is not the record of a watch: {error}") from error
    if record.schema != SCHEMA:
        raise UsageError(f"{file} is of schema {record.schema}, and this netassay reads {SCHEMA}")
    return record
