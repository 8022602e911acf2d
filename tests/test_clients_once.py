"""One form makes one client, and all of it or nothing."""

import pytest
from sqlalchemy import select

from portal import events
from portal.clients import service as clients_service
from portal.members import service as members_service
from portal.models import Event, Idempotency, Member, Organization, Outbox, Provider, Subscription
from tests.support.clients import persona
from tests.support.organizations import posted_client_keys

TYPED = {
    "name": "Acme Ltd",
    "billing_email": "bills@acme.example",
    "owner_email": "olga@acme.example",
}
MADE = (Organization, Member, Subscription, Event, Outbox, Idempotency)


@pytest.fixture
def ada(database):
    return persona(database)


@pytest.fixture
def form(ada):
    """The page with the form as it comes."""
    return ada.browser.get(f"{ada.clients_url}/new")


def rows(database):
    return {model.__tablename__: database.count(model) for model in MADE}


def create(ada, form, status=303, **typed):
    return ada.browser.submit(form, "Create client", TYPED | typed, status=status)


def test_the_same_form_sent_twice_leads_to_the_same_client(ada, form, database):
    first = create(ada, form)
    before = rows(database)
    second = create(ada, form)
    assert second.location.partition("?")[0] == first.location.partition("?")[0]
    assert rows(database) == before
    assert "Acme Ltd is created." in ada.browser.follow(second)
    assert database.one(select(Provider.clients_count)) == 1


def test_the_same_form_with_other_words_asks_before_it_makes_one_more(ada, form, database):
    create(ada, form, **posted_client_keys())
    page = create(ada, form, 409, name="Beta Ltd", **posted_client_keys())
    assert "This form has already created Acme Ltd." in page
    assert page.link("Open Acme Ltd").endswith("/setup")
    assert page.one("#name")["value"] == "Beta Ltd"
    assert page.one("input[name=token]")["value"] != form.one("input[name=token]")["value"]
    # The keys belong to the first client now.
    assert page.one("input[name=provider_wrapped_key]")["value"] == ""
    assert database.count(Organization) == 1
    ada.browser.submit(page, "Create client")
    assert database.all(select(Organization.name).order_by(Organization.name)) == [
        "Acme Ltd",
        "Beta Ltd",
    ]


def test_two_people_with_one_token_are_two(ada, form, database):
    bob = persona(database, provider=ada.provider)
    create(ada, form)
    create(bob, form, csrf_token=bob.browser.csrf_token())
    assert database.count(Organization) == 2


@pytest.mark.parametrize("broken", ["invite", "record", "enqueue"])
def test_all_of_it_is_made_or_nothing(ada, form, database, monkeypatch, broken):
    def fail(*_, **__):
        raise RuntimeError("broken on purpose")

    places = {"invite": clients_service, "record": events, "enqueue": members_service}
    monkeypatch.setattr(places[broken], broken, fail)
    create(ada, form, 500)
    assert rows(database) == dict.fromkeys(rows(database), 0)
    assert database.one(select(Provider.clients_count)) == 0


def test_a_creation_costs_a_known_number_of_statements(ada, form, statements):
    statements.clear()
    create(ada, form)
    writes = [one for one in statements if one.sql.lstrip()[:6] in {"INSERT", "UPDATE"}]
    assert len(writes) <= 23
    statements.most(32)


def test_events_of_one_change_are_numbered_on_in_the_order_of_telling(ada, form, database):
    create(ada, form)
    told = select(Event.type).where(Event.stream_id == ada.provider.id).order_by(Event.seq)
    assert database.all(told) == ["provider:client:create", "organization:member:invite"]
    assert sorted(database.all(select(Event.seq))) == [1, 1, 2, 2]
