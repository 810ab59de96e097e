"""One child process with a group of its own: its output in a file, and an end that is sure to come."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from netassay import bundle

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

POLITE_SECONDS: Final = 15.0
"""After SIGINT to all of its group, as Ctrl-C does it: pytest and its workers then end their checks' fixtures."""

FIRM_SECONDS: Final = 5.0
"""After SIGTERM to all of its group; what is left after that is killed."""

TAIL_LINES: Final = 40

FATAL: Final = "Fatal Python error"
CURRENT: Final = "Current thread"
"""How faulthandler begins what it says of a crash, and of the thread that crashed: others may come before it."""


class Child:
    """A running command. Leaving its `with` block ends it, and all that it started, if that has not happened."""

    def __init__(self, command: list[str], log: Path) -> None:
        """Start the command, on a leash of this process, with standard output and error in `log`."""
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        leash = [sys.executable, "-m", "netassay.runner.leash", str(os.getpid()), *command]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                leash,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment(),
                start_new_session=True,
            )

    def wait(self, seconds: float) -> int | None:
        """Wait a while for the command's end: its exit code (negative for a signal), None if it goes on."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Ask the command and all of its group to end, ask again, then make them."""
        if self._process.poll() is None:
            self._signal_group(signal.SIGINT)
            if self.wait(POLITE_SECONDS) is None:
                self._signal_group(signal.SIGTERM)
                self.wait(FIRM_SECONDS)
        # Also when the command itself is gone: a worker may have outlived it.
        self.kill()
        self._process.wait()

    def kill(self) -> None:
        """Kill the command and all of its group, at once."""
        self._signal_group(signal.SIGKILL)

    def tail(self) -> str:
        """Give the last lines of the command's output; where Python itself fell over, what the guilty thread was at."""
        lines = self.log.read_text(errors="replace").splitlines()
        # What pytest says of its progress may come before it on the same line.
        fatal = next((number for number, line in enumerate(lines) if FATAL in line), None)
        if fatal is None:
            return "\n".join(lines[-TAIL_LINES:])
        guilty = (number for number, line in enumerate(lines) if number > fatal and line.startswith(CURRENT))
        start = next(guilty, fatal + 1)
        return "\n".join([lines[fatal][lines[fatal].index(FATAL) :], *lines[start : start + TAIL_LINES]])

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def __enter__(self) -> Self:
        """Give the child itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.stop()


def _environment() -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    paths = [str(bundle.root()), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return environment
