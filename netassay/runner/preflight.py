"""Whether an assay may run here: rights, nodes, admission and images are looked at, and nothing is changed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from netassay.cluster import ApiError
from netassay.errors import HarnessFault
from netassay.fleet import Run
from netassay.fleet.manifests import namespace
from netassay.fleet.nodes import why_not
from netassay.modes import detect, load
from netassay.modes.limits import beyond

if TYPE_CHECKING:
    from netassay.cluster import Cluster

ANY: Final = "netassay-preflight"
"""Stands for the namespace of a run, whose name is not known before."""


class Answer(StrEnum):
    """What was found about one point."""

    YES = "yes"
    LIMITED = "limited"  # the assay runs, and says what it could not do
    NO = "no"  # the assay can't run


class Right(msgspec.Struct, frozen=True):
    """One right at the API server, to one object by `name` or to all of its kind.

    `needed` is False where an assay without it only knows less.
    """

    verb: str
    resource: str
    group: str
    namespace: str
    needed: bool
    purpose: str
    name: str = ""

    def describe(self) -> str:
        """Say it as a right is said."""
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        resource += f"/{self.name}" if self.name else ""
        return f"{self.verb} {resource}" + (f" in {self.namespace}" if self.namespace not in ("", ANY) else "")


class Point(msgspec.Struct, frozen=True):
    """One point that was looked at, what was found, and what to do about it."""

    what: str
    answer: Answer
    detail: str


def _rights() -> list[Right]:
    rights = [
        Right("list", "nodes", "", "", True, "to place a probe on every node"),
        Right("list", "namespaces", "", "", True, "to find and remove what runs leave behind"),
        Right("create", "namespaces", "", "", True, "a namespace for the probes"),
        Right("delete", "namespaces", "", "", True, "to leave nothing behind"),
        Right("list", "pods", "", "", True, "to compare the addresses of all pods"),
        Right("list", "services", "", "", True, "to find the cluster's DNS"),
        Right("list", "endpointslices", "discovery.k8s.io", "", True, "to follow endpoints, and ask each DNS replica"),
        Right("list", "daemonsets", "apps", "", False, "to tell the CNI mode"),
        Right("get", "configmaps", "", "kube-system", False, "to tell kube-proxy's mode", "kube-proxy"),
        Right("get", "configmaps", "", "kube-system", False, "to tell Flannel's backend", "kube-flannel-cfg"),
        Right("get", "configmaps", "", "kube-flannel", False, "to tell Flannel's backend", "kube-flannel-cfg"),
        Right("list", "events", "", ANY, False, "to say why a probe does not start"),
        Right("create", "configmaps", "", ANY, True, "to carry the agent into probes"),
        Right("create", "pods/exec", "", ANY, True, "to drive the probes"),
        Right("get", "pods/exec", "", ANY, True, "to drive the probes over a websocket"),
        Right("deletecollection", "pods", "", ANY, True, "to remove probes quickly"),
    ]
    rights += [
        Right(verb, "pods", "", ANY, True, "probes that come and go") for verb in ("get", "create", "patch", "delete")
    ]
    rights += [
        Right(verb, "deployments", "apps", ANY, False, "backends that are rolled as applications are")
        for verb in ("create", "patch", "delete")
    ]
    for verb in ("create", "patch", "delete"):
        rights.append(Right(verb, "services", "", ANY, True, "Services in front of probes"))
    rights.append(Right("list", "servicecidrs", "networking.k8s.io", "", False, "to know the range of cluster IPs"))
    rights.append(Right("patch", "statefulsets", "apps", ANY, False, "pods that move to another node"))
    for verb in ("create", "delete"):
        rights.append(Right(verb, "statefulsets", "apps", ANY, False, "names that stay when pods are replaced"))
        rights.append(Right(verb, "endpointslices", "discovery.k8s.io", ANY, False, "endpoints that are no pods"))
        rights.append(Right(verb, "endpoints", "", ANY, False, "endpoints that are written down by hand"))
    enis = "to check interfaces of Terway"
    rights += [Right("list", kind, "network.alibabacloud.com", "", False, enis) for kind in ("nodes", "podenis")]
    rights += [
        Right(verb, "podnetworkings", "network.alibabacloud.com", "", False, enis)
        for verb in ("get", "create", "delete")
    ]
    web = {
        ("ingresses", "networking.k8s.io"): ("get", "create", "patch", "delete"),
        ("ingressclasses", "networking.k8s.io"): ("list",),
        ("gateways", "gateway.networking.k8s.io"): ("get", "create", "delete"),
        ("gatewayclasses", "gateway.networking.k8s.io"): ("list",),
        ("grpcroutes", "gateway.networking.k8s.io"): ("create", "delete"),
        ("httproutes", "gateway.networking.k8s.io"): ("create", "patch", "delete"),
        ("secrets", ""): ("create",),
    }
    rights += [
        Right(
            verb, resource, group, "" if resource.endswith("classes") else ANY, False, "to check Ingresses and Gateways"
        )
        for (resource, group), verbs in web.items()
        for verb in verbs
    ]
    for verb in ("create", "patch", "delete", "deletecollection"):
        rights.append(Right(verb, "networkpolicies", "networking.k8s.io", ANY, False, "to put policies in force"))
    rights.append(Right("patch", "namespaces", "", "", False, "labels of namespaces, which policies select by"))
    return rights


RIGHTS: Final = _rights()
"""Every right that an assay uses; deploy/rbac.yaml grants them."""


def preflight(cluster: Cluster, *, image: str, tolerate_taints: bool = False) -> list[Point]:
    """Look at every point. `HarnessFault` if the API server can't be asked at all."""
    points = [Point("API server", Answer.YES, f"{cluster.server}, {cluster.version()}")]
    points += _check_rights(cluster)
    try:
        nodes = cluster.list("Node")
    except HarnessFault as fault:
        points.append(Point("nodes", Answer.NO, str(fault)))
    else:
        points += [_check_nodes(nodes, tolerate_taints=tolerate_taints), _check_image(nodes, image)]
        detection = detect(cluster)
        points += [Point("size", Answer.LIMITED, line) for line in beyond(load(detection.mode), detection)]
    return [*points, *_check_admission(cluster)]


def _check_rights(cluster: Cluster) -> list[Point]:
    points = []
    for right in RIGHTS:
        allowed, reason = _may(cluster, right)
        if not allowed:
            answer = Answer.NO if right.needed else Answer.LIMITED
            detail = f"missing, needed {right.purpose}{f' ({reason})' if reason else ''}; deploy/rbac.yaml grants it"
            points.append(Point(right.describe(), answer, detail))
    return points or [Point("rights", Answer.YES, f"all {len(RIGHTS)} that an assay uses")]


def _may(cluster: Cluster, right: Right) -> tuple[bool, str]:
    resource, _, subresource = right.resource.partition("/")
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "name": right.name,
    }
    review = cluster.create(
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {**attributes, "namespace": right.namespace}},
        }
    )
    status = review.get("status", {})
    return bool(status.get("allowed")), str(status.get("reason", ""))


def _check_nodes(nodes: list[dict[str, Any]], *, tolerate_taints: bool) -> Point:
    refused = {
        node["metadata"]["name"]: why for node in nodes if (why := why_not(node, tolerate_taints=tolerate_taints))
    }
    usable = len(nodes) - len(refused)
    said = "; ".join(f"{name} is {why}" for name, why in refused.items())
    if usable == 0:
        return Point("nodes", Answer.NO, f"none takes probes: {said or 'there are none'}; see --tolerate-taints")
    if usable == 1:
        return Point(
            "nodes", Answer.LIMITED, f"only one takes probes, so nothing across nodes is checked: {said}".rstrip(": ")
        )
    if refused:
        return Point("nodes", Answer.LIMITED, f"{usable} of {len(nodes)} take probes: {said}")
    return Point("nodes", Answer.YES, f"all {usable} take probes")


def _check_image(nodes: list[dict[str, Any]], image: str) -> Point:
    """Hint at who has the probe image. Nodes list only some of their images, so its absence proves nothing."""
    has = [
        node["metadata"]["name"]
        for node in nodes
        if any(image in entry.get("names") or [] for entry in node.get("status", {}).get("images", []))
    ]
    if len(has) == len(nodes):
        return Point("probe image", Answer.YES, f"{image} is present on all nodes")
    pull = f"{len(has)} of {len(nodes)} nodes show it; the others must be able to pull it (see `netassay images`)"
    return Point("probe image", Answer.LIMITED, f"{image}: {pull}")


def _check_admission(cluster: Cluster) -> list[Point]:
    """Ask the server, as a dry run, whether it would admit a run's two namespaces."""
    points = []
    run = Run.new()
    for name, level, without in (
        (run.namespace, "restricted", "no probe can be made"),
        (run.host_namespace, "privileged", "nothing is checked from the nodes' own network; use --no-host-probes"),
    ):
        what = f"Pod Security {level}"
        try:
            cluster.run(
                cluster.objects.api.json(
                    f"try to create Namespace {name}",
                    "POST",
                    "/api/v1/namespaces",
                    body=namespace(run, name, level),
                    query={"dryRun": "All"},
                )
            )
        except ApiError as error:
            answer = Answer.NO if level == "restricted" else Answer.LIMITED
            points.append(Point(what, answer, f"{error}; {without}"))
        else:
            points.append(Point(what, Answer.YES, "a namespace of that level would be admitted"))
    return points
