"""The network plug-in since a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.baseline import PlugIn
    from fixtures.verdicts import CheckInHand


@pytest.mark.claim("plugin-unchanged")
def test_the_network_plug_in_is_what_it_was_in_the_baseline(plug_in: PlugIn, verdict: CheckInHand) -> None:
    """The plug-in, its policy engine and the service proxy have the images, settings and mode of the baseline.

    What may be a secret is not compared, nor what is behind an image's tag. Pods that were only replaced are the same.
    """
    verdict.remark(f"compared with {plug_in.baseline.name}")
    changed = plug_in.changes()
    verdict.judge(holds=not changed, seen="\n".join(changed))
