"""python -m benchmarks.scale: measure what many nodes cost, and write docs/scale.json and docs/scale.svg.

    python -m benchmarks.scale agents 2 5 10 20 50 100 200 500       # real agents on loopback
    python -m benchmarks.scale controller 10 50 100 500 1000 2000 5000   # the controller, against a stand-in
    python -m benchmarks.scale render                                # the plot, and the tables for docs/scale.md

Each size is measured in processes of its own, with all pairs up to `--full-up-to` nodes, and with the
usual sample. What was measured before at the same size is replaced.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from netassay.sampling import PER_NODE

RESULTS = Path(__file__).parents[2] / "docs" / "scale.json"
LONGEST = 1800


def main() -> None:
    """Measure, or render."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("agents", "controller", "render"))
    parser.add_argument("counts", type=int, nargs="*", metavar="N", help="nodes")
    parser.add_argument(
        "--full-up-to", type=int, default=1000, metavar="N", help="nodes up to which all pairs are tried"
    )
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.what == "render":
        from benchmarks.scale.page import render  # noqa: PLC0415 - needs the extra `bench`

        render(RESULTS)
    elif options.here:
        (count,) = options.counts
        # The sample first: the most memory that was held can only grow.
        _measure(options.what, count, full=[False] * (count > 4 * PER_NODE) + [True] * (count <= options.full_up_to))
    else:
        for count in options.counts:
            _apart(options.what, count, options.full_up_to)


def _measure(what: str, count: int, *, full: list[bool]) -> None:
    from benchmarks.scale import agents, controller  # noqa: PLC0415 - what is measured is not to hold more than it needs

    {"agents": agents, "controller": controller}[what].measure(count, full=full)


def _apart(what: str, count: int, full_up_to: int) -> None:
    """Measure in a process of its own, and keep what it says, line by line."""
    argv = [sys.executable, "-m", "benchmarks.scale", what, str(count), "--here", f"--full-up-to={full_up_to}"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, timeout=LONGEST, check=False)
    for line in done.stdout.splitlines():
        keep(what, json.loads(line))
    if done.returncode:
        print(f"{what} {count}: exit code {done.returncode}")


def keep(what: str, measured: dict[str, Any]) -> None:
    """Print a measurement, and put it into the results in place of an earlier one."""
    print(json.dumps(measured))
    measured["date"] = dt.datetime.now(dt.UTC).date().isoformat()
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kernel = ".".join(platform.release().split(".")[:2])
    found["machine"] = f"{os.cpu_count()} cores, {memory_gib():.0f} GiB, Linux {kernel}"
    found["python"] = platform.python_version()
    same = (measured["probes"], measured["sampled"])
    rows = [row for row in found.get(what, []) if (row["probes"], row["sampled"]) != same]
    found[what] = sorted([*rows, measured], key=lambda row: (row["sampled"], row["probes"]))
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


def memory_gib() -> float:
    """This machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


if __name__ == "__main__":
    main()
