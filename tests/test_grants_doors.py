"""Every way in is closed to whoever the owner has not let in: once each, by mode and grant."""

import csv
import io
import json

import pytest
from sqlalchemy import select, update

from portal.clients import lifecycle
from portal.domain.access import Role
from portal.domain.provider_access import AccessMode, GrantState
from portal.domain.scope import Level, Reach
from portal.domain.states import MemberState
from portal.models import ClientAccess, Event, Member, Organization, ProviderEntry, utc_now
from portal.providers import attention
from tests.support.grants import make_house
from tests.support.organizations import join
from tests.support.scope_keys import client_with_keys, hire_scoped, key_for, reaches

SHUT = [AccessMode.ASK, AccessMode.NEVER]
JSON = {"Accept": "application/json"}
# One address of each area inside an organization; all others stand behind the same door.
INSIDE = [
    "collections",
    "members",
    "members.csv",
    "members/invite",
    "groups",
    "setup",
    "billing",
    "events",
    "events.csv",
    "events.jsonl",
    "policies",
    "settings/collections",
    "settings/provider-access",
    "keys/rotation",
    "keys/rotation/work",
]


@pytest.fixture
def house(database):
    made = make_house(database)
    database.run(update(Organization).values(plan="enterprise", seats=50))
    return made


@pytest.fixture
def anna(house):
    """Somebody who has accepted and waits to be confirmed."""
    person = house.place.person("anna@acme.example", "Anna Waits", keys=True)
    member_id = join(house.place, person, Role.USER, MemberState.ACCEPTED)
    with house.database.session() as session:
        attention.member_invited(session, house.id, member_id)
    return member_id


def provider(house, *parts):
    return "/".join([f"/providers/{house.place.provider.id}", *parts])


def holds_key(house, text):
    return house.place.client().provider_wrapped_key in text


@pytest.mark.parametrize("path", INSIDE)
@pytest.mark.parametrize("mode", SHUT)
def test_no_page_inside_opens_and_no_trace_is_left(house, mode, path):
    browser = house.place.admins_browser()
    house.set_mode(mode)
    url = f"{house.place.url}/{path}"
    assert browser.get(url, status=303).location == f"{house.url}/ask"
    answer = browser.client.get(url, headers=JSON)
    assert answer.status_code == 403
    assert "have not let you in" in answer.json["errors"][""]
    answer = browser.client.get(url, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == f"{house.url}/ask"
    assert house.database.count(ProviderEntry) == 0
    assert not holds_key(house, answer.text)


@pytest.mark.parametrize("path", INSIDE)
def test_with_a_live_grant_the_same_pages_open(house, path):
    house.set_mode(AccessMode.ASK)
    house.grant(person=house.place.admin)
    answer = house.place.admins_browser().client.get(f"{house.place.url}/{path}")
    assert answer.status_code in {200, 303}
    assert not answer.headers.get("Location", "").endswith("/ask")


@pytest.mark.parametrize(
    ("state", "minutes_ago"),
    [
        (GrantState.REQUESTED, 0),
        (GrantState.APPROVED, 61),
        (GrantState.ENDED, 0),
        (GrantState.EXPIRED, 0),
        (GrantState.DECLINED, 0),
    ],
)
def test_only_an_approved_grant_that_lasts_opens(house, state, minutes_ago):
    house.set_mode(AccessMode.ASK)
    house.grant(state, ago=minutes_ago)
    house.techs_browser().get(f"{house.place.url}/members", status=303)


def test_a_grant_is_one_persons_and_of_one_organization(house):
    house.set_mode(AccessMode.ASK)
    house.grant(person=house.tech)
    house.place.admins_browser().get(f"{house.place.url}/members", status=303)
    other, _keys = client_with_keys(house.place)
    first, house.place.organization = house.place.organization, other
    house.set_mode(AccessMode.ASK)
    house.techs_browser().get(f"/organizations/{other.id}/members", status=303)
    house.techs_browser().get(f"/organizations/{first.id}/members")


def test_a_grant_does_not_outlive_the_mode(house):
    house.grant()
    house.set_mode(AccessMode.NEVER)
    house.techs_browser().get(f"{house.place.url}/members", status=303)


def test_a_grant_widens_nothing(house):
    """Whoever only reads still only reads, and a client out of scope stays unknown."""
    house.set_mode(AccessMode.ASK)
    reader, row = hire_scoped(house.place, level=Level.READ_ONLY)
    browser = house.place.browser_of(reader)
    browser.get(f"{house.url}/ask", status=404)
    reaches(house.place, row, house.place.organization)
    page = browser.get(f"{house.url}/ask")
    assert page.form("Ask the owners")
    house.grant(person=reader)
    browser.get(f"{house.place.url}/members")
    browser.get(f"{house.place.url}/members/invite", status=403)
    browser.get(house.url)


def test_a_member_is_no_guest(house):
    """Who belongs to the organization comes in as a member, whatever the provider may do."""
    house.set_mode(AccessMode.NEVER)
    join(house.place, house.tech, Role.ADMIN, MemberState.CONFIRMED)
    page = house.techs_browser().get(f"{house.place.url}/members")
    assert not page.select("aside.banner")


# The provider's own pages


@pytest.mark.parametrize("mode", SHUT)
def test_the_list_of_clients_tells_and_its_pages_work(house, mode):
    house.set_mode(mode)
    browser = house.place.admins_browser()
    label = {"ask": "Ask first", "never": "No access"}[mode]
    assert label in browser.get(provider(house, "clients")).text("tbody th")
    page = browser.get(provider(house, "clients", str(house.id), "manage"))
    assert "Access of your people" in page
    for path in ("subscription", "billing", "rename", "suspend", "unlink"):
        browser.get(provider(house, "clients", str(house.id), path))
    assert len(browser.client.get(provider(house, "clients.csv")).text.splitlines()) == 2


@pytest.mark.parametrize("mode", SHUT)
def test_stuck_people_of_the_client_are_not_told(house, anna, mode):
    browser = house.place.admins_browser()
    assert "anna@acme.example" in browser.get(provider(house, "stuck-people"))
    house.set_mode(mode)
    assert "anna@acme.example" not in browser.get(provider(house, "stuck-people"))
    text = browser.client.get(provider(house, "stuck-people.csv")).text
    assert len(list(csv.reader(io.StringIO(text)))) == 1
    house.grant(person=house.place.admin)
    told = "anna@acme.example" in browser.get(provider(house, "stuck-people"))
    assert told is (mode is AccessMode.ASK)


@pytest.mark.parametrize("mode", SHUT)
def test_nobody_is_confirmed_from_the_list_of_stuck_people(house, anna, mode):
    browser = house.place.admins_browser()
    confirm = provider(house, "stuck-people", "confirm")
    assert holds_key(house, browser.client.get(f"{confirm}?scope=all").text)
    house.set_mode(mode)
    assert not holds_key(house, browser.client.get(f"{confirm}?scope=all").text)
    posted = {"public_key": "x", "wrapped_key": "y", "csrf_token": browser.csrf_token()}
    answer = browser.client.post(f"{confirm}/{house.id}/{anna}", data=posted, headers=JSON)
    assert answer.status_code == 403
    assert "have not let you in" in answer.json["errors"][""]
    assert house.place.member(anna).state is MemberState.ACCEPTED


@pytest.mark.parametrize("mode", SHUT)
def test_no_invitation_is_sent_again_from_there(house, mode):
    browser = house.place.admins_browser()
    form = browser.get(f"{house.place.members}/invite")
    browser.submit(form, "Send invitations", {"addresses": "new@acme.example"}, status=303)
    member = house.database.one(select(Member).where(Member.email == "new@acme.example"))
    house.database.run(
        update(Member).where(Member.id == member.id).values(invitation_expires_at=utc_now())
    )
    house.set_mode(mode)
    before = len(house.mails("member_invitation"))
    url = provider(house, "stuck-people", "resend")
    token = {"csrf_token": browser.csrf_token(), "id": str(member.id), "scope": "ticked"}
    browser.client.post(url, data=token)
    assert len(house.mails("member_invitation")) == before


@pytest.mark.parametrize("mode", SHUT)
def test_the_log_of_all_clients_leaves_it_out(house, mode):
    browser = house.place.admins_browser()
    browser.get(f"{house.place.url}/members")
    event = house.database.all(select_open(house))[0]
    log = provider(house, "events", "clients")
    paths = [log, f"{log}.csv", f"{log}.jsonl", f"{log}?client={house.id}", f"{log}/{event.id}"]

    def tells(path):
        answer = browser.client.get(path)
        if path in {paths[1], paths[2]}:
            return "organization:organization:open" in answer.text
        # The filter offers the sentence of every kind: only the rows count.
        return answer.status_code == 200 and f"{event.id}" in answer.text

    assert all(tells(path) for path in paths)
    house.set_mode(mode)
    assert not any(tells(path) for path in paths)
    house.grant(person=house.place.admin)
    assert all(tells(path) is (mode is AccessMode.ASK) for path in paths)


def select_open(house):
    return select(Event).where(
        Event.type == "organization:organization:open", Event.stream_id == house.id
    )


@pytest.mark.parametrize("mode", SHUT)
def test_the_radar_does_not_tell_who_is_invited(house, mode):
    browser = house.place.admins_browser()
    form = browser.get(f"{house.place.members}/invite")
    browser.submit(form, "Send invitations", {"addresses": "new@acme.example"}, status=303)
    assert "new@acme.example" in browser.get(provider(house, "expiries"))
    house.set_mode(mode)
    assert "new@acme.example" not in browser.get(provider(house, "expiries"))
    assert "new@acme.example" not in browser.client.get(provider(house, "expiries.csv")).text
    browser.get(provider(house))


@pytest.mark.parametrize("mode", SHUT)
def test_its_key_is_not_handed_over_to_a_colleague(house, mode):
    kim, row = hire_scoped(house.place, reach=Reach.ONLY)
    access = reaches(house.place, row, house.place.organization)
    browser = house.place.admins_browser()
    work = provider(house, "keys", "hand-over", f"work?person={row}")
    assert holds_key(house, browser.client.get(work).text)
    house.set_mode(mode)
    assert browser.client.get(work).json["items"] == []
    posted = {
        "person": str(row),
        "public_key": kim.keys.public_key,
        "provider_public_key": house.place.provider_keys.public_key,
        f"key-{access.id}": key_for(kim, house.place.keys),
        f"version-{access.id}": "x",
        "csrf_token": browser.csrf_token(),
    }
    answer = browser.client.post(provider(house, "keys", "hand-over", "batch"), data=posted)
    assert answer.json == {"done": 0}
    assert house.database.one(select(ClientAccess.wrapped_key)) is None
    house.grant(person=house.place.admin)
    given = holds_key(house, browser.client.get(work).text)
    assert given is (mode is AccessMode.ASK)


@pytest.mark.parametrize("mode", SHUT)
def test_whoever_waits_to_be_confirmed_is_told_to_the_owners_then(house, mode):
    house.set_mode(mode)
    before = house.database.count(Member)
    owner = house.owners_browser()
    form = owner.get(f"{house.place.members}/invite")
    owner.submit(form, "Send invitations", {"addresses": "nina@acme.example"}, status=303)
    assert house.database.count(Member) == before + 1
    nina = house.place.person("nina@acme.example", "Nina", keys=True)
    row = house.database.one(select(Member.id).where(Member.email == "nina@acme.example"))
    link = house.place.link(row=row, version=1)
    house.place.browser_of(nina).post(f"{link}/accept", status=303)
    assert [mail.account_id for mail in house.mails("member_accepted")] == [house.owner.account_id]


def test_who_makes_keys_for_clients_without_finds_nothing_to_make_here(house):
    house.set_mode(AccessMode.NEVER)
    house.database.run(update(Organization).values(provider_wrapped_key=None))
    browser = house.place.admins_browser()
    assert "Acme Ltd" not in browser.get(provider(house, "clients", "keys")).text("main")


def test_every_event_under_a_grant_names_it(house):
    house.set_mode(AccessMode.ASK)
    grant = house.grant(person=house.place.admin)
    browser = house.place.admins_browser()
    form = browser.get(f"{house.place.members}/invite")
    browser.submit(form, "Send invitations", {"addresses": "new@acme.example"}, status=303)
    kinds = ("organization:organization:open", "organization:member:invite")
    found = house.database.all(
        select(Event.payload).where(Event.type.in_(kinds), Event.actor_id.is_not(None))
    )
    payloads = [json.loads(text) for text in found]
    mine = [each for each in payloads if each.get("grant") == str(grant)]
    assert {each["type"] for each in mine} == set(kinds)


def test_an_owner_sees_in_the_bar_that_somebody_asks(house):
    house.set_mode(AccessMode.ASK)
    owner = house.owners_browser()

    def badges():
        return owner.get(house.place.members).texts("nav a[href$=provider-access] .count")

    assert badges() == []
    house.grant(GrantState.REQUESTED)
    house.grant(GrantState.REQUESTED, person=house.place.admin, ago=4 * 24 * 60)
    assert badges() == ["1"], "one has lapsed"


@pytest.mark.parametrize("mode", list(AccessMode))
def test_who_waits_is_told_who_can_confirm_them(house, mode):
    house.set_mode(mode)
    person = house.place.person("wim@acme.example", "Wim Waits", keys=True)
    join(house.place, person, Role.USER, MemberState.ACCEPTED)
    page = house.place.browser_of(person).get(f"{house.place.url}/waiting")
    assert ("Ada Nordström" in page) is (mode is AccessMode.ALWAYS)
    assert ("Olga Petrova" in page) is (mode is not AccessMode.ALWAYS)


@pytest.mark.parametrize("action", ["suspend", "delete"])
def test_no_access_goes_on_while_the_owners_are_locked_out(house, action):
    house.set_mode(AccessMode.ASK)
    grant_id = house.grant()
    asked = house.grant(GrantState.REQUESTED, house.place.admin)
    client = house.place.client()
    with house.database.session() as session:
        move = lifecycle.suspend if action == "suspend" else lifecycle.ask_deletion
        move(session, house.place.actor, client)
    assert house.row(grant_id).state is GrantState.ENDED
    assert house.row(asked).state is GrantState.LAPSED
    house.techs_browser().get(f"{house.place.url}/members", status=303)
    assert len(house.mails("access_ended")) == 1
