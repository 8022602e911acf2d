"""Provider settings: name and billing details, and the second factor of everybody."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from portal.domain.access import Actor, Permission, Role
from portal.domain.errors import RuleError
from portal.domain.states import MemberState
from portal.models import Affiliation, Provider
from portal.settings import queries, service
from tests.support.accounts import age, make_person
from tests.support.browsing import Browser
from tests.support.clients import NORTHWIND, make_provider
from tests.support.organizations import employ, join, make_place
from tests.support.staff import ADMIN, SERVICE, hire, told

GENERAL = {
    "name": "Northwind IT",
    "locale": "en",
    "time_zone": "UTC",
    "net_days": "30",
    "address_line2": "",
    "vat_number": "",
    **NORTHWIND,
}


@pytest.fixture
def place(database):
    return make_place(database)


def url(place, path=""):
    return f"/providers/{place.provider.id}/settings{path}"


def provider(place):
    return place.database.one(select(Provider).where(Provider.id == place.provider.id))


def save(place, browser=None, *, status=303, seen=None, **changes):
    browser = browser or place.admins_browser()
    seen = seen or str(browser.get(url(place)).one("input[name=seen]")["value"])
    return browser.post(url(place), GENERAL | {"seen": seen} | changes, status=status)


# General


def test_general_is_filled_in_and_shows_prices_that_cannot_be_changed(place):
    page = place.admins_browser().get(url(place))
    assert page.one("#name")["value"] == "Northwind IT"
    assert "set by whoever runs this portal" in page
    assert "Teams, per seat and month" in page.texts("table th")
    assert page.select("table input") == []
    assert page.link("Change how long events are kept").endswith("/events/proof")


def test_an_unchanged_form_saves_nothing(place):
    save(place)
    assert told(place, "provider:provider:update") == []
    assert told(place, "provider:billing:update") == []


def test_a_new_name_is_read_at_once_wherever_the_old_one_stood(place):
    olga = place.person("olga2@acme.example", "Olga Roth", keys=True)
    jun, _row = hire(place)
    join(place, olga, Role.USER, MemberState.CONFIRMED)
    save(place, name="  Southwind   IT ")
    assert provider(place).name == "Southwind IT"
    names = place.database.all(select(Affiliation.name).where(Affiliation.kind == "provider"))
    assert set(names) == {"Southwind IT"}
    clients = place.browser_of(jun).get(f"/providers/{place.provider.id}/clients")
    assert clients.text(".bar-name") == "Southwind IT"
    assert "as Southwind IT" in place.admins_browser().get(f"{place.url}/members")
    [event] = told(place, "provider:provider:update")
    assert event == {"before": {"name": "Northwind IT"}, "after": {"name": "Southwind IT"}}


def test_other_organizations_of_the_same_person_keep_their_names(place):
    other = make_provider(place.database, "Contoso")
    employ(place.database, other, place.admin)
    save(place, name="Southwind")
    names = place.database.all(select(Affiliation.name).where(Affiliation.tenant_id == other.id))
    assert names == ["Contoso"]


def test_billing_details_are_personal_in_the_log(place):
    save(place, city="Lyon", vat_number="fr 40 303 265 045")
    assert provider(place).vat_number == "FR40303265045"
    [event] = told(place, "provider:billing:update")
    assert event["before"] == {"city": "Paris", "vat_number": ""}
    assert event["after"] == {"city": "Lyon", "vat_number": "FR40303265045"}
    assert told(place, "provider:provider:update") == []


def test_the_defaults_are_what_a_new_client_is_offered(place):
    save(place, net_days="60", city="Lyon")
    page = place.admins_browser().get(f"/providers/{place.provider.id}/clients/new")
    assert page.one("#net_days option[selected]")["value"] == "60"
    assert page.one("#city")["value"] == "Lyon"


def test_terms_of_the_operators_own_are_kept(place):
    place.database.run(update(Provider).values(net_days=90, time_zone="US/Pacific"))
    page = place.admins_browser().get(url(place))
    assert page.text("#net_days option[selected]") == "90 days"
    save(place, net_days="90", time_zone="US/Pacific", city="Lyon")
    assert (provider(place).net_days, provider(place).time_zone) == (90, "US/Pacific")


def test_an_address_is_whole_or_not_there(place):
    page = save(place, city="", status=422)
    assert "Enter the town or city." in page
    nothing = dict.fromkeys(NORTHWIND, "")
    save(place, **nothing)
    assert (provider(place).billing_name, provider(place).billing_email) == ("", "")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "Enter a name."),
        ("name", "x" * 51, "Shorten it by 1 character"),
        ("name", "a\u202eb", "Remove the invisible control characters"),
        ("billing_email", "nobody", "e-mail address"),
        ("vat_number", "FR12", "This is not a VAT number of FR."),
        ("country", "XX", "Not a valid choice"),
        ("time_zone", "Mars/Base", "Not a valid choice"),
        ("locale", "xx", "Not a valid choice"),
        ("net_days", "9999", "Not a valid choice"),
        ("net_days", "many", "Not a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(place, field, value, said):
    page = save(place, status=422, **{field: value, "address_line1": "9 New Street"})
    assert said in page.text(f"#{field}-field")
    assert provider(place).address_line1 == "1 Harbour Road"
    assert page.one("#address_line1")["value"] == "9 New Street"


def test_the_slower_of_two_admins_sees_both_values_and_loses_nothing(place):
    browser = place.admins_browser()
    seen = str(browser.get(url(place)).one("input[name=seen]")["value"])
    save(place, city="Lyon")
    page = save(place, browser, seen=seen, name="Slower", status=409)
    assert "Somebody else has changed this in the meantime" in page
    assert page.texts("table.plain tbody tr")[:2] == [
        "Name of the provider Northwind IT Slower",
        "Town or city Lyon Paris",
    ]
    assert page.one("#name")["value"] == "Slower"
    assert provider(place).name == "Northwind IT"
    browser.submit(page, "Save")
    assert (provider(place).name, provider(place).city) == ("Slower", "Paris")


def actor_of(place, person):
    return Actor(
        person.account_id,
        None,
        person.name,
        person.email,
        ADMIN,
        frozenset(Permission),
        provider_id=place.provider.id,
    )


@pytest.mark.committed
def test_of_two_who_save_at_once_one_is_told(committed):
    place = make_place(committed)
    jun, _row = hire(place, role=ADMIN)
    with place.database.session() as session:
        seen = service.mark(queries.settings(session, place.provider.id))
    start = Barrier(2)

    def attempt(person, name):
        start.wait()
        try:
            with place.database.session() as session:
                return service.save(session, actor_of(place, person), {"name": name}, seen=seen)
        except service.Changed:
            return "told"

    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(attempt, place.admin, "One"), pool.submit(attempt, jun, "Two")]
        found = [each.result() for each in tries]
    assert sorted(map(str, found)) == ["True", "told"]
    assert len(told(place, "provider:provider:update")) == 1


def test_whoever_is_no_admin_any_more_by_then_changes_nothing(place):
    jun, _row = hire(place)
    with place.database.session() as session:
        seen = service.mark(queries.settings(session, place.provider.id))
        with pytest.raises(RuleError, match="not a provider admin"):
            service.save(session, actor_of(place, jun), {"name": "Theirs"}, seen=seen)
    assert provider(place).name == "Northwind IT"


def test_a_service_user_neither_sees_nor_changes_settings(place):
    jun, _row = hire(place)
    browser = place.browser_of(jun)
    assert "Security" not in browser.get(f"/providers/{place.provider.id}/clients").texts("nav a")
    for path in ("", "/security", "/security/require", "/security/release"):
        browser.get(url(place, path), status=403)
        browser.post(url(place, path), GENERAL, status=405 if path == "/security" else 403)


def test_the_settings_stand_in_the_menu_with_the_keys(place):
    page = place.admins_browser().get(f"/providers/{place.provider.id}/keys")
    assert page.texts(".bar-nav a")[-5:] == ["General", "Brand", "Security", "Seats", "Keys"]
    page = place.admins_browser().get(url(place, "/security"))
    assert page.text(".bar-nav [aria-current]") == "Security"


# Second factor


def require(place, browser):
    page = browser.get(url(place, "/security/require"))
    return browser.submit(page, "Require a second factor")


def admin_with_factor(place):
    """An admin who proved a second factor in this session."""
    gil = make_person(place.database, "gil@northwind.example", "Gil Adams", keys=True, second=True)
    employ(place.database, place.provider, gil, ADMIN)
    return place.browser_of(gil, second=True)


def test_requiring_it_names_who_lacks_it_and_is_told_once(place):
    hire(place)
    browser = admin_with_factor(place)
    page = browser.get(url(place, "/security/require"))
    assert "2 people have no second factor" in page
    assert "Jun Ito (jun@northwind.example), Service user" in page.texts("li")
    require(place, browser)
    assert provider(place).second_factor_required
    assert told(place, "provider:second_factor:require") == [
        {"before": {"required": False}, "after": {"required": True}}
    ]
    browser.post(url(place, "/security/require"), status=303)
    assert len(told(place, "provider:second_factor:require")) == 1
    assert "Everybody" not in browser.get(url(place, "/security"))


def test_whoever_has_none_sets_up_their_own_first(place):
    browser = place.admins_browser()
    page = browser.get(url(place, "/security/require"))
    assert "You have no second factor yet" in page
    back = f"next=/providers/{place.provider.id}/settings/security/require"
    assert page.link("Set up a second factor").endswith(f"/profile/second-factor?{back}")
    browser.post(url(place, "/security/require"), status=303)
    assert not provider(place).second_factor_required


@pytest.mark.parametrize("path", ["/security/require", "/security/release"])
def test_switching_asks_who_is_there(place, path):
    browser = admin_with_factor(place)
    gil = make_person(place.database, "stale@northwind.example", "Sam Stale", second=True)
    employ(place.database, place.provider, gil, ADMIN)
    browser = place.browser_of(gil, second=True)
    age(place.database, gil, minutes=11)
    place.database.run(update(Provider).values(second_factor_required=path.endswith("release")))
    for answer in (
        browser.get(url(place, path), status=303),
        browser.post(url(place, path), status=303),
    ):
        assert "/reauthenticate" in answer.location
    assert provider(place).second_factor_required == path.endswith("release")


def test_releasing_it_is_told(place):
    browser = admin_with_factor(place)
    require(place, browser)
    page = browser.get(url(place, "/security/release"))
    browser.submit(page, "No longer require it")
    assert not provider(place).second_factor_required
    assert len(told(place, "provider:second_factor:release")) == 1


@pytest.mark.parametrize("role", [ADMIN, SERVICE])
@pytest.mark.parametrize("method", ["password", "code"])
def test_without_one_every_way_in_leads_to_setting_it_up(place, role, method):
    jun, _row = hire(place, role=role)
    browser = place.browser_of(jun, method=method)
    place.database.run(update(Provider).values(second_factor_required=True))
    clients = f"/providers/{place.provider.id}/clients"
    pages = [clients, f"{clients}.csv", f"{place.url}/members", f"{place.url}/collections"]
    for path in pages:
        answer = browser.client.get(path)
        assert (answer.status_code, "/step-up" in answer.location) in {(303, True), (404, False)}
    assert "/step-up" in browser.get(clients, hx="clients-table").location
    answer = browser.client.get(clients, headers={"Accept": "application/json"})
    assert answer.status_code == 401
    rename = f"{clients}/{place.organization.id}/rename"
    assert "/step-up" in browser.post(rename, {"name": "Theirs"}, status=303).location
    assert place.client().name == "Acme Ltd"
    page = browser.get(browser.get(clients, status=303).location)
    assert "You have no second factor yet" in page
    assert "/profile/second-factor" in page.link("Set up a second factor")
    assert browser.get("/profile").heading == "Profile"


def test_a_member_of_a_client_is_not_asked_for_it(place):
    olga = place.person("olga2@acme.example", "Olga Roth", keys=True)
    join(place, olga, Role.USER, MemberState.CONFIRMED)
    place.database.run(update(Provider).values(second_factor_required=True))
    assert place.browser_of(olga).get(f"{place.url}/collections").heading == "Collections"


def test_a_visitor_is_sent_to_sign_in(database, place):
    assert "/sign-in" in Browser(database.app).get(url(place), status=303).location
