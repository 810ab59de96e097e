"""The two kinds of error that never mix: the network's and the harness's own.

A `NetworkFault` is an `AssertionError`, because pytest and Allure call only those *failed*; a `HarnessFault` is not, so
that it is reported as *broken*: a check that could not be carried out says nothing about the network.
"""


class NetworkFault(AssertionError):
    """The network was seen to break a promise. The message names both ends, what was expected and what was seen."""


class NotConverged(NetworkFault):
    """The network did not reach the promised state in time. The message holds the last state, and how late it came."""


class HarnessFault(Exception):
    """The harness could not do its job (API server away, probe lost, image missing …): the check has no verdict."""


class UsageError(HarnessFault):
    """The user asked for something that cannot be done. The message says what to type instead."""
