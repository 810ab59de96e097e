"""IP families: which ones a cluster's pods have, and which of them are to be assayed."""

from __future__ import annotations

import copy
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from netassay.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from netassay.cluster import Cluster

AUTO: Final = "auto"
DUAL: Final = "dual"


class Family(StrEnum):
    """One of the two families of IP addresses."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"

    @property
    def api(self) -> str:
        """As the Kubernetes API writes it."""
        return "IPv4" if self is Family.IPV4 else "IPv6"

    @classmethod
    def of(cls, address: str) -> Family:
        """The family of this address. `ValueError` if it is none."""
        return cls.IPV4 if ip_address(address).version == 4 else cls.IPV6  # noqa: PLR2004 - the version itself

    def first(self, addresses: Iterable[str]) -> str:
        """The first of these addresses that is of this family, "" if there is none."""
        return next((address for address in addresses if Family.of(address) is self), "")


class Addressed:
    """What has addresses, of one family or both, and can be looked at in one of them."""

    addresses: tuple[str, ...] = ()
    family: Family | None = None

    @property
    def address(self) -> str:
        """The first of its addresses, or of those of its `family` if it was asked for in one; "" if none is known."""
        if self.family is not None:
            return self.family.first(self.addresses)
        return self.addresses[0] if self.addresses else ""

    def over(self, family: Family) -> Self:
        """The same, with its address of this family as its address."""
        view = copy.copy(self)
        view.family = family
        return view


CHOICES: Final = (AUTO, *Family, DUAL)
"""What `--ip-family` takes: all that the cluster's pods have, one of them, or both."""


def families_of_pods(cluster: Cluster) -> tuple[Family, ...]:
    """The families of which the cluster's pods have addresses, IPv4 first; IPv4 alone if no pod has any address.

    Pods in their node's network do not count: they have whatever the node has.
    """
    found = {
        Family.of(entry["ip"])
        for pod in cluster.list("Pod")
        if not pod["spec"].get("hostNetwork")
        for entry in pod.get("status", {}).get("podIPs") or []
    }
    return tuple(sorted(found)) or (Family.IPV4,)


def to_assay(asked: str, present: Sequence[Family]) -> str:
    """Say which families an assay is of, "ipv4", "ipv6" or "dual", given what was asked for and what pods have.

    Raises `UsageError` if pods have no addresses of a family that was asked for.
    """
    wanted = split(asked) if asked != AUTO else tuple(present)
    missing = [family.api for family in wanted if family not in present]
    if missing:
        has = " and ".join(family.api for family in present)
        raise UsageError(f"--ip-family {asked}: pods here have no {' nor '.join(missing)} addresses, only {has}")
    return DUAL if len(wanted) > 1 else str(wanted[0])


def of_a_new_lab(asked: str) -> str:
    """The IP families of a lab that is brought up for this assay; `asked` is one of `CHOICES`."""
    return Family.IPV4 if asked == AUTO else asked


def split(families: str) -> tuple[Family, ...]:
    """The families that "ipv4", "ipv6" or "dual" stands for; IPv4 for "auto", which nobody has resolved yet."""
    if families == DUAL:
        return tuple(Family)
    return (Family.IPV4,) if families == AUTO else (Family(families),)
