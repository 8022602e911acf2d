"""A provider's people in tests: hired, invited, accepted, and what the pages are sent."""

import json

from sqlalchemy import select

from portal.crypto.keys import wrap_for
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role
from portal.domain.invitations import Purpose
from portal.models import Outbox, ProviderPerson
from tests.support.accounts import keys_for, make_person
from tests.support.databases import SECRET_KEY
from tests.support.eventlog import all_told
from tests.support.organizations import employ

ADMIN, SERVICE = Role.PROVIDER_ADMIN, Role.SERVICE_USER
JUN, KIM = "jun@northwind.example", "kim@northwind.example"


def people_url(place):
    return f"/providers/{place.provider.id}/people"


def hire(place, email=JUN, name="Jun Ito", role=SERVICE, *, keys=True, holds=True):
    """A confirmed colleague; returns the person and the id of their row."""
    person = make_person(place.database, email, name, keys=keys)
    key = place.provider_keys.key if keys and holds else None
    employ(place.database, place.provider, person, role, wrapped=key)
    return person, row(place, email).id


def row(place, email):
    return place.database.one(select(ProviderPerson).where(ProviderPerson.email == email))


def rows(place):
    return place.database.all(select(ProviderPerson.email))


def told(place, kind):
    return [event["details"] for event in all_told(place.database, kind)]


def mails(place, topic):
    return [
        job.payload if isinstance(job.payload, dict) else json.loads(job.payload)
        for job in place.database.all(select(Outbox).where(Outbox.topic == topic))
    ]


def change(place, action, *ids, browser=None, **options):
    data = {"action": action, "person": [str(each) for each in ids]}
    browser = browser or place.admins_browser()
    return browser.post(f"{people_url(place)}/changes", data, **options)


def invite(place, text, role="service_user", **options):
    data = {"addresses": text, "role": role}
    return place.admins_browser().post(f"{people_url(place)}/invite", data, **options)


def accept(place, email=JUN, name="Jun Ito", *, keys=True, role="service_user"):
    """Invited through the page, accepted through the link."""
    invite(place, email, role, status=303)
    person = place.person(email, name, keys=keys)
    found = row(place, email)
    link = Link(place.provider.id, found.id, found.invitation_version)
    token = LinkSigner((SECRET_KEY,), Purpose.PROVIDER).sign(link)
    browser = place.browser_of(person)
    browser.post(f"/invitations/{token}/accept", status=303)
    return person, found.id, browser


def handed_over(place, *people):
    """What the confirmer's browser posts for (row id, e-mail) pairs."""
    data = {"person": [str(person_id) for person_id, _email in people]}
    for person_id, email in people:
        public = keys_for(email).public_key
        data[f"public_key-{person_id}"] = public
        data[f"wrapped_provider_key-{person_id}"] = wrap_for(public, place.provider_keys.key.raw)
    return data


def confirm(place, *people, **options):
    url = f"{people_url(place)}/confirm"
    return place.admins_browser().post(url, handed_over(place, *people), **options)
