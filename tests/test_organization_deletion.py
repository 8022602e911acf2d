"""An owner ends the organization: asked, confirmed by a mailed link, taken back, gone."""

import datetime as dt

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import sessionmaker

from portal.domain.access import Role
from portal.domain.states import ClientStatus, MemberState
from portal.extensions import db
from portal.mail.letters import compose
from portal.mail.messages import MESSAGES, Office, Outdated
from portal.models import (
    Event,
    Member,
    Organization,
    OrganizationDeletion,
    Outbox,
    new_id,
    utc_now,
)
from portal.organizations.deletion import delete_due
from tests.support.accounts import age, make_person
from tests.support.console import (
    DELETE,
    ask,
    link,
    owner_of,
    people,
    request_of,
    streams,
    url,
    use,
    without_provider,
)
from tests.support.databases import SECRET_KEY
from tests.support.organizations import join, make_place
from tests.support.staff import hire, told
from tests.test_clients_subscription import settle


@pytest.fixture
def place(database):
    return settle(make_place(database))


@pytest.fixture
def person(place):
    return owner_of(place)


@pytest.fixture
def owner(place, person):
    return place.browser_of(person)


def topics(place):
    return sorted(place.database.all(select(Outbox.topic).where(Outbox.topic.not_like("%invit%"))))


def letter(place, topic, locale="en"):
    job = place.database.all(select(Outbox).where(Outbox.topic == topic))[-1]
    office = Office((SECRET_KEY,), lambda endpoint, **_: f"https://portal.example/{endpoint}")
    app = place.database.app
    with place.database.session() as session:
        found = MESSAGES[topic](session, office, dict(job.payload, locale=locale))
        mail = compose(found, app.extensions["settings"], new_id())
    text, html = mail.message.iter_parts()
    assert html.get_content()
    return mail.to, mail.message["Subject"], text.get_content()


def test_the_page_names_what_is_lost_and_asks_for_the_name(place, owner):
    people(place, 2)
    page = owner.get(owner.get(url(place)).link("Delete the organization"))
    assert "4 members lose their places here" in page
    assert "1 collection, with every item in it" in page
    assert "Northwind IT is told by mail" in page
    page = owner.submit(page, "Send the link", {"name": "Acme"}, status=422)
    assert "Type the name of the organization, Acme Ltd" in page.text("#name-field")
    assert place.database.count(OrganizationDeletion) == 0


def test_asking_mails_a_link_and_deletes_nothing(place, owner, person):
    other = owner_of(place, "Otto Other", "otto@acme.example")
    page = owner.follow(ask(place, owner))
    assert f"Open the link that was sent to {person.email}." in page
    assert place.client().status is ClientStatus.ACTIVE
    row = request_of(place)
    assert row.account_id == person.account_id
    assert dt.timedelta(minutes=59) < row.expires_at - utc_now() <= dt.timedelta(hours=1)
    kind = "organization:deletion:ask"
    assert told(place, kind)[0] == {"minutes": 60}
    assert set(streams(place, kind)) == {place.organization.id, place.provider.id}
    to, subject, text = letter(place, "mail.organization_deletion_link")
    assert (to, subject) == (person.email, "Confirm that Acme Ltd is deleted")
    assert "console.delete_for_good" in text
    to, subject, text = letter(place, "mail.organization_deletion_asked")
    assert (to, subject) == (other.email, "Olga Owner wants to delete Acme Ltd")
    assert "console.index" in text
    settings = place.browser_of(other).get(url(place))
    assert "This organization is about to be deleted" in settings
    assert "This organization is about to be deleted" in place.admins_browser().get(url(place))


def test_the_link_closes_the_organization_as_the_providers_delete_does(place, owner):
    ask(place, owner)
    page = owner.get(link(place))
    assert page.heading == "Delete Acme Ltd for good"
    answer = owner.submit(page, "Delete for good")
    page = owner.follow(answer)
    assert "Acme Ltd is being deleted" in page
    client = place.client()
    assert client.status is ClientStatus.DELETING
    assert client.status_before_deletion is ClientStatus.ACTIVE
    assert dt.timedelta(days=6) < client.delete_at - utc_now() <= dt.timedelta(days=7)
    assert request_of(place).used_at is not None
    kind = "organization:organization:ask_deletion"
    assert set(streams(place, kind)) == {place.organization.id, place.provider.id}
    assert "mail.client_deletion_team" in topics(place)
    to, _subject, text = letter(place, "mail.organization_closed")
    assert to == "olga.owner@acme.example"
    assert "Olga Owner, an owner, has deleted Acme Ltd" in text
    owner.get(place.members, status=303)
    manage = place.admins_browser().get(
        f"/providers/{place.provider.id}/clients/{place.organization.id}/manage"
    )
    assert "This client is deleted on" in manage


def test_it_is_gone_when_the_days_are_over_and_its_log_is_left(committed):
    place = settle(make_place(committed))
    owner = place.browser_of(owner_of(place))
    ask(place, owner)
    use(place, owner)
    place.database.run(update(Organization).values(delete_at=utc_now()))
    with committed.app.app_context():
        assert delete_due(sessionmaker(db.engine, expire_on_commit=False)) == 1
    assert committed.count(Organization) == committed.count(OrganizationDeletion) == 0
    kinds = committed.all(
        select(Event.type).where(Event.stream_id == place.organization.id).order_by(Event.seq)
    )
    assert kinds[-3:] == [
        "organization:deletion:ask",
        "organization:organization:ask_deletion",
        "organization:organization:delete",
    ]


def test_a_link_is_used_once(place, owner):
    ask(place, owner)
    page = owner.get(link(place))
    owner.submit(page, "Delete for good")
    answer = owner.submit(page, "Delete for good")
    assert "Acme Ltd is being deleted" in owner.follow(answer)
    assert len(told(place, "organization:organization:ask_deletion")) == 2, "once, in two logs"


def test_a_link_ends_after_an_hour(place, owner):
    ask(place, owner)
    page = owner.get(link(place))
    place.database.run(update(OrganizationDeletion).values(expires_at=utc_now()))
    assert "This link is over" in owner.get(link(place), status=410)
    assert "This link is over" in owner.submit(page, "Delete for good", status=410)
    assert place.client().status is ClientStatus.ACTIVE
    with pytest.raises(Outdated):
        letter(place, "mail.organization_deletion_link")
    assert "Send the link" in owner.get(url(place, DELETE)), "it can be asked for anew"


def test_only_who_asked_can_use_it(place, owner):
    other = place.browser_of(owner_of(place, "Otto Other", "otto@acme.example"))
    ask(place, owner)
    page = owner.get(link(place))
    assert "mailed to somebody else" in other.get(link(place), status=410)
    path = page.one("main form")["action"]
    other.post(path, status=410)
    assert place.client().status is ClientStatus.ACTIVE
    assert "Only Olga Owner can use the link." in other.get(url(place, DELETE))


@pytest.mark.parametrize(
    "changes",
    [
        {"row_id": new_id()},
        {"organization_id": new_id()},
        {"purpose": "member-invitation"},
    ],
)
def test_a_link_that_was_not_mailed_opens_nothing(place, owner, changes):
    ask(place, owner)
    owner.get(link(place, **changes), status=410)
    owner.post(link(place, **changes), status=410)
    owner.get(url(place, f"{DELETE}/nonsense"), status=410)
    owner.post(url(place, f"{DELETE}/nonsense"), status=410)
    assert place.client().status is ClientStatus.ACTIVE


def test_any_owner_cancels_while_the_link_is_open(place, owner):
    other = place.browser_of(owner_of(place, "Otto Other", "otto@acme.example"))
    ask(place, owner)
    page = owner.get(link(place))
    settings = other.get(url(place))
    answer = other.submit(settings, "Cancel the deletion")
    assert "The organization is not deleted." in other.follow(answer)
    owner.submit(page, "Delete for good", status=410)
    assert place.client().status is ClientStatus.ACTIVE
    kind = "organization:deletion:cancel"
    assert set(streams(place, kind)) == {place.organization.id, place.provider.id}
    answer = other.submit(settings, "Cancel the deletion")
    assert "not deleted" not in other.follow(answer).text("#notices")
    assert len(streams(place, kind)) == 2, "once, in two logs"


@pytest.mark.parametrize(
    "typed", ["", "nonsense", str(new_id())], ids=["none", "nonsense", "unknown"]
)
def test_cancelling_what_is_not_there_cancels_nothing(place, owner, typed):
    ask(place, owner)
    owner.post(url(place, f"{DELETE}/cancel"), {"request": typed}, status=303)
    assert place.database.count(OrganizationDeletion) == 1


def test_a_newer_link_replaces_the_one_before(place, owner):
    ask(place, owner)
    first = link(place)
    owner.post(url(place, DELETE), {"name": "Acme Ltd"}, status=303)
    assert place.database.count(OrganizationDeletion) == 1
    owner.get(first, status=410)
    use(place, owner)
    assert place.client().status is ClientStatus.DELETING


def test_an_owner_takes_it_back_for_seven_days(place, owner):
    other = place.browser_of(owner_of(place, "Otto Other", "otto@acme.example"))
    ask(place, owner)
    use(place, owner)
    page = other.get(f"{place.url}/closed")
    assert "Olga Owner, an owner, has deleted it." in page
    answer = other.submit(page, "Keep this organization")
    assert "The organization is kept." in other.follow(answer)
    client = place.client()
    assert (client.status, client.delete_at) == (ClientStatus.ACTIVE, None)
    assert place.database.count(OrganizationDeletion) == 0
    owner.get(place.members)
    assert topics(place).count("mail.organization_kept") == 2, "the asker and the provider's admin"
    assert "Otto Other has kept Acme Ltd" in letter(place, "mail.organization_kept")[2]


def test_what_the_provider_decided_is_the_providers_to_take_back(place, owner):
    ask(place, owner)
    place.database.run(
        update(Organization).values(
            status=ClientStatus.DELETING,
            status_before_deletion=ClientStatus.ACTIVE,
            delete_at=utc_now(),
        )
    )
    page = owner.get(f"{place.url}/closed")
    assert page.select("main form") == []
    owner.post(f"{place.url}/closed/keep", status=303)
    assert place.client().status is ClientStatus.DELETING
    assert owner.post(link(place), status=303).location.endswith("/closed")
    assert request_of(place).used_at is None


def test_the_provider_keeps_it_too_and_then_it_must_be_asked_anew(place, owner):
    ask(place, owner)
    old = link(place)
    use(place, owner)
    admin = place.admins_browser()
    keep = f"/providers/{place.provider.id}/clients/{place.organization.id}/keep"
    admin.submit(admin.get(keep), "Keep this client Acme Ltd")
    assert place.client().status is ClientStatus.ACTIVE
    owner.get(old, status=410)


def test_without_a_provider_the_owners_are_among_themselves(place, owner):
    without_provider(place)
    ask(place, owner)
    use(place, owner)
    kind = "organization:organization:ask_deletion"
    assert streams(place, kind) == [place.organization.id]
    assert "mail.client_deletion_team" not in topics(place)
    page = owner.get(f"{place.url}/closed")
    owner.submit(page, "Keep this organization")
    assert place.client().status is ClientStatus.ACTIVE


def test_every_step_asks_who_is_there(place, owner, person):
    ask(place, owner)
    age(place.database, person, minutes=11)
    for path in (url(place, DELETE), link(place)):
        assert "/reauthenticate" in owner.get(path, status=303).location
        assert "/reauthenticate" in owner.post(path, {"name": "Acme Ltd"}, status=303).location
    assert place.client().status is ClientStatus.ACTIVE


def test_a_code_by_mail_alone_does_not_reach_it(place, person):
    weak = place.browser_of(person, method="code")
    assert "/step-up" in weak.get(url(place, DELETE), status=303).location
    assert "/step-up" in weak.post(url(place, DELETE), status=303).location


@pytest.mark.parametrize(
    ("role", "state"),
    [
        (Role.ADMIN, MemberState.CONFIRMED),
        (Role.USER, MemberState.CONFIRMED),
        (Role.CUSTOM, MemberState.CONFIRMED),
    ],
)
def test_nobody_but_owners(place, owner, role, state):
    ask(place, owner)
    somebody = place.person("somebody@acme.example", "Some Body", keys=True)
    join(place, somebody, role, state)
    tech, _row = hire(place)
    seen = {"request": str(request_of(place).id), "name": "Acme Ltd"}
    for browser in (place.browser_of(somebody), place.admins_browser(), place.browser_of(tech)):
        browser.get(url(place, DELETE), status=403)
        browser.get(link(place), status=403)
        for path in (url(place, DELETE), url(place, f"{DELETE}/cancel"), link(place)):
            browser.post(path, seen, status=403)
        browser.post(f"{place.url}/closed/keep", status=403)
    assert place.database.count(OrganizationDeletion) == 1
    assert place.client().status is ClientStatus.ACTIVE


def test_a_former_owner_has_no_link_any_more(place, owner, person):
    ask(place, owner)
    place.database.run(
        update(Member).where(Member.account_id == person.account_id).values(role=Role.USER)
    )
    owner.get(link(place), status=403)
    with pytest.raises(Outdated):
        letter(place, "mail.organization_deletion_link")


def test_the_mails_and_pages_read_in_french(place, owner):
    francoise = make_person(
        place.database, "fr@acme.example", "Françoise Petit", keys=True, locale="fr"
    )
    join(place, francoise, Role.OWNER, MemberState.CONFIRMED)
    browser = place.browser_of(francoise)
    page = browser.get(url(place, DELETE))
    assert page.heading.startswith("Supprimer Acme Ltd")
    ask(place, owner)
    browser.get(url(place, DELETE))
    browser.get(url(place))
    _to, subject, _text = letter(place, "mail.organization_deletion_link", "fr")
    assert subject.startswith("Confirmez")
    use(place, owner)
    assert "Conserver" in browser.get(f"{place.url}/closed")
    assert letter(place, "mail.organization_closed", "fr")[1]
