"""Ctrl-C and SIGTERM: the first ends the run in order, the second at once."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Self


class Interrupted(BaseException):
    """The run was told to end. `exit_code` is that of such a process: 130 after Ctrl-C, 143 after SIGTERM."""

    def __init__(self, number: int) -> None:
        """Keep the signal's number."""
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.exit_code = 128 + number


class Interrupts:
    """Within its block, the first signal raises `Interrupted`; a further one calls `at_once` and ends the process.

    Only for the main thread.
    """

    def __init__(self, at_once: Callable[[], None]) -> None:
        """`at_once` must be short, and must not raise."""
        self._at_once = at_once
        self._seen = False
        self._before: dict[signal.Signals, object] = {}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._seen:
            self._seen = True
            raise Interrupted(number)
        self._at_once()
        sys.stderr.flush()
        os._exit(128 + number)

    def __enter__(self) -> Self:
        """Take the signals over."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
