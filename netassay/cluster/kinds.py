"""Where in the API each kind of object is found."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from netassay.errors import HarnessFault


class Resource(NamedTuple):
    """One kind's place: `api_version` as manifests write it, its plural as paths do."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None = None, *, verb: str = "address") -> str:
        """Path of the object, or of the collection without a name. HarnessFault if its namespace is missing."""
        parts = ["api" if "/" not in self.api_version else "apis", *self.api_version.split("/")]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        elif self.namespaced and name is not None:
            raise HarnessFault(f"cannot {verb} {self.kind} {name}: its namespace is needed")
        parts.append(self.plural)
        if name is not None:
            parts.append(name)
        return "/" + "/".join(quote(part, safe="") for part in parts)


def _group(api_version: str, *, namespaced: bool, kinds: str) -> list[Resource]:
    resources = []
    for word in kinds.split():
        kind, _, plural = word.partition("=")
        resources.append(Resource(api_version, kind, plural or f"{kind.lower()}s", namespaced))
    return resources


_ALL = [
    *_group(
        "v1",
        namespaced=True,
        kinds="ConfigMap Endpoints=endpoints Event LimitRange PersistentVolumeClaim Pod ReplicationController "
        "ResourceQuota Secret Service ServiceAccount",
    ),
    *_group("v1", namespaced=False, kinds="Namespace Node PersistentVolume"),
    *_group("apps/v1", namespaced=True, kinds="ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet"),
    *_group("batch/v1", namespaced=True, kinds="CronJob Job"),
    *_group("discovery.k8s.io/v1", namespaced=True, kinds="EndpointSlice"),
    *_group("networking.k8s.io/v1", namespaced=True, kinds="Ingress=ingresses NetworkPolicy=networkpolicies"),
    *_group("networking.k8s.io/v1", namespaced=False, kinds="IngressClass=ingressclasses IPAddress=ipaddresses"),
    *_group("networking.k8s.io/v1", namespaced=False, kinds="ServiceCIDR"),
    *_group("policy/v1", namespaced=True, kinds="PodDisruptionBudget"),
    *_group("coordination.k8s.io/v1", namespaced=True, kinds="Lease"),
    *_group("rbac.authorization.k8s.io/v1", namespaced=True, kinds="Role RoleBinding"),
    *_group("rbac.authorization.k8s.io/v1", namespaced=False, kinds="ClusterRole ClusterRoleBinding"),
    *_group("apiextensions.k8s.io/v1", namespaced=False, kinds="CustomResourceDefinition"),
    *_group("authorization.k8s.io/v1", namespaced=False, kinds="SelfSubjectAccessReview SelfSubjectRulesReview"),
    *_group("authentication.k8s.io/v1", namespaced=False, kinds="SelfSubjectReview"),
    *_group("scheduling.k8s.io/v1", namespaced=False, kinds="PriorityClass=priorityclasses"),
    *_group("storage.k8s.io/v1", namespaced=False, kinds="StorageClass=storageclasses CSINode"),
]

BUILT_IN: dict[str, Resource] = {resource.kind: resource for resource in _ALL}


def split_kind(kind: str) -> tuple[str, str]:
    """`group/version:Kind` as (api version, kind); a bare `Kind` has the api version "" ."""
    api_version, colon, bare = kind.rpartition(":")
    return (api_version, bare) if colon else ("", kind)
