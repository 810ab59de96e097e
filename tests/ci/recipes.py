"""The recipes of `deploy/ci/`, and the shell that is in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
CI: Final = ROOT / "deploy" / "ci"
GITHUB: Final = sorted((CI / "github").glob("*.yml"))
GITLAB: Final = sorted((CI / "gitlab").glob("*.yml"))
JENKINS: Final = sorted((CI / "jenkins").iterdir())
TEKTON: Final = sorted((CI / "tekton").glob("*.yaml"))

HEADS: Final = {
    "github": "#!/bin/bash\nset -eo pipefail\n",
    "gitlab": "#!/bin/bash\nset -eo pipefail\n",
    "jenkins": "#!/bin/sh\nset -xe\n",
    "tekton": "",
}
"""How each system starts the shell of a recipe; Tekton's scripts say it themselves."""


def documents(file: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(file.read_text()) if each]


def shells(file: Path) -> dict[str, str]:
    """The scripts of a recipe by the names of their steps, each as its system would run it."""
    kind = file.parent.name
    found: dict[str, str] = {}
    if kind == "github":
        for job in documents(file)[0]["jobs"].values():
            found |= {step["name"]: step["run"] for step in job["steps"] if "run" in step}
    elif kind == "gitlab":
        for name, job in documents(file)[0].items():
            found[name] = "\n".join(job["script"]) + "\n"
    elif kind == "jenkins":
        text = file.read_text()
        stages = re.findall(r"stage\('(\w+)'\) \{(.*?)(?=stage\('|\n    post)", text, re.DOTALL)
        for name, body in stages:
            for script in re.findall(r"sh(?:\(script:)? '([^']*)'", body):
                found[name] = script + "\n"
    else:
        for task in documents(file):
            for step in task["spec"].get("steps", []):
                found[step["name"]] = step["script"]
    return {name: HEADS[kind] + script for name, script in found.items()}
