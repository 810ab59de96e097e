"""A run's results as Allure reads them, made from its record: every check, also those that never came to an end."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from allure_commons import model2
from allure_commons.logger import AllureFileLogger

from netassay.allure.labels import full_name, labels, parameters
from netassay.allure.steps import SVG, TEXT, Piece, Step, Steps
from netassay.allure.surroundings import BY_DESIGN, CATEGORIES, environment_properties, executor
from netassay.claims import CLAIMS
from netassay.results.files import cannot_write
from netassay.results.naming import variant
from netassay.results.redact import redact_record
from netassay.results.rerun import rerun
from netassay.results.schema import CheckRecord, RunRecord, Verdict

ALLURE_RESULTS: Final = "allure-results"

STATUSES: Final = {
    Verdict.HOLDS: "passed",
    Verdict.BROKEN: "failed",
    Verdict.ABSENT_BY_DESIGN: "passed",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.INCONCLUSIVE: "broken",
}
EXTENSIONS: Final = {TEXT: "txt", SVG: "svg"}


def write_results(folder: Path, run: RunRecord) -> None:
    """Write the run's results into `folder`, in place of what is there: all of them or none.

    Raises `HarnessFault` if they can't be written.
    """
    clean = redact_record(run)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as made:
            _Writer(Path(made, folder.name)).write(clean)
            shutil.rmtree(folder, ignore_errors=True)
            Path(made, folder.name).rename(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error


class _Writer:
    """Writes the files of one run by Allure's own logger."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._logger, self._pieces = folder, AllureFileLogger(str(folder)), 0

    def write(self, run: RunRecord) -> None:
        steps = Steps(run)
        for record in run.checks:
            self._logger.report_result(self._result(run, record, steps.of(record)))
        for name, content in (
            ("environment.properties", environment_properties(run)),
            ("categories.json", json.dumps(CATEGORIES, indent=2)),
            ("executor.json", json.dumps(executor(run), indent=2)),
        ):
            (self._folder / name).write_text(content)

    def _result(self, run: RunRecord, record: CheckRecord, steps: list[Step]) -> Any:
        named = parameters(record)
        claim = CLAIMS.get(record.claim)
        told = variant(record)
        title = (record.title or record.id).rstrip(".")
        again = Piece("How to check it again", TEXT, shlex.join(rerun(run, record)))
        evidence = [Piece(piece.title, TEXT, piece.text) for piece in record.evidence]
        return model2.TestResult(
            # The same from run to run: Allure's history hangs on these.
            testCaseId=_digest(full_name(record)),
            historyId=_digest(record.id, *(f"{name}={value}" for name, value in sorted(named.items()))),
            fullName=full_name(record),
            uuid=_digest(run.run_id, record.id, str(record.started), *record.parameters.values()),
            name=f"{title} [{told}]" if told else title,
            titlePath=record.id.partition("::")[0].split("/"),
            description=claim.meaning if claim else None,
            status=STATUSES[record.verdict],
            stage="finished",
            statusDetails=_details(record),
            start=_milliseconds(record.started),
            stop=_milliseconds(record.started + record.seconds),
            labels=[model2.Label(name=name, value=value) for name, value in labels(record)],
            parameters=[model2.Parameter(name=name, value=value) for name, value in named.items()],
            steps=[self._step(step, record) for step in steps],
            attachments=[self._attach(piece) for piece in [*evidence, again]],
        )

    def _step(self, step: Step, record: CheckRecord) -> Any:
        began = step.began or record.started
        return model2.TestStepResult(
            name=step.name,
            status=step.status,
            stage="finished",
            start=_milliseconds(began),
            stop=_milliseconds(max(began, step.ended)),
            attachments=[self._attach(piece) for piece in step.pieces],
        )

    def _attach(self, piece: Piece) -> Any:
        self._pieces += 1
        source = f"{self._pieces:05}-attachment.{EXTENSIONS[piece.kind]}"
        self._logger.report_attached_data(piece.content, source)
        return model2.Attachment(name=piece.title, source=source, type=piece.kind)


def _details(record: CheckRecord) -> Any:
    """Give the message that stands first, and the whole of it where that has more lines."""
    if not record.message:
        return None
    message = record.message.partition("\n")[0]
    if record.verdict is Verdict.ABSENT_BY_DESIGN:
        message = BY_DESIGN + message
    return model2.StatusDetails(message=message, trace=record.message if "\n" in record.message else None)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
