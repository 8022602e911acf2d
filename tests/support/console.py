"""An organization's owners in their browsers, many members, and no provider any more."""

from sqlalchemy import insert, select, update

from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.models import (
    Event,
    Member,
    Organization,
    OrganizationDeletion,
    new_id,
    utc_now,
)
from tests.support.databases import SECRET_KEY
from tests.support.organizations import join

DELETE = "/delete"


def owner_of(place, name="Olga Owner", email="olga.owner@acme.example"):
    """A confirmed owner who is a person of the client."""
    person = place.person(email, name, keys=True)
    join(place, person, Role.OWNER, MemberState.CONFIRMED)
    return person


def url(place, path=""):
    """A page of the organization's settings."""
    return f"{place.url}/settings{path}"


def without_provider(place):
    """The organization was unlinked."""
    place.database.run(
        update(Organization).values(
            provider_id=None, provider_since=None, provider_wrapped_key=None
        )
    )


def streams(place, kind):
    """The ids of the logs that tell an event of this kind."""
    return place.database.all(select(Event.stream_id).where(Event.type == kind))


def people(place, count, *, state=MemberState.REVOKED):
    """Members without an account; returns their ids."""
    rows = [
        {
            "organization_id": place.organization.id,
            "id": new_id(),
            "email": f"member{number:04}@client.example",
            "role": Role.USER,
            "state": state,
            "permissions": [],
            "external_id": "",
            "revoked_because": "",
            "created_at": utc_now(),
            "invitation_version": 1,
            "invitation_locale": "en",
        }
        for number in range(count)
    ]
    place.database.run(insert(Member).values(rows))
    return [row["id"] for row in rows]


def request_of(place):
    return place.database.one(select(OrganizationDeletion))


def ask(place, owner):
    page = owner.get(url(place, DELETE))
    return owner.submit(page, "Send the link", {"name": "acme ltd"})


def token(place, row_id=None, organization_id=None, purpose="organization-deletion"):
    link = Link(organization_id or place.organization.id, row_id or request_of(place).id, 1)
    return LinkSigner((SECRET_KEY,), purpose).sign(link)


def link(place, **changes):
    return url(place, f"{DELETE}/{token(place, **changes)}")


def use(place, owner):
    return owner.submit(owner.get(link(place)), "Delete for good")
