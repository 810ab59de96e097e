"""The lab's cgroups, in every hierarchy that the machine has: one folder per node below one folder for the lab."""

from __future__ import annotations

import contextlib
from pathlib import Path

from lab.plan import CGROUP

ROOT = Path("/sys/fs/cgroup")
# With cgroup v2 a node can only limit what its parent hands down.
SYSTEM = "system"
CONTROLLERS = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


def hierarchies() -> list[Path]:
    """The roots of all mounted hierarchies: one for cgroup v2, one per controller for v1."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return [folder for folder in sorted(ROOT.iterdir()) if folder.is_dir() and not folder.is_symlink()]


def make(node: str) -> None:
    """Make the folders of `node`."""
    for root in hierarchies():
        _hand_down(root)
        for folder in (root / CGROUP, root / CGROUP / node):
            folder.mkdir(exist_ok=True)
            _inherit_cpuset(folder)
            _hand_down(folder)
    system = system_folder(node)
    if system:
        system.mkdir(exist_ok=True)


def v2_folder(node: str) -> Path | None:
    """The folder of `node` in the tree of cgroup v2, which a machine with v1 may have beside that; None without one."""
    trees = [root for root in hierarchies() if (root / "cgroup.controllers").exists()]
    return trees[0] / CGROUP / node if trees else None


def system_folder(node: str) -> Path | None:
    """Where the programs of `node` that are no pods belong: in cgroup v2 only leaves can hold processes."""
    folder = v2_folder(node)
    return folder / SYSTEM if folder else None


def left() -> list[Path]:
    """The lab's folders that exist now, deepest first."""
    found = []
    for root in hierarchies():
        top = root / CGROUP
        if top.is_dir():
            found += [top, *(folder for folder in top.rglob("*") if folder.is_dir())]
    return sorted(found, key=lambda folder: len(folder.parts), reverse=True)


def remove() -> None:
    """Remove the lab's folders; processes in them must have ended."""
    for folder in left():
        # A folder may go by itself meanwhile, or be busy for an instant after its last process: `left` tells.
        with contextlib.suppress(OSError):
            folder.rmdir()


def _inherit_cpuset(folder: Path) -> None:
    """A new v1 cpuset is empty, and nothing can run in it."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = folder / name
        if file.exists() and not (folder / "cgroup.controllers").exists() and not file.read_text().strip():
            file.write_text((folder.parent / name).read_text())


def _hand_down(folder: Path) -> None:
    control = folder / "cgroup.subtree_control"
    if not control.exists():
        return
    offered = (folder / "cgroup.controllers").read_text().split()
    for controller in CONTROLLERS:
        if controller in offered:
            control.write_text(f"+{controller}")
