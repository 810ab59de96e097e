"""What is known of Ingress and Gateway controllers: where they promise more than the APIs, or by design less.

Each is one TOML file in this folder, found by the controller's name that its IngressClass or GatewayClass says.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec

from netassay.claims import claim
from netassay.errors import HarnessFault
from netassay.modes import Stance  # noqa: TC001 - msgspec reads it at run time


class Annotations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What has a controller do what the APIs have no words for: annotations of the Ingress and of its Service."""

    service: dict[str, str] = {}
    ingress: dict[str, str] = {}


class Controller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A controller, the names by which classes refer to it, and the claims on which it differs from the APIs.

    `http2` is what has it speak HTTP/2 without TLS with a backend, as gRPC wants.
    """

    title: str
    names: tuple[str, ...]
    claims: dict[str, Stance]
    http2: Annotations = Annotations()


@cache
def controllers() -> tuple[Controller, ...]:
    """Read all that are known; `HarnessFault` if a file is not valid."""
    found = []
    for file in sorted(resources.files(__name__).iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        try:
            found.append(msgspec.toml.decode(file.read_bytes(), type=Controller))
        except msgspec.DecodeError as error:
            raise HarnessFault(f"controller file {file} is not valid: {error}") from error
        for claim_id in found[-1].claims:
            claim(claim_id)
    return tuple(found)


def controller_of(name: str) -> Controller:
    """Give what is known of the controller of that name: nothing but the name, if it is not known."""
    return next((one for one in controllers() if name in one.names), Controller(name, (name,), {}))
