"""Mailed invitations: what each link is worth to each person, and that it is worth it once."""

import json

import pytest
from sqlalchemy import delete, select, update

from portal.crypto.keys import new_tenant_keys, wrap_for
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role, Trace
from portal.domain.invitations import Purpose, Spent
from portal.domain.states import MemberState
from portal.members import acceptance
from portal.models import (
    Account,
    Affiliation,
    AuthSession,
    Base,
    Collection,
    Event,
    Member,
    Outbox,
    new_id,
)
from tests.support.accounts import keys_for, posted_keys
from tests.support.databases import SECRET_KEY
from tests.support.eventlog import all_told
from tests.support.organizations import (
    OWNER,
    employ,
    make_place,
    posted_client_keys,
    set_clock_back,
)


@pytest.fixture
def place(database):
    return make_place(database)


def outbox(place, topic):
    return place.database.all(select(Outbox).where(Outbox.topic == topic))


def test_a_visitor_without_an_account_can_make_one(place, browser):
    page = browser.get(place.link())
    assert page.heading == "Join Acme Ltd"
    assert "Northwind IT invites olga@acme.example to join as owner." in page
    form = page.form("Create account and join")
    assert form["data-email"] == OWNER
    assert not form.has_attr("data-make-organization-keys")


def test_an_address_that_has_an_account_signs_in_first_and_comes_back(place, browser):
    place.person(OWNER, "Olga Petrova", keys=True)
    page = browser.get(place.link())
    assert page.heading == "Join Acme Ltd"
    assert page.link("Sign in").endswith(f"next={place.link()}")


def test_the_invited_person_accepts_with_a_button(place):
    olga = place.person(OWNER, "Olga Petrova", keys=True)
    browser = place.browser_of(olga)
    page = browser.submit(browser.get(place.link()), "Accept invitation")
    assert place.member().state is MemberState.ACCEPTED
    assert place.member().account_id == olga.account_id
    waiting = browser.get(browser.get(page.location, status=303).location)
    assert waiting.heading == "Waiting to be confirmed"
    assert "Ada Nordström" in waiting


def test_the_wrong_account_is_told_which_address_is_expected(place):
    bob = place.person("bob@other.example", "Bob Other", keys=True)
    browser = place.browser_of(bob)
    page = browser.get(place.link())
    assert page.heading == "This invitation is for another address"
    assert OWNER in page
    assert "bob@other.example" in page
    again = browser.follow(browser.submit(page, "Sign out and continue"))
    assert again.heading == "Join Acme Ltd"
    assert place.member().state is MemberState.INVITED


def test_the_wrong_account_cannot_accept_by_a_post(place):
    browser = place.browser_of(place.person("bob@other.example", "Bob Other", keys=True))
    browser.post(f"{place.link()}/accept", status=303)
    assert place.member().state is MemberState.INVITED


def test_a_session_that_owes_its_second_factor_cannot_accept(place):
    olga = place.person(OWNER, "Olga Petrova", keys=True)
    browser = place.browser_of(olga)
    place.database.run(update(AuthSession).values(pending=True))
    browser.post(f"{place.link()}/accept", status=303)
    assert place.member().state is MemberState.INVITED


# What has become of the row, what its old link says then, with which status.
OVER = [
    ("used", "This invitation has already been accepted", 410),
    ("expired", "This invitation has expired", 410),
    ("re-sent", "A newer invitation was sent", 410),
    ("replaced", "A newer invitation was sent", 410),
    ("revoked", "This invitation was withdrawn", 410),
    ("removed", "This link is not complete", 404),
]


def bring_about(place, what):
    if what == "used":
        olga = place.person(OWNER, "Olga Petrova", keys=True)
        place.browser_of(olga).post(f"{place.link()}/accept", status=303)
    elif what == "expired":
        set_clock_back(place, days=5)
    elif what == "re-sent":
        place.admins_browser().post(f"{place.members}/{place.owner_row}/invitation", status=303)
    elif what == "replaced":
        there = f"{place.members}/{place.owner_row}/address"
        place.admins_browser().post(there, {"email": "olaf@acme.example"}, status=303)
    elif what == "revoked":
        place.database.run(update(Member).values(state=MemberState.REVOKED))
    else:
        place.database.run(delete(Member))


@pytest.mark.parametrize(("what", "heading", "status"), OVER)
def test_a_link_that_is_over_says_why_and_does_nothing(place, browser, what, heading, status):
    link = place.link()
    bring_about(place, what)
    before = snapshot(place)
    page = browser.get(link, status=status)
    assert page.heading == heading
    assert "Ask for a new one" in page
    assert "olaf@acme.example" not in page
    browser.post(f"{link}/join", {"name": "Mallory"}, status=303)
    browser.post(f"{link}/accept", status=303)
    assert snapshot(place) == before


@pytest.mark.parametrize("token", ["nonsense", "a.b", "x" * 500, "asked2", "%E2%80%AE"])
def test_a_link_that_is_not_ours_is_told_from_one_that_is(browser, token):
    assert browser.get(f"/invitations/{token}", status=404).heading == "This link is not complete"


def test_a_link_for_one_purpose_is_no_link_for_another(place, browser):
    signer = LinkSigner((SECRET_KEY,), Purpose.PROVIDER)
    token = signer.sign(Link(place.organization.id, place.owner_row, 1))
    browser.get(f"/invitations/{token}", status=404)


def test_a_link_with_another_tenants_id_finds_nothing(place, browser):
    signer = LinkSigner((SECRET_KEY,), Purpose.MEMBER)
    browser.get(f"/invitations/{signer.sign(Link(new_id(), place.owner_row, 1))}", status=404)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Purpose": "prefetch"}])
def test_looking_at_a_link_changes_nothing(place, browser, method, headers):
    before = snapshot(place)
    for _turn in range(3):
        response = browser.client.open(place.link(), method=method, headers=headers)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
    assert snapshot(place) == before


def snapshot(place):
    """Every row of what an invitation could change."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in QUIET]
    with place.database.session() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table))] for table in tables
        }


QUIET = {"rate_limit", "auth_session"}


def test_joining_makes_an_account_that_is_signed_in(place, browser):
    keys = keys_for(OWNER)
    answer = join_by_script(browser, place, posted_keys(keys))
    assert answer.status_code == 200
    assert answer.json["signed_in"] is True
    account = place.database.one(select(Account).where(Account.email == OWNER))
    assert account.name == "Olga Petrova"
    assert account.public_key == keys.public_key
    assert place.member().account_id == account.id
    assert place.member().state is MemberState.ACCEPTED
    session = place.database.one(select(AuthSession))
    assert session.method == "password"
    assert browser.get("/profile").heading


def join_by_script(browser, place, fields, name="Olga Petrova"):
    """What account-keys.js sends."""
    data = {"name": name, "csrf_token": browser.csrf_token(), **fields}
    headers = {"Accept": "application/json"}
    return browser.client.post(f"{place.link()}/join", data=data, headers=headers)


def test_joining_without_scripts_makes_an_account_without_keys(place, browser):
    page = browser.get(place.link())
    done = browser.submit(page, "Create account and join", {"name": " Olga   Petrova "})
    account = place.database.one(select(Account).where(Account.email == OWNER))
    assert (account.name, account.public_key) == ("Olga Petrova", None)
    assert place.database.one(select(AuthSession.method)) == "code"
    waiting = browser.get(browser.get(done.location, status=303).location)
    assert "You have no keys yet" in waiting


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\u202eb"])
def test_a_name_that_will_not_do_is_blamed_at_its_field(place, browser, name):
    page = browser.post(f"{place.link()}/join", {"name": name}, status=422)
    assert page.title.startswith("Error: ")
    assert page.text("#name-error")
    told = join_by_script(browser, place, posted_keys(keys_for(OWNER)), name)
    assert (told.status_code, list(told.json["errors"])) == (422, ["name"])
    assert place.member().state is MemberState.INVITED


def test_half_of_the_keys_is_refused(place, browser):
    fields = posted_keys(keys_for(OWNER)) | {"protected_user_key": "2.half"}
    answer = join_by_script(browser, place, fields)
    assert answer.status_code == 422
    assert "incomplete" in answer.json["errors"][""]
    assert place.database.all(select(Account).where(Account.email == OWNER)) == []


def test_joining_needs_the_token_of_the_form(place, browser):
    browser.client.post(f"{place.link()}/join", data={"name": "Olga"})
    assert place.member().state is MemberState.INVITED


def test_accepting_tells_every_provider_admin_and_the_log(place):
    second = place.person("kim@northwind.example", "Kim Lee", keys=True)
    technician = place.person("tom@northwind.example", "Tom Tech", keys=True)
    employ(place.database, place.provider, second)
    employ(place.database, place.provider, technician, Role.SERVICE_USER)
    olga = place.person(OWNER, "Olga Petrova", keys=True)
    place.browser_of(olga).post(f"{place.link()}/accept", status=303)
    told = {job.payload["account"] for job in outbox(place, "mail.member_accepted")}
    assert told == {str(place.admin.account_id), str(second.account_id)}
    (event,) = all_told(place.database, "organization:member:accept", place.organization.id)
    assert event["actor"]["name"] == "Olga Petrova"


@pytest.mark.parametrize("meanwhile", ["re-sent", "expired", "another account"])
def test_the_service_looks_again_when_it_spends_the_link(place, meanwhile):
    """The page was right when it was opened; the row is asked once more in the same statement."""
    email = "bob@other.example" if meanwhile == "another account" else OWNER
    person = place.person(email, "Somebody", keys=True)
    link = Link(place.organization.id, place.owner_row, 1)
    with place.database.session() as session:
        found = acceptance.find(session, link)
    if meanwhile != "another account":
        bring_about(place, meanwhile)
    with place.database.session() as session, pytest.raises(Spent):
        acceptance.accept(
            session, found, lambda: session.get_one(Account, person.account_id), trace=Trace()
        )
    assert place.member().account_id is None


def test_who_accepts_belongs_there(place):
    olga = place.person(OWNER, "Olga Petrova", keys=True)
    place.browser_of(olga).post(f"{place.link()}/accept", status=303)
    row = place.database.one(select(Affiliation).where(Affiliation.account_id == olga.account_id))
    assert (row.tenant_id, row.name, row.state) == (place.organization.id, "Acme Ltd", "accepted")


def test_the_used_link_leads_its_person_in(place):
    olga = place.person(OWNER, "Olga Petrova", keys=True)
    browser = place.browser_of(olga)
    browser.post(f"{place.link()}/accept", status=303)
    page = browser.get(place.link())
    assert page.heading == "You have joined Acme Ltd"
    assert page.link("Open Acme Ltd") == f"{place.url}/collections"


# The owner's browser makes the organization's keys.


def test_an_owner_whose_browser_makes_the_keys_is_confirmed_at_once(bare_place, browser):
    place = bare_place
    page = browser.get(place.link())
    form = page.form("Create account and join")
    assert form.has_attr("data-make-organization-keys")
    ring = json.loads(page.one("meta[name=key-ring]")["content"])
    assert ring["provider"]["public_key"] == place.provider_keys.public_key
    answer = join_by_script(browser, place, posted_keys(keys_for(OWNER)) | owners_fields(place))
    assert answer.status_code == 200
    member, client = place.member(), place.client()
    assert member.state is MemberState.CONFIRMED
    assert client.owner_confirmed
    assert client.public_key == place.keys.public_key
    assert client.provider_wrapped_key.startswith("4.")
    assert place.database.one(select(Collection.sealed_name)) is not None
    assert outbox(place, "mail.member_accepted") == []
    confirmed = place.database.one(
        select(Event.payload).where(Event.type == "organization:member:confirm")
    )
    assert json.loads(confirmed)["details"]["by_making_keys"] is True
    assert browser.get(f"{place.url}/collections").heading == "Collections"


def owners_fields(place):
    made, own = place.keys, keys_for(OWNER)
    return posted_client_keys() | {
        "provider_wrapped_key": wrap_for(place.provider_keys.public_key, made.key.raw),
        "member_wrapped_key": wrap_for(own.public_key, made.key.raw),
    }


@pytest.fixture
def bare_place(database):
    """A client that was made without keys."""
    return make_place(database, keys=False)


def test_an_owner_whose_keys_come_second_is_accepted_and_waits(bare_place, browser):
    place = bare_place
    place.admins_browser().post(f"{place.url}/keys", posted_client_keys(), status=303)
    stored = place.client().public_key
    made = new_tenant_keys()
    fields = owners_fields(place) | {"organization_public_key": made.public_key}
    join_by_script(browser, place, posted_keys(keys_for(OWNER)) | fields)
    assert place.member().state is MemberState.ACCEPTED
    assert place.client().public_key == stored


def test_no_keys_are_made_for_a_provider_that_has_none(database, browser):
    place = make_place(database, keys=False, provider_keys=False)
    page = browser.get(place.link())
    assert not page.form("Create account and join").has_attr("data-make-organization-keys")


# Asking for a new one.
