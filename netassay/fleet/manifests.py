"""What a run creates: namespaces, the agent's ConfigMap, and probe pods."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec

from netassay.agent import pack
from netassay.fleet.ports import PROBE_PORTS, host_ports, transport
from netassay.fleet.run import PROBE_LABEL, ROLE_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netassay.fleet.run import Run

CONTAINER = "agent"
AGENT_CONFIG_MAP = "netassay-agent"
AGENT_PATH = "/netassay/agent.pyz"
CONTROL_PATH = "/tmp/netassay-control"  # noqa: S108 - in the pod, where /tmp is its own
DRIVE_COMMAND = ("python3", AGENT_PATH, "drive")
NOBODY = 65534
# The agent ends at once when told to; anything left would be killed after this.
GRACE_SECONDS = 1
READINESS_PERIOD_SECONDS = 1


class PodOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How one probe pod differs from the usual.

    `node` pins it by name (through the scheduler); `ready=False` starts it unready; `hostname` and `subdomain` give it
    a DNS name under a headless Service; `dns` is the pod's `dnsConfig` with, if wanted, its `dnsPolicy` under that
    key; `role` is a label.
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
        "affinity": _on_node(options.node) if options.node else None,
        "tolerations": [{"operator": "Exists"}] if options.tolerate_taints else None,
        "hostNetwork": options.host_network or None,
    }
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
            "containers": [_container(run, name, image, options)],
            "dnsPolicy": policy,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": NOBODY,
                "runAsGroup": NOBODY,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumes": [
                {"name": "agent", "configMap": {"name": AGENT_CONFIG_MAP}},
                {"name": "tmp", "emptyDir": {}},
            ],
            **{key: value for key, value in optional.items() if value is not None},
        },
    }


def ports_of(run: Run, *, host_network: bool) -> Mapping[str, int]:
    """What a probe of this run serves."""
    return host_ports(run.id) if host_network else PROBE_PORTS


def _container(run: Run, name: str, image: str, options: PodOptions) -> dict[str, Any]:
    ports = ports_of(run, host_network=options.host_network)
    serve = [word for key, port in ports.items() for word in (f"--{key.rstrip('2')}", str(port))]
    readiness = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": READINESS_PERIOD_SECONDS}
    return {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", AGENT_PATH, "serve", *serve, *([] if options.ready else ["--not-ready"])],
        "env": [{"name": "POD_NAME", "value": name}, {"name": "NETASSAY_CONTROL", "value": CONTROL_PATH}],
        "ports": [{"name": key, "containerPort": port, "protocol": transport(key)} for key, port in ports.items()],
        # One failure suffices, so that a probe that was switched off is out of its Services within a second or two.
        "readinessProbe": {**readiness, "timeoutSeconds": 5, "failureThreshold": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "agent", "mountPath": "/netassay", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
        ],
    }


def _on_node(node: str) -> dict[str, Any]:
    """Affinity as DaemonSets have it: the scheduler still counts what the node has left, and says why it cannot."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = [{"matchFields": [field]}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
