"""What later areas ask of people's accounts; create_app fills the lists (policies)."""

import uuid
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from portal.domain.access import Role
from portal.domain.password_rules import Demand

# (account) -> the names of the organizations that require a second factor of the person.
SECOND_FACTOR: list[Callable[[Session, uuid.UUID], Sequence[str]]] = []
# (account) -> what the organizations of a person ask of their master password.
PASSWORD: list[Callable[[Session, uuid.UUID], Sequence[Demand]]] = []
# (organization, role) -> what an organization will ask of whoever is invited to it.
NEW_PASSWORD: list[Callable[[Session, uuid.UUID, Role], Sequence[Demand]]] = []
# (address, the organization or provider that invites) raises `RuleError` where no account may be.
NEW_ACCOUNT: list[Callable[[Session, str, uuid.UUID | None], None]] = []
# (account, where they want to go) -> the page that has a question first, or an empty string.
FIRST_PAGE: list[Callable[[Session, uuid.UUID, str], str]] = []


def check_new_account(session: Session, email: str, invited_by: uuid.UUID | None) -> None:
    """Raise `RuleError` where nobody may have an account at that address by that invitation."""
    for check in NEW_ACCOUNT:
        check(session, email, invited_by)


def first_page(session: Session, account_id: uuid.UUID, after: str) -> str:
    """Where somebody goes who has just opened their vault: to a question, or to `after`."""
    for ask in FIRST_PAGE:
        page = ask(session, account_id, after)
        if page:
            return page
    return after
