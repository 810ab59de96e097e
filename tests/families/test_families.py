"""IP families: which are assayed, and that each check which has to do with addresses is made for each of them."""

from __future__ import annotations

import pytest

from netassay.errors import UsageError
from netassay.families import Family, split, to_assay
from netassay.fleet import LocalProbe

pytest_plugins = ["pytester"]

BOTH = (Family.IPV4, Family.IPV6)


def test_an_address_is_of_one_family() -> None:
    assert (Family.of("10.0.0.1"), Family.of("fd00::1")) == BOTH
    assert Family.IPV6.first(["10.0.0.1", "fd00::1", "fd00::2"]) == "fd00::1"
    assert not Family.IPV6.first(["10.0.0.1"])


@pytest.mark.parametrize(
    ("asked", "present", "assayed"),
    [
        ("auto", [Family.IPV4], "ipv4"),
        ("auto", [Family.IPV6], "ipv6"),
        ("auto", BOTH, "dual"),
        ("ipv6", BOTH, "ipv6"),
        ("dual", BOTH, "dual"),
    ],
)
def test_what_is_assayed_is_what_was_asked_for_as_far_as_pods_have_it(
    asked: str, present: list[Family], assayed: str
) -> None:
    assert to_assay(asked, present) == assayed


@pytest.mark.parametrize("asked", ["ipv6", "dual"])
def test_a_family_that_pods_do_not_have_is_refused(asked: str) -> None:
    with pytest.raises(UsageError, match="pods here have no IPv6 addresses, only IPv4"):
        to_assay(asked, [Family.IPV4])


def test_families_are_split_in_a_fixed_order() -> None:
    assert [split(each) for each in ("ipv4", "ipv6", "dual", "auto")] == [
        (Family.IPV4,),
        (Family.IPV6,),
        BOTH,
        (Family.IPV4,),
    ]


def test_a_probe_shows_its_address_of_the_family_that_it_is_asked_for_in() -> None:
    probe = LocalProbe(["never", "started"], name="p", addresses=["10.0.0.1", "fd00::1"])
    assert (probe.address, probe.over(Family.IPV6).address, probe.over(Family.IPV4).address) == (
        "10.0.0.1",
        "fd00::1",
        "10.0.0.1",
    )
    assert probe.over(Family.IPV6).session is probe.session


@pytest.mark.parametrize(("option", "made"), [("ipv4", ["ipv4"]), ("dual", ["ipv4", "ipv6"])])
def test_a_check_that_has_to_do_with_addresses_is_made_for_each_family(
    pytester: pytest.Pytester, option: str, made: list[str]
) -> None:
    pytester.makepyfile(
        test_check="""
        import pytest

        @pytest.fixture
        def ends(family):
            return [family]

        @pytest.mark.claim("pod-join")
        def test_by_way_of_others(ends): pass

        @pytest.mark.claim("pod-join")
        def test_without(): pass
        """
    )
    plug_ins = ("-p", "fixtures.options", "-p", "fixtures.families")
    found = pytester.runpytest_inprocess(*plug_ins, f"--ip-family={option}", "--collect-only", "-q")
    collected = [line.partition("::")[2] for line in found.outlines if "::" in line]
    assert sorted(collected) == ["test_by_way_of_others[" + each + "]" for each in made] + ["test_without"]
