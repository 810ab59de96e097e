"""Digests by which two runs can tell that something has changed, without either having kept it.

Whoever has a digest can try guesses until one has the same. So whatever may be a secret is left out before, and more of
it than is redacted where people read: what is left out here costs no more than that its own change goes unseen.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from netassay.results.redact import BLANK, redact

if TYPE_CHECKING:
    from collections.abc import Mapping

LENGTH: Final = 16
"""Hexadecimal digits of a digest: enough that no two things of one cluster have the same by chance."""

_WORDS: Final = r"(?:secret|token|pass|pwd|credential|psk|key|auth|login|community)"
_SECRETIVE: Final = re.compile(_WORDS, re.IGNORECASE)
"""What is in the names of secrets, and of some things that are none."""

_SETTING: Final = re.compile(
    rf"((?<![\w.-])[\w.-]*{_WORDS}[\w.-]*\\*[\"']?[ \t]*[:=\s]\s*)\S.*(?:\n[ \t]+\S.*)*", re.IGNORECASE
)
"""Such a name within a text, with what follows it: to the end of a line, and on lines that are indented after it."""

USERS_OWN: Final = ("labels", "annotations")

_USER: Final = re.compile(r"(://)[^/\s@]+@")
"""Name and password in a URL."""


def digest_of_settings(data: Mapping[str, str]) -> str:
    """Give the digest of a ConfigMap's data: of what JSON and YAML in it mean, and of other text line by line."""
    return _digest({key: _without_secrets(_read(text), key, by_key=True) for key, text in data.items()})


def digest_of_template(template: Mapping[str, Any]) -> str:
    """Give the digest of a pod template: secrets may be in its environment and its arguments.

    Its fields are the API's own, and are no secrets, whatever they are called: `secretName`, the `key` of a toleration.
    Those of its `labels` and `annotations` are the user's.
    """
    return _digest({part: _without_secrets(value, "", by_key=part in USERS_OWN) for part, value in template.items()})


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:LENGTH]


def _read(text: str) -> Any:
    """Read text that is JSON or YAML of more than a single value; give any other as it is."""
    for read in (json.loads, yaml.safe_load):
        try:
            found = read(text)
        except (ValueError, yaml.YAMLError, RecursionError):
            continue
        if isinstance(found, dict | list):
            return found
    return text


def _without_secrets(value: Any, name: str, *, by_key: bool) -> Any:
    """Leave out what may be a secret; `name` is what the value is called, and `by_key` whether keys are such names.

    A value is also called as its neighbour `name` says, and an argument as the option before it.
    """
    if _SECRETIVE.search(name) and value not in ("", None):
        return BLANK
    match value:
        case dict():
            called = str(value.get("name", ""))
            return {
                str(key): _without_secrets(
                    inner, called if key == "value" else str(key) if by_key else "", by_key=by_key
                )
                for key, inner in value.items()
            }
        case list():
            before = ["", *value][:-1]
            return [
                _without_secrets(inner, _option(last), by_key=by_key) for last, inner in zip(before, value, strict=True)
            ]
        case str():
            return _USER.sub(rf"\1{BLANK}@", _SETTING.sub(rf"\1{BLANK}", redact(value)))
        case _:
            return value


def _option(argument: Any) -> str:
    """Give the argument if it is an option whose value is the next one, else ""."""
    return argument if isinstance(argument, str) and argument.startswith("-") and "=" not in argument else ""
