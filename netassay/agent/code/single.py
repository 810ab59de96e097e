"""`agent.pyz attempt`: one attempt, for where nobody can drive an agent, such as in an init container."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from . import kernel
from .batch import Batch
from .names import Names

if TYPE_CHECKING:
    import argparse

    from .attempt import Seen


async def attempt(options: argparse.Namespace) -> int:
    """Make the attempt and print it as one JSON object; 0 if it got through, else 1."""
    rows: list[Seen] = []
    wanted = (options.protocol, options.host, options.port, options.timeout, 0, False, 0, "/", "")
    await Batch(Names(), [wanted], 1, rows.append).run()
    _, outcome, micros, _, answered_by, local_address, _, seen_address, _, _, _, error = rows[0]
    said = {
        "outcome": outcome,
        "microseconds": micros,
        "answered_by": answered_by,
        "local_address": kernel.plain_address(local_address),
        "seen_address": seen_address,
        "error": error,
    }
    sys.stdout.write(json.dumps(said) + "\n")
    return 0 if outcome == kernel.OPEN else 1
