"""Certificates made for one run: an authority that nobody else trusts, and what it signs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFETIME: Final = timedelta(days=1)
SKEW: Final = timedelta(hours=1)
"""By how much the clocks of who made a certificate and who judges it may differ."""

PEM: Final = serialization.Encoding.PEM


class Certificate(NamedTuple):
    """A server's certificate and its private key, in PEM, and the certificate in DER."""

    pem: str
    key: str
    der: bytes


class Authority:
    """Signs certificates for servers; its key is never written down."""

    def __init__(self, name: str) -> None:
        """`name` is its common name."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        basic = x509.BasicConstraints(ca=True, path_length=0)
        made = _builder(self._name, self._name, self._key.public_key()).add_extension(basic, critical=True)
        self.pem = made.sign(self._key, hashes.SHA256()).public_bytes(PEM).decode()

    def issue(self, *names: str) -> Certificate:
        """Give a certificate for a server that goes by these DNS names, wildcards included."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        made = _builder(_name(names[0][:64]), self._name, key.public_key()).add_extension(alternatives, critical=False)
        signed = made.sign(self._key, hashes.SHA256())
        no_password = serialization.NoEncryption()
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, no_password)
        return Certificate(
            signed.public_bytes(PEM).decode(), private.decode(), signed.public_bytes(serialization.Encoding.DER)
        )


def names_in(der: bytes) -> tuple[str, ...]:
    """Give the DNS names that a certificate (DER) is for, or its common name; nothing for no certificate."""
    if not der:
        return ()
    certificate = x509.load_der_x509_certificate(der)
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return tuple(str(part.value) for part in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
    return tuple(found.get_values_for_type(x509.DNSName))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


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
