"""What Allure is told of the whole run: its environment, who made it, and the categories of what went wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netassay.results.schema import RunRecord

BY_DESIGN: Final = "Absent by design: "
"""How the message of a result begins that is neither a pass nor a failure; Allure has no status for it."""

CATEGORIES: Final[list[dict[str, Any]]] = [
    {"name": "The network broke a promise", "matchedStatuses": ["failed"]},
    {"name": "The harness could not tell", "matchedStatuses": ["broken", "unknown"]},
    {"name": "Absent by design", "matchedStatuses": ["passed"], "messageRegex": f"^{BY_DESIGN}[\\s\\S]*"},
    {"name": "Not applicable", "matchedStatuses": ["skipped"]},
]


def environment_properties(run: RunRecord) -> str:
    """Give `environment.properties`: the cluster, and what decides how its network behaves."""
    cluster = run.cluster
    values = {
        "Cluster": f"lab:{cluster.lab}" if cluster.lab else cluster.server,
        "Stands_in_for": cluster.stands_in_for,
        "Kubernetes": cluster.version,
        "Nodes": len(cluster.nodes),
        "Mode": run.mode,
        "Service_proxy": cluster.service_proxy,
        "Kernels": ", ".join(sorted({node.kernel for node in cluster.nodes})),
        "Runtimes": ", ".join(sorted({node.runtime for node in cluster.nodes})),
        "netassay": run.netassay,
        "Run": run.run_id,
    }
    return "".join(f"{key}={_escaped(str(value))}\n" for key, value in values.items() if value)


def executor(run: RunRecord, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Give `executor.json`: the CI job that this is, by what it says of itself in its environment; else netassay."""
    build: dict[str, Any] = {"buildName": run.run_id, "buildOrder": int(run.started)}
    if environ.get("GITHUB_ACTIONS"):
        home = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
        url = f"{home}/actions/runs/{environ.get('GITHUB_RUN_ID', '')}"
        return {"name": "GitHub Actions", "type": "github", "buildUrl": url, **build}
    if environ.get("GITLAB_CI"):
        return {"name": "GitLab CI", "type": "gitlab", "buildUrl": environ.get("CI_JOB_URL", ""), **build}
    if environ.get("JENKINS_URL"):
        return {"name": "Jenkins", "type": "jenkins", "buildUrl": environ.get("BUILD_URL", ""), **build}
    return {"name": "netassay", "type": "netassay", **build}


def _escaped(value: str) -> str:
    """Escape as a Java properties file wants it."""
    return value.replace("\\", "\\\\").replace("\n", "\\n")
