"""Certificates and kubeconfigs of the lab: one authority, and every component with an identity of its own."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab import plan

if TYPE_CHECKING:
    from pathlib import Path

# A lab lives for hours; a clock that is a little off must not break it.
LIFETIME = timedelta(days=30)
SKEW = timedelta(minutes=10)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


class Authority:
    """The certificate authority of the cluster; it writes certificates and kubeconfigs into one folder."""

    def __init__(self, folder: Path) -> None:
        """Make a new authority in `folder` (ca.crt); its key is never written."""
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("netassay-lab")
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM)
        (folder / "ca.crt").write_bytes(self.certificate)

    def issue(self, file: str, common_name: str, *, groups: tuple[str, ...] = (), serves: tuple[str, ...] = ()) -> None:
        """Write `file`.crt and `file`.key: a client certificate, which also serves the names and addresses `serves`."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(common_name, groups), self._name, key.public_key()).add_extension(
            x509.ExtendedKeyUsage([SERVER, CLIENT] if serves else [CLIENT]), critical=False
        )
        if serves:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_alternative(n) for n in serves]), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        (self.folder / f"{file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        _write_key(self.folder / f"{file}.key", key)

    def kubeconfig(self, file: Path, server: str, identity: str) -> None:
        """Write a self-contained kubeconfig for the identity whose certificate was issued as `identity`."""
        user = {
            "client-certificate-data": _base64((self.folder / f"{identity}.crt").read_bytes()),
            "client-key-data": _base64((self.folder / f"{identity}.key").read_bytes()),
        }
        cluster = {"server": server, "certificate-authority-data": _base64(self.certificate)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": identity, "user": user}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": identity}}],
            "current-context": "lab",
        }
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(config))


def make_all(folder: Path, admin_kubeconfig: Path, nodes: list[plan.Host]) -> None:
    """Make every certificate, key and kubeconfig of a lab in `folder`, and the administrator's for the machine."""
    authority = Authority(folder)
    inside = f"https://{plan.CONTROL_PLANE.ip}:6443"
    authority.issue(
        "apiserver",
        "kube-apiserver",
        serves=(
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            f"kubernetes.default.svc.{plan.CLUSTER_DOMAIN}",
            "localhost",
            "127.0.0.1",
            str(plan.API_SERVICE),
            str(plan.CONTROL_PLANE.ip),
            str(plan.API_FROM_MACHINE.ip),
            str(plan.API_SERVICE6),
            str(plan.CONTROL_PLANE6.ip),
        ),
    )
    authority.issue("apiserver-kubelet-client", "kube-apiserver-kubelet-client", groups=("system:masters",))
    authority.issue("admin", "kubernetes-admin", groups=("system:masters",))
    for component in ("kube-controller-manager", "kube-scheduler"):
        authority.issue(component, f"system:{component}")
        authority.kubeconfig(folder / f"{component}.kubeconfig", inside, component)
    authority.issue("cloud", "netassay-lab-cloud", groups=("system:masters",))
    authority.kubeconfig(folder / "cloud.kubeconfig", inside, "cloud")
    for node in nodes:
        authority.issue(f"kubelet-{node.name}", f"system:node:{node.name}", groups=("system:nodes",))
        authority.issue(
            f"kubelet-serving-{node.name}",
            f"system:node:{node.name}",
            groups=("system:nodes",),
            serves=(node.name, str(node.address.ip), str(node.address6.ip)),
        )
        authority.kubeconfig(folder / f"kubelet-{node.name}.kubeconfig", inside, f"kubelet-{node.name}")
    authority.kubeconfig(admin_kubeconfig, f"https://{plan.API_FROM_MACHINE.ip}:6443", "admin")
    accounts = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write_key(folder / "service-accounts.key", accounts)
    public = accounts.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "service-accounts.pub").write_bytes(public)


def _name(common_name: str, groups: tuple[str, ...] = ()) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + LIFETIME)
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
