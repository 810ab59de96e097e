"""What is installed as the cluster's network: the workloads that make it, and what they are told.

Only images are kept as they are. Of pod templates and ConfigMaps there are digests, and those of no secrets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from netassay.modes.surroundings import runs
from netassay.results.digest import digest_of_settings, digest_of_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from netassay.modes.surroundings import Surroundings

SERVICE_PROXIES: Final = ("kube-proxy", "kube-proxy-worker")
"""Names of DaemonSets that proxy Services, and nothing else."""

OF_A_ROLLOUT: Final = ("restartedAt", "checksum")
"""In the keys of annotations that only have pods replaced; a checksum may be one of a Secret, too."""

OF_THE_API_SERVER: Final = "kube-root-ca.crt"
"""A ConfigMap that every namespace has: the certificate of the API server, and nothing of the plug-in."""

CONTAINERS: Final = ("initContainers", "containers")


class Workload(msgspec.Struct, frozen=True):
    """A DaemonSet: the image of each of its containers, as it is asked for, and the digest of the rest of its pods."""

    kind: str
    namespace: str
    name: str
    images: dict[str, str]
    template: str

    def __str__(self) -> str:
        """As in `DaemonSet kube-system/kube-proxy`."""
        return f"{self.kind} {self.namespace}/{self.name}"


class Settings(msgspec.Struct, frozen=True, omit_defaults=True):
    """A ConfigMap: the digest of its data, "" if it is not there; `unread` says why that can't be told."""

    namespace: str
    name: str
    digest: str = ""
    unread: str = ""

    def __str__(self) -> str:
        """As in `ConfigMap kube-system/kube-proxy`."""
        return f"ConfigMap {self.namespace}/{self.name}"


class Installed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Workloads and settings, by name; `unread` says why workloads, or the nodes they run on, could not be read."""

    workloads: list[Workload] = []
    settings: list[Settings] = []
    unread: str = ""


def installed(around: Surroundings, names: Iterable[str]) -> Installed:
    """Read what is installed, once the mode is told: the DaemonSets of these names and the service proxy's.

    Settings are the ConfigMaps that told the mode, and those that pods of these DaemonSets are given.
    """
    known = {*names, *SERVICE_PROXIES}
    daemons = [one for one in around.daemons if one["metadata"]["name"] in known and runs(one)]
    for namespace, name in {one for daemon in daemons for one in given(daemon)}:
        around.look_up(name, namespace)
    settings = [
        Settings(namespace, name, "" if found.data is None else digest_of_settings(found.data), found.fault)
        for (namespace, name), found in sorted(around.config_maps.items())
    ]
    workloads = sorted(map(_workload, daemons), key=str)
    unread = "; ".join(around.unlisted[kind] for kind in ("Node", "DaemonSet") if kind in around.unlisted)
    return Installed(workloads, settings, unread)


def _part(daemon: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give this part of the pod template, empty if there is none."""
    found: dict[str, Any] = daemon.get("spec", {}).get("template", {}).get(name) or {}
    return found


def _workload(daemon: Mapping[str, Any]) -> Workload:
    meta, spec = _part(daemon, "metadata"), _part(daemon, "spec")
    images = {one["name"]: one.get("image", "") for kind in CONTAINERS for one in spec.get(kind) or []}
    # What is told by itself, or says nothing of what the pods are, is not in the digest.
    bare = {kind: [{**one, "image": ""} for one in spec.get(kind) or []] for kind in CONTAINERS}
    annotations = {
        key: value
        for key, value in (meta.get("annotations") or {}).items()
        if not any(word in key for word in OF_A_ROLLOUT)
    }
    rest = {"labels": meta.get("labels") or {}, "annotations": annotations, "spec": {**spec, **bare}}
    where = daemon["metadata"]
    return Workload("DaemonSet", where["namespace"], where["name"], images, digest_of_template(rest))


def given(daemon: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give namespace and name of each ConfigMap that pods of the DaemonSet mount or have in their environment."""
    spec = _part(daemon, "spec")
    sources = list(spec.get("volumes") or [])
    for volume in spec.get("volumes") or []:
        sources += (volume.get("projected") or {}).get("sources") or []
    names = [(source.get("configMap") or {}).get("name") for source in sources]
    for container in (one for kind in CONTAINERS for one in spec.get(kind) or []):
        names += [(source.get("configMapRef") or {}).get("name") for source in container.get("envFrom") or []]
        names += [
            ((variable.get("valueFrom") or {}).get("configMapKeyRef") or {}).get("name")
            for variable in container.get("env") or []
        ]
    yield from ((daemon["metadata"]["namespace"], name) for name in names if name not in (None, OF_THE_API_SERVER))
