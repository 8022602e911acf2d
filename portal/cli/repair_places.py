"""Where people belong, mended: one row for each place somebody has in a tenant."""

import uuid
from collections.abc import Iterator

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from portal.accounts import affiliations
from portal.cli import recount
from portal.domain.access import Role
from portal.domain.states import MemberState, ProviderPersonState


def misplaced(session: Session) -> list[tuple[str, uuid.UUID]]:
    """(kind, tenant) of every tenant about which a row is missing, wrong, or too many."""
    found = (recount.lost_affiliations().subquery(), recount.stale_affiliations().subquery())
    rows = session.execute(union(*(select(each.c.kind, each.c.tenant_id) for each in found)))
    return [(kind, tenant_id) for kind, tenant_id in rows]


def mend_places(session: Session, tenant_id: uuid.UUID) -> Iterator[str]:
    """Write the rows about one organization or provider as its people's places say."""
    lost, stale = recount.lost_affiliations().subquery(), recount.stale_affiliations().subquery()
    left = session.execute(select(stale).where(stale.c.tenant_id == tenant_id)).all()
    for row in left:
        affiliations.drop(
            session, account_id=row.account_id, kind=row.kind, tenant_id=row.tenant_id
        )
    wrong = session.execute(select(lost).where(lost.c.tenant_id == tenant_id)).all()
    for row in wrong:
        states = ProviderPersonState if row.kind == "provider" else MemberState
        affiliations.put(
            session,
            account_id=row.account_id,
            kind=row.kind,
            tenant_id=row.tenant_id,
            name=row.name,
            role=Role(row.role),
            state=states(row.state),
        )
    if left or wrong:
        yield f"where people belong, rows put right: {len(left) + len(wrong)}"
