"""The people who are stuck, as somebody of a provider may see them: read from the projection."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select
from sqlalchemy.orm import Session, aliased

from portal.domain.access import Actor, Permission
from portal.domain.attention import STUCK, AttentionKind
from portal.models import Attention, Organization
from portal.models.reach import reached

COUNTED = 99


def stuck(actor: Actor, *columns: Any) -> Select[Any]:
    """Columns of `Attention`, and of the client it is about (`Organization`, NULL without one).

    One row a person: an invitation whose mail fails is listed as the mail that fails. Rows of a
    client that has left the provider, or that the actor's scope leaves out, are never among them;
    nor are the provider's own people for whoever may not see those.
    """
    scope = actor.scope
    of_client: ColumnElement[bool] = Organization.id.is_not(None)
    if scope.person_id is not None:
        of_client = reached(scope.provider_id, scope.person_id, Organization.id)
    seen = of_client
    if actor.can(Permission.PROVIDER_PEOPLE_READ):
        seen = or_(of_client, Attention.organization_id.is_(None))
    failing = aliased(Attention)
    has_failing_mail = exists().where(
        failing.provider_id == Attention.provider_id,
        failing.kind == AttentionKind.MAIL_FAILED,
        failing.subject_id == Attention.subject_id,
    )
    client = and_(
        Organization.id == Attention.organization_id,
        Organization.provider_id == Attention.provider_id,
    )
    return (
        select(*columns)
        .select_from(Attention)
        .outerjoin(Organization, client)
        .where(
            Attention.provider_id == scope.provider_id,
            Attention.kind.in_(STUCK),
            seen,
            or_(Attention.kind != AttentionKind.INVITED, ~has_failing_mail),
        )
    )


def count(session: Session, actor: Actor) -> int:
    """How many there are, at most `COUNTED` + 1."""
    return len(session.scalars(stuck(actor, literal(1)).limit(COUNTED + 1)).all())


def count_words(session: Session, actor: Actor) -> str:
    """The same as the bar shows it: nothing for none, 99+ for more than that."""
    found = count(session, actor)
    return f"{COUNTED}+" if found > COUNTED else str(found) if found else ""
