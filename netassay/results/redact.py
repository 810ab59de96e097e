"""Secrets are taken out before anything is stored: some clusters keep account keys in what is read as evidence."""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

import msgspec

Record = TypeVar("Record", bound=msgspec.Struct)

BLANK: Final = "[redacted]"

_KEY: Final = (
    r"(?:[a-z0-9]+[_-])*(?:access[_-]?key(?:[_-]?(?:id|secret))?|access[_-]?secret|client[_-]?key(?:-data)?|client[_-]?secret"
    r"|private[_-]?key|pre[_-]?shared[_-]?key|psk|token|password|passwd)"
)
_SECRET_KEY: Final = re.compile(_KEY, re.IGNORECASE)
"""Keys whose value is a secret, whatever it looks like."""

_SECRETS: Final = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), BLANK),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {BLANK}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"), BLANK),  # a JSON web token
    (re.compile(r"\bLTAI\w{8,}"), BLANK),  # an Alibaba Cloud access key id
    # key: value, key=value, "key": "value", and the last one quoted once more inside other JSON
    (re.compile(rf"(\b{_KEY}\\*[\"']?\s*[:=]\s*\\*[\"']?)[^\s\"'\\,;}}]+", re.IGNORECASE), rf"\1{BLANK}"),
)

_HINT: Final = re.compile(r"bearer|basic|eyJ|LTAI|key|secret|token|passw|psk", re.IGNORECASE)
"""What every secret that is known here has in or before it: nearly all strings have none of it, and are let through."""


def redact(text: str) -> str:
    """Give the text with every secret that can be told as one replaced by `[redacted]`."""
    if not _HINT.search(text):
        return text
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def redact_tree(value: Any) -> Any:
    """Redact every string of a tree of plain JSON values, and whatever stands under a key that names a secret."""
    match value:
        case str():
            return redact(value)
        case dict():
            return {
                key: BLANK
                if isinstance(inner, str) and inner and _SECRET_KEY.fullmatch(str(key))
                else redact_tree(inner)
                for key, inner in value.items()
            }
        case list() | tuple():
            return [redact_tree(inner) for inner in value]
        case _:
            return value


def redact_record(record: Record) -> Record:
    """Give the record with every string of it redacted: what is shown, or stored, as it is."""
    return msgspec.convert(redact_tree(msgspec.to_builtins(record)), type(record))
