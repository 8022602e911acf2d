"""Scopes as the pages set them, in tests."""

import re

from portal.domain.access import Role
from portal.domain.names import name_ci
from portal.models import (
    OrganizationTag,
    Tag,
    new_id,
)
from tests.support.clients import persona
from tests.support.scopes import place_of, settle


def url_of(person):
    return f"/providers/{person.provider_id}/people/{person.id}"


def wish(*clients, reach="only", level="manage", **more):
    chosen = ",".join(client.id.hex for client in clients)
    return {"reach": reach, "level": level, "chosen": chosen, **more}


def change(ada, person, data, *, status=303):
    """Look, then confirm, as the two pages do."""
    url = f"{url_of(person)}/scope"
    page = ada.browser.get(url)
    seen = re.search(r'name="seen"[^>]*value="([^"]*)"', page.response.text).group(1)
    looked = ada.browser.post(url, data | {"seen": seen, "do": "preview"}, status=200)
    ada.browser.post(f"{url}/save", data | {"seen": seen}, status=status)
    return looked.response.text


def make_tag(database, provider, *clients, name="Gold"):
    tag = Tag(provider_id=provider.id, id=new_id(), name=name, name_ci=name_ci(name), colour=3)
    database.add(tag)
    for client in clients:
        here = {"provider_id": provider.id, "organization_id": client.id}
        database.add(OrganizationTag(**here, tag_id=tag.id))
    return tag


def service_user(database, provider):
    found = persona(database, Role.SERVICE_USER, provider)
    settle(database, provider)
    return found, place_of(database, found)
