"""The gate: the decision between two runs, by a policy, with what could not be judged counted as neither."""

from netassay.gate.decide import decide
from netassay.gate.evidence import Evidence, read_evidence
from netassay.gate.policy import Policy, read_policy, usual_policy
from netassay.gate.schema import Decision, GateRecord, Item, Ruling

__all__ = [
    "Decision",
    "Evidence",
    "GateRecord",
    "Item",
    "Policy",
    "Ruling",
    "decide",
    "read_evidence",
    "read_policy",
    "usual_policy",
]
