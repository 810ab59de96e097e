"""JUnit XML: the files of a run's phases become one, for whatever reads such files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junitparser import JUnitXml, JUnitXmlError

from netassay.errors import HarnessFault
from netassay.results.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def merge_junit(phases: Mapping[str, Path], target: Path) -> None:
    """Write `target`, with a suite for each phase that has a file. A phase that left none (it was killed) has no suite.

    Raises `HarnessFault` if a file can't be read or the result can't be written.
    """
    merged = JUnitXml("netassay")
    for name, path in phases.items():
        if not path.exists():
            continue
        try:
            part = JUnitXml.fromfile(str(path))
        except (OSError, JUnitXmlError, SyntaxError) as error:
            raise HarnessFault(f"could not read the JUnit XML of phase {name}, {path}: {error}") from error
        for suite in part:
            suite.name = f"netassay.{name}"
            merged.add_testsuite(suite)
    merged.update_statistics()  # type: ignore[no-untyped-call]
    write_whole(target, merged.tostring())  # type: ignore[no-untyped-call]
