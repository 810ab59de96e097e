"""Security groups: what the switch lets through to pods whose group is not the default one.

As with a cloud's basic groups, members of a group reach each other and whatever they like, and no other pod reaches
them; replies pass. Hosts of the VPC that are no pods (nodes, the router, the outside) are let through, as probes of
kubelets must be.
"""

from __future__ import annotations

import subprocess
from collections import defaultdict
from typing import TYPE_CHECKING

from lab import plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.cloud.addresses import Lease

TABLE = "inet security-groups"


class Groups:
    """The filters of the switch's ports, in this network namespace; none as long as all are in the default group."""

    def __init__(self) -> None:
        """Nothing is filtered yet."""
        self._inforce = ""

    def follow(self, leases: Sequence[Lease]) -> None:
        """Filter by the groups that pods are in now."""
        rules = ruleset(leases)
        if rules != self._inforce:
            subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
            self._inforce = rules


def ruleset(leases: Sequence[Lease]) -> str:
    """The rules, in nft's language, that replace those in force."""
    members: dict[str, set[str]] = defaultdict(set)
    for lease in leases:
        for group in lease.wish.groups:
            members[group].add(str(lease.address))
    special = {group: found for group, found in sorted(members.items()) if group != plan.DEFAULT_GROUP}
    lines = [f"table {TABLE} {{}}", f"delete table {TABLE}"]
    if special:
        pods = ", ".join(str(network) for network in plan.VSWITCHES.values())
        lines += [
            f"table {TABLE} {{",
            "  chain forward {",
            "    type filter hook forward priority filter; policy accept;",
            "    ct state established,related accept",
            *(
                f"    ip saddr {{ {pods} }} ip saddr != {{ {both} }} ip daddr {{ {both} }} drop"
                for both in (", ".join(sorted(found)) for found in special.values())
            ),
            "  }",
            "}",
        ]
    return "\n".join(lines) + "\n"
