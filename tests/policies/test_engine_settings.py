"""A deviation that an engine's settings end is reckoned with only where they don't."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from netassay.errors import HarnessFault
from netassay.modes import load
from netassay.policies.engine_settings import in_force
from tests.modes.test_detection import recorded
from tests.modes.test_plug_ins import WrittenCluster, config, daemon, node

if TYPE_CHECKING:
    from netassay.cluster import Cluster


def cluster_with(**settings: str) -> Cluster:
    data = {key.replace("_", "-"): value for key, value in settings.items()}
    found = WrittenCluster(
        Node=[node("n1")],
        DaemonSet=[daemon("cilium", "networking")],
        ConfigMap=[config("cilium-config", data, "networking")],
    )
    return cast("Cluster", found)


@pytest.mark.parametrize(
    ("match_mode", "deviates"), [(None, True), ("", True), ("nodes", True), ("pods", False), ("nodes,pods", False)]
)
def test_cilium_matches_blocks_against_pods_only_where_its_settings_say_so(
    match_mode: str | None, *, deviates: bool
) -> None:
    settings = {"routing_mode": "native"} | ({} if match_mode is None else {"policy_cidr_match_mode": match_mode})
    deviations = load("cilium-native").deviations
    assert ("blocks-include-no-pods" in in_force(deviations, cluster_with(**settings))) is deviates


def test_settings_that_cannot_be_read_leave_nothing_to_reckon_with() -> None:
    deviations = load("cilium-native").deviations
    for kind in ("ConfigMap", "DaemonSet"):
        with pytest.raises(HarnessFault, match="whether policy-cidr-match-mode includes pods can't be read"):
            in_force(deviations, recorded("cilium", refuses=(kind,)))


def test_what_no_setting_ends_is_not_asked_about() -> None:
    deviations = load("flannel-policy").deviations
    nothing_can_be_read = cast("Cluster", WrittenCluster())
    assert in_force(deviations, nothing_can_be_read) == deviations
