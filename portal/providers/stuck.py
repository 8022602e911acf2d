"""The people who are stuck, as somebody of a provider may see them: read from the projection."""

import uuid
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import aliased

from portal.domain.access import Actor, Permission
from portal.domain.attention import STUCK, AttentionKind
from portal.models import Attention, Organization
from portal.models.reach import reached

COUNTED = 99
Id = uuid.UUID | BindParameter[uuid.UUID]


def stuck(actor: Actor, *columns: Any) -> Select[Any]:
    """Columns of `Attention`, and of the client it is about (`Organization`, NULL without one).

    One row a person: an invitation whose mail fails is listed as the mail that fails. Rows of a
    client that has left the provider, or that the actor's scope leaves out, are never among them;
    nor are the provider's own people for whoever may not see those.
    """
    scope, own_people = actor.scope, actor.can(Permission.PROVIDER_PEOPLE_READ)
    return stuck_in(scope.provider_id, scope.person_id, *columns, own_people=own_people)


def stuck_in(provider_id: Id, person_id: Id | None, *columns: Any, own_people: bool) -> Select[Any]:
    """The same for ids that may be parameters; without `person_id` there are all clients."""
    of_client: ColumnElement[bool] = Organization.id.is_not(None)
    if person_id is not None:
        of_client = reached(provider_id, person_id, Organization.id)
    seen = of_client
    if own_people:
        seen = or_(of_client, Attention.organization_id.is_(None))
    client = and_(
        Organization.id == Attention.organization_id,
        Organization.provider_id == Attention.provider_id,
    )
    return (
        select(*columns)
        .select_from(Attention)
        .outerjoin(Organization, client)
        .where(
            Attention.provider_id == provider_id,
            seen,
            *once(),
        )
    )


def once() -> tuple[ColumnElement[bool], ...]:
    """Conditions: rows of somebody who is stuck, each person once."""
    failing = aliased(Attention)
    has_failing_mail = exists().where(
        failing.provider_id == Attention.provider_id,
        failing.kind == AttentionKind.MAIL_FAILED,
        failing.subject_id == Attention.subject_id,
    )
    return (
        Attention.kind.in_(STUCK),
        or_(Attention.kind != AttentionKind.INVITED, ~has_failing_mail),
    )
