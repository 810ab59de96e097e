"""The images that an assay uses, and the names they have in a mirror."""

from __future__ import annotations

from typing import Final

import msgspec

from netassay.fleet import DEFAULT_IMAGE


class Image(msgspec.Struct, frozen=True):
    """One image: what it is for, its default, and the option that overrides it."""

    purpose: str
    default: str
    option: str


IMAGES: Final = (Image("probe pods: any image with a python3 of 3.11 or newer", DEFAULT_IMAGE, "--image"),)


def mirrored(image: str, mirror: str) -> str:
    """Give the image's name in a mirror: its registry is replaced by the prefix, its path is kept."""
    first, slash, rest = image.partition("/")
    has_registry = slash and ("." in first or ":" in first or first == "localhost")
    return f"{mirror.rstrip('/')}/{rest if has_registry else image}"
