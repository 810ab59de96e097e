"""The modes' data: every claim has a place in each, with a source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from netassay.claims import CLAIMS, FEATURES, claim
from netassay.errors import HarnessFault, UsageError
from netassay.modes import Expectation, load, names
from netassay.modes.mode import BASES, read
from tests.modes.swaps import swapped

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.mark.parametrize("name", names())
def test_a_file_of_the_users_own_is_a_mode_and_says_no_more_than_it_does(tmp_path: Path, name: str) -> None:
    file = tmp_path / "mine.toml"
    base = load(name)
    for one in (each for each in CLAIMS.values() if each.feature == "cni_modes"):
        file.write_text(swapped(name, one.id))
        mine = read(file.read_bytes(), str(file))
        assert mine.parameters == base.parameters
        assert {id_ for id_ in CLAIMS if mine.expects(id_) != base.expects(id_)} == {one.id}
    assert load(str(file)).name == "swapped"
    with pytest.raises(UsageError, match="there is no mode file"):
        load(str(tmp_path / "other.toml"))


def test_flannel_keeps_pods_out_of_reach_from_outside() -> None:
    for name in ("flannel-vxlan", "flannel-hostgw"):
        assert load(name).expects("outside-to-pod") is Expectation.ABSENT
        assert load(name).expects("pod-to-pod-tcp") == "holds"
    assert load("generic").expects("outside-to-pod") == "unknown"
    assert load("flannel-vxlan").parameters.mtu_overhead == 50


def mode_file(*lines: str) -> bytes:
    head = ['name = "one"', 'title = "One"', 'plug_in = "one"', 'summary = "One."', 'extends = "flannel-vxlan"']
    return "\n".join([*head, *lines]).encode()


def test_a_pattern_stands_for_all_claims_that_match_and_one_that_is_named_counts_more() -> None:
    mode = read(
        mode_file(
            "[claims]",
            'dns-tcp = { expect = "absent", source = "this one" }',
            '"dns-*" = { expect = "unknown", source = "all of them" }',
        ),
        "one.toml",
    )
    assert mode.stance("dns-tcp").source == "this one"
    of_dns = [mode.stance(one) for one in CLAIMS if one.startswith("dns-") and one != "dns-tcp"]
    assert {one.source for one in of_dns} == {"all of them"}
    assert mode.stance("pod-to-pod-tcp") == load("flannel-vxlan").stance("pod-to-pod-tcp")
    assert list(mode.claims) == list(CLAIMS)


def test_parameters_that_a_file_does_not_name_are_those_of_the_mode_that_it_extends() -> None:
    mode = read(mode_file("[claims]", "[parameters]", "mtu_overhead = 8"), "one.toml")
    assert mode.parameters.mtu_overhead == 8
    assert (mode.parameters.encapsulation, mode.parameters.masquerade) == ("vxlan", True)
    assert load("flannel-policy").parameters == load("flannel-vxlan").parameters


def test_what_modes_of_one_plug_in_have_in_common_is_no_mode_itself() -> None:
    for name in BASES:
        with pytest.raises(UsageError, match=f"there is no mode '{name}'"):
            load(name)
    mode = read(mode_file("[claims]", "[parameters]").replace(b"flannel-vxlan", b"cilium"), "one.toml")
    assert mode.parameters.policies_followed_seconds == 60
    assert mode.deviations == load("cilium-vxlan").deviations == load("terway-datapath-v2").deviations != {}
    assert list(mode.claims) == list(CLAIMS)


def test_limits_that_a_file_does_not_name_are_those_of_the_mode_that_it_extends() -> None:
    mode = read(mode_file("[claims]").replace(b"flannel-vxlan", b"flannel-alloc"), "one.toml")
    assert mode.limits == load("flannel-alloc").limits != {}


def test_policies_are_enforced_only_where_there_is_something_that_does() -> None:
    assert load("flannel-vxlan").expects("policy-enforced") is Expectation.ABSENT
    assert load("flannel-hostgw").expects("policy-new-pod") is Expectation.ABSENT
    assert load("flannel-policy").expects("policy-enforced") is Expectation.HOLDS
    assert load("generic").expects("policy-enforced") is Expectation.UNKNOWN


def test_mistakes_in_a_mode_file_are_told() -> None:
    stance = '{ expect = "holds", source = "here" }'
    with pytest.raises(HarnessFault, match=r"one.toml speaks of claims 'policies-\*', of which there are none"):
        read(mode_file("[claims]", f'"policies-*" = {stance}'), "one.toml")
    with pytest.raises(HarnessFault, match="there is no claim 'policies'"):
        read(mode_file("[claims]", f"policies = {stance}"), "one.toml")
    with pytest.raises(HarnessFault, match=r"one.toml is not valid: .*perhaps"):
        read(mode_file("[claims]", 'dns-tcp = { expect = "perhaps", source = "here" }'), "one.toml")
    with pytest.raises(HarnessFault, match=r"one.toml is not valid: .*not_a_parameter"):
        read(mode_file("[claims]", "[parameters]", "not_a_parameter = 1"), "one.toml")


def test_mistakes_are_told() -> None:
    with pytest.raises(UsageError, match=r"there is no mode 'flanel'.*flannel-hostgw, flannel-policy, .*generic"):
        load("flanel")
    with pytest.raises(HarnessFault, match="there is no claim 'pod-ip-uniqe'"):
        load("generic").expects("pod-ip-uniqe")
    with pytest.raises(HarnessFault):
        claim("")


def test_what_a_parameter_is_made_of_is_read_as_such() -> None:
    for name in ("flannel-vxlan", "flannel-policy"):
        shortfall = load(name).parameters.ipv6_shortfall
        assert shortfall is not None
        assert shortfall.bytes == 20
