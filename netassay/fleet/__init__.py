"""Probes: pods that run the agent, and how they are driven."""

from netassay.fleet.answers import Answer, Lookup
from netassay.fleet.fleet import DEFAULT_IMAGE, Fleet
from netassay.fleet.ports import PROBE_PORTS
from netassay.fleet.probe import LocalProbe, Probe
from netassay.fleet.run import Run
from netassay.fleet.sweep import sweep_leftovers
from netassay.fleet.web import Backend, Request, Response, fetch_all

__all__ = [
    "DEFAULT_IMAGE",
    "PROBE_PORTS",
    "Answer",
    "Backend",
    "Fleet",
    "LocalProbe",
    "Lookup",
    "Probe",
    "Request",
    "Response",
    "Run",
    "fetch_all",
    "sweep_leftovers",
]
