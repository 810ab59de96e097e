"""How checks are named to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netassay.claims import CLAIMS
from netassay.results.schema import Verdict, lab_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netassay.results.schema import Check, CheckRecord, ClusterFacts
    from netassay.results.shelf import ShelvedCheck


def claim_title(claim_id: str) -> str:
    """Give a claim's title; the id itself, if the register does not know it."""
    return CLAIMS[claim_id].title if claim_id in CLAIMS else claim_id or "no claim"


def variant(check: Check | CheckRecord | ShelvedCheck) -> str:
    """Tell a check from others of its kind: by what pytest calls its parameters, else by the parameters themselves."""
    name = check.id.rpartition("::")[2]
    if name.endswith("]"):
        return name.partition("[")[2].removesuffix("]")
    return ", ".join(f"{key} {value}" for key, value in check.parameters.items())


def name_of(check: Check | CheckRecord | ShelvedCheck) -> str:
    """Name a check: its claim, what it looks at, and its variant."""
    what = (check.title or check.id).rstrip(".")
    told = variant(check)
    return f"{claim_title(check.claim)}: {what}" + (f" ({told})" if told else "")


def network_name(cluster: ClusterFacts, mode: str) -> str:
    """Name the network that runs are of: the cluster, and its CNI mode."""
    return f"{lab_name(cluster) or cluster.server or 'an unknown cluster'}, mode {mode or 'unknown'}"


def first_line(message: str) -> str:
    """Give the first line of a message, where there is room for one; with the next, if it only announces that."""
    lines = [line.strip() for line in message.splitlines()[:2]]
    return " ".join(lines if lines and lines[0].endswith(":") else lines[:1])


def alike(records: Iterable[CheckRecord]) -> list[list[CheckRecord]]:
    """Put together what need not be said more than once: inconclusive checks that give the very same reason."""
    groups: dict[object, list[CheckRecord]] = {}
    for number, record in enumerate(records):
        key = record.message if record.verdict is Verdict.INCONCLUSIVE and record.message else number
        groups.setdefault(key, []).append(record)
    return list(groups.values())
