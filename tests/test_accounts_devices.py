"""Devices, and another master password."""

import pytest
from sqlalchemy import select, update

from portal.crypto.envelope import seal
from portal.crypto.kdf import derive_master_key, signin_hash, stretch
from portal.crypto.keys import open_user_key
from portal.domain.browsers import browser_and_system
from portal.models import AuthSession, Outbox
from tests.support.accounts import (
    JSON,
    PASSWORD,
    WRONG,
    attempt,
    events,
    keys_for,
    make_person,
    sign_in_as,
    stored_account,
)
from tests.support.browsing import Browser

NEW = "another horse battery staple"
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36"
)


@pytest.fixture
def person(database):
    return make_person(database, keys=True)


def open_browser(database, person):
    browser = Browser(database.app)
    sign_in_as(browser, database, person)
    return browser


def sessions(database):
    return database.all(select(AuthSession).order_by(AuthSession.created_at))


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        (CHROME, ("Chrome 156", "Linux")),
        (f"{CHROME} Edg/156.0.0.0", ("Edge 156", "Linux")),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0",
            ("Firefox 153", "Windows"),
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5) Version/18.5 Mobile/15E148 Safari/604.1",
            ("Safari 18", "iPhone"),
        ),
        ("Lynx/2.9.0dev.12 libwww-FM/2.14", ("Lynx 2", "")),
        ("w3m/0.5.3", ("w3m 0", "")),
        ("", ("", "")),
        ("<script>", ("", "")),
    ],
)
def test_a_browser_is_named_by_what_it_says(agent, names):
    assert browser_and_system(agent) == names


def test_each_browser_is_listed_this_one_first(database, person):
    other = open_browser(database, person)
    database.run(update(AuthSession).values(browser=CHROME, source="192.0.2.7"))
    browser = open_browser(database, person)
    rows = browser.get("/profile/devices").texts("tbody tr")
    assert rows[0].startswith("An unknown browser This one Master password test")
    assert rows[1].startswith("Chrome 156 on Linux Master password 192.0.2.7")
    assert "Sign out" not in rows[0]
    assert other.get("/profile").heading == "Profile"


def test_one_browser_is_signed_out_from_another(database, person):
    other = open_browser(database, person)
    target = sessions(database)[0].id
    browser = open_browser(database, person)
    fields = {"session": str(target)}
    done = browser.post("/profile/devices/sign-out", fields, status=303)
    assert "That browser is signed out" in browser.follow(done)
    assert other.get("/profile", status=303).location.startswith("/sign-in")
    assert len(events(database, "account:session:revoke")) == 1
    done = browser.post("/profile/devices/sign-out", fields, status=303)
    assert "signed out already" in browser.follow(done)


def test_all_others_are_signed_out_at_once(database, person):
    others = [open_browser(database, person) for _ in range(2)]
    browser = open_browser(database, person)
    done = browser.post("/profile/devices/sign-out-others", status=303)
    assert "2 browsers are signed out" in browser.follow(done)
    for other in others:
        other.get("/profile", status=303)
    [event] = events(database, "account:session:revoke_others")
    assert event["details"] == {"sessions": 2}


def test_nobody_signs_out_somebody_elses_browser(database, person):
    eve = make_person(database, "eve@other.example", "Eve")
    open_browser(database, person)
    target = sessions(database)[0].id
    browser = open_browser(database, eve)
    browser.post("/profile/devices/sign-out", {"session": str(target)}, status=303)
    assert target in [row.id for row in sessions(database)]
    browser.post("/profile/devices/sign-out", {"session": "mine"}, status=303)
    mine = next(row.id for row in sessions(database) if row.account_id == eve.account_id)
    browser.post("/profile/devices/sign-out", {"session": str(mine)}, status=409)


# Another master password.


def posted(person, old=None, new=NEW, **changes):
    """What the browser sends: the old hash, and the user key under the new password."""
    keys = keys_for(person.email)
    raw = open_user_key(keys.protected_user_key, person.email, PASSWORD, keys.iterations).raw
    master = derive_master_key(person.email, new)
    return {
        "signin_hash": old or keys.signin_hash,
        "new_signin_hash": signin_hash(master, new),
        "kdf_iterations": "600000",
        "protected_user_key": seal(raw, stretch(master)),
    } | changes


def test_the_new_password_opens_the_same_keys_and_other_browsers_are_out(database, person):
    other, browser = open_browser(database, person), open_browser(database, person)
    fields = posted(person)
    answer = browser.post("/profile/password", fields, headers=JSON)
    assert answer.response.get_json()["signed_in"]
    account = stored_account(database, person)
    assert account.protected_user_key == fields["protected_user_key"]
    assert account.public_key == person.keys.public_key
    other.get("/profile", status=303)
    assert "is changed" in browser.get(answer.response.get_json()["next"])
    fresh = Browser(database.app)
    attempt(fresh, person.email, person.keys.signin_hash)
    attempt(fresh, person.email, fields["new_signin_hash"], status=303)
    [event] = events(database, "account:password:change")
    assert event["details"] == {"sessions": 1}
    [mail] = database.all(select(Outbox).where(Outbox.topic == "mail.password_changed"))
    assert mail.account_id == person.account_id


def test_the_old_password_must_be_right(database, person):
    browser = open_browser(database, person)
    page = browser.post("/profile/password", posted(person, old=WRONG), status=422)
    assert "That is not your master password" in page
    assert stored_account(database, person).protected_user_key == person.keys.protected_user_key
    assert len(events(database, "account:session:refused")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"new_signin_hash": ""},
        {"protected_user_key": "clear"},
        {"protected_user_key": ""},
        {"kdf_iterations": "1000"},
        {"kdf_iterations": "many"},
    ],
)
def test_what_is_no_wrapped_key_changes_nothing(database, person, change):
    browser = open_browser(database, person)
    browser.post("/profile/password", posted(person, **change), status=422)
    assert stored_account(database, person).protected_user_key == person.keys.protected_user_key


def test_an_account_without_keys_makes_them_instead(database):
    person = make_person(database, "kim@northwind.example", "Kim Lee")
    page = open_browser(database, person).get("/profile/password", status=303)
    assert page.location == "/profile/keys"
