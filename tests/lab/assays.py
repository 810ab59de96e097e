"""One run of the main job against the lab, and what it came to."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from lab import modes

if TYPE_CHECKING:
    from pathlib import Path

SETTLED = {"holds", "absent by design", "not applicable"}

POLICY = """
[conformance]
missing = "ignore"
"""
"""For the gate: the baseline is a whole assay, the candidate only what a break is about."""


class Assay:
    """What one `netassay run` came to."""

    def __init__(self, folder: Path, *options: str, mode: str = modes.DEFAULT) -> None:
        command = [sys.executable, "-m", "netassay", "run", "--lab", mode, "--out", str(folder), *options]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        self.exit_code = done.returncode
        self.said = done.stdout + done.stderr
        self.folder = folder
        assert (folder / "run.json").exists(), self.said
        self.run: dict[str, Any] = json.loads((folder / "run.json").read_text())

    def claims(self, *verdicts: str) -> set[str]:
        return {check["claim"] for check in self.run["checks"] if check["verdict"] in verdicts}

    def messages(self, claim: str) -> str:
        return "\n".join(check.get("message", "") for check in self.run["checks"] if check["claim"] == claim)

    def gate(self, candidate: Assay) -> tuple[int, str]:
        """What the gate makes of the candidate after this one: its exit code, and the line of its decision."""
        policy = candidate.folder / "policy-of-the-test.toml"
        policy.write_text(POLICY)
        compared = [str(self.folder), str(candidate.folder)]
        command = [sys.executable, "-m", "netassay", "gate", *compared, "--policy", str(policy)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.partition("\n")[0]
