"""Baselines in tests: written, given to clients, and where their pages are."""

from sqlalchemy import select

from portal.models import Baseline, Event

SAID = """
policies:
  two_step: {enabled: true}
settings:
  limits_item_deletion: true
collections:
  - {external_id: servers, name: Servers}
groups:
  - name: Technicians
    collections: {servers: manage}
"""


def url(place, *parts):
    return "/".join([f"/providers/{place.provider.id}/baselines", *(str(part) for part in parts)])


def client_url(place, client=None, *parts):
    found = client or place.organization
    head = f"/providers/{place.provider.id}/clients/{found.id}/baseline"
    return "/".join([head, *parts])


def make(admin, place, words=SAID, name="Gold"):
    page = admin.get(url(place, "new"))
    fields = {"name": name, "text": words, "note": "First"}
    admin.submit(page, "Create baseline", fields, status=303)
    return place.database.one(select(Baseline.id).where(Baseline.name == name))


def apply(admin, place, client=None, button="Change 1 client"):
    page = admin.get(client_url(place, client))
    look = admin.follow(admin.submit(page, "Show what it changes"))
    return look, admin.follow(admin.submit(look, button))


def told(place, kind):
    return place.database.all(select(Event.payload).where(Event.type == kind))
