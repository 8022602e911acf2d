"""The expiry radar: tiles that filter, the table, and what each person may see of it."""

import datetime as dt
import re
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, update

from portal.domain.access import Role
from portal.domain.attention import AttentionKind
from portal.domain.plans import Plan
from portal.models import Account, Attention, ClientAccess, Organization, utc_now
from tests.support.attention import wrong
from tests.support.clients import make_client, make_provider, persona
from tests.support.organizations import make_place
from tests.support.radar import GRANT, client_of, ends, limit, many, row_of, technician, url_of
from tests.support.scope_pages import change, service_user, wish
from tests.support.staff import JUN, accept, confirm, row


@pytest.fixture
def ada(database):
    return persona(database)


@pytest.fixture
def acme(database, ada):
    return client_of(database, ada)


def tiles(page):
    return {tile.span.get_text(): tile.strong.get_text() for tile in page.select(".tiles a.tile")}


def things(page):
    return page.texts("tbody th")


def test_each_tile_counts_what_ends_in_its_days(ada, acme, database):
    for days in (-400, -1, 0.01, 5, 6, 20, 45, 100):
        ends(database, ada.provider, acme, days=days)
    page = ada.browser.get(url_of(ada))
    assert tiles(page) == {
        "Overdue": "2",
        "1 day": "1",
        "7 days": "2",
        "30 days": "1",
        "60 days": "1",
    }
    assert len(things(page)) == 8, "what ends later is in the list all the same"


def test_a_tile_says_its_days_and_filters_by_them(ada, acme, database):
    ends(database, ada.provider, acme, label="soon@acme.example", days=5)
    ends(database, ada.provider, acme, label="late@acme.example", days=-2)
    page = ada.browser.get(ada.browser.get(url_of(ada)).link("in 2 to 7 days"))
    assert things(page) == ["Invitation of soon@acme.example"]
    current = page.one(".tiles [aria-current]")
    assert current.span.get_text() == "7 days"
    back = ada.browser.get(page.link("in 2 to 7 days"))
    assert len(things(back)) == 2


def test_no_tile_counts_further_than_ninety_nine(ada, acme, database):
    many(database, ada.provider, acme, 300)
    page = ada.browser.get(url_of(ada))
    assert tiles(page)["7 days"] == "99+"


def test_a_row_says_what_whose_when_how_soon_and_what_helps(ada, acme, database):
    due = utc_now() + dt.timedelta(days=5)
    ends(database, ada.provider, acme, due_at=due)
    page = ada.browser.get(url_of(ada))
    assert things(page) == ["Invitation of zoe@acme.example"]
    assert page.link("Acme Ltd") == f"/organizations/{acme.id}/collections"
    assert page.link("Members") == f"/organizations/{acme.id}/members"
    assert page.text("tbody .tag") == "in 5 days"
    exact = due.isoformat(timespec="seconds").replace("+00:00", "Z")
    assert page.one("tbody time")["title"] == exact


def test_the_moment_is_told_in_the_readers_zone(ada, acme, database):
    ends(database, ada.provider, acme, due_at=dt.datetime(2031, 1, 5, 23, 30, tzinfo=dt.UTC))
    database.run(update(Account).values(time_zone="Asia/Tokyo"))
    page = ada.browser.get(url_of(ada))
    assert page.text("tbody time").startswith("Jan 6, 2031")
    assert page.one("tbody time")["title"] == "2031-01-05T23:30:00Z"


@pytest.mark.parametrize(
    ("kind", "says", "helps", "where"),
    [
        ("certificate", "Certificate sso", "Set-up", "/organizations/{client}/setup"),
        ("client_secret", "Client secret sso", "Set-up", "/organizations/{client}/setup"),
        ("domain_check", "Domain check of sso", "Domains", "/organizations/{client}/domains"),
        ("trial", "Trial", "Subscription", "/clients/{client}/subscription"),
    ],
)
def test_every_kind_has_its_words_and_its_help(ada, acme, database, kind, says, helps, where):
    database.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=Plan.ENTERPRISE.rank))
    ends(database, ada.provider, acme, AttentionKind(kind), label="sso")
    page = ada.browser.get(url_of(ada))
    assert things(page) == [says]
    assert page.link(helps).endswith(where.format(client=acme.id))
    ada.browser.get(page.link(helps))


def test_what_only_waits_is_not_on_the_radar(ada, acme, database):
    for kind in ("accepted", "staged", "mail_failed", "seats_full"):
        ends(database, ada.provider, acme, AttentionKind(kind), due_at=None)
    page = ada.browser.get(url_of(ada))
    assert "Nothing ends" in page
    assert set(tiles(page).values()) == {"0"}


def test_kinds_are_chips_once_there_are_two(ada, acme, database):
    ends(database, ada.provider, acme)
    assert ada.browser.get(url_of(ada)).select(".chips") == []
    ends(database, ada.provider, acme, AttentionKind.TRIAL, days=-2)
    page = ada.browser.get(url_of(ada))
    assert page.texts(".chips a") == ["All kinds", "Invitations", "Trials"]
    trials = ada.browser.get(page.link("Trials"))
    assert things(trials) == ["Trial"]
    assert tiles(trials)["Overdue"] == "1"
    assert tiles(trials)["7 days"] == "0", "the tiles count what the chip leaves"


def test_an_answer_to_htmx_is_the_table_alone(ada, acme, database):
    ends(database, ada.provider, acme)
    piece = ada.browser.get(url_of(ada, "?within=7"), hx="radar-table")
    assert things(piece) == ["Invitation of zoe@acme.example"]
    assert piece.select("h1") == []


def test_nothing_in_a_window_shows_the_way_back(ada, acme, database):
    ends(database, ada.provider, acme, days=20)
    page = ada.browser.get(url_of(ada, "?within=overdue"))
    assert "Nothing ends then" in page
    assert page.link("Show all that ends") == url_of(ada)


@pytest.mark.parametrize("query", ["?within=8", "?kind=accepted", "?within=%00&kind[]=1"])
def test_a_filter_that_is_none_is_left_out(ada, acme, database, query):
    ends(database, ada.provider, acme)
    assert len(things(ada.browser.get(url_of(ada, query)))) == 1


def test_pages_go_on_where_the_last_one_ended_and_back(ada, acme, database):
    many(database, ada.provider, acme, 120)
    page, seen = ada.browser.get(url_of(ada)), []
    while True:
        seen += things(page)
        following = page.select("a[rel=next]")
        if not following:
            break
        # Somebody accepts meanwhile: rows of pages that were read move nothing.
        database.run(delete(Attention).where(Attention.label == "person0003@acme.example"))
        page = ada.browser.get(following[0]["href"])
    assert seen == [f"Invitation of person{number:04}@acme.example" for number in range(120)]
    back = ada.browser.get(page.select("a[rel=prev]")[0]["href"])
    assert things(back) == seen[50:100]


@pytest.mark.parametrize("at", ["x", "WyJkdWUiXQ.abc", "'", "0"])
def test_a_cursor_that_is_not_ours_leads_to_the_first_page(ada, at):
    page = ada.browser.get(url_of(ada, f"?within=7&at={at}"), status=303)
    assert page.location.endswith("/expiries?within=7")


def test_the_file_has_all_that_the_filters_leave(ada, acme, database):
    ends(database, ada.provider, acme, label="=cmd@acme.example", days=5)
    ends(database, ada.provider, acme, AttentionKind.TRIAL, days=-2)
    text = ada.browser.client.get(url_of(ada, ".csv")).get_data(as_text=True)
    lines = text.lstrip("\ufeff").splitlines()
    assert lines[0] == "Type,What,Client,Ends (UTC),Days"
    assert re.fullmatch(r"Trials,Trial,Acme Ltd,[\dT:Z-]+,-2", lines[1])
    assert lines[2].startswith("Invitations,Invitation of =cmd@acme.example,Acme Ltd,")
    some = ada.browser.client.get(url_of(ada, ".csv?within=overdue")).get_data(as_text=True)
    assert len(some.splitlines()) == 2


# Whose


def test_another_providers_things_are_neither_listed_nor_counted(ada, database):
    other = make_provider(database, "Southwind")
    ends(database, other, make_client(database, other, "Theirs"))
    page = ada.browser.get(url_of(ada))
    assert "Nothing ends" in page
    assert set(tiles(page).values()) == {"0"}


def test_a_client_that_was_unlinked_is_gone_even_if_its_row_is_not(ada, acme, database):
    ends(database, ada.provider, acme)
    database.run(update(Organization).values(provider_id=None))
    assert "Nothing ends" in ada.browser.get(url_of(ada))


def test_the_radar_ends_where_the_scope_ends(ada, acme, database):
    other = client_of(database, ada, "Beta Ltd")
    tech = technician(database, ada.provider)
    limit(database, tech, other)
    for client in (acme, other):
        ends(database, ada.provider, client, label=f"zoe@{client.name[:4].lower()}.example")
    page = tech.browser.get(url_of(tech))
    assert things(page) == ["Invitation of zoe@beta.example"]
    assert tiles(page)["7 days"] == "1"
    file = tech.browser.client.get(url_of(tech, ".csv")).get_data(as_text=True)
    assert "Beta" in file
    assert "Acme" not in file
    assert len(things(ada.browser.get(url_of(ada)))) == 2


def test_a_grant_that_was_closed_reaches_nothing(ada, acme, database):
    tech = technician(database, ada.provider)
    limit(database, tech, acme)
    ends(database, ada.provider, acme)
    assert len(things(tech.browser.get(url_of(tech)))) == 1
    database.run(update(ClientAccess).values(until_at=utc_now()))
    assert things(tech.browser.get(url_of(tech))) == []


def test_the_providers_own_people_are_for_those_who_may_see_people(ada, acme, database):
    tech = technician(database, ada.provider)
    ends(database, ada.provider, None, label="new@northwind.example")
    ends(
        database,
        ada.provider,
        None,
        GRANT,
        label=tech.account.email,
        subject_id=row_of(database, tech).id,
    )
    page = ada.browser.get(url_of(ada))
    assert f"Access of {tech.account.email}" in things(page)
    assert "Your own people" in page
    person = page.select(f'a[href$="{row_of(database, tech).id}"]')[0]["href"]
    assert tech.account.email in ada.browser.get(person)
    hidden = tech.browser.get(url_of(tech))
    assert things(hidden) == []
    assert set(tiles(hidden).values()) == {"0"}


def until(days):
    """The last day of somebody's work, as the form of their scope takes it."""
    return (utc_now() + dt.timedelta(days=days)).date().isoformat()


def last_day(ada, person, day):
    change(ada, person, wish(reach="all") | ({"ends_on": day} if day else {}))


def press(ada, action, person):
    data = {"action": action, "person": [str(person.id)]}
    ada.browser.post(f"/providers/{ada.provider.id}/people/changes", data, status=303)


def test_access_that_ends_is_on_the_radar_until_the_day_is_taken_back(ada, database):
    _tech, person = service_user(database, ada.provider)
    for days in (9, 40, None):
        last_day(ada, person, until(days) if days else "")
        page = ada.browser.get(url_of(ada))
        assert things(page) == ([f"Access of {person.email}"] if days else [])
        assert wrong(database) == []
    assert tiles(page)["60 days"] == "0"


def test_access_ends_once_while_somebody_is_suspended_and_again_when_they_are_back(ada, database):
    _tech, person = service_user(database, ada.provider)
    last_day(ada, person, until(9))
    row = [f"Access of {person.email}"]
    for action, shown in (("suspend", []), ("resume", row), ("make_admin", row), ("remove", [])):
        press(ada, action, person)
        assert things(ada.browser.get(url_of(ada))) == shown, action
        assert wrong(database) == []


def test_a_day_set_before_somebody_is_confirmed_shows_once_they_are(database):
    place = make_place(database)
    _person, person_id, _browser = accept(place)
    ada = SimpleNamespace(browser=place.admins_browser(), provider=place.provider)
    last_day(ada, row(place, JUN), until(9))
    assert f"Access of {JUN}" not in things(ada.browser.get(url_of(ada)))
    confirm(place, (person_id, JUN), status=303)
    assert f"Access of {JUN}" in things(ada.browser.get(url_of(ada)))
    assert wrong(database) == []


def test_somebody_else_finds_no_radar(ada, acme, database):
    stranger = persona(database, Role.PROVIDER_ADMIN)
    stranger.browser.get(url_of(ada), status=404)
    stranger.browser.get(url_of(ada, ".csv"), status=404)


# What it costs


@pytest.mark.parametrize("hx", [None, "radar-table"])
@pytest.mark.parametrize("limited", [False, True])
def test_two_thousand_rows_cost_as_many_statements_as_ten(
    ada, acme, database, statements, hx, limited
):
    if limited:
        limit(database, ada, acme)
    for number in (10, 2_000):
        database.run(delete(Attention))
        many(database, ada.provider, acme, number)
        for query in ("", "?within=7", "?kind=invited"):
            statements.clear()
            ada.browser.get(url_of(ada, query), hx=hx)
            # The visit, the person, the rows, the tiles; a page asks for its keys and places too.
            statements.most(4 if hx else 7)


def test_all_tiles_are_counted_in_one_bounded_statement(ada, acme, database, statements):
    many(database, ada.provider, acme, 10)
    statements.clear()
    ada.browser.get(url_of(ada), hx="radar-table")
    counting = [one for one in statements if "count(" in one.sql]
    assert len(counting) == 1
    assert counting[0].sql.count("LIMIT") == counting[0].sql.count("count(")


# In words


def test_the_distance_is_told_in_words(ada, acme, database):
    now = utc_now().replace(hour=12)
    for days in (-3, 3):
        ends(database, ada.provider, acme, due_at=now + dt.timedelta(days=days))
    assert ada.browser.get(url_of(ada)).texts("tbody .tag") == ["ended 3 days ago", "in 3 days"]


def test_a_label_is_text_and_nothing_else(ada, acme, database):
    ends(database, ada.provider, acme, label='<b onclick="x">&%(label)s')
    page = ada.browser.get(url_of(ada))
    assert things(page) == ['Invitation of <b onclick="x">&%(label)s']
    assert page.select("tbody b") == []


def test_french_readers_read_french(ada, acme, database):
    ends(database, ada.provider, acme, days=-3)
    database.run(update(Account).values(locale="fr"))
    page = ada.browser.get(url_of(ada))
    assert page.heading == "Échéances"
    assert "Invitation de zoe@acme.example" in things(page)
