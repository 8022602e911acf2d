"""People without scripts sign in by code, set up a second factor and change their profile."""

import re

import pyotp
import pytest
from sqlalchemy import select

from portal.models import Account
from tests.support.accounts import make_person, newest_code
from tests.support.text_browsers import lynx


@pytest.fixture
def ada(live):
    return make_person(live.database)


def test_w3m_goes_all_the_way(live, ada, w3m):
    person = w3m(f"{live.url}/profile")
    page = person.see()
    assert "A code by e-mail works without" in " ".join(page.split())
    person.follow("Send me a code instead")
    person.fill("E-mail address", ada.email)
    person.press("Send code")
    assert "on its way" in person.see()
    person.fill("Code", newest_code(live.database, ada.email))
    person.press("Continue")
    assert "Profile" in person.see()
    person.follow("Set up a second factor")
    page = person.see()
    secret = re.search(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})", page)[1].replace(" ", "")
    person.fill("6 digits", pyotp.TOTP(secret).now())
    person.press("Turn on")
    page = person.see()
    assert len(re.findall(r"\b(?:[a-z2-9]{4}-){3}[a-z2-9]{4}\b", page)) == 10
    person.follow("I have kept them")
    person.fill("Your name", "Ada Lovelace")
    person.press("Save")
    assert "Your profile is saved." in person.see()
    account = live.database.one(select(Account))
    assert account.name == "Ada Lovelace"
    assert account.totp_secret


def test_lynx_shows_the_labels_and_no_leftovers(live):
    page = lynx(f"{live.url}/sign-in")
    for words in ("Sign in", "E-mail address", "Master password", "Send me a code instead"):
        assert words in page
    assert "{" not in page
