"""What an operator can set. One frozen object, read once, that refuses to be half-configured."""

import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_PORT = 8000


class SettingsError(Exception):
    """A setting is missing or wrong. The text names the variable and how to mend it."""


@dataclass(frozen=True)
class Settings:
    """The portal's settings; every field is a `PORTAL_*` variable (README, "Settings").

    `base_url` has no trailing slash. `secret_keys`: the first signs, all verify. `dns_servers` are
    addresses with ports, none for those of the system; `dns_timeout` is seconds for all of them.
    """

    instance: Path
    database_url: str
    base_url: str
    secret_keys: tuple[str, ...]
    smtp_url: str | None = None
    mail_from: str = "Provider Portal <portal@localhost>"
    trusted_proxies: int = 0
    dns_servers: tuple[tuple[str, int], ...] = ()
    dns_timeout: int = 5
    prices: Path | None = None
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    log_level: str = "INFO"
    testing: bool = False

    @property
    def https(self) -> bool:
        """Whether people reach the portal over TLS; decides the cookie's name and flags."""
        return self.base_url.startswith("https://")

    @property
    def hostname(self) -> str:
        """The host in every link the portal writes, lower case, without the port."""
        return (urlsplit(self.base_url).hostname or "").lower()

    @property
    def is_local(self) -> bool:
        """Whether the portal is addressed by a name that only this machine answers to."""
        return is_loopback(self.hostname)

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read `PORTAL_*`; raises SettingsError with a sentence an operator can act on."""
        env = os.environ if env is None else env
        instance = Path(env.get("PORTAL_INSTANCE") or "instance").absolute()
        port = _number(env, "PORTAL_PORT", int(env.get("PORT") or DEFAULT_PORT))
        base_url = _base_url(env.get("PORTAL_BASE_URL") or f"http://localhost:{port}")
        local = is_loopback((urlsplit(base_url).hostname or "").lower())
        host = env.get("PORTAL_HOST") or "127.0.0.1"
        if local and not env.get("PORTAL_BASE_URL") and not is_loopback(host):
            raise SettingsError(
                "PORTAL_BASE_URL is required when PORTAL_HOST is not a loopback address: "
                "links in mails are made from it alone."
            )
        prices = env.get("PORTAL_PRICES")
        return cls(
            instance=instance,
            database_url=_database_url(env.get("PORTAL_DATABASE_URL"), instance),
            base_url=base_url,
            secret_keys=_secret_keys(env.get("PORTAL_SECRET_KEY"), instance, local=local),
            smtp_url=_smtp_url(env.get("PORTAL_SMTP_URL")),
            mail_from=env.get("PORTAL_MAIL_FROM") or _mail_from(base_url),
            trusted_proxies=_number(env, "PORTAL_TRUSTED_PROXIES", 0),
            dns_servers=_dns_servers(env.get("PORTAL_DNS_SERVERS")),
            dns_timeout=_dns_timeout(env),
            prices=Path(prices).absolute() if prices else None,
            host=host,
            port=port,
            log_level=(env.get("PORTAL_LOG_LEVEL") or "INFO").upper(),
        )


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine (RFC 6761 section 6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdigit():
        raise SettingsError(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def _dns_servers(text: str | None) -> tuple[tuple[str, int], ...]:
    """`192.0.2.1, 192.0.2.2:5353, [2001:db8::1]:53` as addresses and ports."""
    return tuple(_dns_server(each.strip()) for each in (text or "").split(",") if each.strip())


def _dns_server(text: str) -> tuple[str, int]:
    wrong = f"PORTAL_DNS_SERVERS must hold addresses such as 192.0.2.1:53, not {text!r}."
    try:
        return str(ipaddress.ip_address(text)), 53
    except ValueError:
        host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingsError(wrong)
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except ValueError:
        raise SettingsError(wrong) from None


def _dns_timeout(env: Mapping[str, str]) -> int:
    seconds = _number(env, "PORTAL_DNS_TIMEOUT", 5)
    if not 1 <= seconds <= 30:
        raise SettingsError("PORTAL_DNS_TIMEOUT must be between 1 and 30 seconds.")
    return seconds


def _base_url(text: str) -> str:
    parts = urlsplit(text.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.path:
        raise SettingsError(f"PORTAL_BASE_URL must look like https://portal.example, not {text!r}.")
    if parts.scheme == "http" and not is_loopback(parts.hostname.lower()):
        raise SettingsError(
            "PORTAL_BASE_URL must be https:// unless it is localhost: the session cookie and the "
            "vault's cryptography both need it."
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _mail_from(base_url: str) -> str:
    return f"Provider Portal <portal@{urlsplit(base_url).hostname}>"


def _database_url(text: str | None, instance: Path) -> str:
    if not text:
        return f"sqlite:///{instance / 'portal.db'}"
    scheme, _, rest = text.partition("://")
    if scheme in {"postgresql", "postgres", "postgresql+psycopg"} and rest:
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite" and rest:
        return text
    raise SettingsError("PORTAL_DATABASE_URL must begin with postgresql:// or sqlite:///.")


def _smtp_url(text: str | None) -> str | None:
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise SettingsError(
            "PORTAL_SMTP_URL must look like smtp://user:password@mail.example:587 or smtps://…"
        )
    return text


def _secret_keys(text: str | None, instance: Path, *, local: bool) -> tuple[str, ...]:
    """The keys from the environment, else from `instance/secret.key`; made there on loopback."""
    file = instance / "secret.key"
    if not text and file.exists():
        text = file.read_text().strip()
    if not text and local:
        text = _make_secret(file)
    keys = tuple(key.strip() for key in (text or "").split(",") if key.strip())
    if not keys:
        raise SettingsError("PORTAL_SECRET_KEY is required: a comma list, the first key signs.")
    if any(len(key) < 32 for key in keys):
        raise SettingsError("Each key in PORTAL_SECRET_KEY needs at least 32 characters.")
    return keys


def _make_secret(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        # O_EXCL: of two workers that start at once, one writes the key and the other reads it.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(handle, "w") as out:
        secret = secrets.token_urlsafe(48)
        out.write(secret)
    return secret
