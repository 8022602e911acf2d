"""Account recovery waits for the mail that tells the member, and the member can always stop it."""

import datetime as dt

import pytest
from sqlalchemy import func, select, update

from portal.domain.access import Role
from portal.domain.account_recovery import RecoveryState
from portal.domain.states import MemberState
from portal.mail.delivery import NotDelivered
from portal.models import Event, Member, Outbox, RecoveryRequest, utc_now
from tests.support.browsing import Browser
from tests.support.mailing import send_all
from tests.support.policies import elsewhere
from tests.support.recovery import (
    account,
    ask,
    carry_out,
    enrol,
    offering,
    one,
    recovery,
    set_back,
    someone,
    step,
    temporary_fields,
)

ASKED = Outbox.topic == "mail.recovery_asked"
MINE = "/profile/account-recovery"


@pytest.fixture
def place(database):
    return offering(database)


@pytest.fixture
def olga(place):
    return someone(place, "Olga", Role.OWNER)[0]


@pytest.fixture
def adam(place):
    return someone(place, "Adam", Role.ADMIN)[0]


@pytest.fixture
def uma(place):
    person, member = someone(place, "Uma")
    enrol(place, person, member)
    return person, member


def approved(place, olga, adam, uma):
    ask(place, olga, uma[1])
    step(place, adam, "approve")


def age(place, **ago):
    """Let time go by, whether the mail has left or not."""
    row, past = recovery(place), dt.timedelta(**ago)
    told = row.told_at - past if row.told_at else None
    place.database.run(update(RecoveryRequest).values(asked_at=row.asked_at - past, told_at=told))


def fail_mail(place):
    place.database.run(
        update(Outbox)
        .where(ASKED, Outbox.state == "queued")
        .values(state="failed", finished_at=utc_now(), last_answer="550 no such mailbox")
    )


def count(place, kind):
    return place.database.one(select(func.count()).where(Event.type == f"organization:{kind}"))


def test_the_day_counts_from_when_the_mail_has_left(app, place, olga, adam, uma):
    approved(place, olga, adam, uma)
    age(place, hours=30)
    fields = temporary_fields(uma[0])
    answer = carry_out(place, olga, fields, status=409).response.get_json()
    assert "the 24 hours have not begun" in answer["errors"][""]
    send_all(app)
    assert recovery(place).told_at is not None
    assert count(place, "recovery:tell") == 1
    answer = carry_out(place, olga, fields, status=409).response.get_json()
    assert "not over yet" in answer["errors"][""]
    age(place, hours=24)
    carry_out(place, olga, fields)
    assert recovery(place).state is RecoveryState.DONE


def test_a_mail_that_never_leaves_lets_nothing_happen_and_the_page_says_what_to_do(
    app, place, olga, adam, uma
):
    approved(place, olga, adam, uma)
    browser = place.browser_of(olga)
    page = browser.get(one(place))
    assert "not told yet" in page
    assert "Send the mail again" not in page
    fail_mail(place)
    age(place, days=3)
    fields = temporary_fields(uma[0])
    carry_out(place, olga, fields, status=409)
    browser.get(f"{one(place)}/carry-out", status=409)
    assert account(place, uma[0]).temporary_password_since is None
    page = browser.get(one(place))
    assert "550 no such mailbox" in page
    browser.submit(page, "Send the mail again Uma", {}, status=303)
    # Once more is once: the second press finds it on its way.
    assert "on its way already" in browser.post(f"{one(place)}/tell", {}, status=409)
    assert count(place, "recovery:tell_again") == 1
    assert len(place.database.all(select(Outbox.id).where(ASKED))) == 2
    send_all(app)
    assert "has gone out" in browser.post(f"{one(place)}/tell", {}, status=409)
    assert "Member told" in browser.get(one(place))


def test_a_refused_mail_and_one_that_is_tried_again_start_no_clock(
    app, place, olga, uma, monkeypatch
):
    ask(place, olga, uma[1])

    def refuse(*_args):
        raise NotDelivered("450 try later")

    monkeypatch.setattr("portal.outbox.mailing.deliver", refuse)
    send_all(app)
    assert recovery(place).told_at is None
    page = place.browser_of(olga).get(one(place))
    assert "450 try later" in page
    assert "Send the mail again" not in page


def test_a_second_mail_does_not_move_the_clock_and_a_closed_one_has_none(app, place, olga, uma):
    ask(place, olga, uma[1])
    send_all(app)
    before = recovery(place).told_at
    place.database.run(update(Outbox).where(ASKED).values(state="queued"))
    send_all(app)
    assert recovery(place).told_at == before
    assert count(place, "recovery:tell") == 1
    place.database.run(update(RecoveryRequest).values(state="declined", told_at=None))
    place.database.run(update(Outbox).where(ASKED).values(state="queued"))
    send_all(app)
    assert recovery(place).told_at is None


def test_who_may_not_recover_does_not_send_the_mail_again_either(place, olga, adam, uma):
    ask(place, olga, uma[1])
    fail_mail(place)
    url = f"{one(place)}/tell"
    place.browser_of(uma[0]).post(url, {}, status=403)
    place.admins_browser().post(url, {}, status=409)
    away, _row = elsewhere(place, olga, name="Away Ltd")
    place.database.run(
        update(Member).where(Member.organization_id == away.organization.id).values(role=Role.OWNER)
    )
    place.browser_of(olga).post(f"{away.url}/recoveries/{recovery(place).id}/tell", {}, status=404)
    step(place, olga, "withdraw")
    place.browser_of(olga).post(url, {}, status=409)
    assert len(place.database.all(select(Outbox.id).where(ASKED))) == 1


# The member, signed in.


@pytest.mark.parametrize("state", [MemberState.CONFIRMED, MemberState.REVOKED])
def test_the_member_stops_it_in_the_portal_revoked_or_not(place, olga, adam, uma, state):
    approved(place, olga, adam, uma)
    set_back(place, hours=24)
    place.database.run(update(Member).where(Member.id == uma[1]).values(state=state))
    browser = place.browser_of(uma[0])
    page = browser.get(MINE)
    assert "Olga" in page
    assert "Forgot it" in page
    browser.submit(page, "Stop it Acme Ltd", {}, status=303)
    assert recovery(place).state is RecoveryState.STOPPED
    assert count(place, "recovery:stop") == 1
    told = place.database.all(select(Outbox.id).where(Outbox.topic == "mail.recovery_stopped"))
    assert len(told) == 2
    carry_out(place, olga, temporary_fields(uma[0]), status=409)
    assert "Nobody asks" in browser.get(MINE)


def test_nobody_stops_the_recovery_of_somebody_else(place, olga, uma):
    ask(place, olga, uma[1])
    nora, _row = someone(place, "Nora")
    browser = place.browser_of(nora)
    assert "Nobody asks" in browser.get(MINE)
    for organization in (str(place.organization.id), "nonsense", str(uma[1])):
        browser.post(MINE, {"organization": organization}, status=409)
    Browser(place.database.app).post(MINE, {"organization": str(place.organization.id)}, status=303)
    assert recovery(place).state is RecoveryState.REQUESTED


def test_who_signs_in_sees_it_first_and_goes_on_from_there(place, olga, uma):
    signin = {"email": uma[0].email, "signin_hash": uma[0].keys.signin_hash, "next": "/profile"}
    before = Browser(place.database.app).post("/sign-in", signin, status=303)
    assert before.location == "/profile"
    ask(place, olga, uma[1])
    browser = Browser(place.database.app)
    led = browser.post("/sign-in", signin, status=303)
    assert led.location.startswith(MINE)
    assert "/profile" in [link["href"] for link in browser.get(led.location).select("main a")]
    age(place, days=7)
    assert Browser(place.database.app).post("/sign-in", signin, status=303).location == "/profile"


def test_the_member_reads_when_it_can_happen_once_they_are_told(app, place, olga, uma):
    ask(place, olga, uma[1])
    browser = place.browser_of(uma[0])
    assert "before the mail that tells you has gone out" in browser.get(MINE)
    send_all(app)
    assert "It can happen from" in browser.get(MINE)
