"""What the harness does with a check of all pods to all pods, measured: plan, attempts, matrix, record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.scale.usage import Step
from netassay.fleet.probe import make_attempts
from netassay.matrix import Expected
from netassay.observation import Attempt, Protocol
from netassay.results.recorder import Recorder
from netassay.sampling import plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from netassay.cell import End
    from netassay.fleet import Probe

SEED = 7
TIMEOUT = 5.0


def attempt(_: Probe, target: Probe) -> Attempt:
    """One TCP attempt, as checks of reachability make it."""
    return Attempt(protocol=Protocol.TCP, host=target.address, port=target.ports["tcp"], timeout=TIMEOUT)


def check(probes: Sequence[Probe], folder: Path, *, full: bool) -> dict[str, Any]:
    """Make the check of TCP from every pod to every pod, or to those that are sampled; what it took.

    `wrong` counts cells that were not answered as they should have been: this machine's doing, as nothing is broken.
    """
    with Step() as planning:
        planned = plan([probe.node for probe in probes], full_up_to=len(probes) if full else 0, seed=SEED)
        words = "" if planned.whole else planned.describe()
        expected: Expected[Probe, End] = Expected.open_among(planned.among(probes, probes), probes, sample=words)
    recorder = Recorder(folder / f"{'all' if full else 'sample'}.jsonl")
    with Step() as attempts:
        seen = make_attempts(expected.work(attempt))
    with Step() as recording:
        for row in seen.values():
            recorder.observations("check", row)
        difference = expected.difference(expected.observed(seen))
        recorder.matrix("check", "pods to pods", difference)
        said = difference.describe()
    recorder.close()
    return {
        "probes": len(probes),
        "sampled": not planned.whole,
        "pairs": len(expected.opens),
        "wrong": len(difference.wrong) + len(difference.unknown),
        "said": said[:300] if difference else "",
        "plan_seconds": planning.seconds,
        "attempt_seconds": attempts.seconds,
        "attempt_cpu": attempts.cpu,
        "record_seconds": recording.seconds,
        "record_mib": round(recorder.path.stat().st_size / 2**20, 2),
    }


def print_json(measured: dict[str, Any]) -> None:
    """Hand a measurement to the process that asked for it."""
    print(json.dumps(measured), flush=True)
