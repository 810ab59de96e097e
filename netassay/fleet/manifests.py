"""What a run creates: namespaces, the agent's ConfigMap, and probe pods."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec

from netassay.agent import pack
from netassay.fleet.ports import PROBE_PORTS, host_ports, transport
from netassay.fleet.run import PROBE_LABEL, ROLE_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netassay.fleet.run import Run

CONTAINER = "agent"
AGENT_CONFIG_MAP = "netassay-agent"
AGENT_PATH = "/netassay/agent.pyz"
CONTROL_PATH = "/tmp/netassay-control"  # noqa: S108 - in the pod, where /tmp is its own
DRIVE_COMMAND = ("python3", AGENT_PATH, "drive")
NOBODY = 65534
INIT_CONTAINER = "first"
SET_ROLE = "set"
HOST_PATH = "/netassay-host"
"""Where a pod finds the folder of its node that it may read."""
_MOUNTS: list[dict[str, Any]] = [
    {"name": "agent", "mountPath": "/netassay", "readOnly": True},
    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
]
_CONFINED: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
LOAD_CONTAINER = "load"
LOAD_PORT, LOAD_PORT_ON_HOST = 5199, 20_199
"""Where the container that makes load waits, on loopback."""
# The agent ends at once when told to; anything left would be killed after this.
GRACE_SECONDS = 1
READINESS_PERIOD_SECONDS = 1


class PodOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How one probe pod differs from the usual.

    `node` pins it by name (through the scheduler); `ready=False` starts it unready; `hostname` and `subdomain` give it
    a DNS name under a headless Service; `dns` is the pod's `dnsConfig` with, if wanted, its `dnsPolicy` under that
    key; `role` is a label. `privileged` puts it into the namespace where Pod Security forbids nothing. `silent` makes
    it serve nothing, so that it has no ports. `sysctls` must be of those that Kubernetes calls safe. `linger` is for
    how many seconds it goes on serving once it has been told to stop. `host_ports` are ports of the node that lead to
    its own, by the names of those, at the node's address `host_ip` if there is one. `first` is what an init container
    does with the agent before it starts, and `beside` gives it a second container that serves these ports. `host_path`
    is a folder of the node that it may read, at `HOST_PATH`. With `shared_processes` its agent is not the first process
    of the pod's PID namespace, and so can be killed from inside. `load_image` is the image of a second container,
    in which generators of load are started by exec. `resources` are extended resources that it asks for. With
    `capabilities`, its agent is root with these and no others, to read what the kernel shows to nobody else.
    """

    node: str | None = None
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    ready: bool = True
    hostname: str | None = None
    subdomain: str | None = None
    dns: Mapping[str, Any] = {}
    service_account: str | None = None
    host_network: bool = False
    tolerate_taints: bool = False
    role: str = "extra"
    privileged: bool = False
    silent: bool = False
    sysctls: Mapping[str, str] = {}
    linger: int = 0
    host_ports: Mapping[str, int] = {}
    host_ip: str = ""
    first: Sequence[str] = ()
    beside: Mapping[str, int] = {}
    host_path: str = ""
    shared_processes: bool = False
    load_image: str = ""
    resources: Mapping[str, str] = {}
    capabilities: Sequence[str] = ()

    @property
    def open_space(self) -> bool:
        """Whether it needs the namespace where Pod Security forbids nothing."""
        return self.host_network or self.privileged or bool(self.host_ports or self.host_path or self.capabilities)


def namespace(run: Run, name: str, level: str) -> dict[str, Any]:
    """A namespace of the run under the Pod Security `level`."""
    levels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn", "audit")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {**run.labels, **levels}}}


def agent_config_map(run: Run, in_namespace: str) -> dict[str, Any]:
    """The ConfigMap that carries the agent."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": AGENT_CONFIG_MAP, "namespace": in_namespace, "labels": run.labels},
        "binaryData": {"agent.pyz": base64.b64encode(pack.zipapp()).decode()},
        "immutable": True,
    }


def probe_pod(run: Run, name: str, in_namespace: str, image: str, options: PodOptions) -> dict[str, Any]:
    """A pod that runs the agent, within the Pod Security profile `restricted` (but for the host's network)."""
    labels = {PROBE_LABEL: name, ROLE_LABEL: options.role, **options.labels, **run.labels}
    dns = dict(options.dns)
    policy = dns.pop("dnsPolicy", "ClusterFirstWithHostNet" if options.host_network else "ClusterFirst")
    optional = {
        "hostname": options.hostname,
        "subdomain": options.subdomain,
        "serviceAccountName": options.service_account,
        "dnsConfig": dns or None,
        "affinity": on_node(options.node) if options.node else None,
        "tolerations": [{"operator": "Exists"}] if options.tolerate_taints else None,
        "hostNetwork": options.host_network or None,
        "initContainers": [_init_container(image, options)] if options.first else None,
        "shareProcessNamespace": options.shared_processes or None,
    }
    containers = [_container(run, image, options)]
    if options.beside:
        containers.append(_container_beside(name, image, options))
    if options.load_image:
        containers.append(_load_container(options))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": in_namespace,
            "labels": labels,
            "annotations": dict(options.annotations),
        },
        "spec": {
            "containers": containers,
            "dnsPolicy": policy,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": GRACE_SECONDS + options.linger,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": NOBODY,
                "runAsGroup": NOBODY,
                "seccompProfile": {"type": "RuntimeDefault"},
                **({"sysctls": _pairs(options.sysctls)} if options.sysctls else {}),
            },
            "volumes": [
                {"name": "agent", "configMap": {"name": AGENT_CONFIG_MAP}},
                {"name": "tmp", "emptyDir": {}},
                *([{"name": "host", "hostPath": {"path": options.host_path}}] if options.host_path else []),
            ],
            **{key: value for key, value in optional.items() if value is not None},
        },
    }


def stateful_set(
    run: Run,
    name: str,
    image: str,
    *,
    service: str,
    label: str,
    count: int,
    labels: Mapping[str, str] | None = None,
    node: str | None = None,
) -> dict[str, Any]:
    """A StatefulSet of so many probe pods under the headless Service `service`, which selects them by `label`.

    They have `labels` besides, and are all on `node` if one is named.
    """
    options = PodOptions(labels={label: "yes", **(labels or {})}, role=SET_ROLE, node=node)
    pod = probe_pod(run, name, run.namespace, image, options)
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": run.namespace, "labels": run.labels},
        "spec": {
            "replicas": count,
            "serviceName": service,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {PROBE_LABEL: name, ROLE_LABEL: SET_ROLE}},
            "template": {"metadata": {"labels": pod["metadata"]["labels"]}, "spec": pod["spec"]},
        },
    }


def probe_deployment(
    run: Run, name: str, in_namespace: str, image: str, replicas: int, options: PodOptions
) -> dict[str, Any]:
    """A Deployment of such pods, on as many nodes as it can; rolled one pod at a time, with none missing meanwhile."""
    pod = probe_pod(run, name, in_namespace, image, options)
    chosen = {"matchLabels": {PROBE_LABEL: name, **run.labels}}
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
    # Each revision by itself: spread together with pods that are on their way out, the new ones may share a node.
    of_each = {"matchLabelKeys": ["pod-template-hash"], "nodeTaintsPolicy": "Honor"}
    pod["spec"]["topologySpreadConstraints"] = [{**spread, **of_each, "labelSelector": chosen}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": in_namespace, "labels": {PROBE_LABEL: name, **run.labels}},
        "spec": {
            "replicas": replicas,
            "selector": chosen,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": _template(pod),
        },
    }


def probe_daemon_set(run: Run, name: str, in_namespace: str, image: str, options: PodOptions) -> dict[str, Any]:
    """A DaemonSet of such pods: one on each node, also while the node is cordoned or drained."""
    pod = probe_pod(run, name, in_namespace, image, options)
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": in_namespace, "labels": {PROBE_LABEL: name, **run.labels}},
        "spec": {"selector": {"matchLabels": {PROBE_LABEL: name, **run.labels}}, "template": _template(pod)},
    }


def _template(pod: dict[str, Any]) -> dict[str, Any]:
    """What a controller makes such pods from."""
    return {"metadata": {key: pod["metadata"][key] for key in ("labels", "annotations")}, "spec": pod["spec"]}


def ports_of(run: Run, *, host_network: bool) -> Mapping[str, int]:
    """What a probe of this run serves."""
    return host_ports(run.id) if host_network else PROBE_PORTS


def _container(run: Run, image: str, options: PodOptions) -> dict[str, Any]:
    ports = {} if options.silent else ports_of(run, host_network=options.host_network)
    how = [] if options.ready else ["--not-ready"]
    how += ["--linger", str(options.linger)] if options.linger else []
    # A controller's pods learn their names only when they are made.
    name = {"fieldRef": {"fieldPath": "metadata.name"}}
    readiness = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": READINESS_PERIOD_SECONDS}
    mounts = _MOUNTS
    if options.host_path:
        mounts = [*mounts, {"name": "host", "mountPath": HOST_PATH, "readOnly": True}]
    container = {
        **_running(image, [*_serve(ports), *how], mounts),
        "name": CONTAINER,
        "env": [{"name": "POD_NAME", "valueFrom": name}, {"name": "NETASSAY_CONTROL", "value": CONTROL_PATH}],
        "ports": [_port(key, port, options) for key, port in ports.items()],
    }
    if options.resources:
        # Extended resources can't be had in part: what is asked for is the limit.
        usual = container["resources"]
        container["resources"] = {kind: {**usual[kind], **options.resources} for kind in ("requests", "limits")}
    if options.capabilities:
        as_root = {"runAsNonRoot": False, "runAsUser": 0, "runAsGroup": 0}
        added = {"drop": ["ALL"], "add": list(options.capabilities)}
        container["securityContext"] = {**_CONFINED, **as_root, "capabilities": added}
    if ports:
        # One failure suffices, so that a probe that was switched off is out of its Services within a second or two.
        container["readinessProbe"] = {**readiness, "timeoutSeconds": 5, "failureThreshold": 1}
    return container


def _container_beside(name: str, image: str, options: PodOptions) -> dict[str, Any]:
    """A second container in the same network; it is not driven, and answers under a name of its own."""
    identity = {"name": "POD_NAME", "value": beside_name(name)}
    container = {**_running(image, _serve(options.beside), _MOUNTS), "name": "beside", "env": [identity]}
    if "tcp" in options.beside:
        # A pod is Ready when all of its containers are: on a busy node the second one comes up later.
        container["readinessProbe"] = {
            "tcpSocket": {"port": options.beside["tcp"]},
            "periodSeconds": READINESS_PERIOD_SECONDS,
            "timeoutSeconds": 5,
        }
    return container


def _load_container(options: PodOptions) -> dict[str, Any]:
    """A container that waits: an iperf3 server on loopback, which every image with iperf3 can start."""
    port = LOAD_PORT_ON_HOST if options.host_network else LOAD_PORT
    return {
        "name": LOAD_CONTAINER,
        "image": options.load_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["iperf3", "-s", "-B", "127.0.0.1", "-p", str(port)],
        # No limit for CPU: a generator that is held back measures the limit.
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": _CONFINED,
        "volumeMounts": [_MOUNTS[1]],
    }


def beside_name(pod: str) -> str:
    """The identity under which the second container of a pod answers."""
    return f"beside-{pod}"


def _init_container(image: str, options: PodOptions) -> dict[str, Any]:
    # Its last words are for whoever has to say why the pod does not start.
    told = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    return {**_running(image, list(options.first), _MOUNTS), **told, "name": INIT_CONTAINER}


def _serve(ports: Mapping[str, int]) -> list[str]:
    return ["serve", *(word for key, port in ports.items() for word in (f"--{key.rstrip('2')}", str(port)))]


def _port(key: str, number: int, options: PodOptions) -> dict[str, Any]:
    port: dict[str, Any] = {"name": key, "containerPort": number, "protocol": transport(key)}
    if key in options.host_ports:
        port["hostPort"] = options.host_ports[key]
        if options.host_ip:
            port["hostIP"] = options.host_ip
    return port


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _running(image: str, agent: list[str], mounts: list[dict[str, Any]]) -> dict[str, Any]:
    """What all containers that run the agent have in common."""
    return {
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", AGENT_PATH, *agent],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": _CONFINED,
        "volumeMounts": mounts,
    }


def on_node(node: str) -> dict[str, Any]:
    """Affinity as DaemonSets have it: the scheduler still counts what the node has left, and says why it cannot."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = [{"matchFields": [field]}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
