"""The record of a gate, as `gate.json` holds it. `SCHEMA` changes whenever its meaning does."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

SCHEMA: Final = "netassay.gate/1"


class Decision(StrEnum):
    """The three ways for a gate to decide."""

    GO = "GO"
    NO_GO = "NO-GO"
    CANNOT_DECIDE = "CANNOT DECIDE"

    @property
    def exit_code(self) -> int:
        """What a process says: 0 go, 1 no-go, 3 cannot decide (2 is left to wrong usage)."""
        return {Decision.GO: 0, Decision.NO_GO: 1, Decision.CANNOT_DECIDE: 3}[self]


class Ruling(StrEnum):
    """What one item says about the decision. `NOTE` says nothing about it, and is for a reader."""

    NO_GO = "no-go"
    UNDECIDED = "cannot be decided"
    EXCEPTED = "excepted"
    NOTE = "note"
    FINE = "fine"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    `key` names it, and is what exceptions match: "conformance/<check>", "performance/<cell> <metric>",
    "disruption/<flow>", "mode", "node/<name>" … `text` is a sentence, `exception` the reason of the one that applies.
    """

    key: str
    ruling: Ruling
    text: str
    exception: str = ""

    @property
    def area(self) -> str:
        """What it belongs to: the first part of its key."""
        return self.key.partition("/")[0]


class Side(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one of the two sides is, in words; `lab` as `results.schema.lab_name` gives it."""

    folder: str
    run_id: str = ""
    mode: str = ""
    lab: str = ""
    version: str = ""
    started: float = 0.0
    evidence: list[str] = []


class GateRecord(msgspec.Struct, kw_only=True):
    """A decision, its reason in one sentence, and all that it rests on.

    `judged` says what was looked at in each area. `decided` is in seconds since the epoch.
    """

    decision: Decision
    reason: str
    baseline: Side
    candidate: Side
    schema: str = SCHEMA
    netassay: str = ""
    decided: float = 0.0
    policy: str = ""
    judged: dict[str, str] = {}
    items: list[Item] = []

    def of(self, ruling: Ruling) -> list[Item]:
        """The items of this ruling, in order."""
        return [item for item in self.items if item.ruling is ruling]
