"""Output that nobody reads any more, as after `| head -1`: no reason to stop, nor to exit with another code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable


def outlive_readers() -> None:
    """From now on, what is written to an output whose reader has gone, or that never was, goes nowhere."""
    for name in ("stdout", "stderr"):
        # There is none where it was closed before the start, as a daemon's.
        stream = getattr(sys, name) or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as we run
        setattr(sys, name, _Outliving(stream))


class _Outliving:
    """A text stream that takes its reader's leave for nothing special."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._in_spite_of_it(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._in_spite_of_it(self._stream.flush)

    def _in_spite_of_it(self, do: Callable[[], object]) -> None:
        try:
            do()
        except BrokenPipeError:
            # What is in the stream's buffer is written once more when the process ends, and children write here too.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
