"""The start page, the switcher, the language switch and the profile."""

import uuid

import pytest
from sqlalchemy import select

from portal.accounts import affiliations
from portal.domain.access import Role
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import Event
from tests.support.accounts import make_person, sign_in_as, stored_account
from tests.support.eventlog import all_told


@pytest.fixture
def ada(database):
    return make_person(database)


@pytest.fixture
def belong(database, ada):
    """Write one affiliation of Ada's; returns the tenant's id."""

    def write(kind, name, **more):
        tenant_id = uuid.uuid4()
        row = {
            "role": Role.PROVIDER_ADMIN if kind == "provider" else Role.OWNER,
            "state": ProviderPersonState.CONFIRMED if kind == "provider" else MemberState.CONFIRMED,
        } | more
        with database.session() as session:
            affiliations.put(
                session,
                account_id=ada.account_id,
                kind=kind,
                tenant_id=tenant_id,
                name=name,
                **row,
            )
        return tenant_id

    return write


@pytest.fixture
def signed_in(browser, database, ada):
    sign_in_as(browser, database, ada)
    return browser


def save(browser, page=None, *, status=303, **fields):
    return browser.submit(page or browser.get("/profile"), "Save", fields, status=status)


# The start page


def test_a_visitor_is_sent_to_sign_in(browser):
    assert browser.get("/", status=303).location == "/sign-in?next=/"


def test_one_provider_is_opened_at_once(signed_in, belong):
    tenant = belong("provider", "Northwind IT")
    assert signed_in.get("/", status=303).location == f"/providers/{tenant}/clients"


def test_one_organization_is_opened_at_once(signed_in, belong):
    tenant = belong("organization", "Acme")
    assert signed_in.get("/", status=303).location == f"/organizations/{tenant}/collections"


def test_several_places_are_a_list_providers_first_then_by_name(signed_in, belong):
    for kind, name in [
        ("organization", "Zebra"),
        ("organization", "école"),
        ("provider", "Northwind IT"),
    ]:
        belong(kind, name)
    page = signed_in.get("/")
    assert page.texts(".places li a") == ["Northwind IT", "école", "Zebra"]
    assert page.texts(".places small") == ["Provider admin", "Owner", "Owner"]


def test_who_belongs_nowhere_is_told_what_to_do(signed_in, ada):
    page = signed_in.get("/")
    assert page.heading == "Nothing here yet"
    assert ada.email in page


def test_invited_suspended_and_revoked_places_are_not_offered(signed_in, belong):
    belong("organization", "Invited", state=MemberState.INVITED)
    belong("organization", "Revoked", state=MemberState.REVOKED)
    belong("organization", "Suspended", active=False)
    assert signed_in.get("/").heading == "Nothing here yet"


def test_an_accepted_member_sees_that_they_wait(signed_in, belong):
    belong("organization", "Acme", state=MemberState.ACCEPTED)
    belong("organization", "Bolt")
    belong("provider", "Northwind IT", state=ProviderPersonState.ACCEPTED)
    assert signed_in.get("/").texts(".places small") == [
        "You are waiting to be confirmed here.",
        "You are waiting to be confirmed here.",
        "Owner",
    ]


def test_a_renamed_place_has_its_new_name(signed_in, belong, database):
    tenant = belong("organization", "Acme")
    belong("organization", "Bolt")
    with database.session() as session:
        affiliations.rename(session, kind="organization", tenant_id=tenant, name="Zenith")
    assert signed_in.get("/").texts(".places li a") == ["Bolt", "Zenith"]


def test_a_dropped_place_is_gone(signed_in, belong, database, ada):
    tenant = belong("organization", "Acme")
    with database.session() as session:
        affiliations.drop(session, account_id=ada.account_id, kind="organization", tenant_id=tenant)
    assert signed_in.get("/").heading == "Nothing here yet"


def test_the_switcher_shows_what_the_person_has(signed_in, belong):
    assert signed_in.get("/profile").texts(".bar-foot a") == []
    tenant = belong("provider", "Northwind IT")
    page = signed_in.get("/profile")
    assert page.texts(".bar-foot a") == ["Provider Portal"]
    assert page.link("Provider Portal")
    acme = belong("organization", "Acme")
    bolt = belong("organization", "Bolt")
    page = signed_in.get("/profile")
    links = {link.get_text().strip(): link["href"] for link in page.select(".bar-foot a")}
    assert links == {
        "Admin Console": "/#organizations",
        "Acme": f"/organizations/{acme}/collections",
        "Bolt": f"/organizations/{bolt}/collections",
        "Provider Portal": f"/providers/{tenant}/clients",
    }


# Language


def test_a_visitors_language_is_kept_in_a_cookie(browser):
    page = browser.submit(browser.get("/sign-in?next=/profile"), "Français")
    assert page.location == "/sign-in?next=/profile"
    assert browser.follow(page).soup.html["lang"] == "fr"


def test_a_persons_language_is_their_setting(signed_in, database, ada):
    page = signed_in.submit(signed_in.get("/profile"), "Français")
    assert signed_in.follow(page).soup.html["lang"] == "fr"
    assert stored_account(database, ada).locale == "fr"


def test_a_language_that_is_none_changes_nothing(signed_in, database, ada):
    signed_in.post("/language", {"locale": "xx", "next": "/profile"}, status=303)
    assert stored_account(database, ada).locale == "en"


# The profile


def test_the_profile_says_who_it_is_about(signed_in, ada):
    page = signed_in.get("/profile")
    assert ada.email in page
    assert page.one("[name=name]")["value"] == ada.name
    assert page.texts(".tag") == ["Off"]
    assert page.link("Make keys") == "/profile/keys"


def test_changes_are_kept_and_logged_with_before_and_after(signed_in, database, ada):
    page = save(signed_in, name="Ada  Lovelace ", time_zone="Europe/Paris", theme="dark")
    page = signed_in.follow(page)
    assert "Your profile is saved." in page
    assert page.soup.html["data-theme"] == "dark"
    account = stored_account(database, ada)
    assert (account.name, account.time_zone, account.theme) == (
        "Ada Lovelace",
        "Europe/Paris",
        "dark",
    )
    (event,) = all_told(database, "account:profile:update")
    details = event["details"]
    assert details["before"] == {"name": ada.name, "time_zone": "", "theme": "system"}
    assert details["after"]["name"] == "Ada Lovelace"


def test_automatic_is_a_choice_again(signed_in, database, ada):
    save(signed_in, time_zone="Europe/Paris", locale="fr")
    page = signed_in.get("/profile")
    signed_in.submit(page, page.texts("form.form .submit-row button")[0], {"time_zone": ""})
    assert stored_account(database, ada).time_zone is None


def test_saving_without_a_change_says_so_and_logs_nothing(signed_in, database):
    page = signed_in.follow(save(signed_in))
    assert "There was nothing to change." in page
    assert database.all(select(Event).where(Event.type == "account:profile:update")) == []


def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(signed_in):
    page = save(signed_in, status=422, name=" ", theme="dark")
    assert page.text("#name-error") == "Enter a name."
    assert page.one("[name=theme][checked]")["value"] == "dark"
    assert page.title.startswith("Error: ")


@pytest.mark.parametrize(
    ("field", "value"), [("time_zone", "Mars/Olympus"), ("theme", "pink"), ("locale", "xx")]
)
def test_values_that_are_not_offered_are_refused(signed_in, database, ada, field, value):
    fields = {"name": ada.name, "locale": "en", "time_zone": "", "theme": "dark"} | {field: value}
    signed_in.post("/profile", fields, status=422)
    assert stored_account(database, ada).theme == "system"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Ada\r\nBcc: eve@evil.example", "Ada Bcc: eve@evil.example"),
        ("A\u202eda", "Ada Nordström"),
        ("x" * 101, "Ada Nordström"),
    ],
    ids=["a line break", "a turning mark", "too long"],
)
def test_names_that_would_harm_a_mail_or_a_page_are_flattened_or_refused(
    signed_in, database, ada, name, kept
):
    fields = {"name": name, "locale": "en", "time_zone": "", "theme": "system"}
    signed_in.post("/profile", fields, status=422 if kept == ada.name else 303)
    assert stored_account(database, ada).name == kept


def test_a_name_is_text_on_every_page(signed_in):
    page = signed_in.follow(save(signed_in, name="<b onclick=x>Ada</b>"))
    assert page.select("b") == []
    assert "<b onclick=x>Ada</b>" in page
