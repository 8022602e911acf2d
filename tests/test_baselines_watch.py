"""Clients are looked at again when something happens to them; what turns is told once."""

import datetime as dt

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import sessionmaker

from portal.baselines import drift
from portal.collections import queries as collections
from portal.collections import service, settings
from portal.crypto.envelope import seal
from portal.crypto.versions import version_of
from portal.domain.attention import AttentionKind
from portal.domain.collection_rules import CollectionSettings
from portal.domain.provider_access import AccessMode
from portal.models import (
    Attention,
    Baseline,
    BaselineAssignment,
    BaselineDeviation,
    Collection,
    Event,
    Organization,
    OrganizationSettings,
    ProviderAccess,
    new_id,
    utc_now,
)
from tests.support.baselines import apply, client_url, make, told, url
from tests.support.policies import enterprise

DEVIATE, RETURN = "organization:baseline:deviate", "organization:baseline:return"


@pytest.fixture
def place(database):
    return enterprise(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def given(place, admin, words="settings: {limits_item_deletion: true}"):
    make(admin, place, words)
    apply(admin, place)


def switch(place, *, on):
    """As the page of the client's settings does it, with its event."""
    with place.database.session() as session:
        version = session.scalars(select(OrganizationSettings.version)).one_or_none() or 0
        wanted = CollectionSettings(limits_item_deletion=on)
        settings.save(session, place.actor, place.organization.id, wanted, version=version)
        session.commit()


def look(place, days=0):
    day = utc_now().date() + dt.timedelta(days=days)
    with place.database.session() as session:
        return drift.look_again(sessionmaker(session.get_bind(), expire_on_commit=False), day)


def stored(place):
    return place.database.one(select(BaselineAssignment.drift))


def told_of(place):
    return len(told(place, DEVIATE)), len(told(place, RETURN))


def test_a_client_that_deviates_is_told_once_and_once_when_it_is_back(place, admin):
    given(place, admin)
    assert (stored(place), told_of(place)) == (0, (0, 0))
    assert look(place) == 0
    switch(place, on=False)
    assert look(place) == 1
    assert (stored(place), told_of(place)) == (1, (2, 0))
    assert look(place) == 0, "nothing has happened since"
    switch(place, on=True)
    switch(place, on=False)
    assert look(place) == 0, "it deviates as before"
    switch(place, on=True)
    assert look(place) == 1
    assert (stored(place), told_of(place)) == (0, (2, 2))
    payloads = place.database.all(select(Event.payload).where(Event.type == DEVIATE))
    assert all('"values":1' in text and '"account":null' in text for text in payloads)


def test_only_clients_whose_log_has_grown_are_looked_at(place, admin, statements):
    given(place, admin)
    look(place)
    statements.clear()
    look(place)
    assert len(statements) == 1


WITH_COLLECTION = """
collections: [{external_id: servers, name: Servers}]
groups: [{name: Admins, collections: {servers: edit}}]
"""


def collection(place, external_id="servers"):
    made = new_id()
    place.database.add(
        Collection(
            organization_id=place.organization.id,
            id=made,
            sealed_name="2.x",
            external_id=external_id,
        )
    )
    return made


def take_away(place, collection_id, how):
    with place.database.session() as session:
        found = collections.find(
            session, place.organization.id, place.admin.account_id, collection_id
        )
        if how == "delete":
            service.remove(session, place.actor, found)
        else:
            key = session.scalars(
                select(Organization.protected_private_key).where(
                    Organization.id == place.organization.id
                )
            ).one()
            naming = service.Naming(seal(b"Other", place.keys.key), version_of(key), "other")
            service.rename(session, place.actor, found, naming, found.version)
        session.commit()


@pytest.mark.parametrize("how", ["delete", "rename"])
def test_a_collection_that_was_there_and_is_not_any_more_is_drift(place, admin, how):
    before = collection(place, "other")
    take_away(place, before, "delete")
    made = collection(place)
    given(place, admin, WITH_COLLECTION)
    assert stored(place) == 0
    take_away(place, made, how)
    assert look(place) == 1
    # The collection itself, and what the group may do in it.
    assert (stored(place), told_of(place)) == (2, (2, 0))
    assert "Servers" in admin.get(client_url(place)) or "servers" in admin.get(client_url(place))
    collection(place)
    switch(place, on=True)
    look(place)
    assert stored(place) == 1, "the group does not reach the new one yet"


def test_collections_that_wait_for_a_browser_are_no_drift(place, admin):
    given(place, admin, WITH_COLLECTION)
    assert stored(place) == 0
    look(place)
    switch(place, on=True)
    look(place)
    assert (stored(place), told_of(place)) == (0, (0, 0))
    page = admin.get(client_url(place))
    assert "1 collection waits to be made." in page
    assert "Apart from the collections that wait" in page
    baseline = place.database.one(select(Baseline.id))
    assert "1 collection waits" in admin.get(url(place, baseline)).texts("td")
    clients = admin.get(f"/providers/{place.provider.id}/clients")
    assert "Deviates" not in clients.texts(".tag")


def test_a_deviation_that_has_ended_counts_again_without_any_event(place, admin):
    given(place, admin)
    switch(place, on=False)
    look(place)
    page = admin.get(admin.get(client_url(place)).link("Accept settings/limits_item_deletion"))
    ends = utc_now().date() + dt.timedelta(days=3)
    values = {"reason": "Asked", "owner": "Ada", "ends_on": ends.isoformat()}
    admin.submit(page, "Accept the deviation", values, status=303)
    assert (stored(place), told_of(place)) == (0, (2, 2)), "told with the acceptance"
    assert look(place, days=3) == 0
    assert look(place, days=4) == 1
    assert (stored(place), told_of(place)) == (1, (4, 2))
    assert look(place, days=5) == 0
    page = admin.get(client_url(place))
    place.database.run(update(BaselineDeviation).values(ends_on=ends))
    admin.submit(page, "Accept no longer settings/limits_item_deletion", status=303)
    assert told_of(place) == (4, 2)


def test_the_end_of_a_deviation_stands_on_the_radar(place, admin):
    given(place, admin)
    switch(place, on=False)
    page = admin.get(admin.get(client_url(place)).link("Accept settings/limits_item_deletion"))
    ends = utc_now().date() + dt.timedelta(days=3)
    values = {"reason": "Asked", "owner": "Ada", "ends_on": ends.isoformat()}
    admin.submit(page, "Accept the deviation", values, status=303)
    radar = f"/providers/{place.provider.id}/expiries"
    page = admin.get(radar)
    assert "Accepted deviation settings/limits_item_deletion" in page
    assert client_url(place) in [each["href"] for each in page.select("#main a")]
    due = place.database.one(select(Attention.due_at).where(Attention.kind == "deviation"))
    assert due.date() == ends + dt.timedelta(days=1), "its last day is over then"
    admin.submit(admin.get(client_url(place)), "Accept no longer settings/limits_item_deletion")
    assert "Accepted deviation" not in admin.get(radar)


def test_a_deleted_baseline_leaves_nothing_on_the_radar(place, admin):
    given(place, admin)
    place.database.add(
        Attention(
            provider_id=place.provider.id,
            organization_id=place.organization.id,
            kind=AttentionKind.DEVIATION,
            subject_id=place.organization.id,
        )
    )
    found = place.database.one(select(Baseline.id))
    admin.submit(admin.get(url(place, found, "delete")), "Delete baseline")
    left = select(Attention.kind).where(Attention.kind == AttentionKind.DEVIATION)
    assert place.database.all(left) == []


def test_applying_again_brings_it_back_and_so_does_an_undo_of_what_made_it_deviate(place, admin):
    given(place, admin)
    switch(place, on=False)
    look(place)
    _look, done = apply(admin, place)
    assert (stored(place), told_of(place)) == (0, (2, 2))
    admin.submit(done, "Undo")
    assert (stored(place), told_of(place)) == (1, (2, 2)), "whoever undoes it knows"


def test_who_is_not_let_in_looks_at_nothing(place, admin):
    given(place, admin)
    switch(place, on=False)
    place.database.add(ProviderAccess(organization_id=place.organization.id, mode=AccessMode.ASK))
    assert look(place) == 0
    assert (stored(place), told_of(place)) == (0, (0, 0))


def test_a_client_that_cannot_be_compared_does_not_stop_the_worker(place, monkeypatch):
    def breaks(_sessions):
        raise KeyError("a policy of another time")

    monkeypatch.setattr(drift, "look_again", breaks)
    drift.chore(None)
