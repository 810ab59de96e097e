"""The one error of the lab."""


class LabError(Exception):
    """The lab cannot do what was asked. The message says what was tried, what was seen and what to do next."""
