"""Which of an engine's known deviations its settings in this cluster leave in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from netassay.errors import HarnessFault
from netassay.modes.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from netassay.cluster import Cluster


def _cilium_matches_pods(around: Surroundings) -> bool:
    """Cilium matches CIDRs against pods as well if policy-cidr-match-mode says so (Cilium, layer 3 policies)."""
    found = around.look_up("cilium-config", around.named("cilium"))
    why = around.unlisted.get("DaemonSet") or found.fault
    if why:
        raise HarnessFault(f"whether policy-cidr-match-mode includes pods can't be read in cilium-config: {why}")
    return "pods" in (found.data or {}).get("policy-cidr-match-mode", "").replace(",", " ").split()


SWITCHED_OFF: Final[dict[str, Callable[[Surroundings], bool]]] = {"blocks-include-no-pods": _cilium_matches_pods}
"""Deviation → whether the engine's settings end it. What is not listed cannot be switched off."""


def in_force(deviations: Mapping[str, str], cluster: Cluster) -> dict[str, str]:
    """Give the deviations that are to be reckoned with in this cluster, with their sources.

    `HarnessFault` if the settings that decide it can't be read.
    """
    if not deviations.keys() & SWITCHED_OFF.keys():
        return dict(deviations)
    around = Surroundings(cluster)
    return {
        name: source
        for name, source in deviations.items()
        if name not in SWITCHED_OFF or not SWITCHED_OFF[name](around)
    }
