"""Runs a command that ends when its parent does, even by SIGKILL: `python -m netassay.runner.leash PARENT COMMAND…`."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1


def main(argv: list[str]) -> None:
    """Become the command. Where the kernel has no such leash (it is Linux's), the command runs without."""
    parent, command = int(argv[0]), argv[1:]
    if sys.platform == "linux":
        # The request survives the exec. What the parent's death already missed is caught by looking once.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit(128 + signal.SIGTERM)
    os.execv(command[0], command)  # noqa: S606 - a list of the runner's own making


if __name__ == "__main__":
    main(sys.argv[1:])
