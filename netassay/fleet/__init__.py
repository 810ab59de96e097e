"""Probes: pods that run the agent, and how they are driven."""

from netassay.fleet.answers import Answer, FlowRecord, Lookup
from netassay.fleet.fleet import DEFAULT_IMAGE, Fleet
from netassay.fleet.ports import PROBE_PORTS
from netassay.fleet.probe import LocalProbe, Probe
from netassay.fleet.run import Run
from netassay.fleet.sweep import sweep_leftovers

__all__ = [
    "DEFAULT_IMAGE",
    "PROBE_PORTS",
    "Answer",
    "Fleet",
    "FlowRecord",
    "LocalProbe",
    "Lookup",
    "Probe",
    "Run",
    "sweep_leftovers",
]
