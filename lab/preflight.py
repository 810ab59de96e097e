"""May a lab be brought up here? Asked before anything is changed; every answer "no" says what to do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lab import binaries, paths
from lab.errors import LabError

if TYPE_CHECKING:
    from lab.modes import LabMode

NEEDED_GO = (1, 26)
GIB = 2**30
# Measured, in GiB: modules 2.8, Go's build cache 5.8, programs and images 0.8; to run, the layers of five nodes.
DISK_TO_BUILD, DISK_TO_RUN = 10 * GIB, 2 * GIB
LINK_KINDS = ("bridge", "veth", "vxlan")


def check(mode: LabMode) -> None:
    """Raise LabError for the first thing that is missing to build what `mode` lacks and to run it."""
    if sys.platform != "linux":
        raise LabError("The lab needs Linux: its nodes are Linux namespaces. Assay your own cluster with --kubeconfig.")
    if os.geteuid() != 0:
        raise LabError(
            "The lab needs root, to make namespaces and links. Run it with sudo, or assay your own cluster, "
            "which needs no root: netassay run --kubeconfig FILE"
        )
    to_build = binaries.missing(mode.families)
    if to_build:
        _check_go()
    _check_disk(DISK_TO_BUILD if to_build else DISK_TO_RUN)
    _check_kernel()


def _check_go() -> None:
    wanted = ".".join(map(str, NEEDED_GO))
    go = shutil.which("go")
    if go is None:
        raise LabError(f"The lab builds Kubernetes from Go modules and found no `go` on PATH. Install Go {wanted}.")
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    shown = subprocess.run([go, "version"], env=environment, capture_output=True, text=True, check=False).stdout
    version = re.search(r"go(\d+)\.(\d+)", shown)
    if version is None or (int(version[1]), int(version[2])) < NEEDED_GO:
        raise LabError(f"The lab needs Go {wanted} or newer; {go} says {shown.strip()!r}.")


def _check_disk(needed: int) -> None:
    for purpose, place in (("the cache", paths.cache()), ("the lab's state", paths.STATE)):
        existing = next(folder for folder in (place, *place.parents) if folder.exists())
        free = shutil.disk_usage(existing).free
        if free < needed:
            raise LabError(
                f"{purpose.capitalize()} ({place}) needs {needed / GIB:.0f} GiB of free disk, "
                f"and {free / GIB:.1f} GiB are free. "
                "Free some, or point XDG_CACHE_HOME to a larger disk."
            )


def _check_kernel() -> None:
    """Try each feature in a network namespace that is gone at once."""
    if "overlay" not in Path("/proc/filesystems").read_text().split():
        raise LabError("The kernel has no overlayfs (CONFIG_OVERLAY_FS), on which containers and nodes are built.")
    done = subprocess.run(["unshare", "--net", "--pid", "--fork", "--mount", "true"], capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(
            f"Making namespaces failed: {done.stderr.decode().strip()}. Is this a container without privileges?"
        )
    options = {"vxlan": ("id", "1", "dstport", "8472")}
    for kind in LINK_KINDS:
        command = ["unshare", "--net", "ip", "link", "add", "try0", "type", kind, *options.get(kind, ())]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            reason = done.stderr.decode().strip()
            raise LabError(f"The kernel cannot make a link of kind {kind}, which the lab needs: {reason}.")
