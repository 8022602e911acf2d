"""What a session may do ends at once with what it stood on, and nobody makes one up."""

import pytest
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import delete, select, update

from portal.domain.access import Role
from portal.domain.states import ClientStatus, MemberState, ProviderPersonState
from portal.models import Account, AuthSession, Member, Organization, ProviderPerson, utc_now
from tests.support.accounts import age
from tests.support.browsing import Browser
from tests.support.tenants import make_tenant


@pytest.fixture
def tenant(database):
    return make_tenant(database, "Northmark")


def person_of(tenant, role):
    return ProviderPerson.account_id == tenant.people[role].account_id


@pytest.mark.parametrize("state", [ProviderPersonState.SUSPENDED, ProviderPersonState.ACCEPTED])
def test_a_suspended_person_is_out_with_the_next_request(database, tenant, state):
    browser = tenant.browser("provider admin")
    clients, inside = (
        f"/providers/{tenant.provider.id}/clients",
        f"/organizations/{tenant.client.id}/collections",
    )
    browser.get(clients)
    browser.get(inside)
    database.run(
        update(ProviderPerson).where(person_of(tenant, "provider admin")).values(state=state)
    )
    # Who waits to be confirmed is told so, on the one page that is theirs.
    waits = state is ProviderPersonState.ACCEPTED
    answer = browser.get(clients, status=303 if waits else 404)
    assert not waits or answer.location == f"/providers/{tenant.provider.id}/waiting"
    browser.get(inside, status=404)


def test_a_lower_role_counts_from_the_next_request_on(database, tenant):
    browser = tenant.browser("provider admin")
    new = f"/providers/{tenant.provider.id}/clients/new"
    browser.get(new)
    database.run(
        update(ProviderPerson)
        .where(person_of(tenant, "provider admin"))
        .values(role=Role.SERVICE_USER)
    )
    browser.get(new, status=403)


def test_a_revoked_member_is_out_with_the_next_request(database, tenant):
    browser, url = tenant.browser("owner"), f"/organizations/{tenant.client.id}/members"
    browser.get(url)
    mine = Member.account_id == tenant.people["owner"].account_id
    database.run(update(Member).where(mine).values(state=MemberState.REVOKED))
    browser.get(url, status=404)


@pytest.mark.parametrize("status", [ClientStatus.SUSPENDED, ClientStatus.DELETING])
def test_a_suspended_client_is_closed_to_its_members_at_once(database, tenant, status):
    browser, url = tenant.browser("owner"), f"/organizations/{tenant.client.id}/members"
    browser.get(url)
    deleting = status is ClientStatus.DELETING
    database.run(
        update(Organization).values(
            status=status,
            delete_at=utc_now() if deleting else None,
            status_before_deletion=ClientStatus.ACTIVE if deleting else None,
        )
    )
    assert browser.get(url, status=303).location.endswith("/closed")
    browser.post(f"{url}/{tenant.member_id}/invitation", status=403)


def signed_out(browser):
    return browser.get("/", status=303).location.startswith("/sign-in")


@pytest.mark.parametrize("ago", [{"hours": 12, "minutes": 1}, {"days": 40}])
def test_an_idle_session_ends(database, tenant, ago):
    browser = tenant.browser("owner")
    assert not signed_out_now(browser)
    age(database, tenant.people["owner"], **ago)
    assert signed_out(browser)


def signed_out_now(browser):
    return browser.client.get("/").status_code == 303


def test_a_session_in_constant_use_ends_after_all(database, tenant):
    browser = tenant.browser("owner")
    database.run(update(AuthSession).values(expires_at=AuthSession.authenticated_at))
    assert signed_out(browser)


def test_a_session_of_an_account_that_is_gone_is_nobodys(database, tenant):
    browser = tenant.browser("stranger")
    gone = tenant.people["stranger"].account_id
    database.run(delete(Account).where(Account.id == gone))
    assert signed_out(browser)


def test_what_the_database_holds_of_a_session_opens_none(database, tenant):
    tenant.browser("owner")
    row = database.one(select(AuthSession))
    for stolen in (row.token_hash, str(row.id), row.id.hex, str(row.account_id)):
        thief = Browser(database.app)
        with thief.client.session_transaction() as cookie:
            cookie["_user_id"] = stolen
        assert signed_out(thief)


@pytest.mark.parametrize("key", ["", "another key that is long enough to be one"])
def test_a_cookie_that_we_did_not_sign_is_no_cookie(database, tenant, key):
    token = None
    browser = tenant.browser("owner")
    with browser.client.session_transaction() as cookie:
        token = cookie["_user_id"]
    thief = Browser(database.app)
    serializer = database.app.session_interface.get_signing_serializer(database.app)
    forged = URLSafeTimedSerializer(
        key or "x",
        salt=serializer.salt,
        serializer=serializer.serializer,
        signer_kwargs=serializer.signer_kwargs,
    ).dumps({"_user_id": token, "_fresh": True})
    thief.client.set_cookie(database.app.config["SESSION_COOKIE_NAME"], forged)
    assert signed_out(thief)


def test_one_persons_token_in_anothers_cookie_does_not_mix_them(tenant):
    """Signing in over a live session leaves nothing of the first person behind."""
    browser = tenant.browser("owner")
    assert tenant.people["owner"].name in str(browser.get("/profile"))
    with browser.client.session_transaction() as cookie:
        before = dict(cookie)
    other = tenant.browser("stranger")
    with other.client.session_transaction() as cookie:
        token = cookie["_user_id"]
    with browser.client.session_transaction() as cookie:
        cookie["_user_id"] = token
        cookie["address"] = before["address"]
    page = str(browser.get("/profile"))
    assert tenant.people["stranger"].name in page
    assert tenant.people["owner"].name not in page
