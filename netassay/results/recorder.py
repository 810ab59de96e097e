"""Recording while checks run: each process appends events to a file of its own, `<run dir>/events/<worker>.jsonl`.

An event is one JSON line, written by one call, so that a killed process loses at most the event it was writing. Call
`check_planned` when checks are collected (optional: it lets a check that never began be told); for each check,
`check_started`, then `observations`, `note`, `matrix` and `timelines` as they are made, then `check_finished`. A check
that was begun and not finished is inconclusive; it is never left out.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from netassay.errors import HarnessFault
from netassay.observation import Observation  # noqa: TC001 - msgspec reads it at run time
from netassay.results.files import cannot_write
from netassay.results.redact import redact_tree
from netassay.results.schema import Check, CheckRecord, Figure, MatrixRecord, TimelineRecord
from netassay.results.tables import matrix_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from netassay.disruption import Timeline
    from netassay.matrix import AnyDifference


class Planned(msgspec.Struct, frozen=True, tag="planned", tag_field="event"):
    """A check that is going to be made."""

    check: Check


class Started(msgspec.Struct, frozen=True, tag="started", tag_field="event"):
    """A check that has begun."""

    check: Check
    at: float


class Finished(msgspec.Struct, frozen=True, tag="finished", tag_field="event"):
    """A check that has its verdict."""

    check: CheckRecord


class Observed(msgspec.Struct, frozen=True, tag="observed", tag_field="event"):
    """What a check saw."""

    check: str
    seen: list[Observation]


class Noted(msgspec.Struct, frozen=True, tag="noted", tag_field="event"):
    """What a check measured."""

    figure: Figure


class Compared(msgspec.Struct, frozen=True, tag="compared", tag_field="event"):
    """A truth table that a check filled in."""

    matrix: MatrixRecord


class Followed(msgspec.Struct, frozen=True, tag="followed", tag_field="event"):
    """Timelines of the flows that a check has watched."""

    record: TimelineRecord


Event = Planned | Started | Finished | Observed | Noted | Compared | Followed


class Recorder:
    """Appends the events of one process to one file. Safe to use from several threads.

    Whatever is written has been redacted. Every method raises `HarnessFault` if the file can't be written.
    """

    def __init__(self, path: Path) -> None:
        """Open `path` for appending; its folder is made, and its stem is the worker's name."""
        self.path = path
        self.worker = path.stem
        self._lock = threading.Lock()
        self._torn = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise cannot_write(path, error) from error

    def check_planned(self, checks: Iterable[Check]) -> None:
        """Say which checks are going to be made, by this or another process."""
        for check in checks:
            self._append(Planned(check))

    def check_started(self, check: Check) -> None:
        """Say that a check begins, now."""
        self._append(Started(check, time.time()))

    def check_finished(self, record: CheckRecord) -> None:
        """Say how a check ended."""
        self._append(Finished(msgspec.structs.replace(record, worker=record.worker or self.worker)))

    def observations(self, check_id: str, seen: Sequence[Observation]) -> None:
        """Keep what a check saw; "" for observations made outside any check."""
        if seen:
            self._append(Observed(check_id, list(seen)))

    def note(self, check_id: str, key: str, value: float, unit: str = "") -> None:
        """Keep a measured figure, such as the seconds from a pod's creation to its first answer."""
        self._append(Noted(Figure(check_id, key, float(value), unit)))

    def matrix(
        self, check_id: str, title: str, difference: AnyDifference, classes: Mapping[str, str] | None = None
    ) -> None:
        """Keep a truth table for the report, whether or not anything is wrong in it; `classes` are those of nodes."""
        self._append(Compared(matrix_record(check_id, title, difference, classes)))

    def timelines(self, check_id: str, event: str, timelines: Sequence[Timeline]) -> None:
        """Keep what an event did to the flows that were watched."""
        self._append(Followed(TimelineRecord(check=check_id, event=event, timelines=list(timelines))))

    def close(self) -> None:
        """Close the file; the recorder is of no more use."""
        os.close(self._file)

    def _append(self, event: Event) -> None:
        line = msgspec.json.encode(redact_tree(msgspec.to_builtins(event))) + b"\n"
        with self._lock:
            # After a write that broke off, a line break keeps the torn line from swallowing this one.
            rest = memoryview(b"\n" + line if self._torn else line)
            try:
                while rest:
                    rest = rest[os.write(self._file, rest) :]
                self._torn = False
            except OSError as error:
                self._torn = True
                raise cannot_write(self.path, error) from error


_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def read_event(line: bytes) -> Event:
    """Read one event; `HarnessFault` if the line is torn or of another version."""
    try:
        return _DECODER.decode(line)
    except msgspec.DecodeError as error:
        raise HarnessFault(f"an event can't be read: {error}: {line[:80]!r}") from error
