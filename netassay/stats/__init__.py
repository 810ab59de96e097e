"""The statistics of measurements: estimates with intervals, the noise of a cluster, and decisions between two runs.

Pure functions of sequences of numbers. Effects are ratios, estimated on logarithms, because what disturbs a throughput
or a latency scales it.
"""

from netassay.stats.bootstrap import bootstrap_interval, median_ratio
from netassay.stats.decision import Better, Decision, Outcome, decide, together
from netassay.stats.estimate import Estimate, hodges_lehmann, ratio, shift
from netassay.stats.holm import holm
from netassay.stats.looks import levels
from netassay.stats.noise import noise_floor

__all__ = [
    "Better",
    "Decision",
    "Estimate",
    "Outcome",
    "bootstrap_interval",
    "decide",
    "hodges_lehmann",
    "holm",
    "levels",
    "median_ratio",
    "noise_floor",
    "ratio",
    "shift",
    "together",
]
