"""Writing results so that a full disk or an interruption leaves a clear error and never half a file."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from netassay.errors import HarnessFault


def cannot_write(path: Path, error: OSError) -> HarnessFault:
    """Word an error of writing: what, why, and what to do."""
    return HarnessFault(
        f"could not write {path}: {error.strerror or error}; results of this run are incomplete. "
        "Free some space or choose another folder (--out DIR), and run again"
    )


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file under a temporary name beside it, then rename it: readers see all of it or none.

    Raises `HarnessFault` if it can't be written; nothing is left behind then.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        raise cannot_write(path, error) from error
