"""What the owners of a client read when their provider changes it."""

import pytest
from sqlalchemy import select

from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.mail.letters import compose
from portal.mail.messages import MESSAGES, Office, Outdated
from portal.models import Outbox, new_id
from tests.support.databases import SECRET_KEY
from tests.support.organizations import join, make_place
from tests.test_clients_lifecycle import ask_deletion, press, url_of
from tests.test_clients_subscription import change, settle


@pytest.fixture
def place(database):
    place = settle(make_place(database))
    owner = place.person("sue@acme.example", "Sue Owner", keys=True)
    join(place, owner, Role.OWNER, MemberState.CONFIRMED)
    return place


@pytest.fixture
def admin(place):
    return place.admins_browser()


def mail_of(place, topic, locale="en"):
    """(subject, text, HTML) of the newest mail of a topic, as the worker would send it."""
    job = place.database.all(select(Outbox).where(Outbox.topic == topic))[-1]
    office = Office((SECRET_KEY,), lambda endpoint, **_: f"https://portal.example/{endpoint}")
    app = place.database.app
    with place.database.session() as session:
        letter = MESSAGES[topic](session, office, dict(job.payload, locale=locale))
        mail = compose(letter, app.extensions["settings"], new_id())
    assert mail.to == "sue@acme.example"
    text, html = mail.message.iter_parts()
    return mail.message["Subject"], text.get_content(), html.get_content()


def test_a_changed_subscription_is_told_line_by_line(place, admin):
    change(admin, place, seats="12", plan="enterprise", extra_storage_gb="3", seat_limit="40")
    subject, text, html = mail_of(place, "mail.subscription_changed")
    assert subject == "The subscription of Acme Ltd has changed"
    for line in (
        "Seats: 12 instead of 10",
        "Plan: Enterprise instead of Teams",
        "Additional storage: 3 GB instead of 0 GB",
        "Seat limit: 40",
    ):
        assert f"- {line}" in text
        assert f"<li>{line}</li>" in html


def test_an_unlinked_client_is_told_what_it_takes_over(place, admin):
    press(admin, place, "unlink", "Unlink Acme Ltd")
    subject, text, html = mail_of(place, "mail.client_unlinked")
    assert subject == "Acme Ltd is yours alone now"
    for said in ("Plan: Teams, seats: 10", "Invoices go to sue@acme.example", "Northwind IT"):
        assert said in text
        assert said in html


def test_a_deletion_is_told_with_its_day_until_it_is_taken_back(place, admin):
    ask_deletion(admin, place)
    subject, text, html = mail_of(place, "mail.client_deletion")
    assert subject == "Acme Ltd is to be deleted"
    assert "Northwind IT has asked to delete Acme Ltd" in text
    assert "deleted for good on" in html
    admin.submit(admin.get(url_of(place, "keep")), "Keep this client Acme Ltd")
    with pytest.raises(Outdated):
        mail_of(place, "mail.client_deletion")
