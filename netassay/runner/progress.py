"""Live progress: what the checks' processes record is followed as they write it, and shown."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from netassay.errors import HarnessFault
from netassay.results.collect import EVENTS
from netassay.results.naming import first_line, name_of
from netassay.results.recorder import Event, Finished, Planned, Started, read_event
from netassay.results.schema import Check, CheckRecord, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

    from rich.console import Console, RenderableType

STYLES: Final = {
    Verdict.HOLDS: "green",
    Verdict.BROKEN: "bold red",
    Verdict.ABSENT_BY_DESIGN: "cyan",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.INCONCLUSIVE: "bold yellow",
}

WIDEST_VERDICT: Final = max(len(verdict) for verdict in Verdict)


class Tail:
    """Follows the files of events in a run's folder; a line is read once it is whole."""

    def __init__(self, run_dir: Path) -> None:
        """Begin at the beginning of every file, also of those that appear later."""
        self._folder = run_dir / EVENTS
        self._read: dict[Path, int] = {}

    def events(self) -> Iterator[tuple[str, Event]]:
        """Give what is new, with the worker that wrote it."""
        for path in sorted(self._folder.glob("*.jsonl")):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    self._read[path] = self._read.get(path, 0) + len(line)
                    # What can't be read is counted when the run is collected.
                    with contextlib.suppress(HarnessFault):
                        yield path.stem, read_event(line)


class Progress:
    """Shows a run: redrawn in place on a terminal, a line for each check elsewhere. Use it as a `with` block."""

    def __init__(self, console: Console, run_dir: Path) -> None:
        """Show the run in `run_dir` on `console`."""
        self._console = console
        self._tail = Tail(run_dir)
        self._began = time.monotonic()
        self._phase = ""
        self._planned: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        self._running: dict[tuple[str, str], tuple[Check, float]] = {}
        self._counts: Counter[Verdict] = Counter()
        self._live = Live(console=console, get_renderable=self._draw, auto_refresh=False, transient=True)

    @property
    def planned(self) -> int:
        """How many checks are known of."""
        return max(len(self._planned), self._counts.total())

    def phase(self, name: str) -> None:
        """Say that a phase begins."""
        self._phase = name
        self._running.clear()
        if not self._console.is_terminal:
            self._console.print(f"phase {name}")

    def update(self) -> None:
        """Take in what has been recorded since, and show it."""
        for worker, event in self._tail.events():
            match event:
                case Planned():
                    self._planned.add((event.check.id, tuple(sorted(event.check.parameters.items()))))
                case Started():
                    self._running[worker, event.check.id] = event.check, event.at
                case Finished():
                    self._running.pop((worker, event.check.id), None)
                    self._counts[event.check.verdict] += 1
                    self._finished(event.check)
                case _:
                    pass
        if self._console.is_terminal:
            self._live.refresh()

    def _finished(self, record: CheckRecord) -> None:
        """Print a line: on a terminal only for what a reader must not miss, as the counts show the rest."""
        alarming = record.verdict in (Verdict.BROKEN, Verdict.INCONCLUSIVE)
        if self._console.is_terminal and not alarming:
            return
        line = Text(f"[{self._counts.total():>3}/{self.planned}] ")
        line.append(f"{record.verdict:<{WIDEST_VERDICT}}", STYLES[record.verdict])
        line.append(f"  {name_of(record)}  {record.seconds:.1f} s")
        if alarming:
            line.append(f"\n{'':>10}{first_line(record.message)}", "dim")
        self._console.print(line, soft_wrap=True)

    def _draw(self) -> RenderableType:
        done = self._counts.total()
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(f"{self._phase} phase", "bold"),
            ProgressBar(total=max(self.planned, 1), completed=done, width=30),
            f"{done}/{self.planned}",
            Text.assemble(*self._counted()),
            Text(f"{time.monotonic() - self._began:.0f} s", "dim"),
        )
        running = Table.grid(padding=(0, 2))
        for check, at in list(self._running.values()):
            running.add_row(
                "",
                Text(name_of(check), no_wrap=True, overflow="ellipsis"),
                Text(f"{max(time.time() - at, 0):.0f} s", "dim"),
            )
        return Group(head, running)

    def _counted(self) -> list[tuple[str, str]]:
        return [(f"{count} {verdict}  ", STYLES[verdict]) for verdict in Verdict if (count := self._counts[verdict])]

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last state of the lines, and nothing half drawn."""
        self._live.stop()
