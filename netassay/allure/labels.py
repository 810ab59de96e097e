"""What Allure sorts results by: epic, feature, story, severity, and parameters that are the same in every run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netassay.claims import FEATURES
from netassay.results.naming import claim_title, variant

if TYPE_CHECKING:
    from netassay.results.schema import CheckRecord

EPICS: Final = {
    "pod_network": "Pods reach each other",
    "reachability": "Pods reach each other",
    "services": "Names and Services lead to pods",
    "dns": "Names and Services lead to pods",
    "ingress": "Names and Services lead to pods",
    "network_policy": "Policies keep others out",
    "disruption": "Traffic outlives events and load",
    "throughput": "Traffic outlives events and load",
    "cni_modes": "The CNI mode is what it says",
}
"""A feature's epic: what users want of a network."""

SEVERITIES: Final = {
    "pod_network": "blocker",
    "reachability": "blocker",
    "network_policy": "critical",
    "services": "critical",
    "dns": "critical",
    "ingress": "normal",
    "disruption": "normal",
    "throughput": "normal",
    "cni_modes": "minor",
}
"""How much is lost with a feature's promises: all, safety or whole applications, some of them, none by itself."""

OTHER: Final = "Other"


def labels(record: CheckRecord) -> list[tuple[str, str]]:
    """Give a check's labels as name and value; one name may come more than once."""
    file = record.id.partition("::")[0]
    found = [
        ("epic", EPICS.get(record.feature, OTHER)),
        ("feature", FEATURES.get(record.feature, OTHER)),
        ("story", claim_title(record.claim)),
        ("severity", SEVERITIES.get(record.feature, "normal")),
        ("parentSuite", "netassay"),
        ("suite", record.feature or OTHER),
        ("subSuite", file.rpartition("/")[2].removesuffix(".py")),
        ("framework", "netassay"),
        ("language", "python"),
        *(("tag", tag) for tag in [str(record.verdict), *record.tags]),
    ]
    # Allure's timeline wants a host and a thread: its lines are the run's phases and workers.
    if record.phase and record.worker:
        found += [("host", record.phase), ("thread", record.worker)]
    return found


def full_name(record: CheckRecord) -> str:
    """Name a check without its parameters: with them, it is what Allure knows a check by from run to run."""
    return record.id.partition("[")[0]


def parameters(record: CheckRecord) -> dict[str, str]:
    """Give those parameters that stand in the check's own name; what can't be told by them is the `variant`.

    Others are objects of the harness, whose words hold ports and may change with any version.
    """
    told = variant(record)
    named = {name: value for name, value in record.parameters.items() if value and value in told}
    return named if len(named) == len(record.parameters) else {**named, "variant": told}
