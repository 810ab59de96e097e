"""What ends a check that does not apply, in tests of checks: a skip would have them pass unseen."""

from __future__ import annotations

from typing import NoReturn


class NotApplicableError(Exception):
    """A check said that it has nothing to test."""


def not_applicable(reason: str) -> NoReturn:
    """To be put in the place of `fixtures.verdicts.not_applicable`, by the name under which a module has it."""
    raise NotApplicableError(reason)
