"""The modes' data: every claim has a place in each, with a source."""

from __future__ import annotations

import pytest

from netassay.claims import CLAIMS, FEATURES, claim
from netassay.errors import HarnessFault, UsageError
from netassay.modes import Expectation, load, names


def test_every_claim_has_a_feature_and_says_what_it_means() -> None:
    assert {one.feature for one in CLAIMS.values()} == set(FEATURES)
    for one in CLAIMS.values():
        assert one.meaning.endswith("."), one.id
        assert one.id == one.id.lower()


@pytest.mark.parametrize("name", names())
def test_every_mode_takes_a_stand_on_every_claim(name: str) -> None:
    mode = load(name)
    assert mode.name == name
    assert list(mode.claims) == list(CLAIMS)
    for claim_id in CLAIMS:
        assert mode.stance(claim_id).source
    assert mode.parameters.mtu_overhead is None or mode.parameters.encapsulation != "unknown"


def test_flannel_keeps_pods_out_of_reach_from_outside() -> None:
    for name in ("flannel-vxlan", "flannel-hostgw"):
        assert load(name).expects("outside-to-pod") is Expectation.ABSENT
        assert load(name).expects("pod-to-pod-tcp") == "holds"
    assert load("generic").expects("outside-to-pod") == "unknown"
    assert load("flannel-vxlan").parameters.mtu_overhead == 50


def test_mistakes_are_told() -> None:
    with pytest.raises(UsageError, match=r"there is no mode 'flanel'.*flannel-hostgw, flannel-vxlan, generic"):
        load("flanel")
    with pytest.raises(HarnessFault, match="there is no claim 'pod-ip-uniqe'"):
        load("generic").expects("pod-ip-uniqe")
    with pytest.raises(HarnessFault):
        claim("")
