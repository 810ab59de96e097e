"""Redaction: secrets go, and what only looks a little like one stays."""

from __future__ import annotations

import json

import pytest

from netassay.results.redact import BLANK, redact, redact_tree


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJr.c2lnbmF0dXJl", "eyJpc3MiOiJr"),
        ("curl -H 'authorization: basic dXNlcjpwYXNz'", "dXNlcjpwYXNz"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEow cut off", "MIIEow"),
        ("    client-key-data: LS0tLS1CRUdJTg==", "LS0tLS1C"),
        ('{"access_key": "LTAI5tExampleExample", "access_secret": "s3cr3t/+="}', "s3cr3t"),
        (json.dumps({"eni_conf": json.dumps({"access_key": "plainkey", "accessSecret": "hidden"})}), "plainkey"),
        (json.dumps({"eni_conf": json.dumps({"accessSecret": "hidden"})}), "hidden"),
        ("accessKeySecret=hidden", "hidden"),
        ("ak LTAI4FexampleExample in a sentence", "LTAI4F"),
        ("bootstrap-token: abcdef.0123456789abcdef", "0123456789abcdef"),
        ("password = hunter2;", "hunter2"),
        ('{"Type": "wireguard", "PSK": "c2hhcmVkIGJ5IGFsbA=="}', "c2hhcmVk"),
        ("--pre-shared-key=hidden", "hidden"),
    ],
)
def test_secrets_go(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in redact(text)
    assert BLANK in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "tc: token bucket filter, rate 1 Gbit/s",
        "default via 10.244.0.1 dev eth0",
        "probe-1 (n1, 10.1.0.2) → probe-2 (n2, 10.2.0.2:8080) tcp timed out",
        "key: value",
        "basic checks: 12 of 12",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "bearer token missing",
    ],
)
def test_the_rest_stays(text: str) -> None:
    assert redact(text) == text


def test_in_a_tree_a_key_that_names_a_secret_is_enough() -> None:
    tree = {"access_key": "anything", "nested": [{"token": "t", "name": "pod"}], "count": 3, "password": ""}
    assert redact_tree(tree) == {
        "access_key": BLANK,
        "nested": [{"token": BLANK, "name": "pod"}],
        "count": 3,
        "password": "",
    }
