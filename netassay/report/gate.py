"""The page of a gate: the decision first, then what stands against it, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from netassay.gate.schema import Decision, Ruling
from netassay.report.environment import environment
from netassay.report.words import moment
from netassay.results.files import write_whole
from netassay.results.redact import redact_record

if TYPE_CHECKING:
    from pathlib import Path

    from netassay.gate.schema import GateRecord, Item, Side

GATE_HTML: Final = "gate.html"
STYLE_OF: Final = {Decision.GO: "holds", Decision.NO_GO: "broken", Decision.CANNOT_DECIDE: "inconclusive"}
SECTIONS: Final = (
    (Ruling.NO_GO, "What stands against it", "broken"),
    (Ruling.UNDECIDED, "What could not be decided", "inconclusive"),
    (Ruling.EXCEPTED, "Known exceptions", "absent-by-design"),
    (Ruling.NOTE, "Worth knowing", "not-applicable"),
)


@dataclass(frozen=True)
class SideView:
    """One side in words."""

    title: str
    folder: str
    evidence: list[str]
    mode: str
    lab: str
    version: str
    when: str


@dataclass(frozen=True)
class SectionView:
    """The items of one ruling."""

    title: str
    style: str
    anchor: str
    items: list[Item]


@dataclass(frozen=True)
class GateView:
    """The whole page."""

    decision: str
    style: str
    reason: str
    sides: list[SideView]
    judged: list[tuple[str, str]]
    sections: list[SectionView]
    fine: list[Item]
    when: str
    policy: str
    netassay: str


def gate_view(record: GateRecord) -> GateView:
    """Make the view of a gate."""
    return GateView(
        decision=str(record.decision),
        style=STYLE_OF[record.decision],
        reason=record.reason,
        sides=[_side("Baseline", record.baseline), _side("Candidate", record.candidate)],
        judged=list(record.judged.items()),
        sections=[
            SectionView(title, style, ruling.name.lower().replace("_", "-"), items)
            for ruling, title, style in SECTIONS
            if (items := record.of(ruling))
        ],
        fine=record.of(Ruling.FINE),
        when=moment(record.decided),
        policy=record.policy,
        netassay=record.netassay,
    )


def _side(title: str, side: Side) -> SideView:
    when = moment(side.started)
    return SideView(title, side.folder, side.evidence, side.mode, side.lab, side.version, when)


def render_gate(record: GateRecord) -> str:
    """Give the page: self-contained, without scripts or secrets, and all that came from a cluster escaped."""
    return environment().get_template("gate.html.j2").render(page=gate_view(redact_record(record)))


def write_gate_page(folder: Path, record: GateRecord) -> Path:
    """Write the page into a folder. `HarnessFault` if it can't be written."""
    path = folder / GATE_HTML
    write_whole(path, render_gate(record))
    return path
