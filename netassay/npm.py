"""Tools from npm: installed as their lock says into the user's cache, once, and never with scripts of theirs run."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from filelock import FileLock

from netassay.errors import HarnessFault
from netassay.results.redact import redact

CACHE: Final = Path("~/.cache/netassay/npm")
LOCK: Final = "package-lock.json"
PATIENCE: Final = 600.0
"""Seconds that an installation may take; it downloads some tens of megabytes."""


def installed(tool: Path, cache: Path = CACHE) -> Path:
    """Give the `node_modules` of the tool whose `package.json` and `package-lock.json` are in the folder `tool`.

    Raises `HarnessFault` if Node.js is missing or npm can't install it.
    """
    node_and_npm(tool.name)
    lock = (tool / LOCK).read_bytes()
    place = cache.expanduser() / f"{tool.name}-{hashlib.sha256(lock).hexdigest()[:12]}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        if not place.exists():
            _install(tool, place)
    return place / "node_modules"


def node_and_npm(what: str) -> None:
    """Make sure that Node.js and npm are there; `HarnessFault` says what for, if they are not."""
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing:
        raise HarnessFault(
            f"{what} needs Node.js 20 or newer with npm, and {' and '.join(missing)} can't be found on PATH: "
            "install Node.js, or do without; all else works without it"
        )


def _install(tool: Path, place: Path) -> None:
    """Install beside `place`, then rename: an interrupted installation is never taken for a whole one."""
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as made:
        for name in ("package.json", LOCK):
            shutil.copy(tool / name, made)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            done = subprocess.run(
                command, cwd=made, capture_output=True, text=True, timeout=PATIENCE, check=False, errors="replace"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HarnessFault(f"could not install {tool.name} with npm: {error}") from error
        if done.returncode:
            raise HarnessFault(
                f"npm could not install {tool.name} (exit code {done.returncode}); is its registry within reach? "
                f"It said:\n{redact(done.stderr.strip())[-1500:]}"
            )
        Path(made).rename(place)
        Path(made).mkdir()  # for the clean-up, which expects it
