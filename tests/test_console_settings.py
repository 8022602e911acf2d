"""Settings → Organization: who changes what, what it is told as, and two tabs at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import select

from portal.console import queries, service
from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.models import Affiliation, Member, OrganizationSettings
from portal.settings.service import Changed
from tests.support.console import owner_of, people, streams, url, without_provider
from tests.support.organizations import join, make_place
from tests.support.staff import told


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def owner(place):
    return place.browser_of(owner_of(place))


def test_an_owner_renames_the_organization_and_both_logs_tell_it(place, owner):
    page = owner.get(url(place))
    answer = owner.submit(page, "Save", {"name": " Acme  Industries "})
    assert "The settings are saved." in owner.follow(answer)
    client = place.client()
    assert (client.name, client.name_ci) == ("Acme Industries", "acme industries")
    kind = "organization:organization:rename"
    assert told(place, kind)[0] == {"before": "Acme Ltd", "after": "Acme Industries"}
    assert set(streams(place, kind)) == {place.organization.id, place.provider.id}
    names = place.database.all(select(Affiliation.name).where(Affiliation.kind == "organization"))
    assert set(names) == {"Acme Industries"}
    clients = place.admins_browser().get(f"/providers/{place.provider.id}/clients")
    assert "Acme Industries" in clients


@pytest.mark.parametrize(
    ("name", "sentence"), [(" ", "Enter a name."), ("x" * 51, "Shorten it by 1 character")]
)
def test_a_mistake_stands_at_its_field_and_nothing_is_lost(place, owner, name, sentence):
    page = owner.submit(owner.get(url(place)), "Save", {"name": name, "locale": "fr"}, status=422)
    assert sentence in page.text("#name-field")
    assert page.one("input[name=name]")["value"] == name
    assert page.one("input[name=locale][checked]")["value"] == "fr"
    assert place.client().name == "Acme Ltd"


def test_where_invoices_go_is_the_providers_to_say(place, owner):
    page = owner.get(url(place))
    assert page.select("input[name=billing_email]") == []
    assert "Northwind IT decides on plan and seats" in page
    # A form that says it all the same is not listened to.
    fields = {"billing_email": "mine@acme.example", "name": "Acme Ltd", "locale": ""}
    seen = page.one("input[name=seen]")["value"]
    owner.post(url(place), fields | {"seen": seen}, status=303)
    assert place.client().billing_email == place.organization.billing_email


def test_an_owner_without_a_provider_says_where_invoices_go(place, owner):
    without_provider(place)
    page = owner.get(url(place))
    wrong = owner.submit(page, "Save", {"billing_email": "nowhere"}, status=422)
    assert wrong.text("#billing_email-field")
    owner.submit(page, "Save", {"billing_email": "Invoices@Acme.example"})
    assert place.client().billing_email == "invoices@acme.example"
    found = told(place, "organization:billing:update")
    assert found[0]["after"] == {"billing_email": "invoices@acme.example"}
    assert streams(place, "organization:billing:update") == [place.organization.id]


def test_a_provider_that_came_in_between_says_where_invoices_go(place, database):
    wanted = {"name": "Acme Ltd", "billing_email": "mine@acme.example", "locale": ""}
    actor = replace(place.actor, organization_id=place.organization.id)
    with database.session() as session:
        seen = service.seen(queries.settings(session, place.organization.id))
        with pytest.raises(Changed):
            service.save(session, actor, wanted, seen=seen)


def test_the_language_is_that_of_invitations(place, owner):
    owner.submit(owner.get(url(place)), "Save", {"locale": "fr"})
    found = told(place, "organization:organization:update")
    assert found[0] == {"before": {"locale": ""}, "after": {"locale": "fr"}}
    owner.post(
        f"{place.members}/invite",
        {"addresses": "new@acme.example", "role": "user"},
        status=303,
    )
    invited = place.database.one(select(Member).where(Member.email == "new@acme.example"))
    assert invited.invitation_locale == "fr"


def test_an_unknown_language_is_refused(place, owner):
    page = owner.get(url(place))
    owner.submit(page, "Save", {"locale": "xx"}, status=422)
    assert place.database.count(OrganizationSettings) == 0


def test_the_rules_for_collections_keep_what_they_said(place, owner):
    rules = owner.get(url(place, "/collections"))
    owner.submit(rules, "Save rules", {"limits_item_deletion": "y"})
    owner.submit(owner.get(url(place)), "Save", {"locale": "fr"})
    row = place.database.one(select(OrganizationSettings))
    assert (row.locale, row.limits_item_deletion, row.version) == ("fr", True, 1)


def test_two_languages_are_compared_by_their_names(place, owner):
    first, second = owner.get(url(place)), owner.get(url(place))
    owner.submit(first, "Save", {"name": "Acme One"})
    page = owner.submit(second, "Save", {"name": "Acme One", "locale": "fr"}, status=409)
    assert "That of whoever invites Français" in " ".join(page.text("main table").split())


def test_whoever_is_slower_sees_both_and_decides(place, owner):
    first, second = owner.get(url(place)), owner.get(url(place))
    owner.submit(first, "Save", {"name": "Acme One"})
    page = owner.submit(second, "Save", {"name": "Acme Two"}, status=409)
    assert "Acme One" in page
    assert page.one("input[name=name]")["value"] == "Acme Two"
    owner.submit(page, "Save")
    assert place.client().name == "Acme Two"


def test_nothing_changed_is_no_event(place, owner):
    answer = owner.submit(owner.get(url(place)), "Save")
    assert "Nothing has changed." in owner.follow(answer)
    assert told(place, "organization:organization:rename") == []
    assert place.client().version == place.organization.version


def test_two_who_save_at_once_are_one_change_and_one_answer(committed):
    place = make_place(committed)
    browsers = [place.browser_of(owner_of(place, f"O {n}", f"o{n}@acme.example")) for n in (1, 2)]
    pages = [browser.get(url(place)) for browser in browsers]
    gate = Barrier(2)

    def save(number):
        seen = pages[number].one("input[name=seen]")["value"]
        fields = {"name": f"Acme {number}", "locale": "", "seen": seen}
        fields["csrf_token"] = browsers[number].csrf_token()
        gate.wait()
        return browsers[number].client.post(url(place), data=fields).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(save, (0, 1)))
    assert answers == [303, 409]
    assert len(told(place, "organization:organization:rename")) == 2, "one, in two logs"


def test_the_page_shows_the_phrase_the_facts_and_the_way_on(place, owner):
    page = owner.get(url(place))
    assert len(page.text("fingerprint-phrase").split("-")) >= 5
    assert "Northwind IT" in page
    assert page.link("Keys").endswith("/settings/keys") or page.link("Keys")
    assert page.select("nav a[aria-current=page]")


@pytest.mark.parametrize(
    ("path", "row"),
    [
        ("settings", "Organization"),
        ("settings/api-key", "Organization"),
        ("settings/collections", "Collections"),
        ("collections/new", "Collections"),
        ("members/invite", "Members"),
        ("keys/rotation", "Keys"),
    ],
)
def test_one_row_of_the_bar_is_current(place, owner, path, row):
    page = owner.get(f"{place.url}/{path}")
    current = page.one("nav [aria-current=page]")
    assert current.text.strip() == row
    assert f"/{path}".startswith(current["href"].removeprefix(place.url))


def test_without_keys_there_is_no_phrase(database):
    place = make_place(database, keys=False)
    page = place.admins_browser().get(url(place))
    assert page.select("fingerprint-phrase") == []
    assert "the organization has no keys" in page


@pytest.mark.parametrize(
    ("role", "state", "status"),
    [
        (Role.OWNER, MemberState.CONFIRMED, 200),
        (Role.ADMIN, MemberState.CONFIRMED, 403),
        (Role.USER, MemberState.CONFIRMED, 403),
        (Role.CUSTOM, MemberState.CONFIRMED, 403),
    ],
)
def test_only_owners_open_it(place, role, state, status):
    person = place.person("somebody@acme.example", "Some Body", keys=True)
    join(place, person, role, state)
    browser = place.browser_of(person)
    browser.get(url(place), status=status)
    if status == 403:
        browser.post(url(place), {"name": "Mine"}, status=403)
        assert place.client().name == "Acme Ltd"


def test_the_page_costs_the_same_however_many_there_are(place, owner, statements):
    owner.get(url(place))
    statements.clear()
    owner.get(url(place))
    few = len(statements)
    people(place, 2000)
    statements.clear()
    owner.get(url(place))
    statements.most(few)
