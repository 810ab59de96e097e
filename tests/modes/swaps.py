"""Modes whose expectations are turned round, to see that a check would find out."""

from __future__ import annotations

from netassay.modes import Expectation, load

OPPOSITE = {
    Expectation.HOLDS: Expectation.ABSENT,
    Expectation.ABSENT: Expectation.HOLDS,
    # What a mode does not say is measured; what was measured not to be there is a finding if it is due.
    Expectation.UNKNOWN: Expectation.HOLDS,
}


def swapped(name: str, *claims: str) -> str:
    """The file of a mode that is as the mode `name`, but expects the opposite of these claims."""
    mode = load(name)
    stances = "\n".join(
        f'{claim} = {{ expect = "{OPPOSITE[mode.expects(claim)]}", source = "turned round, for a test" }}'
        for claim in claims
    )
    return f"""\
name = "swapped"
title = "{mode.title}, turned round"
plug_in = "{mode.plug_in}"
summary = "For a test."
extends = "{name}"

[claims]
{stances}
"""
