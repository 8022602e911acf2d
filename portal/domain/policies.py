"""The policies that an organization on Enterprise can set."""

from enum import StrEnum

from portal.domain.errors import N_


class PolicyKind(StrEnum):
    """What is asked. The first three are offered first: they protect the most."""

    MASTER_PASSWORD = "master_password"  # noqa: S105 - the name of a policy
    TWO_STEP = "two_step"
    ACCOUNT_RECOVERY = "account_recovery"
    SINGLE_ORGANIZATION = "single_organization"
    REQUIRE_SSO = "require_sso"
    DATA_OWNERSHIP = "data_ownership"
    VAULT_TIMEOUT = "vault_timeout"
    PASSWORD_GENERATOR = "password_generator"  # noqa: S105 - the name of a policy
    NO_PERSONAL_EXPORT = "no_personal_export"
    NO_PIN = "no_pin"
    RESTRICTED_ITEM_TYPES = "restricted_item_types"
    URI_MATCH = "uri_match"
    AUTOFILL = "autofill"
    VAULT_BANNER = "vault_banner"

    @property
    def label(self) -> str:
        """The policy's name as a message id."""
        return _LABELS[self]


_LABELS = {
    PolicyKind.MASTER_PASSWORD: N_("Master password requirements"),
    PolicyKind.TWO_STEP: N_("Require two-step sign-in"),
    PolicyKind.ACCOUNT_RECOVERY: N_("Account recovery"),
    PolicyKind.SINGLE_ORGANIZATION: N_("Single organization"),
    PolicyKind.REQUIRE_SSO: N_("Require single sign-on"),
    PolicyKind.DATA_OWNERSHIP: N_("Data belongs to the organization"),
    PolicyKind.VAULT_TIMEOUT: N_("Vault time-out"),
    PolicyKind.PASSWORD_GENERATOR: N_("Password generator"),
    PolicyKind.NO_PERSONAL_EXPORT: N_("No export of the personal vault"),
    PolicyKind.NO_PIN: N_("No unlocking with a PIN"),
    PolicyKind.RESTRICTED_ITEM_TYPES: N_("Restricted item types"),
    PolicyKind.URI_MATCH: N_("Default matching of addresses"),
    PolicyKind.AUTOFILL: N_("Fill in when a page loads"),
    PolicyKind.VAULT_BANNER: N_("Message in the vault"),
}
