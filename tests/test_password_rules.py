"""What organizations ask of master passwords: sent to browsers, declared by them, kept."""

import json
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from portal.accounts import password_rules
from portal.domain.access import Role
from portal.domain.password_rules import Check, Demand, checks, token
from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind
from portal.domain.policy_data import MasterPassword
from portal.domain.states import MemberState
from portal.models import AuthSession, DeclaredPassword, Organization, Policy
from tests.support.accounts import keys_for, make_person, posted_keys
from tests.support.browsing import Browser
from tests.support.organizations import join
from tests.support.policies import elsewhere, enterprise, somebody, turn

P = PolicyKind.MASTER_PASSWORD
JSON = {"Accept": "application/json"}
ASKS = MasterPassword(complexity=0, length=16, digits=True)
AT_SIGN_IN = replace(ASKS, at_sign_in=True)


@pytest.fixture
def place(database):
    return enterprise(database)


# The rule.

demands = st.builds(
    Demand,
    st.uuids(),
    st.sampled_from(["Acme", "Beta", "Gamma"]),
    st.integers(1, 9),
    st.builds(
        MasterPassword,
        complexity=st.integers(0, 4),
        length=st.integers(12, 128),
        lower=st.booleans(),
        upper=st.booleans(),
        digits=st.booleans(),
        special=st.booleans(),
    ),
)


@given(st.lists(demands, max_size=4))
def test_the_strictest_of_each_is_asked_in_the_name_of_who_asks_it(found):
    told = {each.what: each for each in checks(found)}
    for what in ("length", "complexity", "lower", "upper", "digits", "special"):
        most = max((getattr(each.rules, what) for each in found), default=0)
        if most > (12 if what == "length" else 0):
            assert told[what].least == most
            names = {each.organization for each in found if getattr(each.rules, what) == most}
            assert any(name in str(told[what].sentence) for name in names)
        else:
            assert what not in told
    assert token(found) == token(list(reversed(found)))


def test_another_version_has_another_token():
    one = Demand(UUID(int=1), "Acme", 1, ASKS)
    assert token([one]) != token([replace(one, version=2)])
    assert token([]) == ""
    assert checks([one])[0] == Check("length", 16, checks([one])[0].sentence)


# Joining.


def invited(place):
    return Browser(place.database.app), place.link()


def test_whoever_joins_reads_what_is_asked_and_the_server_hears_that_it_was_checked(place):
    turn(place, P, ASKS, version=3)
    browser, link = invited(place)
    page = browser.get(link)
    name = place.organization.name
    assert f"{name} asks for at least 16 characters." in page
    assert f"{name} asks for a digit." in page
    form = page.one("form[data-make-account]")
    assert [check[:2] for check in json.loads(form["data-password-checks"])] == [
        ["length", 16],
        ["digits", 1],
    ]
    sent = posted_keys(keys_for("olga@acme.example")) | {"name": "Olga"}
    answer = browser.post(f"{link}/join", sent, headers=JSON, status=422)
    assert "has changed" in answer.response.json["errors"][""]
    declared = {"password_rules": form["data-password-token"]}
    browser.post(f"{link}/join", sent | declared, headers=JSON)
    kept = place.database.one(select(DeclaredPassword))
    assert (kept.organization_id, kept.version) == (place.organization.id, 3)


def test_without_keys_there_is_no_password_to_ask_anything_of(place):
    turn(place, P, ASKS)
    browser, link = invited(place)
    browser.post(f"{link}/join", {"name": "Olga"}, status=303)
    assert place.database.all(select(DeclaredPassword)) == []


def test_a_plan_without_policies_asks_nothing(place):
    turn(place, P, ASKS)
    place.database.run(update(Organization).values(plan=Plan.TEAMS, plan_rank=1))
    browser, link = invited(place)
    assert "asks for" not in browser.get(link)


# Changing it.


def test_the_page_names_what_each_organization_asks(place):
    uma, _member = somebody(place)
    turn(place, P, ASKS)
    away, _there = elsewhere(place, uma)
    turn(away, P, MasterPassword(complexity=4, length=14))
    page = place.browser_of(uma).get("/profile/password")
    assert f"{place.organization.name} asks for at least 16 characters." in page
    assert "Other Ltd asks for a strong master password." in page
    assert "14" not in page.text("form[data-change-password]")
    assert "the portal never sees your master password" in page


def test_nobody_is_asked_what_no_organization_asks(place):
    uma, _member = somebody(place)
    page = place.browser_of(uma).get("/profile/password")
    assert not page.one("form[data-change-password]").has_attr("data-password-checks")
    assert "never sees your master password" not in page.text("form[data-change-password]")


# Signing in.


def sign_in(browser, person, **more):
    fields = {"email": person.email, "signin_hash": person.keys.signin_hash, **more}
    return browser.post("/sign-in", fields, headers=JSON).response.json


def test_at_sign_in_the_browser_gets_the_rules_and_the_session_waits_for_its_word(place):
    uma, _member = somebody(place)
    turn(place, P, AT_SIGN_IN)
    browser = Browser(place.database.app)
    answer = sign_in(browser, uma)
    told = answer["password_rules"]
    assert [check[:2] for check in told["checks"]] == [["length", 16], ["digits", 1]]
    # Nothing opens but the page that checks it, and then the one that changes it.
    paths = ("/", "/profile", f"{place.url}/collections", "/session/policies")
    for path in paths:
        assert browser.get(path, status=303).location == f"/unlock?next={path}"
    assert "your browser checks it first" in browser.get("/unlock")
    assert browser.post("/session/vault", headers=JSON).response.json["password_rules"] == told
    for path in (*paths, "/unlock"):
        assert browser.get(path, status=303).location == "/profile/password"
    assert "First another master password" in browser.get("/profile/password")
    wrong = browser.post(
        "/session/password-rules", {"password_rules": "x"}, headers=JSON, status=422
    )
    assert wrong.response.json["errors"]
    browser.get("/profile", status=303)
    right = {"password_rules": told["token"]}
    browser.post("/session/password-rules", right, headers=JSON, status=204)
    browser.get("/profile")
    # What was declared once is not asked again, until the policy changes.
    again = Browser(place.database.app)
    assert "password_rules" not in sign_in(again, uma)
    again.get("/profile")
    place.database.run(update(Policy).values(version=5))
    assert "password_rules" in sign_in(Browser(place.database.app), uma)


def test_with_a_second_factor_the_rules_come_after_it(place):
    uma = make_person(place.database, "uma@client.example", "Uma", keys=True, second=True)
    join(place, uma, Role.USER, MemberState.CONFIRMED)
    turn(place, P, AT_SIGN_IN)
    browser = Browser(place.database.app)
    assert "password_rules" not in sign_in(browser, uma)
    code = {"code": uma.totp}
    answer = browser.post("/sign-in/second-factor", code, headers=JSON).response.json
    assert answer["password_rules"]["checks"]
    assert browser.get("/profile", status=303).location == "/unlock?next=/profile"


def test_whoever_came_in_by_a_code_is_asked_when_the_vault_is_unlocked(place):
    uma, _member = somebody(place)
    turn(place, P, AT_SIGN_IN)
    browser = place.browser_of(uma, method="code")
    browser.get("/profile")
    told = browser.post("/session/vault", headers=JSON).response.json["password_rules"]
    assert browser.get("/profile", status=303).location == "/profile/password"
    right = {"password_rules": told["token"]}
    browser.post("/session/password-rules", right, headers=JSON, status=204)
    browser.get("/profile")
    again = browser.post("/session/vault", headers=JSON).response.json
    assert again["password_rules"] is None


def test_a_policy_that_does_not_ask_at_sign_in_lets_everybody_in(place):
    uma, _member = somebody(place)
    turn(place, P, ASKS)
    browser = Browser(place.database.app)
    assert "password_rules" not in sign_in(browser, uma)
    browser.get("/profile")


def test_owners_are_asked_too_and_the_providers_people_are_not(place):
    owner, _member = somebody(place, "otto@client.example", Role.OWNER)
    turn(place, P, AT_SIGN_IN)
    assert "password_rules" in sign_in(Browser(place.database.app), owner)
    assert "password_rules" not in sign_in(Browser(place.database.app), place.admin)


def test_another_password_ends_the_wait_and_is_kept_as_declared(place):
    uma, _member = somebody(place)
    turn(place, P, AT_SIGN_IN)
    browser = Browser(place.database.app)
    sign_in(browser, uma)
    new = keys_for(uma.email, "another horse battery staple 9")
    page = browser.get("/profile/password")
    sent = {
        "signin_hash": uma.keys.signin_hash,
        "new_signin_hash": new.signin_hash,
        "kdf_iterations": "600000",
        "protected_user_key": new.protected_user_key,
    }
    refused = browser.post("/profile/password", sent, headers=JSON, status=422)
    assert "Load the page again" in refused.response.json["errors"][""]
    asked = page.one("form[data-change-password]")["data-password-token"]
    browser.post("/profile/password", sent | {"password_rules": asked}, headers=JSON)
    browser.get("/profile")
    assert place.database.one(select(AuthSession.password_due_since)) is None
    assert place.database.count(DeclaredPassword) == 1


def test_what_is_not_asked_any_more_is_not_due(place):
    uma, _member = somebody(place)
    with place.database.session() as session:
        assert password_rules.due(session, uma.account_id) == []
