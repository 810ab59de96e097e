"""What a person sees while the lab works: one line a step, with the time that it took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator


class Step:
    """A step under way; `tell` shows what it is doing now."""

    def __init__(self, console: Console, title: str) -> None:
        """Start the clock of the step called `title`."""
        self._console = console
        self._title = title
        self._started = time.monotonic()
        self._last = self._started
        self._live = console.status(self._line("")) if console.is_terminal else None

    def _line(self, detail: str) -> str:
        seconds = time.monotonic() - self._started
        return f"{self._title} [{int(seconds) // 60}:{int(seconds) % 60:02d}]{'  ' + detail if detail else ''}"

    def tell(self, detail: str) -> None:
        """Show `detail`: at once on a terminal, every 20 s in a log."""
        if self._live is not None:
            self._live.update(self._line(detail))
        elif time.monotonic() - self._last > 20:  # noqa: PLR2004 - seconds, see above
            self._last = time.monotonic()
            self._console.print(self._line(detail), markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Step:
        """Show the step as under way."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Say how it ended and how long it took."""
        if self._live is not None:
            self._live.stop()
        seconds = time.monotonic() - self._started
        mark = "✓" if kind is None else "✗"
        self._console.print(f"{mark} {self._title} ({seconds:.1f} s)", markup=False, highlight=False)


class Progress:
    """Makes steps on one console."""

    def __init__(self, console: Console | None = None) -> None:
        """Use `console`, or one on standard error."""
        self.console = console or Console(stderr=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Run the body as the step called `title`."""
        with Step(self.console, title) as step:
            yield step
