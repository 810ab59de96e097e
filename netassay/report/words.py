"""Times and figures in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

MINUTE: Final = 60
HOUR: Final = 3600
WHOLE_FROM: Final = 100
"""Figures from this size on are given without decimals."""


def moment(seconds: float) -> str:
    """Give a time, in seconds since the epoch, as `2026-11-20 14:03:07 UTC`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC" if seconds else "unknown"


def duration(seconds: float) -> str:
    """Give a length of time: `0.8 s`, `12 s`, `1 min 24 s`, `2 h 5 min`."""
    if seconds < 10:  # noqa: PLR2004 - below that, tenths count
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


def figure(value: float, unit: str) -> str:
    """Give a measured value with its unit, to three digits where it is not a whole number."""
    if value == int(value) and abs(value) < 1e15:  # noqa: PLR2004 - beyond, a float is not exact
        number = f"{int(value):,}"
    elif abs(value) >= WHOLE_FROM:
        number = f"{value:,.0f}"
    else:
        number = f"{value:.3g}"
    return f"{number} {unit}".strip()


def count(number: int, word: str) -> str:
    """Give a number of things: `1 check`, `2 checks`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
