"""CPU time, memory and file descriptors of processes, as the kernel counts them."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that these processes have used so far."""
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / TICKS


def memory_mib(pids: Iterable[int]) -> float:
    """Memory of these processes in MiB, with their share of what they share (PSS)."""
    kib = 0
    for pid in pids:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        kib += int(found[1]) if found else 0
    return kib / 1024


def peak_mib() -> float:
    """The most memory in MiB that this process has held at once (RSS)."""
    found = re.search(r"^VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def descriptors() -> int:
    """File descriptors that this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the listing itself


class Step:
    """Wall and CPU time of this process over a block, in seconds."""

    def __enter__(self) -> Step:
        """Start the clocks."""
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them."""
        self.seconds = round(time.perf_counter() - self._wall, 3)
        self.cpu = round(time.process_time() - self._cpu, 3)
