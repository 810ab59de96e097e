"""Many runs of one network, one after the other: which checks flip, since when what is broken, which figures drift."""

from netassay.history.chronicle import Chronicle, chronicles
from netassay.history.drift import Drift
from netassay.history.figures import Series
from netassay.history.verdicts import CheckStory

__all__ = ["CheckStory", "Chronicle", "Drift", "Series", "chronicles"]
