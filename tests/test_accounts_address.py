"""Another e-mail address: asked for, confirmed from the new mailbox, or cancelled from the old."""

import pytest
from sqlalchemy import select, update

from portal.accounts import address
from portal.crypto.envelope import seal
from portal.crypto.kdf import derive_master_key, signin_hash, stretch
from portal.crypto.keys import open_user_key
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.mail.messages import MESSAGES, Office, Outdated
from portal.models import AddressChange, AuthSession, Member, Outbox, ProviderPerson, utc_now
from tests.support.accounts import (
    PASSWORD,
    WRONG,
    age,
    attempt,
    events,
    keys_for,
    make_person,
    sign_in_as,
    stored_account,
)
from tests.support.browsing import Browser
from tests.support.databases import SECRET_KEY
from tests.support.organizations import join, make_place

NEW = "ada@new.example"


@pytest.fixture
def person(database):
    return make_person(database, keys=True)


def open_browser(database, person):
    browser = Browser(database.app)
    sign_in_as(browser, database, person)
    return browser


def posted(person, new=NEW, old=None):
    """What the browser sends: the user key under the same password with the new salt."""
    keys = keys_for(person.email)
    raw = open_user_key(keys.protected_user_key, person.email, PASSWORD, keys.iterations).raw
    master = derive_master_key(new, PASSWORD)
    return {
        "email": new,
        "signin_hash": old or keys.signin_hash,
        "new_signin_hash": signin_hash(master, PASSWORD),
        "kdf_iterations": "600000",
        "protected_user_key": seal(raw, stretch(master)),
    }


def ask(database, person, **changes):
    browser = open_browser(database, person)
    done = browser.post("/profile/address", posted(person, **changes), status=303)
    assert "Open the link that was sent to" in browser.follow(done)
    return browser


def waiting(database):
    return database.one(select(AddressChange).where(AddressChange.cancelled_at.is_(None)))


def url(database, purpose=address.CONFIRM, tail=""):
    change = waiting(database)
    token = LinkSigner((SECRET_KEY,), purpose).sign(Link(change.account_id, change.id, 1))
    return f"/address-changes/{token}{tail}"


def test_nothing_changes_until_the_new_mailbox_confirms(database, person):
    browser = ask(database, person)
    assert stored_account(database, person).email == person.email
    topics = database.all(select(Outbox.topic).order_by(Outbox.topic))
    assert topics == ["mail.address_confirm", "mail.address_notice"]
    visitor = Browser(database.app)
    page = visitor.get(url(database))
    assert page.heading == "Confirm the new address"
    assert stored_account(database, person).email == person.email
    page = visitor.submit(page, "Confirm the new address", status=200)
    assert page.heading == "Your address is changed"
    account = stored_account(database, person)
    assert account.email == NEW
    assert account.public_key == person.keys.public_key
    browser.get("/profile", status=303)
    assert database.count(AuthSession) == 0
    fresh = Browser(database.app)
    attempt(fresh, NEW, posted(person)["new_signin_hash"], status=303)
    open_user_key(account.protected_user_key, NEW, PASSWORD, account.kdf_iterations)
    attempt(Browser(database.app), person.email, person.keys.signin_hash)
    [event] = events(database, "account:address:change")
    assert event["details"] == {"before": person.email, "after": NEW}


def test_the_old_mailbox_cancels(database, person):
    ask(database, person)
    visitor, confirm = Browser(database.app), url(database)
    page = visitor.get(url(database, address.CANCEL, "/cancel"))
    page = visitor.submit(page, "Cancel the change", status=200)
    assert page.heading == "The change is cancelled"
    assert visitor.get(confirm, status=410).heading == "This change of address is over"
    visitor.post(confirm, status=410)
    assert stored_account(database, person).email == person.email
    assert len(events(database, "account:address:cancel")) == 1


def test_the_link_that_cancels_does_not_confirm(database, person):
    ask(database, person)
    visitor = Browser(database.app)
    visitor.post(url(database, address.CANCEL), status=410)
    assert stored_account(database, person).email == person.email


def test_a_link_works_once_and_for_a_day(database, person):
    ask(database, person)
    visitor, confirm = Browser(database.app), url(database)
    database.run(update(AddressChange).values(expires_at=utc_now()))
    visitor.post(confirm, status=410)
    database.run(update(AddressChange).values(expires_at=utc_now() + address.VALID))
    visitor.post(confirm)
    visitor.post(confirm, status=410)


def test_a_newer_request_replaces_the_older(database, person):
    ask(database, person)
    older = url(database)
    ask(database, person, new="ada@newer.example")
    Browser(database.app).post(older, status=410)
    Browser(database.app).post(url(database))
    assert stored_account(database, person).email == "ada@newer.example"


def test_another_password_ends_what_waits(database, person):
    ask(database, person)
    confirm = url(database)
    fields = posted(person)
    open_browser(database, person).post("/profile/password", fields, status=303)
    Browser(database.app).post(confirm, status=410)
    assert stored_account(database, person).email == person.email


def test_nobody_learns_here_who_has_an_account(database, person):
    make_person(database, NEW, "Somebody")
    ask(database, person)
    page = Browser(database.app).post(url(database), status=409)
    assert page.heading == "This address is taken"
    assert stored_account(database, person).email == person.email


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"signin_hash": WRONG}, "not your master password"),
        ({"protected_user_key": "clear"}, "not your master password"),
        ({"email": "nobody"}, "in the form"),
        ({"email": "ADA@northwind.example "}, "your present address"),
    ],
)
def test_what_does_not_prove_or_name_anything_is_refused(database, person, change, words):
    browser = open_browser(database, person)
    page = browser.post("/profile/address", posted(person) | change, status=422)
    assert words in page
    assert database.count(AddressChange) == 0


def test_an_account_without_keys_needs_a_fresh_sign_in(database):
    kim = make_person(database, "kim@northwind.example", "Kim Lee")
    browser = open_browser(database, kim)
    page = browser.get("/profile/address")
    assert not page.select("[data-change-address]")
    browser.submit(page, "Send the link", {"email": NEW})
    Browser(database.app).post(url(database))
    assert stored_account(database, kim).email == NEW
    browser = open_browser(database, kim)
    age(database, kim, minutes=11)
    assert "reauthenticate" in browser.get("/profile/address", status=303).location
    again = {"email": "kim@newer.example"}
    answer = browser.post("/profile/address", again, status=303)
    assert "reauthenticate" in answer.location


def test_the_shown_address_follows_the_account(database):
    place = make_place(database)
    olga = place.person("olga@acme.example", "Olga")
    member = join(place, place.admin, Role.ADMIN, MemberState.CONFIRMED)
    ask(database, place.admin)
    Browser(database.app).post(url(database))
    assert place.member(member).email == NEW
    assert database.one(select(ProviderPerson.email)) == NEW
    assert olga.email in database.all(select(Member.email))


def test_an_address_that_is_invited_there_keeps_its_row(database):
    place = make_place(database)
    member = join(place, place.admin, Role.ADMIN, MemberState.CONFIRMED)
    ask(database, place.admin, new="olga@acme.example")
    Browser(database.app).post(url(database))
    assert place.member(member).email == place.admin.email
    assert stored_account(database, place.admin).email == "olga@acme.example"


def test_the_mails_go_to_the_right_mailboxes(database, person):
    ask(database, person)
    change = waiting(database)
    office = Office((SECRET_KEY,), lambda endpoint, **_more: f"https://portal.test/{endpoint}")
    payload = {"account": str(change.account_id), "change": str(change.id), "locale": "en"}
    with database.session() as session:
        to_new = MESSAGES["mail.address_confirm"](session, office, payload)
        to_old = MESSAGES["mail.address_notice"](session, office, payload)
    assert (to_new.to, to_old.to) == (NEW, person.email)
    assert to_new.facts["url"].endswith("confirm_address")
    assert to_old.facts["url"].endswith("cancel_address")
    database.run(update(AddressChange).values(confirmed_at=utc_now()))
    with database.session() as session:
        with pytest.raises(Outdated):
            MESSAGES["mail.address_confirm"](session, office, payload)
        # However fast somebody confirmed, the old address is told.
        assert MESSAGES["mail.address_notice"](session, office, payload).to == person.email
