"""The people who are stuck, as somebody of a provider may see them: read from the projection."""

import uuid
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import aliased

from portal.domain.access import Actor, Permission, Scope
from portal.domain.attention import ABOUT_SEATS, STUCK, AttentionKind
from portal.models import Attention, Organization
from portal.models.grants import opens_to
from portal.models.reach import within

COUNTED = 99
Id = uuid.UUID | BindParameter[uuid.UUID]


class Bound(NamedTuple):
    """A scope whose ids are parameters, for statements that are kept."""

    provider_id: Id
    person_id: Id | None = None
    sees_hidden: bool = True
    account_id: Id | None = None


def stuck(actor: Actor, *columns: Any) -> Select[Any]:
    """Columns of `Attention`, and of the client it is about (`Organization`, NULL without one).

    One row a person: an invitation whose mail fails is listed as the mail that fails. Rows of a
    client that has left the provider, or that the actor's scope leaves out, are never among them;
    nor are the people of a client whose owners have not let the actor in, nor the provider's own
    people for whoever may not see those.
    """
    own_people = actor.can(Permission.PROVIDER_PEOPLE_READ)
    return stuck_in(actor.scope, *columns, own_people=own_people)


def stuck_in(scope: Scope | Bound, *columns: Any, own_people: bool) -> Select[Any]:
    """The same for a scope whose ids may be parameters."""
    of_client = and_(
        Organization.id.is_not(None),
        *within(scope, Organization.id),
        # Seats are the provider's business, people are the client's.
        or_(
            Attention.kind.in_(ABOUT_SEATS),
            opens_to(scope.account_id, Organization.id),
        ),
    )
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
            Attention.provider_id == scope.provider_id,
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
