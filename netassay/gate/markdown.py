"""The gate's summary for merge requests, in Markdown that GitHub and GitLab both show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from netassay.gate.schema import Decision, Ruling
from netassay.results.redact import redact_record

if TYPE_CHECKING:
    from netassay.gate.schema import GateRecord

SIGN: Final = {Decision.GO: "✅", Decision.NO_GO: "❌", Decision.CANNOT_DECIDE: "❔"}
TOLD: Final = 20
"""Items of a ruling that are listed."""


def markdown(record: GateRecord) -> str:
    """Give it, without secrets; what came from a cluster is shown as text, whatever it looks like."""
    record = redact_record(record)
    lines = [f"## {SIGN[record.decision]} netassay gate: {record.decision}", "", _text(record.reason), ""]
    lines += ["| | baseline | candidate |", "| --- | --- | --- |"]
    for title, of in (
        ("results", lambda side: "; ".join(side.evidence) or "none"),
        ("mode", lambda side: side.mode + (f" ({side.lab})" if side.lab else "")),
        ("Kubernetes", lambda side: side.version),
    ):
        cells = [_cell(of(side)) for side in (record.baseline, record.candidate)]
        lines.append(f"| {title} | {cells[0]} | {cells[1]} |")
    lines += ["", *(f"- **{area}**: {_text(told)}" for area, told in record.judged.items())]
    for ruling, title in (
        (Ruling.NO_GO, "What stands against it"),
        (Ruling.UNDECIDED, "What could not be decided"),
        (Ruling.EXCEPTED, "Known exceptions"),
        (Ruling.NOTE, "Worth knowing"),
    ):
        items = record.of(ruling)
        if not items:
            continue
        lines += ["", f"### {title} ({len(items)})", ""]
        for item in items[:TOLD]:
            lines.append(f"- {_text(item.text)}" + (f" *Accepted: {_text(item.exception)}*" if item.exception else ""))
        if len(items) > TOLD:
            lines.append(f"- and {len(items) - TOLD} more, in gate.html")
    return "\n".join(lines) + "\n"


def _text(words: str) -> str:
    """Keep Markdown and HTML in words from being read as such."""
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", words.replace("\n", " ")).replace("@", "@\u200b")


def _cell(words: str) -> str:
    return _text(words) or " "
