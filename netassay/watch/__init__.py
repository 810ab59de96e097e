"""Flows that are watched across an upgrade: from every node and from outside, for as long as it takes."""

from netassay.watch.record import WATCH_JSON, FlowRecord, Mark, Unwatched, WatchRecord, read_watch, write_watch
from netassay.watch.summary import Disturbance, conclude

__all__ = [
    "WATCH_JSON",
    "Disturbance",
    "FlowRecord",
    "Mark",
    "Unwatched",
    "WatchRecord",
    "conclude",
    "read_watch",
    "write_watch",
]
