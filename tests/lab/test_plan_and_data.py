"""The lab's data: modes, manifests, pins and addresses fit together."""

from __future__ import annotations

import itertools
import re

import pytest
import yaml
from cryptography import x509

from lab import binaries, debian, modes, paths, pki, plan
from lab.components import PKI
from lab.errors import LabError
from lab.objects import read_manifest, values_for


def test_the_ranges_of_a_lab_do_not_overlap() -> None:
    for ranges in (plan.CONFINED, plan.CONFINED6):
        for one, other in itertools.combinations(ranges, 2):
            assert not one.overlaps(other), f"{one} and {other}"
        assert all(network.is_private for network in ranges)
    assert plan.LOAD_BALANCERS.subnet_of(plan.VPC)
    assert plan.LOAD_BALANCERS6.subnet_of(plan.VPC6)
    for host in plan.node_hosts(plan.MOST_NODES):
        assert host.address.ip not in plan.LOAD_BALANCERS
        assert host.address6.ip not in plan.LOAD_BALANCERS6


@pytest.mark.parametrize("family", plan.IP_FAMILIES)
@pytest.mark.parametrize("name", modes.names())
def test_every_mode_names_families_and_manifests_that_exist(name: str, family: str) -> None:
    mode = modes.load(name)
    assert set(mode.families) <= set(binaries.families())
    for manifest in (*mode.manifests, *mode.pod_manifests):
        objects = read_manifest(manifest, values_for(mode, "nftables", plan.Families(family)))
        assert all({"apiVersion", "kind", "metadata"} <= set(found) for found in objects)


def test_an_unknown_mode_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LabError, match="flannel-hostgw, flannel-policy, flannel-vxlan"):
        modes.load("token-ring")


def test_every_family_has_pins_and_its_key_follows_them() -> None:
    families = binaries.families()
    for family in families.values():
        assert (family.pins / ("requirements.txt" if family.wheel else "go.mod")).exists()
    assert len({family.key for family in families.values()}) == len(families)


def test_the_flannel_network_configuration_is_json_with_the_mode_s_backend() -> None:
    for name, backend in (("flannel-vxlan", "vxlan"), ("flannel-hostgw", "host-gw")):
        objects = read_manifest("flannel", values_for(modes.load(name), "nftables", plan.Families("dual")))
        (configuration,) = (o for o in objects if o["kind"] == "ConfigMap")
        assert yaml.safe_load(configuration["data"]["net-conf.json"])["Backend"] == {"Type": backend}


def test_the_api_servers_certificate_serves_every_name_by_which_it_is_called(tmp_path: object) -> None:
    folder = paths.Path(str(tmp_path)) / "pki"
    pki.make_all(folder, folder.parent / "kubeconfig", plan.node_hosts(2))
    certificate = x509.load_pem_x509_certificate((folder / "apiserver.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = set(map(str, names.get_values_for_type(x509.IPAddress)))
    assert {str(plan.CONTROL_PLANE.ip), str(plan.API_FROM_MACHINE.ip), str(plan.API_SERVICE)} <= addresses
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)
    for file in folder.glob("*.key"):
        assert file.stat().st_mode & 0o077 == 0, f"{file.name} is readable by others"
    assert not re.search("ca.key", " ".join(f.name for f in folder.iterdir())), "the authority's key was written"
    assert PKI.name == folder.name


def test_tools_are_looked_for_by_the_name_that_the_lab_calls() -> None:
    assert {"nsenter", "runc", "nft", "iptables", "conntrack"} <= set(debian.TOOLS)


def test_the_range_of_pods_that_share_interfaces_is_their_vswitch() -> None:
    assert modes.load("eni-shared").values["proxy_cluster_range"] == str(plan.VSWITCHES["vsw-lab-a"])
