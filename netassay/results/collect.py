"""Putting a run together: its header and the events of all its processes become one record, and `run.json`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from netassay.claims import CLAIMS, FEATURES
from netassay.errors import HarnessFault, UsageError
from netassay.modes import load, names
from netassay.modes.detection import differences
from netassay.modes.limits import beyond
from netassay.modes.mode import GENERIC
from netassay.results.files import write_whole
from netassay.results.recorder import Compared, Event, Finished, Followed, Noted, Observed, Planned, Started, read_event
from netassay.results.redact import redact_tree
from netassay.results.schema import SCHEMA, Check, CheckRecord, RunRecord, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENTS: Final = "events"
HEADER: Final = "header.json"
RUN_JSON: Final = "run.json"

Identity: TypeAlias = "tuple[str, tuple[tuple[str, str], ...]]"
"""What tells a check from all others of a run: its id and its parameters."""

_DECODER: Final = msgspec.json.Decoder(RunRecord)


def write_header(run_dir: Path, header: RunRecord) -> None:
    """Keep what is known of a run before its checks begin, so that it isn't lost with the process that knows it."""
    write_whole(run_dir / HEADER, _encode(header))


def read_header(run_dir: Path) -> RunRecord:
    """Read what was known of a run before its checks began; `HarnessFault` if that was not kept, or can't be read."""
    try:
        return _DECODER.decode((run_dir / HEADER).read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise HarnessFault(f"could not read {run_dir / HEADER}: {error}") from error


def collect(run_dir: Path) -> RunRecord:
    """Merge the header and all events of a run's folder. Reads what there is, also of a run that was killed.

    Raises `HarnessFault` if the folder can't be read.
    """
    try:
        header = run_dir / HEADER
        run = _DECODER.decode(header.read_bytes()) if header.exists() else RunRecord(run_id=run_dir.name)
        files = sorted((run_dir / EVENTS).glob("*.jsonl"))
        left = [check for file in files for check in _merge(run, file.stem, _events(file, run.faults))]
    except (OSError, msgspec.DecodeError) as error:
        raise HarnessFault(f"could not read the results in {run_dir}: {error}") from error
    known = {_identity(record) for record in run.checks}
    # A check whose process was killed may have been made again by another; what that found out counts.
    for record in left:
        if _identity(record) not in known:
            known.add(_identity(record))
            run.checks.append(record)
    for check in _planned(files):
        if _identity(check) not in known:
            known.add(_identity(check))
            run.checks.append(_unfinished(check, "the check was planned and never begun"))
    run.checks.sort(key=_order)
    times = [
        time for record in run.checks if record.started for time in (record.started, record.started + record.seconds)
    ]
    run.started = run.started or min(times, default=0.0)
    run.finished = run.finished or max(times, default=0.0)
    if run.detection and run.mode in names():
        run.notes += beyond(load(run.mode), run.detection)
        if run.mode == GENERIC and (differ := differences(run.detection.nodes)):
            run.notes.append(differ)
    return run


def write_run_json(run_dir: Path, run: RunRecord) -> Path:
    """Write the record as `run.json` into the run's folder, all of it or nothing; `HarnessFault` if that fails."""
    path = run_dir / RUN_JSON
    write_whole(path, _encode(run))
    return path


def read_run(path: Path) -> RunRecord:
    """Read a `run.json`, or the one in the folder `path`; `UsageError` if there is none or it is of another schema."""
    file = path / RUN_JSON if path.is_dir() else path
    try:
        run = _DECODER.decode(file.read_bytes())
    except OSError as error:
        raise UsageError(
            f"could not read {file}: {error.strerror}; name the folder of a run (reports/runs/<id>) or its run.json"
        ) from error
    except msgspec.DecodeError as error:
        raise UsageError(f"{file} is not the record of a run: {error}") from error
    if run.schema != SCHEMA:
        raise UsageError(
            f"{file} is of schema {run.schema}, and this netassay reads {SCHEMA}: use the one that wrote it"
        )
    return run


def _encode(run: RunRecord) -> bytes:
    return msgspec.json.encode(redact_tree(msgspec.to_builtins(run)))


def _events(file: Path, faults: list[str]) -> Iterator[Event]:
    """Give a file's events. A torn last line is the mark of a killed process and no fault by itself."""
    unreadable = 0
    with file.open("rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                yield read_event(line)
            except HarnessFault:
                unreadable += line.endswith(b"\n")
    if unreadable:
        faults.append(f"{unreadable} events of {file.stem} can't be read, and are missing from the results")


def _merge(run: RunRecord, worker: str, events: Iterator[Event]) -> list[CheckRecord]:
    """Add one process's events to the run; give the checks that it left unfinished, as inconclusive."""
    begun: dict[Identity, list[Started]] = defaultdict(list)
    for event in events:
        match event:
            case Started():
                begun[_identity(event.check)].append(event)
            case Finished():
                if begun[_identity(event.check)]:
                    begun[_identity(event.check)].pop(0)
                run.checks.append(event.check)
            case Observed():
                run.observations.setdefault(event.check, []).extend(event.seen)
            case Noted():
                run.figures.append(event.figure)
            case Compared():
                run.matrices.append(event.matrix)
            case Followed():
                run.timelines.append(event.record)
            case Planned():
                pass  # read by themselves, once all that began is known
    reason = "the check was begun and never finished: its process ended or was killed while it ran"
    return [
        _unfinished(event.check, reason, worker=worker, started=event.at) for left in begun.values() for event in left
    ]


def _planned(files: list[Path]) -> Iterator[Check]:
    for file in files:
        for event in _events(file, []):
            if isinstance(event, Planned):
                yield event.check


def _unfinished(check: Check, reason: str, *, worker: str = "", started: float = 0.0) -> CheckRecord:
    return CheckRecord(
        id=check.id,
        verdict=Verdict.INCONCLUSIVE,
        claim=check.claim,
        feature=check.feature,
        title=check.title,
        message=reason,
        phase=check.phase,
        worker=worker,
        started=started,
        parameters=check.parameters,
        tags=check.tags,
    )


def _identity(check: Check | CheckRecord) -> Identity:
    return check.id, tuple(sorted(check.parameters.items()))


def _order(record: CheckRecord) -> tuple[int, int, str]:
    """Sort by feature and claim, in the order of the register, then by id."""
    features, claims = list(FEATURES), list(CLAIMS)
    return (
        features.index(record.feature) if record.feature in features else len(features),
        claims.index(record.claim) if record.claim in claims else len(claims),
        record.id,
    )
