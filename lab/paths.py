"""Where the lab keeps things: on the machine, and the same things as seen from inside the lab."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent
PINS = HERE / "pins"
MANIFESTS = HERE / "manifests"
MODES = HERE / "modes"
CNI = HERE / "cni"

# One lab a machine, so its place is fixed. Nothing of it is left after `lab down`.
STATE = Path("/var/lib/netassay-lab")
LOCK = Path("/run/lock/netassay-lab.lock")
KUBECONFIG = STATE / "kubeconfig"
LOGS = STATE / "logs"

# Inside the lab's mount namespace a tmpfs covers /mnt, so that the same paths hold on every node.
INSIDE = Path("/mnt/lab")
INSIDE_BIN = Path("/mnt/bin")


def cache() -> Path:
    """The user's cache of built binaries and images; kept between runs, safe to delete."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "netassay"
