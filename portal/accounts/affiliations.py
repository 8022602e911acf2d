"""Where a person belongs: one row a membership, written in the transaction that changes it."""

import uuid
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, Uuid, bindparam, delete, select, update
from sqlalchemy.orm import Session

from portal.domain.access import Role
from portal.domain.names import name_ci
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import Affiliation, Provider

# As many as the start page can list and search.
MOST = 1_000
_OPEN = (MemberState.ACCEPTED.value, MemberState.CONFIRMED.value)


def _of(account_id: Any, *columns: Any) -> Select[Any]:
    return select(*columns).where(Affiliation.account_id == account_id)


def put(
    session: Session,
    *,
    account_id: uuid.UUID,
    kind: str,
    tenant_id: uuid.UUID,
    name: str,
    role: Role,
    state: MemberState | ProviderPersonState,
    active: bool = True,
) -> None:
    """Write or rewrite the row. `kind` is provider or organization, `name` the tenant's."""
    session.merge(
        Affiliation(
            account_id=account_id,
            kind=kind,
            tenant_id=tenant_id,
            name=name,
            role=role,
            state=state.value,
            active=active,
        )
    )
    session.flush()


def drop(session: Session, *, account_id: uuid.UUID, kind: str, tenant_id: uuid.UUID) -> None:
    """The person does not belong there any more."""
    session.execute(
        delete(Affiliation).where(
            Affiliation.account_id == account_id,
            Affiliation.kind == kind,
            Affiliation.tenant_id == tenant_id,
        )
    )


def rename(session: Session, *, kind: str, tenant_id: uuid.UUID, name: str) -> None:
    """The tenant has another name now; everybody who belongs there reads it in their list."""
    session.execute(
        update(Affiliation)
        .where(Affiliation.kind == kind, Affiliation.tenant_id == tenant_id)
        .values(name=name)
    )


class Opened(NamedTuple):
    """A tenant that the person can open; `kind` is provider or organization."""

    kind: str
    tenant_id: uuid.UUID
    name: str
    role: Role
    state: str


@cache
def _opened() -> Select[Any]:
    # Every page of a signed-in person asks this, so the statement is put together once.
    columns = (getattr(Affiliation, name) for name in Opened._fields)
    found = _of(bindparam("account_id", type_=Uuid()), *columns).where(
        Affiliation.active.is_(True), Affiliation.state.in_(_OPEN)
    )
    # Providers before organizations where there are too many.
    return found.order_by(Affiliation.kind.desc(), Affiliation.tenant_id.desc()).limit(MOST)


def opened_by(session: Session, account_id: uuid.UUID) -> list[Opened]:
    """Where the person can go now: providers first, then organizations, each by name.

    Whoever is `accepted` finds there who has to confirm them.
    """
    found = session.connection().execute(_opened(), {"account_id": account_id})
    rows = [Opened(*row) for row in found]
    return sorted(rows, key=lambda row: (row.kind != "provider", name_ci(row.name)))


def asks_for_second_factor(session: Session, account_id: uuid.UUID) -> list[str]:
    """The names of the person's providers that require a second factor."""
    found = (
        _of(account_id, Affiliation.name)
        .join(Provider, Provider.id == Affiliation.tenant_id)
        .where(Affiliation.kind == "provider", Provider.second_factor_required.is_(True))
    )
    return list(session.scalars(found.order_by(Affiliation.name)))
