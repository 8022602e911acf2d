"""One person in several providers and organizations: switching keeps the kind of page."""

import pytest

from portal.accounts import affiliations
from portal.domain.access import Role
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import Member, new_id
from tests.support.browsing import Browser
from tests.support.clients import employ, make_account, make_client, make_provider, sign_in

ADMIN, SERVICE, OWNER, USER = Role.PROVIDER_ADMIN, Role.SERVICE_USER, Role.OWNER, Role.USER


@pytest.fixture
def ada(database):
    return make_account(database, with_keys=True)


@pytest.fixture
def browser(database, ada):
    return sign_in(database, Browser(database.app), ada)


@pytest.fixture
def affiliate(database, ada):
    def put(kind, tenant, role, state):
        with database.session() as session:
            affiliations.put(
                session,
                account_id=ada.id,
                kind=kind,
                tenant_id=tenant.id,
                name=tenant.name,
                role=role,
                state=state,
            )
        return tenant

    return put


@pytest.fixture
def work_at(database, ada, affiliate):
    def put(name, role):
        provider = make_provider(database, name)
        employ(database, provider, ada, role)
        return affiliate("provider", provider, role, ProviderPersonState.CONFIRMED)

    return put


@pytest.fixture
def join(database, ada, affiliate):
    def put(name, role, state=MemberState.CONFIRMED):
        client = make_client(database, make_provider(database, f"Provider of {name}"), name)
        database.add(
            Member(
                organization_id=client.id,
                account_id=ada.id,
                email=ada.email,
                role=role,
                state=state,
                wrapped_organization_key="4.wrapped" if state is MemberState.CONFIRMED else None,
            )
        )
        return affiliate("organization", client, role, state)

    return put


@pytest.fixture
def many(work_at, join):
    """Two providers and three organizations: a different role or state in each."""
    return {
        "north": work_at("Northwind IT", ADMIN),
        "south": work_at("Southwind IT", SERVICE),
        "acme": join("Acme", OWNER),
        "bolt": join("Bolt", USER),
        "cobra": join("Cobra", OWNER, MemberState.ACCEPTED),
    }


def switcher(page):
    """The places of the bar, by name."""
    return {link.get_text(): link["href"] for link in page.select(".bar-foot li li a")}


def test_the_bar_lists_the_places_below_their_products(browser, many):
    page = browser.get(f"/providers/{many['north'].id}/clients")
    assert list(switcher(page)) == ["Acme", "Bolt", "Cobra", "Northwind IT", "Southwind IT"]
    assert page.texts(".bar-foot [aria-current]") == ["Provider Portal", "Northwind IT"]
    assert page.link("Provider Portal") == "/#providers"


def test_a_place_leads_to_the_kind_of_page_that_is_open(browser, many, database, work_at):
    west = work_at("Westwind IT", ADMIN)
    links = switcher(browser.get(f"/providers/{many['north'].id}/people"))
    assert links["Westwind IT"] == f"/providers/{west.id}/people"
    assert browser.get(links["Westwind IT"]).heading == "People"
    links = switcher(browser.get(f"/organizations/{many['acme'].id}/members"))
    assert links["Acme"] == f"/organizations/{many['acme'].id}/members"


def test_members_lead_to_members_and_a_log_to_a_log(browser, many, join):
    delta = join("Delta", Role.ADMIN)
    for page in ("members", "events"):
        links = switcher(browser.get(f"/organizations/{many['acme'].id}/{page}"))
        assert links["Delta"] == f"/organizations/{delta.id}/{page}"
        browser.get(links["Delta"])


def test_a_page_that_is_not_for_the_persons_role_there_becomes_the_first_one(browser, many):
    for kind in ("people", "events", "keys"):
        links = switcher(browser.get(f"/providers/{many['north'].id}/{kind}"))
        assert links["Southwind IT"] == f"/providers/{many['south'].id}/clients"
        assert browser.get(links["Southwind IT"]).heading == "Clients"
    links = switcher(browser.get(f"/organizations/{many['acme'].id}/members"))
    assert links["Bolt"] == f"/organizations/{many['bolt'].id}/collections"
    assert links["Cobra"] == f"/organizations/{many['cobra'].id}/collections"
    browser.get(links["Cobra"], status=303)


def test_what_belongs_to_one_tenant_never_stands_in_the_address_of_another(
    browser, many, database, work_at
):
    west = work_at("Westwind IT", ADMIN)
    client = make_client(database, many["north"], "Secret Ltd")
    here = f"/providers/{many['north'].id}/clients/{client.id}/manage"
    links = switcher(browser.get(f"{here}?q=secret"))
    assert links["Westwind IT"] == f"/providers/{west.id}/clients"
    for name, url in links.items():
        assert str(client.id) not in url
        assert (str(many["north"].id) in url) == (name == "Northwind IT")
    inside = switcher(browser.get(f"/organizations/{client.id}/members"))
    assert not any(str(client.id) in url for url in inside.values())


def test_a_person_of_the_other_kind_starts_at_the_beginning(browser, many):
    links = switcher(browser.get(f"/providers/{many['north'].id}/people"))
    assert links["Acme"] == f"/organizations/{many['acme'].id}/collections"
    links = switcher(browser.get("/profile/address"))
    assert links["Southwind IT"] == f"/providers/{many['south'].id}/clients"


def test_a_page_that_is_missing_everywhere_still_has_its_switcher(browser, many):
    links = switcher(browser.get(f"/providers/{many['north'].id}/nothing", status=404))
    assert links["Southwind IT"] == f"/providers/{many['south'].id}/clients"


def test_beyond_eight_places_the_start_page_has_the_rest_and_searches(browser, many, affiliate):
    class Tenant:
        def __init__(self, name):
            self.id, self.name = new_id(), name

    for number in range(30):
        affiliate("organization", Tenant(f"Branch {number:02} é"), USER, MemberState.CONFIRMED)
    page = browser.get(f"/organizations/{many['bolt'].id}/collections")
    shown = [name for name in switcher(page) if name.startswith(("Branch", "Acme", "Bolt"))]
    assert len(shown) == 4
    assert "Bolt" in shown
    assert page.link("All places") == "/"
    found = browser.submit(browser.get("/"), "Search", {"q": "branch 17 É"}, status=200)
    assert found.texts(".places li a") == ["Branch 17 é"]
    nothing = browser.get("/?q=nowhere%00")
    assert "Nothing matches" in nothing
    assert nothing.link("Show all places") == "/"
    assert len(browser.get("/").select(".places li")) == 35


def test_the_switcher_is_one_statement_for_two_places_and_for_hundreds(
    browser, many, affiliate, statements
):
    url = f"/providers/{many['north'].id}/people"
    browser.get(url)
    statements.clear()
    browser.get(url)
    few = len(statements)

    class Tenant:
        def __init__(self, name):
            self.id, self.name = new_id(), name

    for number in range(200):
        affiliate("organization", Tenant(f"Branch {number}"), USER, MemberState.CONFIRMED)
    statements.clear()
    browser.get(url)
    assert len(statements) == few
