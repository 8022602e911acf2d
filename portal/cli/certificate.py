"""A certificate for trying the portal over https without a public name: `bin/run --tls NAME`.

The authority that signs it is made for this one certificate, may sign for this one name only
(RFC 5280 section 4.2.1.10), and its key is thrown away: importing it into a browser is harmless.
"""

import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 397
RENEW_BEFORE_DAYS = 30


@dataclass(frozen=True)
class Certificate:
    """Where the files are. `chain` and `key` are for the server, `authority` is for browsers."""

    chain: Path
    key: Path
    authority: Path

    def fingerprint(self) -> str:
        """SHA-256 of the server's certificate, as browsers show it: `AB:CD:...`."""
        certificate = x509.load_pem_x509_certificate(self.chain.read_bytes())
        return certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def is_usable(self, now: dt.datetime) -> bool:
        """Whether all files are there and it lasts for another month."""
        if not all(file.exists() for file in (self.chain, self.key, self.authority)):
            return False
        certificate = x509.load_pem_x509_certificate(self.chain.read_bytes())
        return certificate.not_valid_after_utc - now > dt.timedelta(days=RENEW_BEFORE_DAYS)


def local_certificate(folder: Path, name: str) -> Certificate:
    """The certificate for `name` (a host name or an address), made when missing or running out.

    Raises ValueError when `name` can be neither.
    """
    subject = _general_name(name)
    home = folder / name.replace(":", "-")
    certificate = Certificate(home / "server.pem", home / "server.key", home / "authority.pem")
    now = dt.datetime.now(dt.UTC)
    if not certificate.is_usable(now):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(certificate, name, subject, now)
    return certificate


def _general_name(name: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        labels = name.split(".")
        if not all(label.replace("-", "").isalnum() and label.isascii() for label in labels):
            raise ValueError(f"{name!r} is neither a host name nor an address") from None
        return x509.DNSName(name)


def _make(
    files: Certificate, name: str, subject: x509.DNSName | x509.IPAddress, now: dt.datetime
) -> None:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, name, subject, now)
    key = ec.generate_private_key(ec.SECP256R1())
    server = (
        _builder(name, authority.subject, key, now)
        .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(files.key, secret, mode=0o600)
    _write(files.authority, authority.public_bytes(pem), mode=0o644)
    _write(files.chain, server.public_bytes(pem) + authority.public_bytes(pem), mode=0o644)


def _authority(
    key: ec.EllipticCurvePrivateKey,
    name: str,
    subject: x509.DNSName | x509.IPAddress,
    now: dt.datetime,
) -> x509.Certificate:
    issuer = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"Provider Portal, only for {name}"[:64])]
    )
    return (
        _builder(f"Provider Portal, only for {name}", issuer, key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_only_for(subject), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_signs_certificates(), critical=True)
        .sign(key, hashes.SHA256())
    )


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks of machines that try this differ by a few minutes.
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=VALID_DAYS))
    )


def _only_for(subject: x509.DNSName | x509.IPAddress) -> x509.NameConstraints:
    if isinstance(subject, x509.IPAddress):
        network = ipaddress.ip_network(str(subject.value))
        return x509.NameConstraints([x509.IPAddress(network)], None)
    return x509.NameConstraints([subject], None)


def _signs_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        key_cert_sign=True,
        crl_sign=True,
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(file: Path, content: bytes, *, mode: int) -> None:
    """Whole or not at all, and never readable to others for a moment when it must not be."""
    draft = file.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
    draft.replace(file)
