"""Members of an organization: the list, re-sending, another address, confirming."""

import json

import pytest
from sqlalchemy import select, update

from portal.crypto.keys import new_key_pair, wrap_for
from portal.domain.access import Role
from portal.domain.errors import RuleError
from portal.domain.states import MemberState
from portal.members import service
from portal.models import (
    Account,
    Affiliation,
    CollectionMember,
    Event,
    Organization,
    Outbox,
    utc_now,
)
from tests.support.accounts import keys_for
from tests.support.eventlog import all_told
from tests.support.organizations import (
    OWNER,
    employ,
    join,
    make_place,
    set_clock_back,
)


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def accepted(place):
    """The owner has accepted, with keys."""
    return let_owner_accept(place)


def let_owner_accept(place, *, keys=True):
    olga = place.person(OWNER, "Olga Petrova", keys=keys)
    place.browser_of(olga).post(f"{place.link()}/accept", status=303)
    place.others["owner"] = olga
    return place


def confirm_url(place):
    return f"{place.members}/{place.owner_row}/confirm"


def handed_over(place):
    """What confirm.js posts."""
    key = keys_for(OWNER).public_key
    return {"public_key": key, "wrapped_key": wrap_for(key, place.keys.key.raw)}


def events(place, kind):
    found = all_told(place.database, kind, place.organization.id)
    return [event["details"] for event in found]


# The list.


def test_the_owner_is_listed_with_role_state_and_mail(place):
    page = place.admins_browser().get(place.members)
    assert page.heading == "Members"
    row = page.text("#members-table tbody tr")
    for words in (OWNER, "Owner", "Invited", "Queued It leaves in a moment."):
        assert words in row


FARING = [
    ({"state": "queued", "attempts": 1, "last_answer": "451 greylisted"}, "The next try is"),
    ({"state": "failed", "attempts": 9, "last_answer": "550 no such user"}, "Failed"),
    ({"state": "sent", "finished_at": utc_now()}, "The link is valid until"),
]


@pytest.mark.parametrize(("columns", "words"), FARING)
def test_the_list_and_the_set_up_page_say_how_the_mail_fares(place, columns, words):
    place.database.run(update(Outbox).values(**columns))
    for page in ("members", "setup"):
        shown = place.admins_browser().get(f"{place.url}/{page}")
        assert words in shown
        if columns.get("last_answer"):
            assert f"The mail server said: {columns['last_answer']}" in shown


def test_the_newest_mail_is_the_one_that_counts(place):
    place.database.run(update(Outbox).values(state="failed", last_answer="550 no such user"))
    browser = place.admins_browser()
    browser.submit(browser.get(f"{place.members}/{place.owner_row}"), "Re-send invitation")
    page = browser.get(place.members)
    assert "Queued" in page
    assert "550" not in page


def test_an_expired_invitation_says_so(place):
    set_clock_back(place, days=5)
    assert "Expired Re-send the invitation for a new link." in place.admins_browser().get(
        place.members
    )


def test_the_list_costs_the_same_however_many_members_there_are(place, statements):
    for number in range(3):
        person = place.person(f"p{number}@acme.example", f"Person {number}", keys=True)
        join(place, person, Role.USER, MemberState.CONFIRMED)
    browser = place.admins_browser()
    browser.get(place.members)
    statements.clear()
    page = browser.get(place.members)
    statements.most(7)
    assert len(page.select("#members-table tbody tr")) == 4


def test_the_list_alone_can_be_drawn_again(place):
    piece = place.admins_browser().get(place.members, hx="members-table")
    assert piece.select("#members-table")
    assert not piece.select("h1")


# Inviting: the service that the clients area calls.


def test_an_invitation_takes_a_seat_and_gives_the_first_collection(place):
    assert place.client().seats_used == 1
    assert place.database.one(select(CollectionMember.member_id)) == place.owner_row


def invite(place, email, role=Role.USER):
    with place.database.session() as session:
        return service.invite(
            session,
            place.actor,
            organization_id=place.organization.id,
            email=email,
            role=role,
            locale="fr",
        )


def test_nobody_is_invited_without_a_seat(place):
    place.database.run(update(Organization).values(seats=1))
    with pytest.raises(RuleError, match="No seats are left"):
        invite(place, "second@acme.example")


def test_an_address_is_invited_once(place):
    with pytest.raises(RuleError) as refused:
        invite(place, OWNER)
    assert refused.value.field == "email"
    assert place.client().seats_used == 1


def test_an_admin_invites_no_owner(place):
    with place.database.session() as session, pytest.raises(RuleError) as refused:
        service.invite(
            session,
            replace_role(place.actor, Role.ADMIN),
            organization_id=place.organization.id,
            email="x@acme.example",
            role=Role.OWNER,
            locale="en",
        )
    assert refused.value.field == "role"


def replace_role(actor, role):
    return type(actor)(**(vars(actor) | {"role": role}))


def test_the_invitation_is_told_to_both_logs_and_mailed_in_its_language(place):
    member = invite(place, "jean@acme.example")
    streams = place.database.all(
        select(Event.stream_id).where(Event.type == "organization:member:invite")
    )
    assert set(streams) == {place.organization.id, place.provider.id}
    mail = place.database.all(select(Outbox).where(Outbox.subject_id == member.id))[0]
    assert mail.payload == {
        "organization": str(place.organization.id),
        "member": str(member.id),
        "version": 1,
        "locale": "fr",
    }


# Re-sending and replacing.


def test_re_sending_kills_the_earlier_link(place, browser):
    earlier = place.link()
    admin = place.admins_browser()
    answer = admin.submit(admin.get(f"{place.members}/{place.owner_row}"), "Re-send invitation")
    assert f"A new invitation is on its way to {OWNER}." in admin.follow(answer)
    browser.get(earlier, status=410)
    assert browser.get(place.link()).heading == "Join Acme Ltd"
    assert events(place, "organization:member:reinvite") == [{"email": OWNER}]


def test_re_sending_is_limited(place):
    admin = place.admins_browser()
    for _turn in range(5):
        admin.post(f"{place.members}/{place.owner_row}/invitation", status=303)
    admin.post(f"{place.members}/{place.owner_row}/invitation", status=429)


def test_what_was_accepted_is_not_sent_again(accepted):
    admin = accepted.admins_browser()
    page = admin.post(f"{accepted.members}/{accepted.owner_row}/invitation", status=409)
    assert "is no longer waiting" in page


def test_another_address_gets_a_link_of_its_own(place, browser):
    earlier = place.link()
    admin = place.admins_browser()
    page = admin.get(admin.get(place.members).link("Replace address"))
    answer = admin.submit(page, "Replace address", {"email": " Olaf@Acme.example "})
    assert "The invitation is on its way to olaf@acme.example." in admin.follow(answer)
    assert place.member().email == "olaf@acme.example"
    browser.get(earlier, status=410)
    assert "olaf@acme.example" in browser.get(place.link())
    assert events(place, "organization:member:replace_address") == [
        {"before": OWNER, "after": "olaf@acme.example"}
    ]
    assert events(place, "organization:member:reinvite") == [{"email": "olaf@acme.example"}]


def test_a_domain_that_differs_is_pointed_out_and_not_refused(place):
    admin = place.admins_browser()
    there = f"{place.members}/{place.owner_row}/address"
    data = {"email": "olga@elsewhere.example"}
    field = admin.post(f"{there}/fields/email", data, hx="members-address")
    assert "bills@acme.example" in field.text(".warning")
    assert place.member().email == OWNER
    told = admin.follow(admin.post(there, data, status=303))
    assert "Its domain differs from the billing e-mail's, bills@acme.example." in told
    assert place.member().email == "olga@elsewhere.example"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter an e-mail address."),
        ("nonsense", "in the form name@example.com"),
        (OWNER, "This is the current address"),
        ("taken@acme.example", "is already a member"),
    ],
)
def test_an_address_that_will_not_do_is_blamed_at_its_field(place, typed, said):
    invite(place, "taken@acme.example")
    there = f"{place.members}/{place.owner_row}/address"
    page = place.admins_browser().post(there, {"email": typed}, status=422)
    assert said in page.text("#email-error")
    assert page.one("#email")["value"] == typed
    assert place.member().email == OWNER


def test_the_address_of_who_has_accepted_stays(accepted):
    there = f"{accepted.members}/{accepted.owner_row}/address"
    page = accepted.admins_browser().post(there, {"email": "x@acme.example"}, status=422)
    assert "is no longer waiting" in page
    assert accepted.member().email == OWNER


# Confirming.


def test_the_confirm_page_shows_the_phrase_that_the_member_sees(accepted):
    admin = accepted.admins_browser()
    page = admin.follow(admin.submit(admin.get(accepted.members), "Confirm"))
    assert page.heading == f"Confirm {OWNER}"
    phrase = page.text("fingerprint-phrase")
    assert len(phrase.split("-")) == 5
    mine = accepted.browser_of(accepted.others["owner"]).get(f"{accepted.url}/waiting")
    assert mine.text("fingerprint-phrase") == phrase
    form = page.form("Confirm member")
    assert form["data-public-key"] == keys_for(OWNER).public_key
    ring = json.loads(page.one("meta[name=key-ring]")["content"])
    assert ring["organization"]["wrapped_by"] == "provider"


def test_confirming_hands_over_the_key(accepted):
    answer = accepted.admins_browser().post(
        confirm_url(accepted), handed_over(accepted), status=303
    )
    assert answer.location.startswith(f"{accepted.members}?saved=")
    member = accepted.member()
    assert member.state is MemberState.CONFIRMED
    assert member.wrapped_organization_key.startswith("4.")
    assert accepted.client().owner_confirmed
    assert accepted.database.all(
        select(Affiliation.state).where(Affiliation.kind == "organization")
    ) == ["confirmed"]
    mail = accepted.database.one(select(Outbox).where(Outbox.topic == "mail.member_confirmed"))
    assert mail.payload["member"] == str(member.id)
    (told,) = events(accepted, "organization:member:confirm")
    assert told["email"] == OWNER
    assert len(told["fingerprint"].split("-")) == 5
    assert told["by_making_keys"] is False


def test_without_scripts_the_page_says_why_it_cannot_confirm(accepted):
    admin = accepted.admins_browser()
    page = admin.get(confirm_url(accepted))
    assert "runs no scripts" in page.text("noscript")
    refused = admin.submit(page, "Confirm member", status=422)
    assert "No key arrived from your browser." in refused
    assert accepted.member().state is MemberState.ACCEPTED


def test_a_key_that_changed_meanwhile_stops_it_and_is_told(accepted):
    data = handed_over(accepted)
    other, _private = new_key_pair()
    accepted.database.run(update(Account).where(Account.email == OWNER).values(public_key=other))
    page = accepted.admins_browser().post(confirm_url(accepted), data, status=409)
    assert "The key has changed" in page
    assert accepted.member().state is MemberState.ACCEPTED
    (told,) = events(accepted, "organization:member:key_changed")
    assert told["fingerprint"] != told["shown"]


@pytest.mark.parametrize("wrapped", ["", "4.x", "2.a|b|c", "nonsense"])
def test_what_is_no_wrapped_key_is_refused(accepted, wrapped):
    data = handed_over(accepted) | {"wrapped_key": wrapped}
    accepted.admins_browser().post(confirm_url(accepted), data, status=422)
    assert accepted.member().state is MemberState.ACCEPTED


def test_only_who_has_accepted_can_be_confirmed(place):
    page = place.admins_browser().post(confirm_url(place), handed_over(place), status=422)
    assert "nothing to confirm" in page
    assert place.member().state is MemberState.INVITED


def test_nobody_is_confirmed_twice(accepted):
    admin = accepted.admins_browser()
    admin.post(confirm_url(accepted), handed_over(accepted), status=303)
    before = accepted.member().wrapped_organization_key
    admin.post(confirm_url(accepted), handed_over(accepted), status=422)
    assert accepted.member().wrapped_organization_key == before


def test_a_member_without_keys_cannot_be_confirmed_yet(place):
    let_owner_accept(place, keys=False)
    page = place.admins_browser().get(confirm_url(place))
    assert "Not possible yet" in page
    place.admins_browser().post(confirm_url(place), handed_over(place), status=422)
    assert place.member().state is MemberState.ACCEPTED


def test_an_admin_without_the_provider_key_has_nothing_to_hand_over(accepted):
    kim = accepted.person("kim@northwind.example", "Kim Lee", keys=True)
    employ(accepted.database, accepted.provider, kim)
    page = accepted.browser_of(kim).get(confirm_url(accepted))
    assert "You do not hold the key of this client yet" in page
    assert "These people can hand it over: Ada Nordström." in page


def test_an_organization_admin_confirms_no_owner(accepted):
    person = accepted.person("adam@acme.example", "Adam Min", keys=True)
    join(accepted, person, Role.ADMIN, MemberState.CONFIRMED)
    page = accepted.browser_of(person).post(
        confirm_url(accepted), handed_over(accepted), status=422
    )
    assert "Only an owner or a provider admin can confirm an owner." in page


# A client that was made without keys.
