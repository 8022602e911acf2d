"""Stuck people: who is listed and counted, filtered, paged, filed, and written to again."""

import csv
import datetime as dt
import io

import pytest
from sqlalchemy import update

from portal.domain.attention import AttentionKind
from portal.domain.scope import Level
from portal.domain.states import ClientStatus
from portal.models import Attention, Organization, new_id, utc_now
from portal.providers import attention
from tests.support.clients import make_client, make_provider, persona
from tests.support.organizations import OWNER, make_place
from tests.support.scopes import scoped
from tests.support.staff import hire, invite
from tests.support.stuck import LATER, add, ask, badge, grow_older, many, rows, url, versions, who


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def test_an_invited_person_is_listed_with_client_reason_age_and_what_helps(place, admin):
    page = admin.get(url(place))
    assert rows(page) == [
        (
            OWNER,
            "Acme Ltd",
            "Invited, not accepted",
            "Less than an hour",
            f"Re-send invitation {OWNER}",
        )
    ]
    assert badge(page) == "1"
    assert page.link("Acme Ltd") == place.members
    assert page.one("time")["title"].endswith("Z")


REASONS = [
    (AttentionKind.ACCEPTED, "Accepted, not confirmed", "Confirm"),
    (AttentionKind.STAGED, "Prepared, not invited", "Show the members"),
    (AttentionKind.MAIL_FAILED, "E-mail is not delivered", "Show the members"),
]


@pytest.mark.parametrize(("kind", "reason", "helps"), REASONS)
def test_each_reason_is_said_in_words_with_what_helps(place, admin, kind, reason, helps):
    place.database.run(update(Attention).values(kind=kind, subject_id=new_id()))
    (row,) = rows(admin.get(url(place)))
    assert row[2] == reason
    assert row[4] == f"{helps} {OWNER}"


def test_a_mail_that_fails_takes_the_place_of_its_invitation_and_tells_the_answer(place, admin):
    add(place, AttentionKind.MAIL_FAILED, subject=place.owner_row, label=OWNER, reason="550 No <b>")
    page = admin.get(url(place))
    assert badge(page) == "1"
    (row,) = rows(page)
    assert row[2] == "E-mail is not delivered 550 No <b>"
    assert page.link("Use another address") == f"{place.members}/{place.owner_row}/address"


def test_a_full_client_leads_to_its_seats(place, admin):
    place.database.run(update(Organization).values(seats=1, seats_grow=False))
    with place.database.session() as session:
        attention.seats_changed(session, place.organization.id)
    page = admin.get(url(place, "?reason=seats_full"))
    assert rows(page)[0][:3] == ("Anybody new", "Acme Ltd", "All seats are in use")
    assert page.select("tbody input") == []
    admin.get(page.link("Change the seats"))


def test_an_expired_link_and_a_suspended_client_are_said(place, admin):
    place.database.run(update(Attention).values(due_at=utc_now() - LATER))
    place.database.run(update(Organization).values(status=ClientStatus.SUSPENDED))
    (row,) = rows(admin.get(url(place)))
    assert row[1] == "Acme Ltd Suspended"
    assert row[2] == "Invited, not accepted The link has expired."


AGES = [
    (dt.timedelta(minutes=59), "Less than an hour"),
    (dt.timedelta(hours=1), "1 hour"),
    (dt.timedelta(hours=23), "23 hours"),
    (dt.timedelta(days=1), "1 day"),
    (dt.timedelta(days=12, hours=5), "12 days"),
    (-dt.timedelta(minutes=5), "Less than an hour"),
]


@pytest.mark.parametrize(("ago", "words"), AGES)
def test_the_age_is_told_in_whole_hours_or_days(place, admin, ago, words):
    place.database.run(update(Attention).values(since=utc_now() - ago - dt.timedelta(seconds=1)))
    assert rows(admin.get(url(place)))[0][3] == words


def test_other_providers_see_none_of_it(place, admin, database):
    other = persona(database, provider=make_provider(database, "Elsewhere"))
    page = other.browser.get(f"/providers/{other.provider.id}/stuck-people")
    assert "Nobody is stuck" in page
    assert badge(page) == ""
    other.browser.get(url(place), status=404)
    # A row that was left behind when a client moved away shows nothing of it either.
    database.run(update(Organization).values(provider_id=other.provider.id))
    assert "Nobody is stuck" in admin.get(url(place))
    assert OWNER not in other.browser.get(f"/providers/{other.provider.id}/stuck-people")


def test_own_people_are_listed_for_whoever_may_see_them(place, admin, database):
    invite(place, "kim@northwind.example", status=303)
    page = admin.get(url(place, "?reason=invited"))
    assert sorted(who(page)) == ["kim@northwind.example", OWNER]
    assert badge(page) == "2"
    assert "The provider itself" in page
    admin.get(page.link("Show the person"))


def test_whoever_only_reads_looks_and_sends_nothing(place, database):
    browser = scoped(
        database, place.provider, level=Level.READ_ONLY, clients=[place.organization]
    ).browser
    page = browser.get(url(place))
    assert who(page) == [OWNER]
    assert page.select("input[type=checkbox]") == []
    assert "Show the members" in page
    browser.get(url(place, "/resend?scope=all"), status=403)
    browser.get(url(place, "/confirm?scope=all"), status=403)
    browser.post(url(place, "/resend"), {"id": str(place.owner_row)}, status=403)


def test_a_service_user_writes_to_everybody_but_owners(place):
    jun, _ = hire(place)
    zoe = ask(place, "zoe@acme.example")
    grow_older(place)
    browser = place.browser_of(jun)
    page = browser.get(url(place, "/resend?scope=all"))
    assert "Only an owner or a provider admin can invite an owner." in page
    ids = [str(zoe.id), str(place.owner_row)]
    answer = browser.post(url(place, "/resend"), {"id": ids})
    assert answer.heading == "1 invitation is on its way"
    assert versions(place) == [1, 2]


def test_a_scope_leaves_the_others_out_of_list_count_and_file(place, database):
    beta = make_client(database, place.provider, "Beta SARL")
    ask(place, "zoe@beta.example", beta)
    jun = scoped(database, place.provider, clients=[beta])
    page = jun.browser.get(url(place))
    assert who(page) == ["zoe@beta.example"]
    assert badge(page) == "1"
    assert OWNER not in jun.browser.get(url(place, ".csv")).response.text
    nobody = scoped(database, place.provider)
    page = nobody.browser.get(url(place))
    assert "In the clients that you reach" in page
    assert badge(page) == ""


# Filters, order, pages.


def test_filters_narrow_and_chips_take_them_back(place, admin):
    beta = make_client(place.database, place.provider, "Beta SARL")
    add(place, days=8, label="old@acme.example")
    add(place, AttentionKind.ACCEPTED, days=31, label="b@b.example", organization_id=beta.id)
    assert who(admin.get(url(place))) == ["b@b.example", "old@acme.example", OWNER]
    assert who(admin.get(url(place, "?sort=-age"))) == [OWNER, "old@acme.example", "b@b.example"]
    assert who(admin.get(url(place, "?older=7"))) == ["b@b.example", "old@acme.example"]
    assert who(admin.get(url(place, "?older=30&reason=accepted"))) == ["b@b.example"]
    assert who(admin.get(url(place, "?q=bETA"))) == ["b@b.example"]
    page = admin.get(url(place, "?q=beta&older=30"))
    assert who(admin.get(page.link("Client contains “beta”"))) == ["b@b.example"]
    assert "Nothing matches" in admin.get(url(place, "?q=100%"))


def test_what_the_address_says_wrongly_is_left_out(place, admin):
    assert who(admin.get(url(place, "?older=x&reason=grant&sort=who&q=%00"))) == [OWNER]
    admin.get(url(place, "?at=nonsense"), status=303)


def test_pages_go_on_and_back(place, admin):
    for number in range(60):
        add(place, days=60 - number, label=f"p{number:02}@acme.example")
    first = admin.get(url(place))
    assert len(rows(first)) == 50
    second = admin.get(first.link("Next"))
    assert who(second) == [*(f"p{number}@acme.example" for number in range(50, 60)), OWNER]
    assert who(admin.get(second.link("Previous"))) == who(first)


def test_the_table_alone_is_redrawn(place, admin):
    page = admin.get(url(place, "?older=1"), hx="clients-stuck")
    assert page.select("h1") == []
    assert "Nothing matches" in page


def test_the_statements_are_as_many_for_two_thousand_as_for_ten(place, admin, statements):
    counts = []
    for count in (9, 1990):
        many(place, count)
        statements.clear()
        page = admin.get(url(place))
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 8
    assert badge(page) == "99+"
    statements.clear()
    admin.get(url(place), hx="clients-stuck")
    assert len(statements) < counts[0]


def test_the_file_holds_all_that_match(place, admin):
    many(place, 600)
    add(place, days=3, label="=cmd@acme.example", reason="550 said")
    text = admin.get(url(place, ".csv")).response.text.removeprefix("\ufeff")
    lines = list(csv.reader(io.StringIO(text)))
    assert len(lines) == 1 + 602
    assert lines[1][:4] == ["'=cmd@acme.example", "Acme Ltd", "Invited, not accepted", "550 said"]
    assert lines[1][5] == "3"
    only = admin.get(url(place, ".csv?older=1")).response.text
    assert only.count("\n") == 2


def test_nobody_is_stuck_is_good_news(place, admin, database):
    with database.session() as session:
        attention.leave(session, place.organization.id)
    page = admin.get(url(place))
    assert "Nobody is stuck" in page
    assert badge(page) == ""
    assert page.select("form[role=search]") == []
