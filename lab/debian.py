"""What the lab takes from Debian: tools on the machine, and the packages of which the probe image is made."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lab.progress import Progress

# Program → the package that brings it.
TOOLS = {
    "conntrack": "conntrack",
    "gcc": "gcc",
    "ip": "iproute2",
    "ipset": "ipset",
    "iptables": "iptables",
    "mount": "mount",
    "nft": "nftables",
    "nsenter": "util-linux",
    "runc": "runc",
    "sysctl": "procps",
}
# gcc alone has no headers to compile against.
ALSO = {"gcc": ("libc6-dev",)}
# Packages that only serve an installation, which an image never sees.
NOT_IN_IMAGES = {
    "cdebconf",
    "debconf",
    "debconf-2.0",
    "dpkg",
    "gcc-12-base",
    "mailcap",
    "media-types",
    "mime-support",
    "tzdata",
}


def install_tools(more: Mapping[str, str], progress: Progress) -> None:
    """Install those of `TOOLS`, and of a mode's own, that the machine lacks."""
    tools = {**TOOLS, **more}
    wanted = [tool for tool in tools if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    packages = sorted({package for tool in wanted for package in (tools[tool], *ALSO.get(tool, ()))})
    if packages:
        with progress.step(f"install Debian packages {' '.join(packages)}"):
            _apt("apt-get", "update", "-qq")
            _apt("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)


def download(roots: Iterable[str], folder: Path, *, but: Iterable[str] = ()) -> list[Path]:
    """Download the packages `roots` and all that they need at run time into `folder`.

    What `but` needs is left out: it is there already.
    """
    names = sorted(_closure(roots) - _closure(but))
    _apt("apt-get", "download", "-qq", *names, cwd=folder)
    return sorted(folder.glob("*.deb"))


def unpack(packages: Iterable[Path], folder: Path) -> None:
    """Unpack `packages` into the root file system `folder`, whose /lib and /bin are links into /usr."""
    for name in ("bin", "lib", "lib64", "sbin"):
        (folder / "usr" / name).mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(f"usr/{name}")
    for package in packages:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as source:
            command = ["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", str(folder)]
            subprocess.run(command, stdin=source.stdout, check=True)


def _closure(roots: Iterable[str]) -> set[str]:
    """The run-time dependencies of `roots`, themselves included; of alternatives, the first."""
    found: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name in found or name in NOT_IN_IMAGES:
            continue
        found.add(name)
        shown = _apt("apt-cache", "depends", "--important", name)
        alternatives = False
        for line in shown.splitlines()[1:]:
            relation, _, other = line.strip().partition(": ")
            if relation.lstrip("|") in ("Depends", "PreDepends") and not alternatives and not other.startswith("<"):
                todo.append(other)
            alternatives = relation.startswith("|")
    return found


def _apt(*command: str, cwd: Path | None = None) -> str:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)} failed (exit {done.returncode}):\n  {done.stderr.strip()[-2000:]}")
    return done.stdout
