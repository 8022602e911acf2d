"""The Clients table: who sees which rows, in which order, at what cost."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import delete, insert

from portal.clients.listing import Listing, Sort
from portal.domain.access import Role
from portal.domain.names import name_ci
from portal.domain.plans import Plan
from portal.domain.states import ClientStatus
from portal.models import Organization, Provider, utc_now
from tests.support.clients import make_client, make_provider, organization, persona

PAGE_AND_FRAGMENT = pytest.mark.parametrize("hx", [None, "clients-table"])
WITH_KEYS = {"public_key": "made", "protected_private_key": "made"}


@pytest.fixture
def ada(database):
    return persona(database)


def names(page):
    return page.texts("#clients-table tbody th a")


def status(page):
    return page.text("#clients-table [role=status]")


def fill(database, provider, number, **columns):
    """Many clients at once, by name `Client 0000` and on."""
    clients = [organization(provider.id, f"Client {n:04}", **columns) for n in range(number)]
    set_here = [{k: v for k, v in vars(client).items() if k[0] != "_"} for client in clients]
    with database.session() as session:
        session.execute(insert(Organization), set_here)
        session.get_one(Provider, provider.id).clients_count = number
    return clients


@PAGE_AND_FRAGMENT
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["100 % pure", "Acme", "Beta_one", "Zoé"]),
        ("?q=ACM", ["Acme"]),
        ("?q=zoe", ["Zoé"]),
        ("?q=%25", ["100 % pure"]),
        ("?q=_", ["Beta_one"]),
        ("?q=%5C", []),
        ("?q=mallory", []),
        ("?plan=enterprise", ["Zoé"]),
        ("?status=suspended", ["Beta_one"]),
        ("?seats=none", ["Acme"]),
        ("?seats=few", ["Acme"]),
        ("?setup=open", ["100 % pure", "Acme", "Beta_one"]),
        ("?owner=none", ["100 % pure", "Acme", "Beta_one"]),
        ("?owner=none&seats=none&q=a", ["Acme"]),
        ("?plan=nonsense&status=x&sort=y&size=-1&setup=closed", None),
    ],
)
def test_the_list_is_filtered_and_never_leaves_the_provider(ada, database, hx, query, found):
    for name, columns in {
        "Zoé": {"plan": Plan.ENTERPRISE, "owner_confirmed": True, "setup_done": 6},
        "Acme": {"seats": 2, "seats_used": 2},
        "100 % pure": {},
        "Beta_one": {"status": ClientStatus.SUSPENDED},
    }.items():
        make_client(database, ada.provider, name, **columns)
    other = make_provider(database, "Mallory IT")
    for name in ("Mallory", "Acme of Mallory"):
        make_client(database, other, name, seats=1, seats_used=1, status=ClientStatus.SUSPENDED)
    page = ada.browser.get(ada.clients_url + query, hx=hx)
    everything = ["100 % pure", "Acme", "Beta_one", "Zoé"]
    assert names(page) == (everything if found is None else found)


@pytest.mark.parametrize(
    ("sort", "values"),
    [
        (Sort.NAME, ["acme", "Ácme 2", "Beta"]),
        (Sort.ASSIGNED, ["3", "20", "100"]),
        (Sort.USED, ["1", "3", "7"]),
        (Sort.REMAINING, ["0", "19", "93"]),
        (Sort.PLAN, ["Teams", "Teams", "Enterprise"]),
        (Sort.SETUP, ["1/6", "2/4", "4/4"]),
    ],
)
def test_every_column_sorts_both_ways_and_says_so(ada, database, sort, values):
    make_client(database, ada.provider, "Beta", seats=20, seats_used=1, setup_done=2)
    make_client(database, ada.provider, "acme", seats=3, seats_used=3, setup_done=4)
    make_client(database, ada.provider, "Ácme 2", seats=100, seats_used=7, plan=Plan.ENTERPRISE)
    first = ada.browser.get(ada.clients_url)
    column = list(Sort).index(sort)
    page = first
    if sort is not Sort.NAME:
        page = ada.browser.get(first.select("thead a")[column]["href"])
    for direction, expected in (("ascending", values), ("descending", values[::-1])):
        header = page.select("thead th")[column]
        assert header["aria-sort"] == direction
        assert f"({direction})" in header.get_text()
        assert len(page.select("[aria-sort]")) == 1
        shown = [
            cells[column].get_text(" ", strip=True)
            for cells in (row.select("th, td") for row in page.select("tbody tr"))
        ]
        assert [
            text.split("  ")[0].replace(" No confirmed owner No keys", "") for text in shown
        ] == expected
        page = ada.browser.get(header.a["href"])


def test_names_are_ordered_without_case_and_accents_on_both_databases(ada, database):
    wanted = ["1 Zulu", "Abel", "äcme", "Ácme 2", "acme 3", "Éclair", "ecole", "zoé", "Żubr"]
    for name in reversed(wanted):
        make_client(database, ada.provider, name)
    assert names(ada.browser.get(ada.clients_url)) == sorted(wanted, key=name_ci)


@PAGE_AND_FRAGMENT
def test_pages_of_fifty_lead_on_and_back(ada, database, hx):
    fill(database, ada.provider, 120)
    first = ada.browser.get(ada.clients_url, hx=hx)
    assert names(first)[0] == "Client 0000"
    assert len(names(first)) == 50
    assert status(first) == "120 clients"
    assert not first.select("a[rel=prev]")
    second = ada.browser.get(first.link("Next"), hx=hx)
    third = ada.browser.get(second.link("Next"), hx=hx)
    assert names(third) == [f"Client {n:04}" for n in range(100, 120)]
    assert not third.select("a[rel=next]")
    assert names(ada.browser.get(third.link("Previous"), hx=hx)) == names(second)


def test_the_order_and_the_filters_stay_from_page_to_page(ada, database):
    fill(database, ada.provider, 60)
    page = ada.browser.get(f"{ada.clients_url}?q=client&plan=teams&sort=-name&size=20")
    assert names(page)[0] == "Client 0059"
    query = parse_qs(urlsplit(page.link("Next")).query)
    assert query.pop("at")
    assert query == {"q": ["client"], "plan": ["teams"], "sort": ["-name"], "size": ["20"]}
    assert names(ada.browser.get(page.link("Next")))[0] == "Client 0039"
    assert page.one("input[name=sort]")["value"] == "-name"


@PAGE_AND_FRAGMENT
@pytest.mark.parametrize("at", ["nonsense", "of another order", "after the last row"])
def test_a_wrong_or_stale_cursor_leads_to_the_first_page(ada, database, hx, at):
    clients = fill(database, ada.provider, 60)
    page = ada.browser.get(f"{ada.clients_url}?q=client")
    cursor = parse_qs(urlsplit(page.link("Next")).query)["at"][0]
    order = ""
    if at == "nonsense":
        cursor = "nonsense"
    elif at == "of another order":
        order = "&sort=used"
    else:
        for client in clients[50:]:
            database.run(delete(Organization).where(Organization.id == client.id))
    answer = ada.browser.get(f"{ada.clients_url}?q=client{order}&at={cursor}", hx=hx, status=303)
    assert answer.location == f"{ada.clients_url}?q=client{order}"


def test_a_row_that_comes_or_goes_moves_no_other_row_to_another_page(ada, database):
    clients = fill(database, ada.provider, 100)
    first = ada.browser.get(ada.clients_url)
    database.run(delete(Organization).where(Organization.id == clients[3].id))
    make_client(database, ada.provider, "Client 0001 and a half")
    second = ada.browser.get(first.link("Next"))
    assert names(second) == [f"Client {n:04}" for n in range(50, 100)]


@pytest.mark.parametrize(
    ("number", "query", "text"),
    [
        (1, "", "1 client"),
        (3, "", "3 clients"),
        (3, "?q=0001", "1 of 3 clients"),
        (3, "?q=client", "3 of 3 clients"),
        (1001, "?q=client", "1,000+ of 1,001 clients"),
        (1000, "?q=client", "1,000 of 1,000 clients"),
    ],
)
def test_the_live_region_counts_without_counting_all(ada, database, number, query, text):
    fill(database, ada.provider, number)
    assert status(ada.browser.get(ada.clients_url + query)) == text


def test_tags_say_what_is_not_as_it_should_be(ada, database):
    make_client(database, ada.provider, "Fine", owner_confirmed=True, **WITH_KEYS)
    make_client(
        database,
        ada.provider,
        "Held",
        owner_confirmed=True,
        status=ClientStatus.SUSPENDED,
        **WITH_KEYS,
    )
    make_client(database, ada.provider, "New")
    make_client(
        database,
        ada.provider,
        "Off",
        owner_confirmed=True,
        status=ClientStatus.DELETING,
        status_before_deletion=ClientStatus.ACTIVE,
        delete_at=utc_now(),
        **WITH_KEYS,
    )
    page = ada.browser.get(ada.clients_url)
    tags = [[tag.get_text() for tag in row.select(".tag")] for row in page.select("tbody tr")]
    assert tags == [[], ["Suspended"], ["No confirmed owner", "No keys"], ["Being deleted"]]


@pytest.mark.parametrize(
    ("used", "tone"), [(0, None), (1349, None), (1350, ["warn"]), (1499, ["warn"]), (1500, ["bad"])]
)
def test_a_row_shows_its_seats_as_numbers_and_a_bar(ada, database, used, tone):
    make_client(database, ada.provider, "Acme", seats=1500, seats_used=used)
    row = ada.browser.get(ada.clients_url).one("tbody tr")
    assert [cell.get_text(" ", strip=True) for cell in row.select("td.num")] == [
        "1,500",
        f"{used:,}",
        f"{1500 - used:,}",
    ]
    # Warns from 90 % on, bad at 100 %.
    meter = row.meter
    assert (meter["max"], meter["value"], meter.get("class")) == ("1500", str(used), tone)


def test_a_name_is_text_and_never_markup(ada, database):
    name = '<b>"Acme" & %(tags)s %s</b>'
    make_client(database, ada.provider, name)
    page = ada.browser.get(ada.clients_url)
    assert names(page) == [name]
    assert not page.select("tbody b")


@pytest.mark.parametrize(
    ("role", "query", "heading", "links"),
    [
        (Role.PROVIDER_ADMIN, "", "No clients yet", ["New client", "Create from a list"]),
        (Role.SERVICE_USER, "", "No clients yet", []),
        (Role.PROVIDER_ADMIN, "?q=zzz", "No clients yet", ["New client", "Create from a list"]),
    ],
)
def test_an_empty_provider_says_how_to_begin(database, role, query, heading, links):
    tom = persona(database, role)
    page = tom.browser.get(tom.clients_url + query)
    assert page.text(".empty h2") == heading
    assert page.texts(".empty a") == links
    assert not page.select("form[role=search]")


def test_a_search_without_a_match_leads_back_to_all(ada, database):
    make_client(database, ada.provider, "Acme")
    page = ada.browser.get(f"{ada.clients_url}?q=zzz&sort=-used")
    assert page.text(".empty h2") == "Nothing matches"
    assert status(page) == "0 of 1 client"
    assert names(ada.browser.get(page.link("Show all clients"))) == ["Acme"]


def test_each_filter_is_a_chip_whose_link_removes_it(ada, database):
    make_client(database, ada.provider, "Acme Ltd")
    query = "?q=acme&plan=teams&status=active&setup=open&seats=none&owner=none&sort=-used"
    page = ada.browser.get(ada.clients_url + query)
    assert page.texts(".chip") == [
        "Name or reference contains “acme” (remove)",
        "Plan: Teams (remove)",
        "Status: Active (remove)",
        "No seats left (remove)",
        "Set-up not finished (remove)",
        "No confirmed owner (remove)",
    ]
    chosen = parse_qs(query[1:])
    for name, chip in zip(
        ("q", "plan", "status", "seats", "setup", "owner"), page.select(".chip"), strict=True
    ):
        left = {key: words for key, words in chosen.items() if key != name}
        assert parse_qs(urlsplit(chip["href"]).query) == left
    assert urlsplit(page.link("Remove all")).query == "sort=-used"


def test_the_form_shows_the_filters_in_use_and_works_without_scripts(ada, database):
    make_client(database, ada.provider, "Acme Ltd", seats=1, seats_used=1)
    page = ada.browser.get(f"{ada.clients_url}?q=acme&plan=teams&seats=none&owner=none")
    assert page.one("input[type=search]")["value"] == "acme"
    assert [option["value"] for option in page.select("option[selected]")] == ["teams", "none"]
    assert [box["name"] for box in page.select("input[checked]")] == ["owner"]
    again = ada.browser.submit(page, "Search", {"q": "ltd"}, status=200)
    assert names(again) == ["Acme Ltd"]
    assert again.texts(".chip")[0] == "Name or reference contains “ltd” (remove)"


def test_only_who_may_create_sees_new_client(database):
    ada = persona(database)
    tom = persona(database, Role.SERVICE_USER, ada.provider)
    make_client(database, ada.provider, "Acme")
    assert "New client" in ada.browser.get(ada.clients_url)
    page = tom.browser.get(tom.clients_url)
    assert names(page) == ["Acme"]
    assert "New client" not in page
    assert "Finish keys" not in page


def test_the_notice_about_missing_keys_is_for_who_can_make_them(ada, database):
    make_client(database, ada.provider, "Acme", **WITH_KEYS)
    assert "Finish keys" not in ada.browser.get(ada.clients_url)
    make_client(database, ada.provider, "Beta")
    page = ada.browser.get(ada.clients_url)
    assert "1 client has no keys yet." in page
    assert page.link("Finish keys") == f"{ada.clients_url}/keys"


def test_going_back_in_history_gets_the_whole_page(ada):
    headers = {
        "HX-Request": "true",
        "HX-Target": "section#clients-table",
        "HX-History-Restore-Request": "true",
    }
    page = ada.browser.get(ada.clients_url, headers=headers)
    assert page.heading == "Clients"
    assert "HX-Target" in page.response.headers["Vary"]


@pytest.mark.parametrize("hx", [None, "clients-table"])
def test_the_statements_are_as_many_for_two_thousand_rows_as_for_ten(ada, database, statements, hx):
    for number in (10, 2000):
        database.run(delete(Organization))
        fill(database, ada.provider, number)
        for query in ("", "?q=client", "?sort=-used&size=100"):
            statements.clear()
            ada.browser.get(ada.clients_url + query, hx=hx)
            # The visit, tags and views, the list; the page also asks who is stuck.
            statements.most(3 if hx else 4)


def test_every_statement_on_clients_names_the_provider(ada, database, statements):
    make_client(database, ada.provider, "Acme")
    statements.clear()
    ada.browser.get(f"{ada.clients_url}?q=a&sort=-used")
    assert ada.browser.client.get(f"{ada.clients_url}.csv").data
    asked = [one for one in statements if "FROM organizations" in one.sql]
    assert len(asked) == 2
    for one in asked:
        named = one.sql.count("organizations.provider_id =")
        assert named == len(re.findall(r"(FROM|JOIN) organizations\b", one.sql))
        assert str(ada.provider.id).replace("-", "") in str(one.parameters).replace("-", "")


def test_a_page_of_the_list_is_one_range_of_an_index(ada, database, statements, kind):
    if kind != "sqlite":
        pytest.skip("the plan of a few rows says nothing on PostgreSQL")
    fill(database, ada.provider, 60)
    for sort in Sort:
        page = ada.browser.get(f"{ada.clients_url}?sort={sort}")
        statements.clear()
        ada.browser.get(page.link("Next"))
        (found,) = [one for one in statements if "FROM organizations" in one.sql]
        with database.session() as session:
            plan = session.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN {found.sql}", found.parameters
            )
            steps = " ".join(row[3] for row in plan)
        assert "TEMP B-TREE" not in steps, sort
        assert "USING INDEX ix_organizations_provider_id_" in steps
        # The few without keys are counted in their own index, not among all the others.
        assert "ix_organizations_keyless" in steps


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 50), ("100", 100), ("1000", 100), ("0", 1), ("x", 50), ("²", 50), ("9" * 99, 50)],
)
def test_the_size_of_a_page_has_bounds(text, size):
    assert Listing.read({"size": text}).size == size


def test_an_address_says_everything_that_is_not_usual_and_nothing_else():
    assert Listing().query() == {}
    listing = Listing(search="a b", plan=Plan.TEAMS, no_owner=True, sort=Sort.USED, size=10)
    assert Listing.read(listing.query()) == listing


def test_a_zero_byte_in_the_search_is_dropped(ada):
    assert ada.browser.get(f"{ada.clients_url}?q=%00").heading == "Clients"
