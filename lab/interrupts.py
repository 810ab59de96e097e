"""Ctrl-C and SIGTERM while a lab is brought up: seen at once, and never lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

Handler = Callable[[int, FrameType | None], object] | int | None
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """For as long as held, both signals raise KeyboardInterrupt, and `check` raises it again.

    The exception alone is not enough: a library that is at work when it comes may swallow it with its own clean-up. In
    any thread but the main one signals do not arrive, and nothing is done.
    """

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._received = False
        self._before: dict[signal.Signals, Handler] = {}
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.getsignal(number) for number in SIGNALS}

    def check(self) -> None:
        """Raise KeyboardInterrupt if one of the signals has come."""
        if self._received:
            raise KeyboardInterrupt

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        self._received = True
        raise KeyboardInterrupt

    def __enter__(self) -> Self:
        """Take over the signals."""
        for number in self._before:
            signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
