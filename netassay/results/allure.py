"""What Allure's results lack of the run: its surroundings, categories, and which absences are by design."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from netassay.errors import HarnessFault
from netassay.results.files import write_whole
from netassay.results.schema import CheckRecord, RunRecord, Verdict

if TYPE_CHECKING:
    from pathlib import Path

BY_DESIGN: Final = "Absent by design: "

CATEGORIES: Final = [
    {"name": "The network broke a promise", "matchedStatuses": ["failed"]},
    {"name": "The harness could not tell", "matchedStatuses": ["broken", "unknown"]},
    {"name": "Absent by design", "matchedStatuses": ["passed"], "messageRegex": f"(?s){BY_DESIGN}.*"},
    {"name": "Not applicable", "matchedStatuses": ["skipped"]},
]


def complete_allure(folder: Path, run: RunRecord) -> None:
    """Add to the results in `folder`, if there are any. `HarnessFault` if they can't be read or written."""
    if not folder.is_dir():
        return
    write_whole(folder / "environment.properties", _properties(run))
    write_whole(folder / "categories.json", json.dumps(CATEGORIES, indent=2))
    by_design = {_allure_name(record): record for record in run.checks if record.verdict is Verdict.ABSENT_BY_DESIGN}
    if not by_design:
        return
    try:
        for path in folder.glob("*-result.json"):
            result: dict[str, Any] = json.loads(path.read_text())
            record = by_design.get((result.get("fullName", ""), result.get("name", "")))
            if record is not None:
                result["statusDetails"] = {"message": BY_DESIGN + record.message}
                write_whole(path, json.dumps(result))
    except (OSError, ValueError) as error:
        raise HarnessFault(f"could not complete the Allure results in {folder}: {error}") from error


def _properties(run: RunRecord) -> str:
    cluster = run.cluster
    values = {
        "Cluster": f"lab:{cluster.lab}" if cluster.lab else cluster.server,
        "Kubernetes": cluster.version,
        "Nodes": len(cluster.nodes),
        "Mode": run.mode,
        "Service_proxy": cluster.service_proxy,
        "Kernels": ", ".join(sorted({node.kernel for node in cluster.nodes})),
        "netassay": run.netassay,
        "Run": run.run_id,
    }
    return "".join(f"{key}={_escaped(str(value))}\n" for key, value in values.items() if value)


def _escaped(value: str) -> str:
    """Escape as a Java properties file wants it."""
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def _allure_name(record: CheckRecord) -> tuple[str, str]:
    """Give what Allure calls the check: its full name (module#function) and its name, parameters included."""
    file, _, name = record.id.partition("::")
    return f"{file.removesuffix('.py').replace('/', '.')}#{name.partition('[')[0]}", name
