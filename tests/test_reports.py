"""Reports of an organization: who reaches what, seats over time, signing in."""

import csv
import datetime as dt
import io

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import sessionmaker

from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.domain.custom_roles import Custom
from portal.domain.states import MemberState
from portal.extensions import db
from portal.models import (
    Account,
    CollectionGroup,
    Group,
    Member,
    Organization,
    SeatDay,
    new_id,
    utc_now,
)
from portal.reports import seats
from tests.support.collections import confirmed, give, make, put, rule, team
from tests.support.organizations import join, make_place
from tests.support.reports import many_members, signed_in

DAY = dt.timedelta(days=1)


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def owner(place):
    """The owner's browser, who is confirmed."""
    person, _member = confirmed(place, Role.OWNER, "oda")
    return place.browser_of(person)


def reports(place, more=""):
    return f"{place.url}/reports{more}"


def lines(page):
    """(member, collection, permission, through) of the access report."""
    found = page.select("#reports-access tbody tr")
    return [tuple(cell.get_text(" ", strip=True) for cell in row.select("th, td")) for row in found]


def file(browser, url):
    text = browser.get(url).response.get_data(as_text=True).lstrip("\ufeff")
    return list(csv.reader(io.StringIO(text)))


# Who reaches what


def test_each_member_stands_with_each_collection_its_level_and_its_way(place, owner):
    _mia, mia = confirmed(place, Role.USER, "mia")
    _tom, tom = confirmed(place, Role.USER, "tom")
    finance, payroll = make(place), make(place, "Payroll")
    sales, heads = team(place, "Sales"), team(place, "Heads")
    for group in (sales, heads):
        put(place, group, mia)
    put(place, sales, tom)
    give(place, finance, group=sales, level=Level.VIEW)
    give(place, finance, group=heads, level=Level.EDIT_HIDDEN)
    give(place, finance, member=tom, level=Level.VIEW_HIDDEN)
    give(place, payroll, member=mia, level=Level.MANAGE)
    page = owner.get(reports(place, "/access"))
    both = "Through: Heads (Edit items, hidden passwords), Sales (View items)"
    assert lines(page) == [
        ("Mia mia@client.example", "Locked", "Edit items", both),
        ("Mia mia@client.example", "Locked", "Manage collection", "By name"),
        (
            "Oda oda@client.example",
            "All collections",
            "Manage collection",
            "By the role, which reaches every collection",
        ),
        (
            "Tom tom@client.example",
            "Locked",
            "View items, hidden passwords",
            "By name, which replaces: Sales (View items)",
        ),
    ]
    assert [line[4] for line in file(owner, reports(place, "/access.csv"))[1:]] == [
        str(finance),
        str(payroll),
        "All collections",
        str(finance),
    ]


def test_without_the_reach_of_the_role_an_admin_stands_with_what_they_are_given(place, owner):
    _amy, amy = confirmed(place, Role.ADMIN, "amy")
    give(place, make(place), member=amy, level=Level.VIEW)
    assert any("All collections" in line for line in lines(owner.get(reports(place, "/access"))))
    rule(place, admins_reach_all=False)
    assert [line[2:] for line in lines(owner.get(reports(place, "/access")))] == [
        ("View items", "By name")
    ]


@pytest.mark.parametrize("state", [MemberState.ACCEPTED, MemberState.REVOKED])
def test_who_is_not_confirmed_reaches_nothing_yet_or_any_more(place, owner, state):
    person = place.person("zoe@client.example", "Zoe", keys=True)
    give(place, make(place), member=join(place, person, Role.USER, state))
    assert "zoe@client.example" not in owner.get(reports(place, "/access"))
    assert "zoe@client.example" not in str(file(owner, reports(place, "/access.csv")))


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?q=MIA", ["Mia", "Mia"]),
        ("?q=%25", []),
        ("?level=manage", ["Mia", "Oda"]),
        ("?level=view", ["Tom"]),
        ("?group={sales}", ["Mia"]),
        ("?collection={finance}", ["Mia", "Oda", "Tom"]),
        ("?collection={finance}&level=view", ["Tom"]),
        ("?level=nonsense&group=x", ["Mia", "Mia", "Oda", "Tom"]),
    ],
)
def test_filters_find_the_same_on_the_page_and_in_the_file(place, owner, query, shown):
    _mia, mia = confirmed(place, Role.USER, "mia")
    _tom, tom = confirmed(place, Role.USER, "tom")
    finance, payroll, sales = make(place), make(place, "Payroll"), team(place, "Sales")
    put(place, sales, mia)
    put(place, sales, tom)
    give(place, finance, group=sales, level=Level.EDIT)
    give(place, finance, member=tom, level=Level.VIEW)
    give(place, payroll, member=mia, level=Level.MANAGE)
    query = query.format(sales=sales, finance=finance)
    page = owner.get(reports(place, f"/access{query}"))
    assert [line[0].split()[0] for line in lines(page)] == shown
    names = [line[1] for line in file(owner, reports(place, f"/access.csv{query}"))[1:]]
    assert names == shown


def test_pages_follow_each_other_without_a_gap_and_back(place, owner):
    many_members(place, 130)
    url, seen, pages = reports(place, "/access"), [], 0
    while url:
        page = owner.get(url)
        seen += [line[0] for line in lines(page)]
        pages += 1
        found = page.select('a[rel="next"]')
        last, url = url, found[0]["href"] if found else None
    assert pages == 3
    assert len(seen) == 131
    assert seen == sorted(seen, key=lambda line: line.split()[-1])
    back = owner.get(owner.get(last).select('a[rel="prev"]')[0]["href"])
    assert [line[0] for line in lines(back)] == seen[50:100]
    assert len(file(owner, reports(place, "/access.csv"))) == 132


def test_who_is_given_all_by_name_is_not_there_through_the_group(place, owner):
    members = many_members(place, 60)
    (group,) = place.database.all(select(Group.id))
    (shared,) = place.database.all(select(CollectionGroup.collection_id))
    for member in members[:55]:
        give(place, shared, member=member["id"])
    found = lines(owner.get(reports(place, f"/access?group={group}")))
    assert [line[0].split()[-1] for line in found] == [each["email"] for each in members[55:]]


def test_a_cursor_that_is_none_begins_at_the_start(place, owner):
    assert len(lines(owner.get(reports(place, "/access?cursor=nonsense")))) == 1


def test_each_collection_says_how_many_reach_and_manage_it(place, owner):
    _mia, mia = confirmed(place, Role.USER, "mia")
    finance, sales = make(place), team(place)
    put(place, sales, mia)
    give(place, finance, group=sales)
    page = owner.get(reports(place, "/collections"))
    assert [row.get_text(" ", strip=True) for row in page.select("tbody tr")] == [
        "Locked 0 1 1",
        "Locked 1 2 1",
    ]
    people = owner.get(page.select("tbody a")[1]["href"])
    assert [line[0].split()[0] for line in lines(people)] == ["Mia", "Oda"]
    assert file(owner, reports(place, "/collections.csv"))[2] == [str(finance), "", "1", "2", "1"]


def test_a_collection_of_another_organization_is_nobody_here(place, owner):
    owner.get(reports(place, f"/access?collection={new_id()}"), status=404)
    owner.get(reports(place, "/collections?after=x"), status=400)


# Seats over time


def note(place, day):
    with place.database.session() as session:
        seats.note(session, day)


def noted(place):
    return place.database.all(
        select(SeatDay.day, SeatDay.seats, SeatDay.seats_used).order_by(SeatDay.day)
    )


def buy(place, number):
    place.database.run(update(Organization).values(seats=number))


def test_a_day_is_written_down_only_where_something_changed(place):
    first = dt.date(2026, 3, 1)
    buy(place, 5)
    note(place, first)
    note(place, first + DAY)
    buy(place, 7)
    note(place, first + 2 * DAY)
    buy(place, 8)
    note(place, first + 2 * DAY)
    note(place, first + 3 * DAY)
    assert [tuple(row) for row in noted(place)] == [
        (first, 5, 1),
        (first + 2 * DAY, 8, 1),
    ]


def test_old_days_go_but_the_last_of_them_still_counts(place):
    first = dt.date(2025, 1, 1)
    for number in range(4):
        buy(place, 5 + number)
        note(place, first + number * DAY)
    with place.database.session() as session:
        seats.forget(session, first + 2 * DAY)
    assert [row.seats for row in noted(place)] == [6, 7, 8]


def test_the_chart_says_the_end_of_each_month_and_now(place, owner):
    today = utc_now().date()
    past = (today.replace(day=1) - 70 * DAY).replace(day=3)
    buy(place, 4)
    note(place, past)
    buy(place, 6)
    page = owner.get(reports(place))
    rows = page.select("section[aria-labelledby=seats-title] tbody tr")
    found = [row.get_text(" ", strip=True).split()[2:] for row in rows]
    assert found[-1] == ["6", "1"]
    assert set(map(tuple, found[:-1])) == {("4", "1")}
    assert len(found) in (3, 4)


def test_the_worker_looks_once_an_hour(committed, committed_app):
    place = make_place(committed)
    with committed_app.app_context():
        sessions = sessionmaker(db.engine, expire_on_commit=False)
        look = seats.chore()
        look(sessions)
        buy(place, 9)
        look(sessions)
    assert [row.seats_used for row in noted(place)] == [1]
    assert noted(place)[0].seats != 9


# Signing in


def days_ago(days):
    return utc_now() - dt.timedelta(days=days)


def joined(place, member, days):
    place.database.run(update(Member).where(Member.id == member).values(accepted_at=days_ago(days)))


def test_sign_ins_are_counted_by_day_from_when_somebody_joined(place, owner):
    mia, row = confirmed(place, Role.USER, "mia")
    joined(place, row, 10)
    for days in (0, 0, 3, 15):
        signed_in(place, mia, days_ago(days))
    stranger = place.person("sam@elsewhere.example", "Sam", keys=True)
    signed_in(place, stranger, days_ago(1))
    page = owner.get(reports(place))
    rows = page.select("#reports-sign-ins tbody tr")
    counts = [row.get_text(" ", strip=True).split()[-2:] for row in rows]
    assert len(counts) == 30
    assert [count for count in counts if count != ["0", "0"]] == [["2", "1"], ["1", "1"]]
    assert "3 sign-ins" in page
    weeks = owner.get(reports(place, "?days=90"), hx="reports-sign-ins")
    assert len(weeks.select("tbody tr")) == 13
    assert "Seats over" not in weeks


def test_nobody_who_signed_in_is_an_empty_state(place, owner):
    assert "No confirmed member has signed in during these days." in owner.get(reports(place))


def test_who_has_not_signed_in_for_long_is_listed_with_the_day_alone(place, owner):
    people = {
        name: confirmed(place, Role.USER, name) for name in ("ann", "ben", "cat", "dan", "eve")
    }
    ago = {"ann": 200, "ben": 200, "cat": 200, "dan": 200, "eve": 20}
    for name, days in ago.items():
        joined(place, people[name][1], days)
    for name, days in (("ben", 1), ("cat", 40), ("dan", 100)):
        signed_in(place, people[name][0], days_ago(days))
    page = owner.get(reports(place))
    assert "3 members" in page
    month = owner.get(page.link("3 members"))
    assert [text.split()[0] for text in month.texts("tbody th")] == ["Ann", "Cat", "Dan"]
    assert "Not since they joined" in month
    quarter = owner.get(reports(place, "/quiet?days=90"))
    assert [text.split()[0] for text in quarter.texts("tbody th")] == ["Ann", "Dan"]
    cat = file(owner, reports(place, "/quiet.csv"))[2]
    assert cat[:4] == ["cat@client.example", "Cat", "User", "Off"]
    assert cat[4] == days_ago(40).date().isoformat()


def test_the_share_of_second_factors_counts_confirmed_members(place, owner):
    person, _row = confirmed(place, Role.USER, "mia")
    place.database.run(
        update(Account).where(Account.id == person.account_id).values(totp_secret="sealed")
    )
    assert "1 of 2 (50%)" in owner.get(reports(place))


def test_a_list_of_the_quiet_goes_on(place, owner):
    many_members(place, 60)
    place.database.run(update(Member).values(accepted_at=days_ago(100)))
    first = owner.get(reports(place, "/quiet"))
    assert len(first.select("tbody tr")) == 50
    rest = owner.get(first.select('a[rel="next"]')[0]["href"])
    assert len(rest.select("tbody tr")) == 11
    owner.get(reports(place, "/quiet?after=x"), status=400)


# Who may


@pytest.mark.parametrize(
    ("role", "parts", "status"),
    [
        (Role.ADMIN, (), 200),
        (Role.USER, (), 403),
        (Role.CUSTOM, (), 403),
        (Role.CUSTOM, (Custom.REPORTS,), 200),
    ],
)
def test_reports_are_for_who_may_read_them(place, role, parts, status):
    person, _row = confirmed(place, role, "max", parts)
    browser = place.browser_of(person)
    for page in ("", "/access", "/access.csv", "/collections", "/quiet"):
        browser.get(reports(place, page), status=status)
    shown = "Reports" in browser.get(f"{place.url}/collections").texts("nav a")
    assert shown == (status == 200)


def test_who_only_reads_reports_gets_no_links_to_members(place):
    person, _row = confirmed(place, Role.CUSTOM, "max", (Custom.REPORTS,))
    give(place, make(place), member=_row)
    page = place.browser_of(person).get(reports(place, "/access"))
    assert [line[0] for line in lines(page)] == ["Max max@client.example"]
    assert page.select("#reports-access th a") == []


# What it costs


@pytest.mark.parametrize("page", ["", "/access", "/access?level=view", "/collections", "/quiet"])
def test_two_thousand_members_cost_as_many_statements_as_ten(place, owner, statements, page):
    many_members(place, 10)
    owner.get(reports(place, page))
    statements.clear()
    owner.get(reports(place, page))
    few = len(statements)
    many_members(place, 1990, start=10, collections=100)
    statements.clear()
    owner.get(reports(place, page))
    assert len(statements) == few
