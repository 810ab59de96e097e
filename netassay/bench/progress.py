"""Live progress of a bench: what is measured now, its figure at this moment, and the time that is left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.console import Console, RenderableType

    from netassay.bench.schema import Repetition

MINUTE = 60


class Progress:
    """Shows a bench: redrawn in place on a terminal, a line for each repetition in any case. Use as a `with` block."""

    def __init__(self, console: Console, total: int, seconds_each: float) -> None:
        """`total` repetitions are to come, each of about so many seconds until it is known better."""
        self._console, self._total, self._each = console, max(total, 1), seconds_each
        self._done, self._began = 0, time.monotonic()
        self._now, self._figure = "", ""
        self._live = Live(console=console, get_renderable=self._draw, auto_refresh=False, transient=True)

    @property
    def left(self) -> float:
        """Seconds that are probably left."""
        each = (time.monotonic() - self._began) / self._done if self._done else self._each
        return each * max(self._total - self._done, 0)

    def starts(self, cell: str) -> None:
        """Say that a cell is measured from now on."""
        self._now, self._figure = cell, ""
        self._refresh()

    def figure(self, text: str) -> None:
        """Say what it comes to at this moment."""
        self._figure = text
        self._refresh()

    def ends(self, repetition: Repetition, figure: str) -> None:
        """Say what it came to."""
        # What is not valid is measured again, once.
        self._done += repetition.validity.valid or repetition.rep > 1
        line = Text(f"[{self._done:>3}/{self._total}] block {repetition.block}  {repetition.cell:<30} {figure}")
        if not repetition.validity.valid:
            line.append(f"  not valid: {'; '.join(repetition.validity.reasons)}", "yellow")
        line.append(f"  {left(self.left)} left", "dim")
        self._console.print(line, soft_wrap=True)

    def note(self, text: str) -> None:
        """Say something between repetitions."""
        self._console.print(text, soft_wrap=True, markup=False)

    def _refresh(self) -> None:
        if self._console.is_terminal:
            self._live.refresh()

    def _draw(self) -> RenderableType:
        row = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=self._total, completed=self._done, width=30)
        row.add_row(
            bar, f"{self._done}/{self._total}", self._now, Text(self._figure, "bold"), f"{left(self.left)} left"
        )
        return row

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the lines, and nothing half drawn."""
        self._live.stop()


def left(seconds: float) -> str:
    """As in "4 min" or "40 s"."""
    return f"{seconds / MINUTE:.0f} min" if seconds > 2 * MINUTE else f"{seconds:.0f} s"
