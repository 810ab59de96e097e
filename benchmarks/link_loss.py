"""Decisions about a link that loses a tenth of its throughput, and about one that stays as it is: how often right?

    python -m benchmarks.link_loss --kubeconfig FILE [--trials 20] [--blocks 10] [--mbps 1000] [--device flannel.1]

In the lab that runs. A link is the device of both nodes, held to a rate by tc's tbf. A trial measures the bench's cell
pod.ipv4.tcp-1 for a second at a time, in three sets of blocks that alternate in random order: a baseline, the same
again, and one with nine tenths of the rate. The gate's decision must be PASS about the second and FAIL about the third.
Exit code 1 if more than one in twenty decisions of either kind is another.
"""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.by_hand import CELL, by_harness
from benchmarks.pods import arguments, pods
from lab import state
from netassay.bench.cells import Level, gated
from netassay.stats import Outcome, decide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.state import LabState
    from netassay.bench.topology import Topology

BASELINE = "baseline"
LEFT = {BASELINE: 1.0, "unchanged": 1.0, "a tenth lost": 0.9}
WANTED = {"unchanged": Outcome.PASS, "a tenth lost": Outcome.FAIL}
WRONG = 0.05
SECONDS = 1


class Link:
    """A device of each node of the lab, as a link of a certain rate."""

    def __init__(self, lab: LabState, device: str) -> None:
        """Its rate is yet to be set."""
        self._lab, self._device = lab, device

    @classmethod
    @contextmanager
    def of(cls, device: str) -> Iterator[Link]:
        """The link, for as long as it has a rate."""
        lab = state.running()
        if lab is None:
            raise SystemExit("no lab runs: `netassay lab up` first")
        link = cls(lab, device)
        try:
            yield link
        finally:
            link._do("del", "root", check=False)

    def hold_to(self, mbps: float) -> None:
        """Let through so many megabits a second."""
        self._do("replace", "root", "tbf", "rate", f"{mbps:.0f}mbit", "burst", "256k", "latency", "20ms")

    def _do(self, what: str, *arguments: str, check: bool = True) -> None:
        for node in self._lab.nodes:
            command = [*self._lab.enter(node), "tc", "qdisc", what, "dev", self._device, *arguments]
            subprocess.run(command, check=check)


def trial(topology: Topology, link: Link, blocks: int, mbps: float) -> dict[str, list[float]]:
    """Gbit/s of each set's blocks."""
    level = Level(title="", blocks=blocks, seconds=SECONDS, omit=0, paths=(), loads=())
    found: dict[str, list[float]] = {name: [] for name in LEFT}
    for _ in range(blocks):
        for name in random.sample(sorted(LEFT), len(LEFT)):
            link.hold_to(mbps * LEFT[name])
            found[name].append(by_harness(topology, level))
    return found


def main() -> int:
    """Make the trials, and print each decision."""
    parser = arguments(__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--mbps", type=float, default=1000.0)
    parser.add_argument("--device", default="flannel.1")
    options = parser.parse_args()
    (rule,) = (each for each in gated() if each.cell == CELL.id and each.metric == "gbps")
    right = dict.fromkeys(WANTED, 0)
    with pods(options) as topology, Link.of(options.device) as link:
        for number in range(1, options.trials + 1):
            sets = trial(topology, link, options.blocks, options.mbps)
            for name, wanted in WANTED.items():
                decision = decide(sets[BASELINE], sets[name], margin=rule.margin, better=rule.better)
                right[name] += decision.verdict is wanted
                print(f"{number}: {name}: {decision.verdict}: {decision.sentence}", flush=True)
    print(f"right of {options.trials}: " + ", ".join(f"{name} {count}" for name, count in right.items()))
    return int(any(options.trials - count > WRONG * options.trials for count in right.values()))


if __name__ == "__main__":
    sys.exit(main())
