"""People with a limited scope, and the clients that they reach, as the scope service keeps them."""

from sqlalchemy import select, update

from portal.crypto.envelope import seal
from portal.crypto.keys import TenantKeys, new_tenant_keys, wrap_for
from portal.domain.access import Role
from portal.domain.names import name_ci
from portal.domain.scope import Because, Level, Reach
from portal.domain.states import ProviderPersonState
from portal.models import ClientAccess, Collection, Organization, ProviderPerson
from tests.support.accounts import make_person
from tests.support.clients import make_client
from tests.support.organizations import employ

KIM = "kim@northwind.example"


def hire_scoped(
    place,
    email=KIM,
    name="Kim Larsen",
    *,
    reach=Reach.ONLY,
    level=Level.MANAGE,
    state=ProviderPersonState.CONFIRMED,
    keys=True,
):
    """A colleague who does not get the provider key; returns the person and the id of the row."""
    person = make_person(place.database, email, name, keys=keys)
    employ(place.database, place.provider, person, Role.SERVICE_USER)
    mine = ProviderPerson.email == email
    place.database.run(
        update(ProviderPerson).where(mine).values(reach=reach, level=level, state=state)
    )
    return person, place.database.one(select(ProviderPerson.id).where(mine))


def reaches(place, person_id, client, **columns):
    """An open row of `client_access`; `wrapped_key` is theirs to give."""
    return place.database.add(
        ClientAccess(
            provider_id=place.provider.id,
            person_id=person_id,
            organization_id=client.id,
            because=Because.LISTED,
            **columns,
        )
    )


def client_with_keys(place, name="Birch Ltd", *, type4=False):
    """Another client with keys of its own and one collection; returns it and its keys."""
    made = new_tenant_keys()
    wrapped = (
        wrap_for(place.provider_keys.public_key, made.key.raw)
        if type4
        else seal(made.key.raw, place.provider_keys.key)
    )
    client = make_client(
        place.database,
        place.provider,
        name,
        public_key=made.public_key,
        protected_private_key=made.protected_private_key,
        provider_wrapped_key=wrapped,
    )
    assert client.name_ci == name_ci(name)
    sealed = seal(f"Secrets of {name}", made.key)
    place.database.add(Collection(organization_id=client.id, sealed_name=sealed))
    return client, made


def key_for(person, keys: TenantKeys) -> str:
    """An organization's key as somebody's browser can open it."""
    return wrap_for(person.keys.public_key, keys.key.raw)


def access(place, person_id=None):
    """The rows of `client_access`, the oldest first."""
    found = select(ClientAccess).order_by(ClientAccess.id)
    if person_id:
        found = found.where(ClientAccess.person_id == person_id)
    return place.database.all(found)


def due(place):
    """The ids of the clients whose key is due to be changed."""
    return set(
        place.database.all(
            select(Organization.id).where(Organization.key_rotation_due_since.is_not(None))
        )
    )
