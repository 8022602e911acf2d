"""What policies do to a session: when the vault locks, what is read in it, what apps are told."""

import datetime as dt

import pytest
from sqlalchemy import select, update

from portal.accounts import sessions
from portal.domain.access import Role
from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind
from portal.domain.policy_data import (
    MasterPassword,
    SendControls,
    TimeoutAction,
    UriMatch,
    UriMatching,
    VaultBanner,
    VaultTimeout,
)
from portal.domain.states import ClientStatus, MemberState
from portal.models import Account, AuthSession, Member, Organization, Policy, utc_now
from portal.models.timeouts import read_timeout, vault_timeout
from portal.policies import holding
from tests.support.organizations import employ
from tests.support.policies import elsewhere, enterprise, somebody, turn

P = PolicyKind
JSON = {"Accept": "application/json"}
STRICT = VaultTimeout(5, TimeoutAction.SIGN_OUT)


@pytest.fixture
def place(database):
    return enterprise(database)


def unlock(browser):
    return browser.post("/session/vault", headers=JSON).response.json


def leave_alone(place, person, **ago):
    place.database.run(
        update(AuthSession)
        .where(AuthSession.account_id == person.account_id)
        .values(seen_at=utc_now() - dt.timedelta(**ago))
    )


# The vault time-out.


def test_the_shortest_time_holds_and_the_page_and_the_vault_say_it(place):
    uma, _member = somebody(place)
    turn(place, P.VAULT_TIMEOUT, VaultTimeout(5))
    browser = place.browser_of(uma)
    answer = unlock(browser)
    assert (answer["lock_minutes"], answer["signs_out"]) == (5, False)
    assert browser.get("/profile").soup.html["data-lock-minutes"] == "5"
    away, _place_there = elsewhere(place, uma)
    turn(away, P.VAULT_TIMEOUT, VaultTimeout(3, TimeoutAction.SIGN_OUT))
    assert browser.get("/profile").soup.html["data-lock-minutes"] == "3"
    answer = browser.get("/session/vault", headers=JSON).response.json
    assert (answer["lock_minutes"], answer["signs_out"]) == (3, True)


def test_a_longer_time_than_the_portals_own_changes_nothing(place):
    uma, _member = somebody(place)
    turn(place, P.VAULT_TIMEOUT, VaultTimeout(600))
    assert unlock(place.browser_of(uma))["lock_minutes"] == 15


def test_the_server_locks_a_vault_that_nobody_used_in_time(place):
    uma, _member = somebody(place)
    browser = place.browser_of(uma)
    unlock(browser)
    leave_alone(place, uma, minutes=4)
    browser.get("/session/vault", headers=JSON)
    turn(place, P.VAULT_TIMEOUT, VaultTimeout(3))
    leave_alone(place, uma, minutes=4.5)
    browser.get("/session/vault", headers=JSON, status=409)
    assert place.database.one(select(AuthSession.vault_secret)) is None


def test_with_a_short_time_the_server_hears_of_use_more_often(place):
    uma, _member = somebody(place)
    turn(place, P.VAULT_TIMEOUT, VaultTimeout(3))
    browser = place.browser_of(uma)
    unlock(browser)
    leave_alone(place, uma, minutes=2)
    browser.get("/profile")
    seen = place.database.one(select(AuthSession.seen_at))
    assert utc_now() - seen < dt.timedelta(seconds=30)
    assert sessions.seen_every(600) == sessions.SEEN_EVERY


def test_where_the_policy_says_so_the_session_ends(place):
    uma, _member = somebody(place)
    turn(place, P.VAULT_TIMEOUT, STRICT)
    browser = place.browser_of(uma)
    unlock(browser)
    leave_alone(place, uma, minutes=6)
    browser.get("/profile")
    leave_alone(place, uma, minutes=7)
    answer = browser.get("/profile", status=303)
    assert answer.location.startswith("/sign-in")
    # It stays over, whatever is asked next.
    browser.get("/session/vault", headers=JSON, status=401)


def test_a_session_without_an_unlocked_vault_is_left_alone(place):
    uma, _member = somebody(place)
    turn(place, P.VAULT_TIMEOUT, STRICT)
    browser = place.browser_of(uma)
    leave_alone(place, uma, hours=2)
    browser.get("/profile")


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.USER, Role.CUSTOM])
@pytest.mark.parametrize("state", [MemberState.ACCEPTED, MemberState.CONFIRMED])
def test_the_statement_of_each_visit_asks_whom_the_rule_asks(place, role, state):
    person, _member = somebody(place, role=role, state=state)
    turn(place, P.VAULT_TIMEOUT, STRICT)
    _same(place, person)
    for values in (
        {
            "status": ClientStatus.DELETING,
            "delete_at": utc_now(),
            "status_before_deletion": ClientStatus.ACTIVE,
        },
        {"status": ClientStatus.SUSPENDED, "delete_at": None, "status_before_deletion": None},
        {"plan": Plan.TEAMS, "plan_rank": 1},
    ):
        place.database.run(update(Organization).values(**values))
        _same(place, person)
    place.database.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2))
    place.database.run(update(Policy).values(is_on=False))
    _same(place, person)


def test_the_providers_people_and_the_revoked_are_exempt(place):
    person, member = somebody(place)
    turn(place, P.VAULT_TIMEOUT, STRICT)
    assert _same(place, person) == (5, True)
    place.database.run(update(Member).where(Member.id == member).values(state=MemberState.REVOKED))
    assert _same(place, person) == (None, False)
    place.database.run(
        update(Member).where(Member.id == member).values(state=MemberState.CONFIRMED)
    )
    employ(place.database, place.provider, person, Role.SERVICE_USER)
    assert _same(place, person) == (None, False)


def _same(place, person):
    """The statement and `holding.asking` say the same."""
    told = place.database.one(
        select(vault_timeout(Account.id)).where(Account.id == person.account_id)
    )
    with place.database.session() as session:
        asked = holding.asking(session, person.account_id, P.VAULT_TIMEOUT)
    expected = (5, True) if asked else (None, False)
    assert read_timeout(told) == expected
    return expected


# The message in the vault.

BANNER = VaultBanner("Tonight", "The file server rests\nfrom 22:00 <b>on</b>.", "Seen")


def test_the_message_is_read_in_the_vault_and_goes_until_the_next_unlocking(place):
    uma, _member = somebody(place)
    turn(place, P.VAULT_BANNER, BANNER)
    browser = place.browser_of(uma)
    page = browser.get(f"{place.url}/collections")
    assert "Tonight" in page
    assert "from 22:00 <b>on</b>." in page
    after = browser.follow(browser.submit(page, "Seen"))
    assert "Tonight" not in after
    assert "Tonight" not in browser.get(f"{place.url}/collections")
    unlock(browser)
    assert "Tonight" in browser.get(f"{place.url}/collections")


def test_another_message_is_shown_to_whoever_has_read_the_first(place):
    uma, _member = somebody(place)
    turn(place, P.VAULT_BANNER, BANNER)
    browser = place.browser_of(uma)
    browser.submit(browser.get(f"{place.url}/collections"), "Seen")
    place.database.run(update(Policy).values(version=7))
    assert "Tonight" in browser.get(f"{place.url}/collections")


def test_who_is_exempt_reads_no_message(place):
    turn(place, P.VAULT_BANNER, BANNER)
    owner, _member = somebody(place, "otto@client.example", Role.OWNER)
    assert "Tonight" not in place.browser_of(owner).get(f"{place.url}/collections")
    assert "Tonight" not in place.admins_browser().get(f"{place.url}/collections")


def test_a_button_without_words_of_its_own_has_ours(place):
    uma, _member = somebody(place)
    turn(place, P.VAULT_BANNER, VaultBanner(text="Read this."))
    browser = place.browser_of(uma)
    browser.submit(browser.get(f"{place.url}/collections"), "I have read this")


# What vault apps are told.


def test_vault_apps_are_told_all_that_holds_and_the_strictest_of_it(place):
    uma, _member = somebody(place)
    turn(place, P.NO_PIN)
    turn(place, P.AUTOFILL, on=False)
    turn(place, P.URI_MATCH, UriMatching(UriMatch.HOST))
    turn(place, P.MASTER_PASSWORD, MasterPassword(complexity=4, length=12))
    away, _there = elsewhere(place, uma)
    turn(away, P.MASTER_PASSWORD, MasterPassword(complexity=1, length=20, digits=True))
    turn(away, P.VAULT_TIMEOUT, VaultTimeout(30))
    answer = place.browser_of(uma).get("/session/policies").response
    assert answer.headers["Cache-Control"] == "no-store"
    told = [(each["organization"]["name"], each["policy"]) for each in answer.json["policies"]]
    here, there = place.organization.name, away.organization.name
    assert told == [
        (here, "master_password"),
        (here, "no_pin"),
        (here, "uri_match"),
        (there, "master_password"),
        (there, "vault_timeout"),
    ]
    together = answer.json["strictest"]
    assert together["master_password"]["complexity"] == 4
    assert together["master_password"]["length"] == 20
    assert together["master_password"]["digits"] is True
    assert together["vault_timeout"] == {"minutes": 30, "action": "lock"}
    assert together["uri_match"] == {"match": "host"}


def test_apps_that_know_older_policies_on_sends_alone_are_told_those_that_follow(place):
    uma, _member = somebody(place)
    turn(place, P.SEND_CONTROLS, SendControls(no_sends=True, shows_address=True))
    away, _there = elsewhere(place, uma)
    turn(away, P.SEND_CONTROLS, SendControls(hours=2))
    turn(away, P.AUTOTYPE)
    answer = place.browser_of(uma).get("/session/policies").response.json
    told = sorted((each["organization"]["name"], each["policy"]) for each in answer["policies"])
    here, there = place.organization.name, away.organization.name
    assert told == sorted(
        [
            (here, "send_controls"),
            (here, "remove_send"),
            (here, "send_options"),
            (there, "send_controls"),
            (there, "autotype"),
        ]
    )
    assert answer["strictest"]["send_controls"]["hours"] == 2
    assert answer["strictest"]["send_controls"]["no_sends"] is True


def test_somebody_of_whom_nothing_is_asked_is_told_so(place):
    owner, _member = somebody(place, "otto@client.example", Role.OWNER)
    turn(place, P.NO_PIN)
    answer = place.browser_of(owner).get("/session/policies").response.json
    assert answer == {"policies": [], "strictest": {}}
