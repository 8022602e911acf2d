"""Asking to come in, the owner's answer, and the end; the page of both sides."""

import datetime as dt

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.provider_access import AccessMode, GrantState
from portal.domain.states import ClientStatus, MemberState
from portal.grants.service import close_due
from portal.models import (
    AccessGrant,
    Event,
    Organization,
    ProviderPerson,
    utc_now,
)
from tests.support.grants import MINUTE, TECH, make_house
from tests.support.organizations import join

ASKED = {"reason": "Ticket 4711: printer", "minutes": "60"}


@pytest.fixture
def house(database):
    made = make_house(database)
    made.set_mode(AccessMode.ASK)
    return made


@pytest.fixture
def owner(house):
    return house.owners_browser()


@pytest.fixture
def tech(house):
    return house.techs_browser()


def ask(house, browser, fields=ASKED, status=303):
    form = browser.get(f"{house.url}/ask")
    return browser.submit(form, "Ask the owners", fields, status=status)


def test_a_technician_asks_an_owner_answers_and_the_technician_is_in(house, owner, tech):
    page = tech.follow(tech.get(f"{house.place.url}/members", status=303))
    assert page.heading == "Ask for access to Acme Ltd"
    page = tech.follow(ask(house, tech))
    assert "The owners are asked by e-mail." in page
    assert "Waiting for an answer" in page
    (mail,) = house.mails("access_asked")
    assert mail.account_id == house.owner.account_id

    page = owner.get(house.url)
    assert "Ticket 4711: printer" in page
    page = owner.get(page.link("Answer"))
    answer = owner.submit(page, "Let them in", {"minutes": "15"}, status=303)
    assert "Tom Berg can come in now." in owner.follow(answer)
    (row,) = house.rows()
    assert (row.state, row.minutes, row.asked_minutes) == (GrantState.APPROVED, 15, 60)
    assert row.ends_at - row.answered_at == 15 * MINUTE
    assert len(house.mails("access_answered")) == 1

    page = tech.get(f"{house.place.url}/members")
    assert "until" in page.text(".banner p")
    opened = house.database.all(select(Event).where(Event.type == "organization:organization:open"))
    assert len(opened) == 2, "in both logs"
    assert all(str(row.id) in event.payload for event in opened), "they name the grant"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": " ", "minutes": "60"}, "Say what you need access for"),
        ({"reason": "x" * 301, "minutes": "60"}, "Enter at most 300 characters."),
        ({"reason": "Ticket", "minutes": "17"}, "Choose how long."),
        ({"reason": "Ticket", "minutes": ""}, "Choose how long."),
    ],
)
def test_a_mistake_stands_at_its_field_and_nothing_is_lost(house, tech, fields, sentence):
    page = tech.post(f"{house.url}/ask", fields, status=422)
    assert sentence in page
    assert page.one("textarea[name=reason]").text.strip() == fields["reason"].strip()
    assert house.rows() == []
    assert house.mails("access_asked") == []


def test_who_has_asked_or_is_in_asks_no_second_time(house, tech):
    ask(house, tech)
    page = tech.post(f"{house.url}/ask", ASKED, status=422)
    assert "You have asked already, or have access." in page
    assert len(house.rows()) == 1


def test_nobody_asks_more_than_five_times_an_hour(house, tech):
    for _ in range(5):
        house.grant(GrantState.WITHDRAWN)
    assert "five times in the last hour" in tech.post(f"{house.url}/ask", ASKED, status=422)
    house.database.run(update(AccessGrant).values(asked_at=utc_now() - dt.timedelta(hours=2)))
    tech.post(f"{house.url}/ask", ASKED, status=303)


def test_where_the_owners_cannot_answer_nobody_is_asked(house, tech):
    house.database.run(update(Organization).values(status=ClientStatus.SUSPENDED))
    assert "its owners cannot answer" in tech.get(f"{house.url}/ask")
    tech.post(f"{house.url}/ask", ASKED, status=422)
    assert house.rows() == []


@pytest.mark.parametrize("mode", [AccessMode.ALWAYS, AccessMode.NEVER])
def test_nobody_asks_where_that_is_no_question(house, tech, mode):
    house.set_mode(mode)
    assert "Nobody has to ask here" in tech.post(f"{house.url}/ask", ASKED, status=422)
    assert house.rows() == []


def test_a_request_is_withdrawn_by_whoever_asked_and_by_nobody_else(house, tech):
    ask(house, tech)
    (row,) = house.rows()
    url = f"{house.url}/ask/withdraw/{row.id}"
    house.place.admins_browser().post(url, status=303)
    assert house.row(row.id).state is GrantState.REQUESTED
    page = tech.get(f"{house.url}/ask")
    page = tech.follow(tech.submit(page, "Withdraw", status=303))
    assert "Your request is withdrawn." in page
    assert "Withdrawn" in page
    assert house.row(row.id).state is GrantState.WITHDRAWN
    assert len(house.events("withdraw")) == 2


def test_an_owner_declines_and_the_technician_reads_who(house, owner, tech):
    ask(house, tech)
    (row,) = house.rows()
    page = owner.get(f"{house.url}/grants/{row.id}")
    owner.submit(page, "Decline", status=303)
    page = tech.get(f"{house.url}/ask")
    assert "Declined" in page
    assert "by Olga Petrova" in page
    assert page.form("Ask the owners"), "they can ask again"


def test_more_time_than_was_asked_for_cannot_be_given(house, owner):
    grant = house.grant(GrantState.REQUESTED, minutes=60)
    url = f"{house.url}/grants/{grant}/approve"
    page = owner.post(url, {"minutes": "240"}, status=422)
    assert "Choose no more time than was asked for." in page
    assert [option["value"] for option in page.select("select[name=minutes] option")] == [
        "15",
        "60",
    ]
    assert house.row(grant).state is GrantState.REQUESTED


@pytest.mark.parametrize("answer", ["approve", "decline"])
def test_who_answers_second_reads_that_it_is_over(house, owner, answer):
    grant = house.grant(GrantState.REQUESTED)
    owner.post(f"{house.url}/grants/{grant}/decline", status=303)
    page = owner.post(f"{house.url}/grants/{grant}/{answer}", {"minutes": "15"}, status=409)
    assert "has been answered, withdrawn or ended in the meantime" in page
    assert house.row(grant).state is GrantState.DECLINED
    assert len(house.mails("access_answered")) == 1


def test_a_request_that_lapsed_can_be_answered_no_more(house, owner):
    grant = house.grant(GrantState.REQUESTED, ago=4 * 24 * 60)
    owner.post(f"{house.url}/grants/{grant}/approve", {"minutes": "15"}, status=409)
    assert house.row(grant).state is GrantState.REQUESTED


def test_an_owner_ends_an_access_and_the_next_click_finds_a_closed_door(house, owner, tech):
    grant = house.grant()
    members = f"{house.place.url}/members"
    tech.get(members)
    page = owner.get(f"{house.url}/grants/{grant}")
    answer = owner.submit(page, "End access Tom Berg", status=303)
    assert "The access of Tom Berg has ended." in owner.follow(answer)
    page = tech.follow(tech.get(members, status=303))
    assert "Ended early" in page
    assert "by Olga Petrova" in page
    page = tech.post(f"{members}/invite", {"addresses": "a@b.example"}, status=403)
    assert "The owners of this organization have not let you in." in page
    assert len(house.events("end")) == 2
    assert house.mails("access_ended") == [], "whoever ended it knows"


def test_a_technician_ends_their_own_access_and_nobody_elses(house, tech):
    grant = house.grant()
    other = house.grant(person=house.place.admin)
    tech.post(f"{house.url}/grants/{other}/leave", status=409)
    page = tech.get(f"{house.url}/grants/{grant}")
    answer = tech.submit(page, "End my access", status=303)
    assert answer.location.startswith(f"/providers/{house.place.provider.id}/clients")
    assert house.row(grant).state is GrantState.ENDED
    assert house.row(other).state is GrantState.APPROVED
    assert len(house.mails("access_ended")) == 1
    tech.get(f"{house.place.url}/members", status=303)


def test_time_ends_an_access_before_the_worker_writes_it_down(house, owner, tech):
    grant = house.grant(ago=61)
    tech.get(f"{house.place.url}/members", status=303)
    assert house.row(grant).state is GrantState.APPROVED
    assert "Ended by time" in owner.get(f"{house.url}/grants/{grant}")
    assert close_due(sessions(house)) == 1
    row = house.row(grant)
    assert (row.state, row.closed_at) == (GrantState.EXPIRED, row.ends_at)
    assert len(house.events("expire")) == 2
    assert len(house.mails("access_ended")) == 1
    assert close_due(sessions(house)) == 0


def test_an_access_that_is_over_is_closed_by_the_next_question_too(house, tech):
    grant = house.grant(ago=61)
    ask(house, tech)
    assert [row.state for row in house.rows()] == [GrantState.EXPIRED, GrantState.REQUESTED]
    assert house.rows()[0].id == grant


def test_a_question_without_an_answer_lapses_and_says_so(house):
    grant = house.grant(GrantState.REQUESTED, ago=4 * 24 * 60)
    assert close_due(sessions(house)) == 1
    assert house.row(grant).state is GrantState.LAPSED
    assert len(house.mails("access_answered")) == 1


def test_whoever_leaves_the_provider_loses_what_is_open(house):
    grant = house.grant()
    waits = house.grant(GrantState.REQUESTED, person=house.place.admin)
    gone = ProviderPerson.email == TECH
    with house.database.session() as session:
        session.delete(session.scalars(select(ProviderPerson).where(gone)).one())
    assert close_due(sessions(house)) == 1
    assert house.row(grant).state is GrantState.ENDED
    assert house.row(waits).state is GrantState.REQUESTED


def sessions(house):
    """What the worker opens its transactions with; here the test's own database."""

    class Sessions:
        def __call__(self):
            return house.database.session()

        begin = __call__

    return Sessions()


# The page


def test_the_page_tells_who_could_come_in_and_who_is_in(house, owner, tech):
    house.grant()
    tech.get(f"{house.place.url}/members")
    page = owner.get(house.url)
    assert {"Ada Nordström", "Tom Berg"} <= set(" ".join(page.texts("tbody th")).split("  ")) or (
        "Tom Berg" in page and "Ada Nordström" in page
    )
    assert "Live sessions of the provider" in page
    assert len(page.select("table")) == 3, "now, live sessions, people"
    assert page.link("End")


def test_provider_people_and_admins_look_and_choose_nothing(house):
    house.grant()
    carl = house.place.person("carl@acme.example", "Carl Admin", keys=True)
    join(house.place, carl, Role.ADMIN, MemberState.CONFIRMED)
    for browser in (house.techs_browser(), house.place.browser_of(carl)):
        page = browser.get(house.url)
        assert "Only the organization's own owners can change this." in page
        assert not [link for link in page.texts("main a") if link.startswith("Choose")]
        browser.get(f"{house.url}/mode/never", status=403)
        browser.post(f"{house.url}/mode/never", {"seen": "ask"}, status=403)
    assert house.mode() is AccessMode.ASK


def test_an_owner_who_works_for_the_provider_decides_nothing(house):
    join(house.place, house.place.admin, Role.OWNER, MemberState.CONFIRMED)
    grant = house.grant(GrantState.REQUESTED)
    browser = house.place.admins_browser()
    assert "Only the organization's own owners" in browser.get(house.url)
    browser.post(f"{house.url}/grants/{grant}/approve", {"minutes": "15"}, status=403)
    browser.post(f"{house.url}/mode/always", {"seen": "ask"}, status=403)


def test_what_was_done_under_a_grant_is_that_persons_acts_in_that_time(house, owner, tech):
    house.database.run(update(Organization).values(seats=10))
    grant = house.grant()
    form = tech.get(f"{house.place.members}/invite")
    tech.submit(form, "Send invitations", {"addresses": "new@acme.example"}, status=303)
    house.place.admins_browser()
    owner.post(f"{house.url}/grants/{grant}/end", status=303)
    page = owner.get(f"{house.url}/grants/{grant}")
    assert page.heading == "What was done under this grant"
    told = page.texts("table tbody th")
    assert any("Invited new@acme.example" in line for line in told)
    assert any("Entered as Northwind IT" in line for line in told)
    assert not any("Ended the access" in line for line in told), "an owner did that"
    assert page.select("[data-print]")


def test_each_grant_begins_with_an_entry_of_its_own(house, owner, tech):
    """The same browser on the same day: under the second grant it has come in once more."""
    for _ in range(2):
        grant = house.grant()
        tech.get(f"{house.place.url}/members")
        tech.get(f"{house.place.url}/groups")
        owner.post(f"{house.url}/grants/{grant}/end", status=303)
        told = owner.get(f"{house.url}/grants/{grant}").texts("table tbody th")
        assert len(told) == 1
        assert "Entered as Northwind IT" in told[0]


def test_the_log_of_a_grant_is_for_whoever_reads_the_log(house, tech):
    grant = house.grant()
    page = tech.get(f"{house.url}/grants/{grant}")
    assert "The event log is for owners and admins." in page
    assert page.select("table") == []


def test_the_history_goes_on_page_by_page(house, owner):
    for number in range(30):
        house.grant(GrantState.WITHDRAWN, reason=f"Ticket {number}.")
    page = owner.get(house.url)
    assert "Ticket 29." in page
    assert "Ticket 4." not in page
    page = owner.get(page.link("Next"))
    assert "Ticket 4." in page
    owner.get(f"{house.url}?at=nonsense", status=303)


def test_the_page_costs_the_same_however_many_there_are(house, owner, statements):
    owner.get(house.url)
    statements.clear()
    owner.get(house.url)
    few = len(statements)
    for _ in range(40):
        house.grant(GrantState.WITHDRAWN)
    statements.clear()
    owner.get(house.url)
    statements.most(few)
