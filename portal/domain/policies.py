"""The policies that an organization on Enterprise can set, what each asks, and of whom.

Sources: the reference, section 7: the table of policies, what needs what, and who is exempt.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar

from portal.domain.access import Role
from portal.domain.errors import N_, refuse
from portal.domain.policy_data import (
    AccountRecovery,
    Data,
    FillAssist,
    MasterPassword,
    PasswordGenerator,
    SendControls,
    Told,
    UriMatching,
    VaultBanner,
    VaultTimeout,
    from_stored,
)
from portal.domain.states import MemberState


class PolicyKind(StrEnum):
    """What is asked. The first three are offered first: they protect the most."""

    MASTER_PASSWORD = "master_password"  # noqa: S105 - the name of a policy
    TWO_STEP = "two_step"
    ACCOUNT_RECOVERY = "account_recovery"
    SINGLE_ORGANIZATION = "single_organization"
    DATA_OWNERSHIP = "data_ownership"
    VAULT_TIMEOUT = "vault_timeout"
    PASSWORD_GENERATOR = "password_generator"  # noqa: S105 - the name of a policy
    NO_PERSONAL_EXPORT = "no_personal_export"
    NO_PIN = "no_pin"
    RESTRICTED_ITEM_TYPES = "restricted_item_types"
    URI_MATCH = "uri_match"
    AUTOFILL = "autofill"
    AUTOTYPE = "autotype"
    FILL_ASSIST = "fill_assist"
    SEND_CONTROLS = "send_controls"
    VAULT_BANNER = "vault_banner"
    BLOCK_ACCOUNT_CREATION = "block_account_creation"

    @property
    def label(self) -> str:
        """The policy's name as a message id."""
        return _LABELS[self]

    @property
    def about(self) -> str:
        """What it does, in one sentence, as a message id."""
        return _ABOUT[self]

    @property
    def needs(self) -> "PolicyKind | None":
        """Which policy must be on for this one, if one must."""
        return PolicyKind.SINGLE_ORGANIZATION if self in _NEED_SINGLE else None

    @property
    def needs_domain(self) -> bool:
        """Whether it asks nothing without a verified domain."""
        return self is PolicyKind.BLOCK_ACCOUNT_CREATION

    @property
    def by_client(self) -> bool:
        """Whether a vault client honours it, not this portal."""
        return self in _BY_CLIENT


_LABELS = {
    PolicyKind.MASTER_PASSWORD: N_("Master password requirements"),
    PolicyKind.TWO_STEP: N_("Require two-step sign-in"),
    PolicyKind.ACCOUNT_RECOVERY: N_("Account recovery"),
    PolicyKind.SINGLE_ORGANIZATION: N_("Single organization"),
    PolicyKind.DATA_OWNERSHIP: N_("Data belongs to the organization"),
    PolicyKind.VAULT_TIMEOUT: N_("Vault time-out"),
    PolicyKind.PASSWORD_GENERATOR: N_("Password generator"),
    PolicyKind.NO_PERSONAL_EXPORT: N_("No export of the personal vault"),
    PolicyKind.NO_PIN: N_("No unlocking with a PIN"),
    PolicyKind.RESTRICTED_ITEM_TYPES: N_("Restricted item types"),
    PolicyKind.URI_MATCH: N_("Default matching of addresses"),
    PolicyKind.AUTOFILL: N_("Fill in when a page loads"),
    PolicyKind.AUTOTYPE: N_("Typing into other programs"),
    PolicyKind.FILL_ASSIST: N_("Rules for filling in"),
    PolicyKind.SEND_CONTROLS: N_("Sends"),
    PolicyKind.VAULT_BANNER: N_("Message in the vault"),
    PolicyKind.BLOCK_ACCOUNT_CREATION: N_("No accounts from elsewhere at verified domains"),
}
_ABOUT = {
    PolicyKind.MASTER_PASSWORD: N_(
        "How long and how varied a master password must be when it is chosen."
    ),
    PolicyKind.TWO_STEP: N_(
        "Members need a second factor to come in. Who has none when this is turned on is revoked."
    ),
    PolicyKind.ACCOUNT_RECOVERY: N_(
        "Members can be let back in after they have forgotten their master password."
    ),
    PolicyKind.SINGLE_ORGANIZATION: N_(
        "Members belong to no other organization. Who does when this is turned on is revoked."
    ),
    PolicyKind.DATA_OWNERSHIP: N_("Members keep what they save in the organization's collections."),
    PolicyKind.VAULT_TIMEOUT: N_("When an unlocked vault locks by itself, at the latest."),
    PolicyKind.PASSWORD_GENERATOR: N_("What the generator of passwords makes at least."),
    PolicyKind.NO_PERSONAL_EXPORT: N_("Members cannot export their own items to a file."),
    PolicyKind.NO_PIN: N_("Vaults are not unlocked with a PIN."),
    PolicyKind.RESTRICTED_ITEM_TYPES: N_("Members do not save payment cards."),
    PolicyKind.URI_MATCH: N_("How a saved address is compared with the one of a page."),
    PolicyKind.AUTOFILL: N_("Browser extensions fill a form in as soon as its page is there."),
    PolicyKind.AUTOTYPE: N_("Desktop apps type what is saved into other programs."),
    PolicyKind.FILL_ASSIST: N_("Browser extensions fill forms in by the rules at an address."),
    PolicyKind.SEND_CONTROLS: N_(
        "What members may send to people outside, to whom and for how long."
    ),
    PolicyKind.VAULT_BANNER: N_("A message that everybody reads in their vault."),
    PolicyKind.BLOCK_ACCOUNT_CREATION: N_(
        "New accounts at a verified domain come from this organization and its provider alone."
    ),
}
_NEED_SINGLE = frozenset(
    {
        PolicyKind.ACCOUNT_RECOVERY,
        PolicyKind.VAULT_TIMEOUT,
        PolicyKind.URI_MATCH,
        PolicyKind.VAULT_BANNER,
    }
)
_BY_CLIENT = frozenset(
    {
        PolicyKind.DATA_OWNERSHIP,
        PolicyKind.PASSWORD_GENERATOR,
        PolicyKind.NO_PERSONAL_EXPORT,
        PolicyKind.NO_PIN,
        PolicyKind.RESTRICTED_ITEM_TYPES,
        PolicyKind.URI_MATCH,
        PolicyKind.AUTOFILL,
        PolicyKind.AUTOTYPE,
        PolicyKind.FILL_ASSIST,
        PolicyKind.SEND_CONTROLS,
    }
)
_NEEDED_FIRST = N_("%(policy)s needs %(needed)s. Turn that on first.")
_NEEDS_DOMAIN = N_("%(policy)s needs a verified domain. Verify one first, under Settings, Domains.")
_KEPT_BY_DOMAIN = N_(
    "%(policy)s stays on as long as a domain is verified: %(domains)s. Remove the domain first, "
    "under Settings, Domains."
)
_STILL_NEEDED = N_("%(policy)s is needed as long as this is on: %(dependants)s.")


def check_switch(kind: PolicyKind, *, on: bool, are_on: Collection[PolicyKind]) -> None:
    """Raise `RuleError` naming both where what `kind` needs is off, or what needs it is on.

    The parameters of the sentence are message ids, to be translated where it is shown.
    """
    if on and kind.needs and kind.needs not in are_on:
        raise refuse(_NEEDED_FIRST, policy=kind.label, needed=kind.needs.label)
    dependants = needed_by(kind, are_on)
    if not on and dependants:
        raise refuse(_STILL_NEEDED, policy=kind.label, dependants=dependants)


def check_domains(kind: PolicyKind, *, on: bool, domains: Collection[str]) -> None:
    """Raise `RuleError` where a verified domain is missing, or is in the way (reference, 7.1)."""
    if on and kind.needs_domain and not domains:
        raise refuse(_NEEDS_DOMAIN, policy=kind.label)
    if not on and kind is PolicyKind.SINGLE_ORGANIZATION and domains:
        raise refuse(_KEPT_BY_DOMAIN, policy=kind.label, domains=", ".join(sorted(domains)))


class Labels(tuple[str, ...]):
    """Names of policies as message ids; in English, and in any other language, one list."""

    __slots__ = ()

    def __str__(self) -> str:
        return ", ".join(self)


def needed_by(kind: PolicyKind, are_on: Collection[PolicyKind]) -> Labels:
    """The names of those that are on and need `kind`."""
    return Labels(each.label for each in PolicyKind if each.needs is kind and each in are_on)


_EXEMPT_STATES = frozenset({MemberState.INVITED, MemberState.REVOKED, MemberState.STAGED})
_NOBODY_BY_ROLE = frozenset({PolicyKind.MASTER_PASSWORD, PolicyKind.ACCOUNT_RECOVERY})


@dataclass(frozen=True)
class Subject:
    """A member as a policy sees them. `is_of_provider`: somebody of the provider's people."""

    role: Role
    state: MemberState
    is_of_provider: bool = False


def holds_for(kind: PolicyKind, subject: Subject) -> bool:
    """Whether the policy asks anything of this member: the reference's section 7.3."""
    if kind is PolicyKind.ACCOUNT_RECOVERY:
        return subject.state is not MemberState.REVOKED
    if subject.is_of_provider:
        return False
    if kind not in _NOBODY_BY_ROLE and subject.role in (Role.OWNER, Role.ADMIN):
        return False
    by_any_state = kind in (PolicyKind.TWO_STEP, PolicyKind.SINGLE_ORGANIZATION)
    return by_any_state or subject.state not in _EXEMPT_STATES


_OWNERS_EXEMPT = N_(
    "Holds for users and custom members. Owners, admins and the provider's people are exempt."
)
_NO_ROLE_EXEMPT = N_(
    "Holds for all members, owners and admins too. The provider's people are exempt."
)
_NOBODY_EXEMPT = N_("Holds for everybody, the provider's people too, if they are members.")


_BEFORE_ANYBODY = N_(
    "Holds for whoever is invited elsewhere and has no account yet. Accounts that exist stay."
)


def exemption(kind: PolicyKind) -> str:
    """For whom it holds and who is exempt, as a message id: `holds_for` in a sentence."""
    if kind.needs_domain:
        return _BEFORE_ANYBODY
    if kind is PolicyKind.ACCOUNT_RECOVERY:
        return _NOBODY_EXEMPT
    return _NO_ROLE_EXEMPT if kind in _NOBODY_BY_ROLE else _OWNERS_EXEMPT


Shape = TypeVar("Shape", bound=Told)


_SHORTER = frozenset({"minutes", "hours"})


def strictest(asked: Iterable[Shape]) -> Shape | None:
    """What several organizations ask together of one person; None where none asks.

    The larger number, but the shorter time; what any of them asks; of choices the later one; of
    words the first that says something.
    """
    found = list(asked)
    if not found:
        return None
    together = {
        each.name: _stricter(each.name, each.metadata, [getattr(one, each.name) for one in found])
        for each in fields(found[0])  # type: ignore[arg-type]
    }
    return type(found[0])(**together).settled()


def _stricter(name: str, known: Mapping[str, Any], values: list[Any]) -> Any:
    if "of" in known:
        return max(values, key=list(known["of"]).index)
    if "limit" in known:
        return next((words for words in values if words), "")
    return min(values) if name in _SHORTER else max(values)


# What a policy can be told beside on and off; the others know nothing more.
DATA: dict[PolicyKind, type[Data]] = {
    PolicyKind.MASTER_PASSWORD: MasterPassword,
    PolicyKind.VAULT_TIMEOUT: VaultTimeout,
    PolicyKind.ACCOUNT_RECOVERY: AccountRecovery,
    PolicyKind.PASSWORD_GENERATOR: PasswordGenerator,
    PolicyKind.URI_MATCH: UriMatching,
    PolicyKind.VAULT_BANNER: VaultBanner,
    PolicyKind.SEND_CONTROLS: SendControls,
    PolicyKind.FILL_ASSIST: FillAssist,
}


def read(kind: PolicyKind, stored: Mapping[str, Any]) -> Data | None:
    """The typed data of a policy from what is stored; what is missing has its default."""
    shape = DATA.get(kind)
    return from_stored(shape, stored) if shape else None
