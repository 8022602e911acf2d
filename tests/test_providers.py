"""A provider's people and keys."""

import json
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from portal.crypto.envelope import SymmetricKey
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.keys import new_tenant_keys, unwrap, wrap_for
from portal.crypto.recovery import new_code, open_with_code, wrap_with_code
from portal.domain.access import Role
from portal.domain.states import ProviderPersonState
from portal.models import Event, Provider, ProviderPerson, utc_now
from tests.support.accounts import age, make_person, sign_in_as
from tests.support.browsing import Browser
from tests.support.clients import make_provider

ADMIN, SERVICE = Role.PROVIDER_ADMIN, Role.SERVICE_USER


def employ(database, provider, person, role=ADMIN, **columns):
    values = {"state": ProviderPersonState.CONFIRMED, "email": person.email, "role": role}
    return database.add(
        ProviderPerson(provider_id=provider.id, account_id=person.account_id, **(values | columns))
    )


def signed_in(database, person):
    browser = Browser(database.app)
    sign_in_as(browser, database, person)
    return browser


@pytest.fixture
def work(database):
    """A provider without keys and its admin, whose account has some, in a browser."""
    provider = make_provider(database)
    person = make_person(database, keys=True)
    employ(database, provider, person)
    return SimpleNamespace(
        database=database,
        provider=provider,
        person=person,
        browser=signed_in(database, person),
        url=f"/providers/{provider.id}",
    )


@pytest.fixture(scope="module")
def made():
    """Keys as a browser makes them for a provider."""
    return new_tenant_keys()


def posted(made, person):
    """The hidden fields of `data-make-provider-keys`."""
    return {
        "public_key": made.public_key,
        "protected_private_key": made.protected_private_key,
        "wrapped_provider_key": wrap_for(person.keys.public_key, made.key.raw),
    }


def make_keys(work, made, **options):
    return work.browser.post(f"{work.url}/keys/make", posted(made, work.person), **options)


def stored(work):
    return work.database.one(select(Provider).where(Provider.id == work.provider.id))


def told(work):
    return [
        (event.type, json.loads(event.payload)["details"])
        for event in work.database.all(
            select(Event).where(Event.stream_id == work.provider.id).order_by(Event.seq)
        )
    ]


def test_the_providers_name_leads_to_its_clients(work):
    assert work.browser.get(f"{work.url}/people").link("Northwind IT") == f"{work.url}/clients"


def test_people_are_listed_with_role_state_and_second_factor(work, statements):
    colleague = make_person(
        work.database, "jun@northwind.example", "Jun Ito", second=True, keys=True
    )
    employ(work.database, work.provider, colleague, SERVICE)
    work.database.add(
        ProviderPerson(
            provider_id=work.provider.id,
            email="new@northwind.example",
            role=ADMIN,
            state=ProviderPersonState.INVITED,
        )
    )
    statements.clear()
    page = work.browser.get(f"{work.url}/people")
    statements.most(6)
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.select("th, td")]
        for row in page.select("tbody tr")
    ]
    rows = [[row[0].replace(" (you)", ""), *row[1:5]] for row in rows]
    assert rows == [
        ["Ada Nordström ada@northwind.example", "Provider admin", "Confirmed", "Off", "No"],
        ["Jun Ito jun@northwind.example", "Service user", "Confirmed", "On", "No"],
        ["new@northwind.example", "Provider admin", "Invited", "\u2013", "No"],
    ]


def test_people_of_another_provider_are_not_listed(work):
    other = make_provider(work.database, "Southwind")
    stranger = make_person(work.database, "eve@southwind.example", "Eve Adams")
    employ(work.database, other, stranger)
    assert "Eve Adams" not in work.browser.get(f"{work.url}/people")
    work.browser.get(f"/providers/{other.id}/people", status=404)
    work.browser.get(f"/providers/{other.id}/keys", status=404)


@pytest.mark.parametrize(
    "page", ["people", "keys", "keys/make", "keys/recovery-sheet", "keys/restore"]
)
def test_a_service_user_is_told_who_can_help(work, page):
    colleague = make_person(work.database, "jun@northwind.example", "Jun Ito")
    employ(work.database, work.provider, colleague, SERVICE)
    signed_in(work.database, colleague).get(f"{work.url}/{page}", status=403)


def test_without_keys_the_page_says_what_that_means(work):
    page = work.browser.get(f"{work.url}/keys")
    assert "The provider key is missing" in page
    assert "nobody can be confirmed" in page
    assert page.one("noscript")
    form = work.browser.get(page.link("Make the provider key")).form("Make the provider key")
    assert form.has_attr("data-make-provider-keys")
    assert form.has_attr("data-text-locked")


def test_the_clients_page_asks_for_the_keys_until_they_exist(work, made):
    assert "The provider key is missing" in work.browser.get(f"{work.url}/clients")
    make_keys(work, made, status=303)
    page = work.browser.get(f"{work.url}/clients")
    assert "The provider key is missing" not in page
    assert "Only you hold the provider key" in page
    fragment = work.browser.get(f"{work.url}/clients", hx="clients-table")
    assert "Only you hold" not in fragment


def test_the_clients_page_does_not_bother_a_service_user(work):
    colleague = make_person(work.database, "jun@northwind.example", "Jun Ito")
    employ(work.database, work.provider, colleague, SERVICE)
    page = signed_in(work.database, colleague).get(f"{work.url}/clients")
    assert "provider key" not in page


def test_the_keys_a_browser_made_are_stored_and_the_sheet_is_offered(work, made):
    page = work.browser.follow(make_keys(work, made, status=303))
    assert page.heading == "Recovery sheet"
    assert "The provider key is made" in page
    provider = stored(work)
    assert provider.public_key == made.public_key
    wrapped = work.database.one(select(ProviderPerson.wrapped_provider_key))
    assert SymmetricKey.from_raw(unwrap(wrapped, work.person.keys.private_key)) == made.key
    phrase = fingerprint_phrase(str(provider.id), made.public_key)
    assert ("provider:keys:create", {"fingerprint": phrase}) in told(work)
    assert phrase in work.browser.get(f"{work.url}/keys")


def test_of_two_browsers_the_slower_one_changes_nothing(work, made):
    make_keys(work, made, status=303)
    before = work.database.one(select(ProviderPerson.wrapped_provider_key))
    page = make_keys(work, new_tenant_keys(), status=422)
    assert "browser made it in the meantime" in page
    assert stored(work).public_key == made.public_key
    assert work.database.one(select(ProviderPerson.wrapped_provider_key)) == before
    assert [kind for kind, _ in told(work)].count("provider:keys:create") == 1


@pytest.mark.parametrize("field", ["public_key", "protected_private_key", "wrapped_provider_key"])
@pytest.mark.parametrize("value", ["", "clear text", "2.a|b|c", "4.AAAA"])
def test_what_has_not_the_shape_of_keys_is_refused(work, made, field, value):
    fields = posted(made, work.person) | {field: value}
    page = work.browser.post(f"{work.url}/keys/make", fields, status=422)
    assert "incomplete" in page
    assert stored(work).public_key is None


def test_an_account_without_keys_makes_its_own_first(work, made):
    colleague = make_person(work.database, "jun@northwind.example", "Jun Ito")
    employ(work.database, work.provider, colleague)
    browser = signed_in(work.database, colleague)
    page = browser.get(f"{work.url}/keys/make")
    assert "/profile/keys" in page.link("Make your keys")
    fields = posted(made, work.person)
    browser.post(f"{work.url}/keys/make", fields, status=409)
    assert stored(work).public_key is None


def test_making_keys_asks_for_a_fresh_sign_in(work, made):
    age(work.database, work.person, minutes=11)
    page = make_keys(work, made, status=303)
    assert "/keys/make" in page.location
    assert "make" in page.location
    assert stored(work).public_key is None


def test_a_sheet_that_was_printed_opens_the_provider_key(work, made):
    make_keys(work, made, status=303)
    page = work.browser.get(f"{work.url}/keys/recovery-sheet")
    assert page.one("[data-recovery-code]")
    assert page.one("[data-print]")
    ring = json.loads(page.one("meta[name=key-ring]")["content"])
    assert ring["provider"]["key"].startswith("4.")
    code = new_code()
    fields = {"recovery_wrapped_key": wrap_with_code(made.key, code)}
    done = work.browser.post(f"{work.url}/keys/recovery-sheet", fields, status=303)
    page = work.browser.follow(done)
    assert "counts from now on" in page
    assert "Never" not in page.text("dl.facts")
    assert open_with_code(stored(work).recovery_wrapped_key, code) == made.key
    assert ("provider:recovery_sheet:save", {}) in told(work)
    assert "Only you hold" not in work.browser.get(f"{work.url}/clients")


def test_a_code_in_the_clear_is_never_stored(work, made):
    make_keys(work, made, status=303)
    fields = {"recovery_wrapped_key": new_code()}
    work.browser.post(f"{work.url}/keys/recovery-sheet", fields, status=422)
    assert stored(work).recovery_wrapped_key is None


def test_a_second_admin_with_the_key_is_as_good_as_a_sheet(work, made):
    make_keys(work, made, status=303)
    colleague = make_person(work.database, "jun@northwind.example", "Jun Ito", keys=True)
    wrapped = wrap_for(colleague.keys.public_key, made.key.raw)
    employ(work.database, work.provider, colleague, wrapped_provider_key=wrapped)
    assert "Only you hold" not in work.browser.get(f"{work.url}/clients")


def test_an_admin_who_lost_the_key_restores_it_with_the_sheet(work, made):
    make_keys(work, made, status=303)
    code = new_code()
    fields = {"recovery_wrapped_key": wrap_with_code(made.key, code)}
    work.browser.post(f"{work.url}/keys/recovery-sheet", fields, status=303)
    work.database.run(update(ProviderPerson).values(wrapped_provider_key=None))

    assert "You do not hold the provider key" in work.browser.get(f"{work.url}/clients")
    page = work.browser.get(f"{work.url}/keys")
    page = work.browser.get(page.link("Restore with a recovery sheet"))
    form = page.form("Restore the provider key")
    assert open_with_code(form["data-recovery-wrapped-key"], code) == made.key
    assert not page.one("[data-recovery-code-input]").get("name")
    again = wrap_for(work.person.keys.public_key, made.key.raw)
    done = work.browser.post(
        f"{work.url}/keys/restore", {"wrapped_provider_key": again}, status=303
    )
    assert "You hold the provider key again" in work.browser.follow(done)
    assert work.database.one(select(ProviderPerson.wrapped_provider_key)) == again
    assert ("provider:recovery_sheet:use", {}) in told(work)
    fields = {"wrapped_provider_key": again}
    assert "already" in work.browser.post(f"{work.url}/keys/restore", fields, status=422)


def test_without_a_sheet_the_page_names_who_holds_the_key(work, made):
    make_keys(work, made, status=303)
    colleague = make_person(work.database, "jun@northwind.example", "Jun Ito", keys=True)
    employ(work.database, work.provider, colleague)
    page = signed_in(work.database, colleague).get(f"{work.url}/keys")
    assert "These people hold it: Ada Nordström" in page
    work.database.run(update(ProviderPerson).values(wrapped_provider_key=None))
    page = signed_in(work.database, colleague).get(f"{work.url}/keys")
    assert "nobody else holds the key" in page


def test_pages_that_have_nothing_to_do_lead_back(work, made):
    assert work.browser.get(f"{work.url}/keys/recovery-sheet", status=303).location.endswith(
        "/keys"
    )
    make_keys(work, made, status=303)
    for page in ("make", "restore"):
        assert work.browser.get(f"{work.url}/keys/{page}", status=303).location.endswith("/keys")


def test_pages_with_wrapped_keys_are_not_kept_by_the_browser(work):
    response = work.browser.get(f"{work.url}/keys/make").response
    assert "no-store" in response.headers["Cache-Control"]


def test_a_suspended_person_holds_nothing(work, made):
    work.database.run(update(ProviderPerson).values(state=ProviderPersonState.SUSPENDED))
    make_keys(work, made, status=404)
    assert stored(work).public_key is None


def test_the_sheets_age_is_told(work, made):
    make_keys(work, made, status=303)
    work.database.run(
        update(Provider).values(recovery_wrapped_key="2.x", recovery_saved_at=utc_now())
    )
    page = work.browser.get(f"{work.url}/keys")
    assert page.link("Print a new recovery sheet")
