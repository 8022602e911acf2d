"""What owners and technicians are mailed about access, and where the links lead."""

import pytest
from sqlalchemy import literal, select, update

from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role
from portal.domain.provider_access import AccessMode, GrantState
from portal.domain.states import MemberState
from portal.grants.service import close_due
from portal.mail.letters import compose
from portal.mail.messages import MESSAGES, Office, Outdated
from portal.models import Member, Organization, new_id
from portal.providers import rotation_asked
from tests.support.databases import SECRET_KEY
from tests.support.grants import make_house
from tests.support.organizations import join

ASKED = {"reason": "Ticket 4711: printer", "minutes": "60"}


@pytest.fixture
def house(database):
    made = make_house(database)
    made.set_mode(AccessMode.ASK)
    return made


@pytest.fixture
def owner(house):
    return house.owners_browser()


@pytest.fixture
def tech(house):
    return house.techs_browser()


def ask(house, browser, fields=ASKED, status=303):
    form = browser.get(f"{house.url}/ask")
    return browser.submit(form, "Ask the owners", fields, status=status)


def test_the_mails_link_leads_an_owner_to_the_request_and_others_nowhere(house, owner, tech):
    ask(house, tech)
    (row,) = house.rows()
    token = LinkSigner((SECRET_KEY,), "access-request").sign(Link(house.id, row.id, 1))
    answer = owner.get(f"/access-requests/{token}", status=303)
    assert answer.location == f"{house.url}/grants/{row.id}"
    page = owner.get(answer.location)
    assert page.form("Let them in")
    assert house.row(row.id).state is GrantState.REQUESTED, "looking changes nothing"
    stranger = house.place.person("eve@else.example", "Eve", keys=True)
    elsewhere = house.place.browser_of(stranger)
    elsewhere.get(elsewhere.get(f"/access-requests/{token}", status=303).location, status=404)
    owner.get("/access-requests/nonsense", status=404)


def mail_of(house, topic, locale="en"):
    """(address, subject, text) of the newest mail of a topic, as the worker would send it."""
    job = house.mails(topic)[-1]
    office = Office((SECRET_KEY,), lambda endpoint, **_: f"https://portal.example/{endpoint}")
    with house.database.session() as session:
        payload = dict(job.payload, locale=locale)
        letter = MESSAGES[f"mail.{topic}"](session, office, payload)
        mail = compose(letter, house.database.app.extensions["settings"], new_id())
    text, _html = mail.message.iter_parts()
    return mail.to, mail.message["Subject"], text.get_content()


def test_each_mail_says_what_happened_and_one_that_comes_too_late_is_not_sent(house, owner, tech):
    ask(house, tech)
    (row,) = house.rows()
    to, subject, text = mail_of(house, "access_asked")
    assert (to, subject) == (house.owner.email, "Tom Berg asks for access to Acme Ltd")
    assert "Reason: Ticket 4711: printer" in text
    assert "/grants.request_link" in text
    owner.post(f"{house.url}/grants/{row.id}/approve", {"minutes": "60"}, status=303)
    to, subject, text = mail_of(house, "access_answered")
    assert (to, subject) == (house.tech.email, "You can come into Acme Ltd now")
    assert "Olga Petrova has let you in." in text
    with pytest.raises(Outdated):
        mail_of(house, "access_asked")
    tech.post(f"{house.url}/grants/{row.id}/leave", status=303)
    to, subject, _text = mail_of(house, "access_ended")
    assert to == house.owner.email
    assert subject == "The access of Tom Berg has ended: see what was done"
    with pytest.raises(Outdated):
        mail_of(house, "access_answered")


def test_a_declined_request_is_told_with_a_name_and_a_lapsed_one_without(house, owner):
    grant = house.grant(GrantState.REQUESTED)
    owner.post(f"{house.url}/grants/{grant}/decline", status=303)
    assert "Olga Petrova has declined" in mail_of(house, "access_answered")[2]
    house.grant(GrantState.REQUESTED, ago=4 * 24 * 60)
    close_due(sessions(house))
    assert "Nobody has answered your request" in mail_of(house, "access_answered")[2]


def test_only_the_clients_own_owners_are_asked(house, tech):
    join(house.place, house.place.admin, Role.OWNER, MemberState.CONFIRMED)
    waiting = house.place.person("wim@acme.example", "Wim", keys=True)
    join(house.place, waiting, Role.OWNER, MemberState.ACCEPTED)
    ask(house, tech)
    assert [mail.account_id for mail in house.mails("access_asked")] == [house.owner.account_id]
    assert house.database.count(Member) == 3


def test_an_owner_whose_key_is_withheld_is_led_to_where_it_is_handed_over(house):
    house.database.run(
        update(Organization).where(Organization.id == house.id).values(provider_wrapped_key=None)
    )
    with house.database.session() as session:
        row = session.execute(select(Organization.id, literal(False).label("has_next"))).first()
        rotation_asked.tell(session, house.place.actor, row, house.place.provider_keys.public_key)
    assert [mail.account_id for mail in house.mails("key_withheld")] == [house.owner.account_id]
    to, subject, text = mail_of(house, "key_withheld")
    assert (to, subject) == (house.owner.email, "Northwind IT has no key of Acme Ltd any more")
    assert "/grants.choose" in text
    house.set_mode(AccessMode.NEVER)
    with pytest.raises(Outdated):
        mail_of(house, "key_withheld")


def sessions(house):
    """What the worker opens its transactions with; here the test's own database."""

    class Sessions:
        def __call__(self):
            return house.database.session()

        begin = __call__

    return Sessions()
