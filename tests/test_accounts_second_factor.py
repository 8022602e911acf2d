"""The second factor: set up, asked for, replayed, recovered, turned off."""

import datetime as dt
import re

import pyotp
import pytest
from sqlalchemy import select, update

from portal.accounts import affiliations, second_factor
from portal.domain.access import Role
from portal.domain.states import ProviderPersonState
from portal.models import Account, AuthSession, Event, Provider, RecoveryCode
from tests.support.accounts import (
    age,
    make_person,
    newest_code,
    sign_in_as,
    stored_account,
)
from tests.support.browsing import Browser

NOW = dt.datetime(2026, 11, 22, 12, 0, 10, tzinfo=dt.UTC)


@pytest.fixture
def ada(database):
    return make_person(database)


@pytest.fixture
def bo(database):
    return make_person(database, "bo@northwind.example", "Bo Lind", keys=True, second=True)


def token_in(browser):
    with browser.client.session_transaction() as session:
        return session.get("_user_id")


def first_step(browser, person, path="/profile"):
    fields = {"email": person.email, "signin_hash": person.keys.signin_hash, "next": path}
    return browser.follow(browser.post("/sign-in", fields, status=303))


def set_up(browser, path="/profile/second-factor"):
    page = browser.get(path)
    secret = page.text("p.code").replace(" ", "")
    return browser.submit(page, "Turn on", {"code": pyotp.TOTP(secret).now()}, status=200)


def kinds(database, account_id):
    found = select(Event.type).where(Event.stream_id == account_id).order_by(Event.seq)
    return database.all(found)


# Setting up


def test_the_page_shows_a_qr_code_and_the_same_key_as_text(browser, database, ada):
    sign_in_as(browser, database, ada)
    page = browser.get("/profile/second-factor")
    assert re.fullmatch(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", page.text("p.code"))
    svg = page.one("svg.qr")
    assert svg.find("title").get_text() == "QR code"
    assert "style" not in str(svg)
    assert "no-store" in page.response.headers["Cache-Control"]


def test_a_first_code_turns_it_on_and_shows_ten_recovery_codes_once(browser, database, ada):
    sign_in_as(browser, database, ada)
    page = set_up(browser)
    codes = page.texts(".codes li")
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", code) for code in codes)
    assert "no-store" in page.response.headers["Cache-Control"]
    assert database.count(RecoveryCode) == 10
    assert browser.get("/profile").texts(".tag") == ["On"]
    assert kinds(database, ada.account_id)[-2:] == [
        "account:second_factor:enable",
        "account:recovery_codes:create",
    ]


def test_setting_up_gives_the_session_a_new_token_and_the_second_factor(browser, database, ada):
    before = sign_in_as(browser, database, ada)
    set_up(browser)
    assert token_in(browser) != before
    assert database.one(select(AuthSession)).second_factor_at is not None


def test_a_wrong_first_code_keeps_the_same_key(browser, database, ada):
    sign_in_as(browser, database, ada)
    page = browser.get("/profile/second-factor")
    again = browser.submit(page, "Turn on", {"code": "000000"}, status=422)
    assert again.text("p.code") == page.text("p.code")
    assert stored_account(database, ada).totp_secret is None


def test_a_key_that_was_sealed_for_somebody_else_is_not_taken(browser, app, database, ada):
    cy = make_person(database, "cy@northwind.example")
    other = Browser(app)
    sign_in_as(other, database, cy)
    page = other.get("/profile/second-factor")
    secret = page.text("p.code").replace(" ", "")
    sign_in_as(browser, database, ada)
    fields = {
        "sealed_secret": page.one("[name=sealed_secret]")["value"],
        "code": pyotp.TOTP(secret).now(),
    }
    browser.post("/profile/second-factor", fields, status=422)
    assert stored_account(database, ada).totp_secret is None


def test_setting_up_asks_first_who_is_there_after_ten_minutes(browser, database, ada):
    sign_in_as(browser, database, ada)
    age(database, ada, minutes=11)
    for path in ("/profile/second-factor", "/profile/keys"):
        page = browser.get(path, status=303)
        assert page.location == f"/reauthenticate?next={path}"


def test_nothing_of_it_lies_in_the_database_in_clear(browser, database, ada):
    sign_in_as(browser, database, ada)
    page = browser.get("/profile/second-factor")
    secret = page.text("p.code").replace(" ", "")
    page = browser.submit(page, "Turn on", {"code": pyotp.TOTP(secret).now()}, status=200)
    rows = database.all(select(RecoveryCode)) + database.all(select(Account))
    dump = " ".join(repr(vars(row)) for row in rows)
    assert secret not in dump
    assert not [code for code in page.texts(".codes li") if code in dump]
    assert not [code for code in page.texts(".codes li") if code.replace("-", "") in dump]


# At sign-in


def test_until_the_second_step_the_session_opens_nothing(browser, database, bo):
    page = first_step(browser, bo)
    assert page.heading == "Second factor"
    for path in ("/profile", "/", "/unlock", "/session/vault"):
        assert browser.get(path, status=303).location.startswith("/sign-in/second-factor")
    assert database.one(select(AuthSession)).pending


def test_a_pending_session_ends_after_ten_minutes(browser, database, bo):
    first_step(browser, bo)
    session = database.one(select(AuthSession))
    assert session.expires_at - session.created_at < dt.timedelta(minutes=10, seconds=5)


def test_the_right_code_opens_the_session_under_a_new_token(browser, database, bo):
    page = first_step(browser, bo)
    before = token_in(browser)
    page = browser.submit(page, "Continue", {"code": bo.totp})
    assert page.location == "/profile"
    assert token_in(browser) != before
    browser.get("/profile")
    session = database.one(select(AuthSession))
    assert not session.pending
    assert session.expires_at - session.created_at > dt.timedelta(days=29)
    assert kinds(database, bo.account_id)[-1] == "account:session:begin"


def test_a_session_begins_in_the_log_once_and_only_when_both_steps_are_right(browser, database, bo):
    page = first_step(browser, bo)
    assert "account:session:begin" not in kinds(database, bo.account_id)
    browser.submit(page, "Continue", {"code": bo.totp})
    assert kinds(database, bo.account_id).count("account:session:begin") == 1


def test_a_wrong_code_is_refused_and_logged(browser, database, bo):
    page = first_step(browser, bo)
    page = browser.submit(page, "Continue", {"code": "000000"}, status=422)
    assert page.text("#code-error").startswith("That code is not right.")
    assert kinds(database, bo.account_id)[-1] == "account:session:refused"


def test_a_code_works_once(browser, app, database, bo):
    code = bo.totp
    browser.submit(first_step(browser, bo), "Continue", {"code": code})
    other = Browser(app)
    other.submit(first_step(other, bo), "Continue", {"code": code}, status=422)


def test_an_older_code_than_the_last_is_refused_and_the_next_is_not(app, database, bo):
    with app.app_context():
        sealer = second_factor.Sealer((app.config["SECRET_KEY"],), "totp")
    totp = pyotp.TOTP(bo.totp_secret)
    now = dt.datetime.now(dt.UTC)
    with database.session() as session:
        assert second_factor.use_totp(session, sealer, bo.account_id, totp.at(now))
    for offset, works in ((-30, False), (0, False), (30, True), (30, False)):
        with database.session() as session:
            code = totp.at(now + dt.timedelta(seconds=offset))
            assert second_factor.use_totp(session, sealer, bo.account_id, code) is works


@pytest.mark.parametrize(("seconds", "fits"), [(-31, True), (0, True), (29, True), (80, False)])
def test_clocks_may_differ_by_one_step(seconds, fits):
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    code = pyotp.TOTP(secret).at(NOW)
    then = NOW + dt.timedelta(seconds=seconds)
    assert (second_factor.matching_step(secret, code, then) is not None) is fits


def test_codes_are_those_of_the_standard():
    """RFC 6238, appendix B, the SHA-1 column cut to six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
        moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
        assert second_factor.matching_step(secret, code, moment) == seconds // 30


def test_a_recovery_code_works_once_in_any_spelling(browser, app, database, bo):
    code = bo.recovery_codes[3]
    spelt = f" {code.upper().replace('-', ' ')} "
    browser.submit(first_step(browser, bo), "Continue", {"code": spelt})
    other = Browser(app)
    other.submit(first_step(other, bo), "Continue", {"code": code}, status=422)
    event = database.one(select(Event).where(Event.type == "account:second_factor:recovery_used"))
    assert '"codes_left":9' in event.payload


def test_a_recovery_code_of_somebody_else_is_worth_nothing(browser, database, bo):
    make_person(database, "cy@northwind.example", second=True)
    cy = make_person(database, "di@northwind.example", second=True)
    page = first_step(browser, bo)
    browser.submit(page, "Continue", {"code": cy.recovery_codes[0]}, status=422)


def test_guesses_at_the_second_step_end_after_ten_a_minute(browser, bo):
    first_step(browser, bo)
    statuses = [
        browser.client.post(
            "/sign-in/second-factor", data={"code": "000000", "csrf_token": browser.csrf_token()}
        ).status_code
        for _ in range(14)
    ]
    assert statuses == [422] * 10 + [429] * 4


def test_a_code_by_mail_owes_the_second_step_too(browser, database, bo):
    page = browser.submit(browser.get("/sign-in/code"), "Send code", {"email": bo.email})
    page = browser.follow(page)
    page = browser.submit(page, "Continue", {"code": newest_code(database, bo.email)})
    assert page.location.startswith("/sign-in/second-factor")
    browser.get("/profile", status=303)


def test_starting_again_ends_the_pending_session(browser, database, bo):
    page = first_step(browser, bo)
    browser.submit(page, "Start again")
    assert database.count(AuthSession) == 0


# Stepping up


def test_stepping_up_asks_for_the_code_and_goes_on(browser, database, bo):
    before = sign_in_as(browser, database, bo, method="code")
    page = browser.get("/step-up?next=/profile")
    page = browser.submit(page, "Continue", {"code": bo.totp})
    assert page.location == "/profile"
    assert token_in(browser) != before
    assert database.one(select(AuthSession)).second_factor_at is not None
    assert browser.get("/step-up?next=/profile", status=303).location == "/profile"


def test_who_has_none_is_led_to_set_one_up_and_then_on(browser, database, ada):
    sign_in_as(browser, database, ada, method="code")
    page = browser.get("/step-up?next=/profile?from=strong")
    assert "You have no second factor yet." in page
    page = set_up(browser, page.link("Set up a second factor"))
    assert page.link("I have kept them") == "/profile?from=strong"


# Proving it again


def test_the_app_proves_it_again(browser, database, bo):
    sign_in_as(browser, database, bo)
    age(database, bo, minutes=11)
    page = browser.follow(browser.get("/profile/second-factor/off", status=303))
    fields = {"app-code": bo.totp, "next": "/profile/second-factor/off"}
    page = browser.post("/reauthenticate/app", fields, status=303)
    assert browser.follow(page).heading == "Turn off the second factor"


def test_the_master_password_proves_it_again(browser, database, bo):
    before = sign_in_as(browser, database, bo)
    age(database, bo, minutes=11)
    browser.post("/reauthenticate", {"signin_hash": "A" * 43 + "="}, status=422)
    browser.get("/profile/second-factor", status=303)
    fields = {"signin_hash": bo.keys.signin_hash, "next": "/profile/second-factor"}
    page = browser.post("/reauthenticate", fields, status=303)
    assert browser.follow(page).heading == "Second factor"
    assert token_in(browser) != before


def test_a_code_by_mail_proves_it_again_without_scripts(browser, database, ada):
    sign_in_as(browser, database, ada, method="code")
    age(database, ada, minutes=11)
    page = browser.follow(browser.get("/profile/second-factor", status=303))
    page = browser.follow(browser.submit(page, "Send code"))
    page = browser.submit(page, "Continue", {"mail-code": newest_code(database, ada.email)})
    assert browser.follow(page).heading == "Set up your second factor"


def test_somebody_elses_code_does_not_prove_it(browser, app, database, ada):
    make_person(database, "cy@northwind.example")
    sign_in_as(browser, database, ada)
    age(database, ada, minutes=11)
    browser.post("/reauthenticate/code", status=303)
    database.run(update(AuthSession).values(authenticated_at=NOW))
    thief = Browser(app)
    thief.post("/sign-in/code", {"email": "cy@northwind.example"}, status=303)
    with thief.client.session_transaction() as session:
        challenge = session["challenge"]
    with browser.client.session_transaction() as session:
        session["challenge"] = challenge
    code = newest_code(database, "cy@northwind.example")
    browser.post("/reauthenticate/code/enter", {"mail-code": code}, status=422)


# Renewing and turning off


def test_new_recovery_codes_replace_the_old_ones(browser, app, database, bo):
    sign_in_as(browser, database, bo)
    page = browser.get("/profile/second-factor/recovery-codes")
    page = browser.submit(page, "Make new codes", status=200)
    assert len(page.texts(".codes li")) == 10
    assert database.count(RecoveryCode) == 10
    other = Browser(app)
    other.submit(first_step(other, bo), "Continue", {"code": bo.recovery_codes[0]}, status=422)


def test_turning_it_off_forgets_the_key_and_the_codes(browser, database, bo):
    sign_in_as(browser, database, bo)
    page = browser.submit(browser.get("/profile/second-factor/off"), "Turn off")
    assert "Your second factor is off." in browser.follow(page)
    assert stored_account(database, bo).totp_secret is None
    assert database.count(RecoveryCode) == 0
    assert kinds(database, bo.account_id)[-1] == "account:second_factor:disable"


def test_a_provider_that_requires_it_keeps_it_on(browser, database, bo):
    provider = database.add(Provider(name="Northwind IT", second_factor_required=True))
    with database.session() as session:
        affiliations.put(
            session,
            account_id=bo.account_id,
            kind="provider",
            tenant_id=provider.id,
            name=provider.name,
            role=Role.SERVICE_USER,
            state=ProviderPersonState.CONFIRMED,
        )
    sign_in_as(browser, database, bo)
    assert "Northwind IT requires a second factor" in browser.get("/profile/second-factor")
    page = browser.post("/profile/second-factor/off", status=409)
    assert page.heading == "The second factor stays on"
    assert stored_account(database, bo).totp_secret is not None
