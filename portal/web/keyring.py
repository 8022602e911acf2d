"""The wrapped keys that a page hands to the browser, in `<meta name="key-ring">`.

All of it is public or wrapped: what opens it is the private key in the person's unlocked vault.
The form of the JSON is read by static/js/key-ring.js.
"""

import json
import uuid
from dataclasses import asdict, dataclass
from typing import Any, Literal

WrappedBy = Literal["provider", "provider-public", "account"]


@dataclass(frozen=True)
class AccountKey:
    """The signed-in person's own public key (SPKI DER in base64); None without keys."""

    id: uuid.UUID
    public_key: str | None


@dataclass(frozen=True)
class ProviderKeys:
    """`key` is the provider key for this person (type 4) or None for whoever has none.

    `private_key` is the provider's RSA private key under the provider key (type 2).
    """

    id: uuid.UUID
    key: str | None
    private_key: str | None
    public_key: str | None


@dataclass(frozen=True)
class OrganizationKey:
    """The organization key as this person can open it; `key` is None while there is none.

    `version` says which key it is, so that nothing is wrapped with one that was rotated since; it
    is empty while the organization has no keys.
    """

    id: uuid.UUID
    key: str | None
    wrapped_by: WrappedBy
    version: str = ""

    @classmethod
    def from_provider(
        cls, organization_id: uuid.UUID, wrapped: str | None, version: str = ""
    ) -> "OrganizationKey":
        """The provider's copy: type 2 under the provider key, type 4 for its public key."""
        by: WrappedBy = "provider-public" if (wrapped or "").startswith("4.") else "provider"
        return cls(organization_id, wrapped, by, version)


@dataclass(frozen=True)
class KeyRing:
    """What one page carries; parts that the page has no use for are None."""

    account: AccountKey | None = None
    provider: ProviderKeys | None = None
    organization: OrganizationKey | None = None

    @property
    def json(self) -> str:
        """The content of the meta element."""
        return json.dumps(asdict(self), default=str, separators=(",", ":"))

    @property
    def opens_organization(self) -> bool:
        """Whether an unlocked vault could open the organization key with this ring."""
        if self.organization is None or self.organization.key is None:
            return False
        if self.organization.wrapped_by == "account":
            return True
        return self.holds_provider_key

    @property
    def holds_provider_key(self) -> bool:
        return self.provider is not None and self.provider.key is not None


def of_provider(visit: Any) -> KeyRing:
    """The ring of a provider's page without its private key: enough to seal for the provider."""
    return with_private_key(visit, None)


def with_private_key(visit: Any, private_key: str | None) -> KeyRing:
    """The ring of a provider's page that opens what was wrapped for the provider's public key."""
    place = visit.place
    return KeyRing(
        account=AccountKey(visit.account_id, visit.public_key),
        provider=ProviderKeys(
            place.provider_id, place.wrapped_provider_key, private_key, place.provider_public_key
        ),
    )
