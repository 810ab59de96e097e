"""The identity of one assay, which everything that it creates carries."""

from __future__ import annotations

import secrets
import string

import msgspec

MANAGED_BY = "app.kubernetes.io/managed-by"
RUN_LABEL = "netassay.dev/run"
ROLE_LABEL = "netassay.dev/role"
PROBE_LABEL = "netassay.dev/probe"

_LETTERS = string.ascii_lowercase + string.digits


class Run(msgspec.Struct, frozen=True):
    """One run; `id` is short and fit for DNS names."""

    id: str

    @classmethod
    def new(cls) -> Run:
        """A run that no other is likely to be confused with, as in `r7k2m9`."""
        return cls("r" + "".join(secrets.choice(_LETTERS) for _ in range(5)))

    @property
    def namespace(self) -> str:
        """The namespace of the probes, under Pod Security `restricted`."""
        return f"netassay-{self.id}"

    @property
    def host_namespace(self) -> str:
        """The namespace of the probes in their nodes' own network, under Pod Security `privileged`."""
        return f"netassay-{self.id}-host"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of everything that this run creates."""
        return {RUN_LABEL: self.id, MANAGED_BY: "netassay"}

    @property
    def selector(self) -> str:
        """The label selector that finds everything of this run."""
        return f"{RUN_LABEL}={self.id}"
