"""What mails say of seats, in both languages, and to whom they have nothing to say any more."""

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.mail.letters import compose
from portal.mail.messages import MESSAGES
from portal.mail.shapes import Office, Outdated
from portal.models import Member, Organization, Outbox, ProviderPerson, new_id
from tests.support.databases import SECRET_KEY
from tests.support.organizations import make_place
from tests.test_clients_subscription import settle
from tests.test_seat_growth import invite, member_actor, somebody
from tests.test_seat_requests import answer_url, asks


@pytest.fixture
def place(database):
    return settle(make_place(database), seats_used=9)


def letter_of(session, job, locale="en"):
    office = Office((SECRET_KEY,), lambda endpoint, **_: f"https://portal.example/{endpoint}")
    return MESSAGES[job.topic](session, office, dict(job.payload, locale=locale))


def mail_of(place, job, locale="en"):
    settings = place.database.app.extensions["settings"]
    with place.database.session() as session:
        mail = compose(letter_of(session, job, locale), settings, new_id())
    text, html = mail.message.iter_parts()
    return mail.message["Subject"], text.get_content(), html.get_content()


def is_outdated(place, job):
    with pytest.raises(Outdated), place.database.session() as session:
        letter_of(session, job)


def jobs(place, topic):
    found = select(Outbox).where(Outbox.topic == f"mail.{topic}").order_by(Outbox.id)
    return place.database.all(found)


def test_growth_is_told_with_its_price_and_who_sets_how_far(place):
    somebody(place, email="other@acme.example")
    invite(place, member_actor(place), "a", "b")
    owners, admins = jobs(place, "seats_grown")
    subject, text, html = mail_of(place, owners)
    assert subject == "Seats were added to Acme Ltd"
    for said in ("Seats: 11 instead of 10", "Price until", "Northwind IT sets how far"):
        assert said in text
        assert said in html
    _subject, text, _html = mail_of(place, admins)
    assert "https://portal.example/clients.subscription" in text
    assert "Northwind IT sets how far" not in text


def test_the_limit_is_told_to_whoever_can_move_it(place):
    place.database.run(update(Organization).values(seat_limit=11))
    invite(place, member_actor(place), "a", "b")
    [admins] = jobs(place, "seat_limit_reached")
    subject, text, _html = mail_of(place, admins)
    assert subject == "Acme Ltd has reached its seat limit"
    assert "Nobody else can be invited" in text


def test_a_request_and_its_answer_are_told(place):
    owner = place.browser_of(somebody(place))
    asks(place, owner, "5", "For the new office.")
    [asked] = jobs(place, "seats_asked")
    subject, text, html = mail_of(place, asked)
    assert subject == "Acme Ltd asks for seats"
    for said in ("Olga Two asks for 5 more seats.", "“For the new office.”"):
        assert said in text
        assert said in html
    admin = place.admins_browser()
    page = admin.get(answer_url(place))
    admin.submit(page, "Decline the request", {"answer": "Ask me in June."})
    [answered] = jobs(place, "seats_answered")
    subject, text, _html = mail_of(place, answered)
    assert subject == "No seats were added to Acme Ltd"
    assert "Northwind IT has declined your request for 5 more seats." in text
    assert "“Ask me in June.”" in text
    is_outdated(place, asked)


def test_an_approval_says_how_many(place):
    asks(place, place.browser_of(somebody(place)), "1")
    admin = place.admins_browser()
    admin.submit(admin.get(answer_url(place)), "Approve and add the seats")
    [answered] = jobs(place, "seats_answered")
    subject, text, _html = mail_of(place, answered)
    assert subject == "Acme Ltd has more seats"
    assert "Northwind IT has added the 1 seat that you asked for." in text


def test_each_is_told_in_french(place):
    somebody(place, email="other@acme.example")
    invite(place, member_actor(place), "a", "b")
    asks(place, place.browser_of(somebody(place, email="third@acme.example")), "5")
    subject, text, _html = mail_of(place, jobs(place, "seats_grown")[0], "fr")
    assert subject == "Des places ont été ajoutées à Acme Ltd"
    assert "11 au lieu de 10" in text
    subject, text, _html = mail_of(place, jobs(place, "seats_asked")[0], "fr")
    assert subject == "Acme Ltd demande des places"
    assert "5 places supplémentaires" in text


def test_whoever_is_neither_owner_nor_admin_any_more_is_told_nothing(place):
    other = somebody(place, email="other@acme.example")
    invite(place, member_actor(place), "a", "b")
    owners, admins = jobs(place, "seats_grown")
    mine = Member.account_id == other.account_id
    place.database.run(update(Member).where(mine).values(state=MemberState.REVOKED))
    place.database.run(update(ProviderPerson).values(role=Role.SERVICE_USER))
    for job in (owners, admins):
        is_outdated(place, job)
