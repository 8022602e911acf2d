"""People of a provider with a limited reach, in tests."""

from sqlalchemy import delete, select

from portal.domain.access import Role
from portal.domain.scope import Level, Reach
from portal.models import ClientAccess, ProviderPerson, ScopePart, ScopeTerm
from portal.providers import reach as keeping
from tests.support.clients import persona


def scoped(database, provider, reach=Reach.ONLY, level=Level.MANAGE, *, clients=(), tags=()):
    """A signed-in service user who reaches only (or all but) these clients and tags."""
    found = persona(database, Role.SERVICE_USER, provider, reach=reach, level=level)
    person = place_of(database, found)
    name_parts(database, person, clients=clients, tags=tags)
    settle(database, provider)
    return found


def place_of(database, persona_):
    """The row of a signed-in person at their provider."""
    return database.one(
        select(ProviderPerson).where(ProviderPerson.account_id == persona_.account.id)
    )


def name_parts(database, person, *, clients=(), tags=()):
    """What a person's scope names, instead of what it named before."""
    here = {"provider_id": person.provider_id, "person_id": person.id}
    database.run(delete(ScopePart).where(ScopePart.person_id == person.id))
    for client in clients:
        database.add(ScopePart(**here, organization_id=client.id))
    for tag_id in tags:
        database.add(ScopePart(**here, tag_id=tag_id))


def settle(database, provider, **only):
    with database.session() as session:
        keeping.settle(session, provider.id, **only)


def open_access(database, person_id):
    """{client: (why, the tag's name)} of what a person reaches now."""
    rows = database.all(
        select(ClientAccess.organization_id, ClientAccess.because, ClientAccess.tag_name).where(
            ClientAccess.person_id == person_id, ClientAccess.until_at.is_(None)
        )
    )
    return {row.organization_id: (row.because.value, row.tag_name) for row in rows}


def terms(database, person_id):
    """A person's terms, the oldest first."""
    found = select(ScopeTerm).where(ScopeTerm.person_id == person_id)
    return database.all(found.order_by(ScopeTerm.from_at, ScopeTerm.until_at.is_(None)))
