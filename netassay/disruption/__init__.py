"""What an event did to the flows of a network: from agents' recordings to timelines, outages and limits."""

from netassay.disruption.limits import Limit, one_lost_alone, overridden, require_within
from netassay.disruption.recorded import Recorded, Watched, from_replies
from netassay.disruption.timeline import Outage, Timeline, require_baseline, timeline

__all__ = [
    "Limit",
    "Outage",
    "Recorded",
    "Timeline",
    "Watched",
    "from_replies",
    "one_lost_alone",
    "overridden",
    "require_baseline",
    "require_within",
    "timeline",
]
