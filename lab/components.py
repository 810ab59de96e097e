"""The programs of the lab and their command lines: what runs where, after what, with which configuration files."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from lab import plan
from lab.paths import INSIDE, INSIDE_BIN

if TYPE_CHECKING:
    from pathlib import Path

PKI = INSIDE / "pki"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
IMAGES = INSIDE / "images.tar"
OUTSIDE_PORTS = {"tcp": (8080, 8081), "udp": (8080, 8081), "http": (8000,)}


@dataclass(frozen=True)
class Component:
    """A program that the lab's init keeps running on `host`; it is started again when it ends."""

    name: str
    host: str
    argv: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its name in logs and status, such as kubelet@node1; a host that has but one needs no host in it."""
        return self.name if self.host == plan.CONTROL_PLANE_HOST else f"{self.name}@{self.host}"


def etcd() -> Component:
    """The store, in memory: a lab does not outlive its processes. It listens on its own namespace's loopback only."""
    return _control_plane(
        "etcd",
        "--data-dir=/run/etcd",
        "--unsafe-no-fsync",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--log-level=warn",
    )


def apiserver(families: plan.Families) -> Component:
    """The API, with the authorizers and admission that real clusters run."""
    return _control_plane(
        "kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        f"--advertise-address={families.first(plan.CONTROL_PLANE.ip, plan.CONTROL_PLANE6.ip)}",
        "--secure-port=6443",
        f"--tls-cert-file={PKI}/apiserver.crt",
        f"--tls-private-key-file={PKI}/apiserver.key",
        f"--client-ca-file={PKI}/ca.crt",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--kubelet-certificate-authority={PKI}/ca.crt",
        f"--kubelet-client-certificate={PKI}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={PKI}/apiserver-kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        _service_ranges(families),
        f"--service-account-issuer=https://kubernetes.default.svc.{plan.CLUSTER_DOMAIN}",
        f"--service-account-key-file={PKI}/service-accounts.pub",
        f"--service-account-signing-key-file={PKI}/service-accounts.key",
    )


def controller_manager(families: plan.Families) -> Component:
    """The controllers, each with its own service account."""
    return _control_plane(
        "kube-controller-manager",
        f"--kubeconfig={PKI}/kube-controller-manager.kubeconfig",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        f"--root-ca-file={PKI}/ca.crt",
        f"--service-account-private-key-file={PKI}/service-accounts.key",
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={','.join(families.of(plan.POD_NETWORK, plan.POD_NETWORK6))}",
        _service_ranges(families),
        "--node-monitor-grace-period=20s",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    )


def scheduler() -> Component:
    """The scheduler."""
    return _control_plane(
        "kube-scheduler",
        f"--kubeconfig={PKI}/kube-scheduler.kubeconfig",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
    )


def outside_dns(families: plan.Families) -> Component:
    """The name server of the world outside the cluster: it knows one name, and that all others do not exist."""
    addresses = families.of(plan.OUTSIDE.ip, plan.OUTSIDE6.ip)
    hosts = "\n".join(f"        {address} {plan.OUTSIDE_NAME}" for address in addresses)
    corefile = f"""\
{plan.OUTSIDE_NAME}:53 {{
    bind {" ".join(addresses)}
    errors
    hosts {{
{hosts}
        ttl 30
    }}
}}
.:53 {{
    bind {" ".join(addresses)}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""
    file = _write(plan.OUTSIDE_HOST, "Corefile", corefile)
    return Component("coredns", plan.OUTSIDE_HOST, (f"{INSIDE_BIN}/coredns", "-conf", str(file)))


def outside_agent(agent: str) -> Component:
    """What answers on the outside host over TCP, UDP and HTTP: the caller's own agent, on the ports of its probes."""
    options = [f"--{protocol}={port}" for protocol, ports in OUTSIDE_PORTS.items() for port in ports]
    return Component("agent", plan.OUTSIDE_HOST, (sys.executable, agent, "--identity=outside-host", "serve", *options))


def containerd(node: plan.Host, cni: str) -> Component:
    """The container runtime of one node. It fills `cni` in, if there is any, and uses it as its CNI configuration."""
    template = _write(node.name, "cni.conflist.template", cni) if cni else ""
    config = f"""\
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "netassay.lab/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
  # Without CAP_SYS_RESOURCE a lower score cannot be set, and every sandbox would die of trying.
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/opt/cni/bin"]
    conf_dir = "/etc/cni/net.d"
    conf_template = "{template}"
"""
    file = _write(node.name, "containerd.toml", config)
    return Component(
        "containerd", node.name, (f"{INSIDE_BIN}/containerd", "--config", str(file), "--log-level", "warn")
    )


def cloud(mode: str, nodes: int) -> Component:
    """What a cloud does for its nodes, outside the cluster as a managed cloud's own programs are."""
    argv = (sys.executable, "-m", "lab.cloud", mode, str(nodes))
    return Component("cloud", plan.ROUTER_HOST, argv, {"PYTHONPATH": os.environ.get("PYTHONPATH", "")})


def kubelet(node: plan.Host, labels: dict[str, str], families: plan.Families) -> Component:
    """The kubelet of one node; who may use its API is asked of the API server.

    `labels` say that this is a lab, and in which mode, so that no report takes it for the real thing.
    """
    zone = {"topology.kubernetes.io/zone": f"zone-of-{node.name}"}
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{PKI}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{PKI}/kubelet-serving-{node.name}.crt",
        "tlsPrivateKeyFile": f"{PKI}/kubelet-serving-{node.name}.key",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "clusterDNS": [families.first(plan.CLUSTER_DNS, plan.CLUSTER_DNS6)],
        "clusterDomain": plan.CLUSTER_DOMAIN,
        "resolvConf": "/etc/resolv.conf",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{plan.CGROUP}/{node.name}",
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        # The nodes share one machine's disk and memory: a node cannot judge them.
        "evictionHard": dict.fromkeys(("memory.available", "nodefs.available", "nodefs.inodesFree"), "0%"),
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": False,
        "serializeImagePulls": False,
        "maxPods": 200,
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
        "eventRecordQPS": 100,
        "syncFrequency": "10s",
    }
    file = _write(node.name, "kubelet.yaml", yaml.safe_dump(config))
    argv = (
        f"{INSIDE_BIN}/kubelet",
        f"--config={file}",
        f"--kubeconfig={PKI}/kubelet-{node.name}.kubeconfig",
        f"--hostname-override={node.name}",
        f"--node-ip={','.join(families.of(node.address.ip, node.address6.ip))}",
        "--root-dir=/var/lib/kubelet",
        # A zone of its own for each node: so Services that keep traffic near can be told from those that do not.
        f"--node-labels={','.join(f'{key}={value}' for key, value in {**labels, **zone}.items())}",
    )
    return Component("kubelet", node.name, argv)


def _service_ranges(families: plan.Families) -> str:
    return f"--service-cluster-ip-range={','.join(families.of(plan.SERVICE_NETWORK, plan.SERVICE_NETWORK6))}"


def _control_plane(name: str, *options: str) -> Component:
    return Component(name, plan.CONTROL_PLANE_HOST, (f"{INSIDE_BIN}/{name}", *options))


def _write(host: str, name: str, text: str) -> Path:
    file = INSIDE / "config" / host / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file
