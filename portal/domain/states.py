"""The lives of members, clients and provider people: their states and the ways between them."""

from collections.abc import Mapping
from enum import StrEnum

from portal.domain.errors import N_, refuse


class MemberState(StrEnum):
    """A person's place in an organization: Invited, Accepted, Confirmed; Revoked and Staged."""

    STAGED = "staged"
    INVITED = "invited"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    REVOKED = "revoked"

    @property
    def label(self) -> str:
        """The state's name as a message id."""
        return _MEMBER_LABELS[self]

    @property
    def uses_seat(self) -> bool:
        return self in SEAT_STATES

    def may_become(self, state: "MemberState") -> bool:
        return state in MEMBER_TRANSITIONS[self]


class ClientStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETING = "deleting"

    @property
    def label(self) -> str:
        """The status as a message id."""
        return _CLIENT_LABELS[self]

    def may_become(self, state: "ClientStatus") -> bool:
        return state in CLIENT_TRANSITIONS[self]


class ProviderPersonState(StrEnum):
    INVITED = "invited"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    SUSPENDED = "suspended"

    @property
    def label(self) -> str:
        """The state's name as a message id."""
        return _PERSON_LABELS[self]

    def may_become(self, state: "ProviderPersonState") -> bool:
        return state in PERSON_TRANSITIONS[self]


SEAT_STATES = frozenset({MemberState.INVITED, MemberState.ACCEPTED, MemberState.CONFIRMED})

# A restored member returns to the state that their row proves: confirmed with a key, accepted
# with an account, else invited. Hence the three ways back from Revoked.
MEMBER_TRANSITIONS: Mapping[MemberState, frozenset[MemberState]] = {
    MemberState.STAGED: frozenset({MemberState.INVITED, MemberState.REVOKED}),
    MemberState.INVITED: frozenset({MemberState.ACCEPTED, MemberState.REVOKED}),
    MemberState.ACCEPTED: frozenset({MemberState.CONFIRMED, MemberState.REVOKED}),
    MemberState.CONFIRMED: frozenset({MemberState.REVOKED}),
    MemberState.REVOKED: frozenset(MemberState) - {MemberState.REVOKED},
}

# Until the deletion is carried out it can be taken back, to the status before it.
CLIENT_TRANSITIONS: Mapping[ClientStatus, frozenset[ClientStatus]] = {
    ClientStatus.ACTIVE: frozenset({ClientStatus.SUSPENDED, ClientStatus.DELETING}),
    ClientStatus.SUSPENDED: frozenset({ClientStatus.ACTIVE, ClientStatus.DELETING}),
    ClientStatus.DELETING: frozenset({ClientStatus.ACTIVE, ClientStatus.SUSPENDED}),
}

PERSON_TRANSITIONS: Mapping[ProviderPersonState, frozenset[ProviderPersonState]] = {
    ProviderPersonState.INVITED: frozenset({ProviderPersonState.ACCEPTED}),
    ProviderPersonState.ACCEPTED: frozenset({ProviderPersonState.CONFIRMED}),
    ProviderPersonState.CONFIRMED: frozenset({ProviderPersonState.SUSPENDED}),
    ProviderPersonState.SUSPENDED: frozenset({ProviderPersonState.CONFIRMED}),
}

_MEMBER_LABELS = {
    MemberState.STAGED: N_("Staged"),
    MemberState.INVITED: N_("Invited"),
    MemberState.ACCEPTED: N_("Accepted"),
    MemberState.CONFIRMED: N_("Confirmed"),
    MemberState.REVOKED: N_("Revoked"),
}
_CLIENT_LABELS = {
    ClientStatus.ACTIVE: N_("Active"),
    ClientStatus.SUSPENDED: N_("Suspended"),
    ClientStatus.DELETING: N_("Being deleted"),
}
_PERSON_LABELS = {
    ProviderPersonState.INVITED: N_("Invited"),
    ProviderPersonState.ACCEPTED: N_("Accepted"),
    ProviderPersonState.CONFIRMED: N_("Confirmed"),
    ProviderPersonState.SUSPENDED: N_("Suspended"),
}


def check_member_move(before: MemberState, after: MemberState) -> None:
    """Raise `RuleError` where a member in state `before` cannot become `after`."""
    if not before.may_become(after):
        raise refuse(_MEMBER_REFUSALS[before])


_MEMBER_REFUSALS = {
    MemberState.STAGED: N_("This person has not been invited yet. Invite them first."),
    MemberState.INVITED: N_("This person has not accepted the invitation yet."),
    MemberState.ACCEPTED: N_("This person has accepted and is waiting to be confirmed."),
    MemberState.CONFIRMED: N_("This person is already confirmed."),
    MemberState.REVOKED: N_("This person's access is revoked. Restore it first."),
}
