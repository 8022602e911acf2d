"""An organization that exists becomes a client: linked by its owner, or after a mailed yes."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from portal.crypto.keys import wrap_for
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.mail.messages import MESSAGES, Office, Outdated
from portal.models import (
    Event,
    LinkRequest,
    Organization,
    Outbox,
    Provider,
    Subscription,
    utc_now,
)
from tests.support.accounts import age, make_person
from tests.support.databases import SECRET_KEY
from tests.support.lookups import Database
from tests.support.organizations import employ, join, make_place

SUE = "sue@acme.example"


def existing(place):
    return f"/providers/{place.provider.id}/clients/existing"


def unlinked(place, owner):
    """The place's client without its provider; `owner` is its confirmed owner."""
    join(place, owner, Role.OWNER, MemberState.CONFIRMED)
    database = place.database
    database.run(update(Organization).values(provider_id=None, provider_wrapped_key=None))
    database.run(
        update(Provider).values(
            clients_count=0, discount_basis_points=1000, billing_email="bills@northwind.example"
        )
    )
    return owner


def wrapped(place):
    """What the owner's browser adds to the form."""
    key = place.provider_keys.public_key
    return {"wrapped_key": wrap_for(key, place.keys.key.raw), "public_key": key}


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def sue(place):
    return unlinked(place, place.person(SUE, "Sue Owner", keys=True))


def is_linked(place):
    client = place.client()
    assert client.provider_id == place.provider.id
    assert client.provider_wrapped_key.startswith("4.")
    assert client.billing_email == "bills@northwind.example"
    found = place.database.one(select(Subscription))
    assert (found.discount_basis_points, found.billing_name) == (1000, "Northwind IT")
    assert place.database.one(select(Provider.clients_count)) == 1
    linked = select(Event.stream_id).where(Event.type == "organization:organization:link")
    assert set(place.database.all(linked)) == {place.organization.id, place.provider.id}


# One's own organization


def test_the_form_for_a_new_client_leads_there(place):
    page = place.admins_browser().get(existing(place).replace("/existing", "/new"))
    assert page.link("Existing organization") == existing(place)


def test_an_own_organization_is_linked_with_its_key(place):
    unlinked(place, place.admin)
    browser = place.admins_browser()
    page = browser.get(browser.get(existing(place)).link("Link"))
    assert "What changes" in page
    assert "Teams, 10 seats" in page
    assert page.one("fingerprint-phrase")["account-id"] == str(place.provider.id)
    answer = browser.post(page.form("Link organization")["action"], wrapped(place), status=303)
    assert "Acme Ltd is your client now." in browser.follow(answer)
    is_linked(place)
    browser.get(f"{place.url}/collections")


def test_without_a_key_nothing_is_linked(place):
    unlinked(place, place.admin)
    browser = place.admins_browser()
    url = f"{existing(place)}/{place.organization.id}"
    assert "No key arrived" in browser.post(url, status=409)
    browser.post(url, wrapped(place) | {"public_key": "another"}, status=409)
    assert place.client().provider_id is None
    assert place.database.one(select(Provider.clients_count)) == 0


def test_what_somebody_else_owns_is_not_offered_and_not_taken(place, sue):
    browser = place.admins_browser()
    assert "You are the confirmed owner of no organization" in browser.get(existing(place))
    url = f"{existing(place)}/{place.organization.id}"
    assert browser.get(url, status=303).location == existing(place)
    browser.post(url, wrapped(place), status=409)
    assert place.client().provider_id is None


def test_a_service_user_may_not(place, database):
    person = make_person(database, "sam@northwind.example", "Sam Service", keys=False)
    employ(database, place.provider, person, Role.SERVICE_USER)
    place.browser_of(person).get(existing(place), status=403)


# Somebody else's


def ask(place, email=SUE, status=303):
    browser = place.admins_browser()
    page = browser.get(existing(place))
    return browser.submit(page, "Send the request", {"email": email}, status=status)


def token_of(place):
    request = place.database.all(select(LinkRequest).order_by(LinkRequest.created_at))[-1]
    link = Link(request.provider_id, request.id, 1)
    return f"/link-requests/{LinkSigner((SECRET_KEY,), 'link-request').sign(link)}"


def letter(place):
    mail = place.database.all(select(Outbox).where(Outbox.topic == "mail.link_request"))[-1]
    office = Office((SECRET_KEY,), lambda _endpoint, **values: f"/link-requests/{values['token']}")
    with place.database.session() as session:
        return MESSAGES["mail.link_request"](session, office, mail.payload)


def test_an_owner_says_yes(place, sue):
    ask(place)
    found = letter(place)
    assert (found.to, found.facts["url"]) == (SUE, token_of(place))
    browser = place.browser_of(sue)
    page = browser.get(token_of(place))
    assert page.heading == "Northwind IT asks to look after Acme Ltd"
    fields = wrapped(place) | {"organization": str(place.organization.id)}
    answer = browser.post(token_of(place), fields, status=303)
    assert "Northwind IT looks after Acme Ltd now." in browser.follow(answer)
    is_linked(place)
    assert "Linked" in place.admins_browser().get(existing(place))
    browser.get(token_of(place), status=410)


def test_an_owner_says_no(place, sue):
    ask(place)
    browser = place.browser_of(sue)
    page = browser.follow(browser.submit(browser.get(token_of(place)), "Decline"))
    assert "You have declined. Nothing has changed." in page
    assert place.client().provider_id is None
    browser.get(token_of(place), status=410)
    assert "Declined" in place.admins_browser().get(existing(place))


def test_the_answer_never_tells_whether_the_address_owns_anything(place, sue):
    known, unknown = ask(place), ask(place, "nobody@acme.example")
    assert known.response.status == unknown.response.status
    with pytest.raises(Outdated):
        letter(place)
    assert letter_count(place) == 2


def letter_count(place):
    return len(place.database.all(select(Outbox).where(Outbox.topic == "mail.link_request")))


def test_an_address_is_asked_three_times_a_day(place, sue):
    for _ in range(3):
        ask(place)
    assert "asked three times today" in ask(place, status=422)


def test_another_account_cannot_answer(place, sue):
    ask(place)
    browser = place.admins_browser()
    assert "for another address" in browser.get(token_of(place), status=403)
    fields = wrapped(place) | {"organization": str(place.organization.id)}
    browser.post(token_of(place), fields, status=303)
    assert place.client().provider_id is None


def test_the_mailbox_alone_gives_nothing_away(place, sue):
    ask(place)
    browser = place.browser_of(sue, method="code")
    assert browser.get(token_of(place), status=303).location.startswith("/step-up")
    fields = wrapped(place) | {"organization": str(place.organization.id)}
    browser.post(token_of(place), fields, status=303)
    assert place.client().provider_id is None
    strong = place.browser_of(sue)
    age(place.database, sue, minutes=11)
    assert strong.get(token_of(place), status=303).location.startswith("/reauthenticate")


def test_an_old_request_is_over(place, sue):
    ask(place)
    past = utc_now() - dt.timedelta(minutes=1)
    place.database.run(update(LinkRequest).values(expires_at=past))
    browser = place.browser_of(sue)
    assert "no longer open" in browser.get(token_of(place), status=410)
    browser.get("/link-requests/nonsense", status=410)


@pytest.fixture
def committed(committed_app):
    return Database(committed_app)


def test_of_two_answers_at_once_one_counts(committed):
    place = make_place(committed)
    sue = unlinked(place, place.person(SUE, "Sue Owner", keys=True))
    ask(place)
    url, start = token_of(place), Barrier(2)

    def answer(_turn):
        browser = place.browser_of(sue)
        fields = wrapped(place) | {
            "organization": str(place.organization.id),
            "csrf_token": browser.csrf_token(),
        }
        start.wait()
        reply = browser.client.post(url, data=fields)
        return reply.status_code, reply.headers.get("Location", "")

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(answer, range(2)))
    assert sum("/collections" in where for _status, where in answers) == 1, answers
    is_linked(place)
