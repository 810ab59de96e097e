"""Digests: secrets are in none of them, and what is no secret changes them."""

from __future__ import annotations

import json

import pytest

from netassay.results.digest import digest_of_settings, digest_of_template

SECRET, OTHER = "hunter2, and more", "swordfish"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"access_secret": SECRET, "mtu": 1500}),
        json.dumps({"credentials": {"user": SECRET}}),
        json.dumps({"env": [{"name": "IPSEC_PSK", "value": SECRET}]}),
        json.dumps({"inner": json.dumps({"password": SECRET})}),
        f"mtu: 1500\npassword: {SECRET}\n",
        f"ipsec:\n  key: >\n    {SECRET}\n    {SECRET}\n",
        json.dumps({"auths": {"registry.example": {"auth": SECRET}}}),
        f"DB_PASS={SECRET}\n",
        f"router {{\n  password {SECRET}\n}}\n",
        f"[vpn]\nmtu = 1500\npsk = {SECRET}\n",
        f"{{{{ not YAML\nkey:\n  {SECRET}\n  {SECRET}\n",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n",
        "etcd: http://root:hunter2@10.0.0.1:2379\n",
    ],
)
def test_no_secret_of_a_config_map_is_in_its_digest(text: str) -> None:
    changed = text.replace(SECRET, OTHER).replace("hunter2", OTHER)
    assert changed != text
    assert digest_of_settings({"conf": text}) == digest_of_settings({"conf": changed})


def test_data_that_is_called_like_a_secret_is_left_out() -> None:
    assert digest_of_settings({"tls.key": SECRET}) == digest_of_settings({"tls.key": OTHER})
    assert digest_of_settings({"tls.key": SECRET}) != digest_of_settings({})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"Backend": {"Type": "vxlan"}}', '{"Backend": {"Type": "host-gw"}}'),
        ("mode: nftables\n", "mode: iptables\n"),
        ("protocol bgp {\n  hold time 90;\n}", "protocol bgp {\n  hold time 30;\n}"),
        (
            '{"access_key": "LTAI5tExampleExample", "max_pool_size": 5}',
            '{"access_key": "LTAI5tExample", "max_pool_size": 6}',
        ),
        ("true", "false"),
        ("masters: [a, b]", "masters: [b, a]"),
    ],
)
def test_what_is_no_secret_is_in_the_digest(before: str, after: str) -> None:
    assert digest_of_settings({"conf": before}) != digest_of_settings({"conf": after})
    assert digest_of_settings({"conf": before}) != digest_of_settings({"other": before})


def test_how_json_is_laid_out_does_not_count() -> None:
    value = {"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan", "Port": 8472}}
    turned = json.dumps(dict(reversed(value.items())), indent=2)
    assert digest_of_settings({"conf": json.dumps(value)}) == digest_of_settings({"conf": turned})


@pytest.mark.parametrize(
    "container",
    [
        {"env": [{"name": "ETCD_PASSWORD", "value": SECRET}]},
        {"args": ["--password", SECRET]},
        {"args": [f"--etcd-token={SECRET}"]},
        {"args": ["--pass", SECRET]},
        {"command": ["sh", "-c", f"API_KEY={SECRET}\nexec agent"]},
    ],
)
def test_no_secret_of_a_pod_template_is_in_its_digest(container: dict[str, object]) -> None:
    changed = json.loads(json.dumps(container).replace(SECRET, OTHER))
    assert changed != container
    assert digest_of_template({"containers": [container]}) == digest_of_template({"containers": [changed]})


@pytest.mark.parametrize("part", ["annotations", "labels"])
def test_what_its_users_have_called_a_secret_is_in_no_digest_of_a_pod_template(part: str) -> None:
    def told(key: str, value: str) -> str:
        return digest_of_template({part: {key: value}, "spec": {}})

    assert told("example.com/token", SECRET) == told("example.com/token", OTHER)
    assert told("example.com/mtu", "1500") != told("example.com/mtu", "1450")


def test_of_a_pod_template_all_else_counts_the_names_of_secrets_too() -> None:
    def told(**spec: object) -> str:
        return digest_of_template({"spec": spec})

    assert told(hostNetwork=True) != told(hostNetwork=False)
    assert told(volumes=[{"secret": {"secretName": "a"}}]) != told(volumes=[{"secret": {"secretName": "b"}}])
    assert told(tolerations=[{"key": "a"}]) != told(tolerations=[{"key": "b"}])
    assert told(args=["--iface", "eth0"]) != told(args=["--iface", "eth1"])
