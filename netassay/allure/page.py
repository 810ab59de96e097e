"""Allure's own page of a run, with the runs before it as its history: one HTML file that asks no other host.

Allure 3 comes from npm, pinned and locked in `reports/allure/`; its page of version 3.18 counts its visitors at a host
of Google's, which has no switch. That is cut out, and the page forbids itself any request on top.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from netassay import bundle
from netassay.allure.results import ALLURE_RESULTS, write_results
from netassay.allure.surroundings import CATEGORIES
from netassay.errors import HarnessFault
from netassay.npm import installed
from netassay.results.files import write_whole
from netassay.results.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from netassay.results.schema import RunRecord

ALLURE_HTML: Final = "allure.html"

PATIENCE: Final = 300.0
"""Seconds that Allure may take for one run; it takes about two."""

POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline' data: blob:; style-src 'unsafe-inline' data:; "
    "img-src data: blob:; font-src data:; connect-src data: blob:; frame-src data: blob:; media-src data: blob:"
)
"""What the page may load: only what is in it."""

_OUTSIDE_SCRIPT: Final = re.compile(r"<script\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>\s*</script>", re.IGNORECASE)
_COUNTING_SCRIPT: Final = re.compile(r"<script>[^<]*\bgtag\([^<]*</script>")
_OUTSIDE: Final = re.compile(
    r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>|googletagmanager|google-analytics",
    re.IGNORECASE,
)


def write_allure_page(path: Path, run: RunRecord, before: Sequence[RunRecord] = ()) -> None:
    """Write Allure's page of `run` to `path`; `before` are earlier runs of the same cluster, the oldest first.

    Raises `HarnessFault` if Node.js is missing, or Allure can't be installed, run, or kept from asking other hosts.
    """
    allure = installed(bundle.root() / "reports" / "allure") / "allure" / "cli.js"
    with tempfile.TemporaryDirectory(prefix="netassay-allure-") as made:
        there = Path(made)
        history = there / "history.jsonl"
        for number, earlier in enumerate(before):
            results = there / str(number) / ALLURE_RESULTS
            write_results(results, earlier)
            _allure(there, allure, "history", str(results), "--history-path", str(history), "--name", earlier.run_id)
        _date(history, before)
        write_results(there / ALLURE_RESULTS, run)
        _settings(there / "allurerc.json", run, history)
        command = ["awesome", str(there / ALLURE_RESULTS), "--config", str(there / "allurerc.json"), "--single-file"]
        _allure(there, allure, *command, "--group-by", "epic,feature,story", "--output", str(there / "page"))
        try:
            page = next((there / "page").rglob("index.html")).read_text()
        except (OSError, StopIteration) as error:
            raise HarnessFault(f"Allure left no page behind: {error}") from error
        write_whole(path, sealed(page))


def sealed(page: str) -> str:
    """Cut out what asks other hosts, and forbid the rest. `HarnessFault` if something is left that would ask."""
    page = _COUNTING_SCRIPT.sub("", _OUTSIDE_SCRIPT.sub("", page))
    left = _OUTSIDE.search(page)
    if left:
        raise HarnessFault(
            f"Allure's page would ask another host ({left.group()[:100]}), and is not written: it is of another "
            "version than this netassay knows"
        )
    head, tag, rest = page.partition("<head>")
    if not tag:
        raise HarnessFault("Allure's page has no head to forbid requests in, and is not written")
    return f'{head}{tag}<meta http-equiv="Content-Security-Policy" content="{POLICY}">{rest}'


def _settings(path: Path, run: RunRecord, history: Path) -> None:
    name = f"{run.mode or 'netassay'}: run {run.run_id}"
    path.write_text(json.dumps({"name": name, "historyPath": str(history), "categories": CATEGORIES}))


def _date(history: Path, runs: Sequence[RunRecord]) -> None:
    """Give the points of the history the times of their runs: Allure has dated them now."""
    if not runs:
        return
    points: list[dict[str, Any]] = [json.loads(line) for line in history.read_text().splitlines() if line.strip()]
    for point, run in zip(points, runs, strict=True):
        point["timestamp"] = round(run.started * 1000)
    history.write_text("".join(f"{json.dumps(point)}\n" for point in points))


def _allure(there: Path, cli: Path, *arguments: str) -> None:
    """Run Allure in a folder, as it leaves files where it is run.

    It prints its complaints and may end with 0 all the same: who needs a file has to look for it.
    """
    try:
        done = subprocess.run(
            ["node", str(cli), *arguments],
            cwd=there,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "ALLURE_NO_ANALYTICS": "true", "NO_COLOR": "1"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HarnessFault(f"could not run Allure: {error}") from error
    if done.returncode:
        said = redact((done.stdout + done.stderr).strip())[-1500:]
        raise HarnessFault(f"Allure ended with exit code {done.returncode}; it said:\n{said}")
