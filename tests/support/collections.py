"""Collections in tests: made, shared, and who reaches them."""

from sqlalchemy import select, update

from portal.crypto.envelope import seal
from portal.domain.collection_access import Level
from portal.domain.names import name_ci
from portal.domain.states import MemberState
from portal.models import (
    Collection,
    CollectionGroup,
    CollectionMember,
    Event,
    Group,
    GroupMember,
    Member,
    OrganizationSettings,
    new_id,
)
from tests.support.organizations import join


def url(place, *parts):
    return "/".join([place.url, "collections", *(str(part) for part in parts)])


def sealed(place, name="Finance"):
    return seal(name, place.keys.key)


def make(place, name="Finance", **columns):
    one = new_id()
    place.database.add(
        Collection(
            organization_id=place.organization.id,
            id=one,
            sealed_name=sealed(place, name),
            **columns,
        )
    )
    return one


def team(place, name="Team"):
    one = new_id()
    place.database.add(
        Group(organization_id=place.organization.id, id=one, name=name, name_ci=name_ci(name))
    )
    return one


def confirmed(place, role, name="mia", parts=()):
    person = place.person(f"{name}@client.example", name.title(), keys=True)
    member = join(place, person, role, MemberState.CONFIRMED)
    place.database.run(update(Member).where(Member.id == member).values(permissions=list(parts)))
    return person, member


def give(place, collection, *, member=None, group=None, level=Level.VIEW):
    here = {"organization_id": place.organization.id, "collection_id": collection, "level": level}
    table = CollectionMember if member else CollectionGroup
    place.database.add(table(**here, **({"member_id": member} if member else {"group_id": group})))


def put(place, group, member):
    here = {"organization_id": place.organization.id}
    place.database.add(GroupMember(**here, group_id=group, member_id=member))


def rule(place, **values):
    place.database.add(OrganizationSettings(organization_id=place.organization.id, **values))


def levels_in(place, collection, table=CollectionMember):
    return place.database.all(select(table.level).where(table.collection_id == collection))


def told(place, kind):
    return place.database.all(select(Event.type).where(Event.type == f"organization:{kind}"))
