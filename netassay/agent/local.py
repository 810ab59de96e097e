"""The agent on this machine: for outside hosts, benchmarks and tests, where there is no pod around it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec

from netassay.agent import pack
from netassay.errors import HarnessFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self


class Serving(msgspec.Struct):
    """What a serving agent says of itself once all its ports are open."""

    agent: str
    serving: dict[str, list[int]]


class LocalAgent:
    """A serving agent as a child process, for as long as held."""

    def __init__(
        self,
        folder: Path,
        identity: str,
        *,
        ports: Mapping[str, int] | None = None,
        python: str = sys.executable,
        ready: bool = True,
        linger: float = 0.0,
    ) -> None:
        """Keeps zipapp and control socket in `folder`.

        `ports` are numbers by name as in PROBE_PORTS, any free ones by default; in the attribute, those that are
        served. `linger` is for how many seconds it goes on answering when told to stop.
        """
        self.identity = identity
        wanted = ports or {"tcp": 0, "tcp2": 0, "http": 0, "udp": 0, "udp2": 0, "sctp": 0}
        self._agent = [python, str(pack.write_zipapp(folder / "agent.pyz")), "--identity", identity]
        self._agent += ["--control", str(folder / f"{identity}.control")]
        options = [word for name, port in wanted.items() for word in (f"--{name.rstrip('2')}", str(port))]
        argv = [*self._agent, "serve", *options, *([] if ready else ["--not-ready"]), f"--linger={linger}"]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            _, words = self.process.communicate()
            raise HarnessFault(f"the agent {identity} did not start: {words.decode(errors='replace').strip()}")
        serving = msgspec.json.decode(line, type=Serving).serving
        numbers = {protocol: iter(found) for protocol, found in serving.items()}
        self.ports: Mapping[str, int] = {name: port for name in wanted if (port := next(numbers[name.rstrip("2")], 0))}

    @property
    def drive_command(self) -> list[str]:
        """What to run to drive an agent beside this one, as LocalProbe does."""
        return [*self._agent, "drive"]

    def stop(self) -> None:
        """End the process. Harmless when repeated."""
        self.process.terminate()
        self.process.communicate()

    def __enter__(self) -> Self:
        """The agent; leaving stops it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()
