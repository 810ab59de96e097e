"""Decisions about a real link that loses a tenth of its throughput, and about one that stays as it is: how often right?

    python -m benchmarks.link_loss --kubeconfig FILE [--trials 20] [--blocks 10] [--seconds 1] [--device flannel.1]

In the lab that runs. A trial measures the bench's cell pod.ipv4.tcp-1 in three sets of blocks, alternating in random
order: a baseline, the same again, and with `tc … tbf` on both nodes' device that leaves nine tenths of what the
baseline's median was before. The gate's decision must be PASS about the second and FAIL about the third. Exit code 1 if
more than one in twenty decisions of either kind is another.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.by_hand import CELL, OMIT, by_harness
from benchmarks.pods import arguments, pods
from lab import state
from netassay.bench.cells import Level, gated
from netassay.stats import Outcome, decide

if TYPE_CHECKING:
    from netassay.bench.topology import Topology

LOSS = 0.1
WRONG = 0.05
WANTED = {"unchanged": Outcome.PASS, "a tenth lost": Outcome.FAIL}


def shape(device: str, gbps: float) -> None:
    """Hold the device of each node of the lab to a rate; to none for 0."""
    lab = state.running()
    if lab is None:
        raise SystemExit("no lab runs: `netassay lab up` first")
    what = ["root", "tbf", "rate", f"{gbps * 1000:.0f}mbit", "burst", "256k", "latency", "20ms"]
    for node in lab.nodes:
        command = ["replace", "dev", device, *what] if gbps else ["del", "dev", device, "root"]
        subprocess.run([*lab.enter(node), "tc", "qdisc", *command], check=bool(gbps), stderr=subprocess.DEVNULL)


def trial(topology: Topology, level: Level, blocks: int, device: str, *, left: float) -> dict[str, list[float]]:
    """Gbit/s of each set's blocks; `left` is the rate of what is left of the link."""
    found: dict[str, list[float]] = {"baseline": [], **{name: [] for name in WANTED}}
    for _ in range(blocks):
        for name in random.sample(sorted(found), len(found)):
            shape(device, left if name == "a tenth lost" else 0)
            found[name].append(by_harness(topology, level))
    shape(device, 0)
    return found


def main() -> int:
    """Make the trials, and print each decision."""
    parser = arguments(__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--device", default="flannel.1")
    options = parser.parse_args()
    level = Level(title="", blocks=options.blocks, seconds=options.seconds, omit=OMIT, paths=(), loads=())
    (rule,) = (each for each in gated() if each.cell == CELL.id and each.metric == "gbps")
    right = dict.fromkeys(WANTED, 0)
    with pods(options) as topology:
        usual = statistics.median(by_harness(topology, level) for _ in range(options.blocks))
        for number in range(options.trials):
            sets = trial(topology, level, options.blocks, options.device, left=(1 - LOSS) * usual)
            usual = statistics.median(sets["baseline"])
            for name, wanted in WANTED.items():
                decision = decide(sets["baseline"], sets[name], margin=rule.margin, better=rule.better)
                right[name] += decision.verdict is wanted
                print(f"{number + 1}: {name}: {decision.verdict}: {decision.sentence}", flush=True)
    print(f"right of {options.trials}: " + ", ".join(f"{name} {count}" for name, count in right.items()))
    return int(any(options.trials - count > WRONG * options.trials for count in right.values()))


if __name__ == "__main__":
    sys.exit(main())
